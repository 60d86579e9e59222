#include "homing/claim_book.h"

#include <algorithm>
#include <iterator>

#include "conflict/internal_tables.h"
#include "conflict/record_codec.h"

namespace hawser {

ClaimBook::ClaimBook(RegionId self) : self_(self) {
  counts_.confirm_buckets.resize(std::size(kClaimBoundsSeconds) + 1);
}

void ClaimBook::OnApplied(const Dot& dot, const Txn& txn, std::int64_t mono_ms) {
  for (const Change& change : txn.changes) {
    if (change.table != kUniqueTable) continue;
    const bool claims = std::ranges::any_of(
        change.ops, [](const Op& op) { return op.field == kOwnerField && !op.null; });
    if (!claims || pending_count_ >= kPendingMax) continue;
    Pending& pending = pending_[dot].emplace_back();
    AppendRowKey(change.table, change.key, pending.row_key);
    pending.since_mono_ms = mono_ms;
    ++pending_count_;
  }
}

void ClaimBook::OnDiscarded(const Discarded& discarded) {
  if (discarded.table != kUniqueTable || discarded.winner.null) return;
  if (discarded.loser.dot.origin.region == self_) ++counts_.lost_total;
}

void ClaimBook::OnProof(const Proof& proof,
                        const std::function<Claim(std::string_view row_key)>& look,
                        std::int64_t mono_ms) {
  if (!proof.compared || pending_.empty()) return;
  for (const Dot& stable : proof.stable.cut.dots()) {
    auto at = pending_.lower_bound(Dot{stable.origin, Seq{0}});
    while (at != pending_.end() && at->first.origin == stable.origin &&
           at->first.seq <= stable.seq) {
      for (const Pending& pending : at->second) {
        --pending_count_;
        if (look(pending.row_key).dot != at->first) continue;  // released, or lost
        ++counts_.confirmed_total;
        if (stable.origin.region != self_) continue;
        const double seconds = static_cast<double>(mono_ms - pending.since_mono_ms) / 1000;
        const auto bucket = std::ranges::lower_bound(kClaimBoundsSeconds, seconds) -
                            std::begin(kClaimBoundsSeconds);
        ++counts_.confirm_buckets[static_cast<std::size_t>(bucket)];
        counts_.confirm_seconds_sum += seconds;
      }
      at = pending_.erase(at);
    }
  }
}

ClaimCounts ClaimBook::counts() const {
  ClaimCounts counts = counts_;
  counts.pending = pending_count_;
  return counts;
}

}  // namespace hawser
