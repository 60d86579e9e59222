#include "daemon/calls/call_desk.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "wan/wire.h"

namespace hawser {
namespace {

constexpr long kIdleUs = 200'000;
constexpr long kBusyUs = 5'000;  // deadlines are looked at that often

std::int64_t MonoMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

CallDesk::CallDesk(CallDeskOptions options)
    : options_(std::move(options)),
      book_(options_.book),
      door_(options_.door, options_.clock_ms()),
      mailbox_(std::make_shared<Mailbox>(options_.inbox_bytes_max)),
      counts_(book_.counts()),
      thread_([this] { Loop(); }) {}

CallDesk::~CallDesk() {
  stopping_ = true;
  mailbox_->wakeup.Notify();
  thread_.join();
}

void CallDesk::Call(RegionId to, std::string verb, std::string body, std::int64_t budget_ms,
                    Done done) {
  mailbox_->items.Push(Wish{.to = to,
                            .verb = std::move(verb),
                            .body = std::move(body),
                            .deadline_ms = MonoMs() + budget_ms,
                            .done = std::move(done)});
  mailbox_->wakeup.Notify();
}

void CallDesk::OnReceived(Received message) {
  const std::uint64_t bytes = message.bytes.size();
  mailbox_->items.Push(std::move(message), bytes);
  mailbox_->wakeup.Notify();
}

std::vector<CallCounts> CallDesk::Counts() const {
  const std::lock_guard lock(counts_mutex_);
  return counts_;
}

void CallDesk::Loop() {
  std::vector<Item> items;
  while (!stopping_) {
    mailbox_->items.TakeAll(items);
    for (Item& item : items) {
      std::visit([this](auto& one) { Take(one); }, item);
    }
    const std::int64_t now_ms = MonoMs();
    book_.Advance(now_ms, ended_);
    End(ended_);
    for (auto at = serving_.begin(); at != serving_.end();) {
      const auto next = std::next(at);
      if (at->second + 1000 < now_ms) {
        door_.Finished(at->first.first);
        serving_.erase(at);
      }
      at = next;
    }
    for (Send& send : std::exchange(out_, {})) options_.publish(std::move(send));
    {
      const std::lock_guard lock(counts_mutex_);
      counts_ = book_.counts();
    }
    const bool idle = book_.idle() && serving_.empty();
    mailbox_->wakeup.Sleep(idle ? kIdleUs : kBusyUs,
                           [this] { return !mailbox_->items.empty() || stopping_; });
  }
  for (auto& [id, done] : waiting_) done(std::unexpected(CallFailure::kStopping));
  mailbox_->items.TakeAll(items);
  for (Item& item : items) {
    if (auto* wish = std::get_if<Wish>(&item)) wish->done(std::unexpected(CallFailure::kStopping));
    if (auto* own = std::get_if<OwnAnswer>(&item)) Take(*own);
  }
}

void CallDesk::Take(Wish& wish) {
  const std::int64_t now_ms = MonoMs();
  if (wish.to == options_.book.self) return ServeSelf(wish);
  const std::int64_t budget_ms =
      std::clamp<std::int64_t>(wish.deadline_ms - now_ms, 1, kCallBudgetMsMax);
  const auto id = book_.Begin(wish.to, std::move(wish.verb), std::move(wish.body), budget_ms,
                              now_ms, options_.clock_ms(), out_);
  if (!id) return wish.done(std::unexpected(id.error()));
  waiting_.emplace(*id, std::move(wish.done));
}

void CallDesk::ServeSelf(Wish& wish) {
  const auto handler = options_.handlers.find(wish.verb);
  if (handler == options_.handlers.end()) {
    return wish.done(std::unexpected(CallFailure::kUnknown));
  }
  handler->second(
      {.from = wish.to, .body = std::move(wish.body), .deadline_mono_ms = wish.deadline_ms},
      [mailbox = mailbox_, done = std::move(wish.done)](std::string body) {
        mailbox->items.Push(OwnAnswer{.body = std::move(body), .done = done});
        mailbox->wakeup.Notify();
      });
}

void CallDesk::Take(OwnAnswer& answer) {
  answer.done(std::move(answer.body));
}

void CallDesk::Take(Received& received) {
  auto message = Decode(received.bytes);
  if (!message) return;  // damaged, or of newer software: its caller's budget runs out
  if (auto* request = std::get_if<CallRequest>(&*message)) {
    if (received.kind != Address::Kind::kTo) return;
    const RegionId from = request->from;
    auto verdict = door_.Admit(std::move(*request), MonoMs(), options_.clock_ms());
    if (auto* admitted = std::get_if<CallRequest>(&verdict)) return Serve(std::move(*admitted));
    if (auto* refusal = std::get_if<CallAnswer>(&verdict)) SendAnswer(from, std::move(*refusal));
  } else if (auto* answer = std::get_if<CallAnswer>(&*message)) {
    if (received.kind != Address::Kind::kIn) return;
    book_.OnAnswer(std::move(*answer), MonoMs(), options_.clock_ms(), out_, ended_);
    End(ended_);
  }
}

void CallDesk::Serve(CallRequest request) {
  const RegionId from = request.from;
  const auto handler = options_.handlers.find(request.verb);
  if (handler == options_.handlers.end()) {
    door_.Finished(from);
    return SendAnswer(
        from,
        {.from = options_.book.self, .id = request.id, .status = CallStatus::kUnknown, .body = {}});
  }
  const std::int64_t deadline_ms = MonoMs() + request.budget_ms;
  serving_.emplace(std::pair(from, request.id), deadline_ms);
  handler->second({.from = from, .body = std::move(request.body), .deadline_mono_ms = deadline_ms},
                  [mailbox = mailbox_, from, id = request.id](std::string body) {
                    mailbox->items.Push(Finished{.to = from, .id = id, .body = std::move(body)});
                    mailbox->wakeup.Notify();
                  });
}

void CallDesk::Take(Finished& finished) {
  if (serving_.erase({finished.to, finished.id}) == 0) return;  // nobody waits any more
  door_.Finished(finished.to);
  if (finished.body.size() > kCallBytesMax) return;  // it cannot travel: the budget runs out
  SendAnswer(finished.to, {.from = options_.book.self,
                           .id = finished.id,
                           .status = CallStatus::kDone,
                           .body = std::move(finished.body)});
}

void CallDesk::SendAnswer(RegionId to, CallAnswer answer) {
  for (CallAnswer& piece : CutIntoPieces(std::move(answer), kFragmentBytesMax)) {
    out_.push_back({.to = {.kind = Address::Kind::kIn, .region = to},
                    .bytes = Encode(Message(std::move(piece)))});
  }
}

void CallDesk::End(std::vector<CallEnded>& ended) {
  for (CallEnded& end : std::exchange(ended, {})) {
    const auto at = waiting_.find(end.id);
    const Done done = std::move(at->second);
    waiting_.erase(at);
    done(std::move(end.answer));
  }
}

}  // namespace hawser
