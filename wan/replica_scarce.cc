// Replica, scarce fields: what is taken of them, and which rights this region asks others for.

#include <algorithm>
#include <utility>

#include "wan/replica.h"

namespace hawser {
namespace {

constexpr std::size_t kWishesMax = 256;  // of one turn; what is wished for again will be

}  // namespace

bool Replica::IsHeard(const Origin& origin) const {
  const auto at = peers_.all().find(origin.region);
  if (at == peers_.all().end() || at->second.heard_mono_ms < 0) return false;
  const Peer& peer = at->second;
  return peer.report.own.origin == origin &&
         now_.mono_ms - peer.heard_mono_ms <= options_.beat_interval_ms * 10;
}

// A wish goes to those that can be asked now.
void Replica::Wish(RightsWish wish) {
  if (!wish.holders.empty() && rights_wishes_.size() < kWishesMax) {
    rights_wishes_.push_back(std::move(wish));
  }
}

Refusal Replica::TakeScarceFields(LocalTxn& local) {
  auto taken = TakeScarce(
      txn_.changes, *scarce_, self_, options_.members.size(), [this] { return proof(); }, local);
  const auto keep_heard = [this](RightsWish& wish) {
    std::erase_if(wish.holders, [this](const auto& holder) { return !IsHeard(holder.first); });
  };
  if (taken) {
    if (taken->added) txn_.changes = local.Finish();
    for (RightsWish& wish : taken->ahead) {
      keep_heard(wish);
      Wish(std::move(wish));
    }
    return Refusal::kNone;
  }
  ++counters_.scarce_refused;
  ScarceRefused& refused = taken.error();
  if (refused.why == ScarceRefused::Why::kInTheWay) return Refusal::kRightsLeft;
  keep_heard(refused.wish);
  std::int64_t lacking = refused.wish.need;
  for (const auto& [origin, amount] : refused.wish.holders) {
    lacking -= std::min(lacking, amount);
  }
  if (lacking > 0) return Refusal::kNotEnough;
  Wish(std::move(refused.wish));
  return Refusal::kRightsElsewhere;
}

}  // namespace hawser
