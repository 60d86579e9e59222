// Replica, unique values: what is proved, claims killed by a release, and who waits for a claim.

#include <algorithm>

#include "conflict/internal_tables.h"
#include "conflict/variant.h"
#include "wan/replica.h"

namespace hawser {
namespace {

// What one claim made again takes beside its key and its owner: the head and deps of a txn.
constexpr std::uint64_t kReclaimBytes = 2048;

}  // namespace

bool Replica::Compared(RegionId member) const {
  // Stale ones too: they count for what is stable, so nothing could be confirmed without them.
  const auto peer = peers_.all().find(member);
  return peer != peers_.all().end() && peer->second.compared;
}

Proof Replica::proof() const {
  const bool compared = std::ranges::all_of(
      peers_.all(), [this](const auto& entry) { return Compared(entry.first); });
  return {stable(), compared && rolled_back_.empty()};
}

// A received txn that releases may kill a claim made here, which is then made again in the same
// group commit: room for both is asked for before either is applied.
std::uint64_t Replica::ReclaimRoom(const Txn& txn) const {
  std::uint64_t bytes = 0;
  for (const Change& change : txn.changes) {
    if (change.table == kUniqueTable) bytes += kReclaimBytes + change.key.size() + kOwnerBytesMax;
  }
  return bytes;
}

// A claim of this region that gave way to a release which had not seen it. One that gave way to a
// rival is lost, and in the conflict log.
void Replica::NoteKilledClaims() {
  if (HW_VARIANT(kClaimNotReclaimed)) return;
  for (const Discarded& discarded : discarded_) {
    if (discarded.table != kUniqueTable || !discarded.winner.null) continue;
    if (discarded.loser.dot.origin != self_) continue;
    killed_claims_.push_back({std::string(discarded.key), std::string(discarded.loser.value)});
  }
}

// Made anew right after the txn that killed it, before anything else is applied: what shows is the
// release that won, so nobody else holds the value here.
void Replica::Reclaim() {
  const std::vector<Killed> killed = std::exchange(killed_claims_, {});
  LocalTxn again(store_, schema_, clock_.Read().ms());
  for (const Killed& claim : killed) {
    const ClaimName name = SplitClaimKey(claim.key);
    if (MakeClaim(again, name.name, name.value, claim.owner).effect == ClaimEffect::kWritten) {
      claim_book_.OnReclaimed();
    }
  }
  // Room was asked for: a refusal means a disk that failed in between, and then nothing of this
  // commit will be durable.
  (void)CommitOwn(again, false);
}

// A claim that is no longer its owner's is told at once, however silent some region is.
void Replica::AnswerClaimWaits(Effects& effects) {
  if (claim_waits_.empty()) return;
  const Proof proved = proof();
  const bool look = std::exchange(claims_moved_, false);
  std::erase_if(claim_waits_, [&](ClaimWait& wait) {
    const bool late = now_.mono_ms >= wait.deadline_mono_ms;
    if (!look && !late) return false;
    Claim claim = ClaimOf(store_.Read(wait.row_key), proved);
    const bool settled = claim.owner != wait.owner || claim.state == ClaimState::kConfirmed;
    if (!settled && !late) return false;
    effects.claims_settled.emplace_back(std::move(wait), std::move(claim));
    return true;
  });
}

}  // namespace hawser
