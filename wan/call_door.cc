#include "wan/call_door.h"

#include "conflict/assert.h"

namespace hawser {

CallDoor::Verdict CallDoor::Admit(CallRequest request, std::int64_t mono_ms,
                                  std::int64_t clock_ms) {
  Forget(mono_ms);
  const Id id{request.from, request.id};
  if (admitted_.contains(id)) return Nothing{};
  auto whole = pieces_.Add(std::move(request), mono_ms);
  if (!whole) return Nothing{};
  const auto refuse = [&](CallStatus status) {
    return CallAnswer{.from = options_.self, .id = id.second, .status = status, .body = {}};
  };
  // Nobody waits any more: a request that a broken link kept back must not be carried out now.
  const std::int64_t over_ms = whole->sent_ms + whole->budget_ms + options_.skew_ms;
  if (whole->sent_ms < began_ms_ || over_ms < clock_ms || whole->budget_ms == 0 ||
      whole->budget_ms > kCallBudgetMsMax) {
    return refuse(CallStatus::kLate);
  }
  std::uint64_t& of_one = under_way_of_[whole->from];
  if (under_way_ >= options_.under_way_max || of_one >= options_.under_way_of_one_max ||
      admitted_.size() >= options_.remembered_max) {
    return refuse(CallStatus::kBusy);
  }
  ++under_way_;
  ++of_one;
  admitted_.insert(id);
  admitted_at_.emplace_back(mono_ms, id);
  return std::move(*whole);
}

void CallDoor::Finished(RegionId from) {
  HW_ASSERT(under_way_ > 0 && under_way_of_[from] > 0);
  --under_way_;
  --under_way_of_[from];
}

// What is forgotten would be late: it was sent no later than a skew after it first came in.
void CallDoor::Forget(std::int64_t mono_ms) {
  const std::int64_t kept_ms = kCallBudgetMsMax + 2 * options_.skew_ms + 1000;
  while (!admitted_at_.empty() && mono_ms - admitted_at_.front().first > kept_ms) {
    admitted_.erase(admitted_at_.front().second);
    admitted_at_.pop_front();
  }
  pieces_.Forget(mono_ms);
}

}  // namespace hawser
