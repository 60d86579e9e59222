#include "tests/sim/watched_store.h"

#include <algorithm>

#include "conflict/record_codec.h"
#include "tests/sim/check.h"
#include "tests/sim/fates.h"
#include "tests/sim/rules.h"

namespace hawser::sim {

WatchedStore::WatchedStore(MemoryStore& inner, RegionFacts& facts, Truth& truth, Coverage& coverage,
                           const FollowedClock& clock, std::int64_t skew_ms_max)
    : inner_(inner),
      facts_(facts),
      truth_(truth),
      coverage_(coverage),
      clock_(clock),
      skew_ms_max_(skew_ms_max),
      committed_(inner.applied()),
      stamp_highest_staged_(facts.stamp_highest) {}

void WatchedStore::Apply(const JournalEntry& entry, const Txn& txn,
                         std::vector<Discarded>& discarded) {
  const Dot dot{entry.origin, entry.seq};
  const Seq next = Next(inner_.applied().Get(entry.origin));
  HW_CHECK(entry.seq == next, "prefix",
           "region " + std::to_string(Raw(facts_.region)) + " applies " + Text(dot) + " after " +
               std::to_string(Raw(next) - 1));
  if (entry.origin == self()) {
    ApplyOwn(entry, txn);
  } else {
    ApplyForeign(entry, txn);
  }
  stamp_highest_staged_ = std::max(stamp_highest_staged_, txn.stamp);
  const std::size_t known = discarded.size();
  inner_.Apply(entry, txn, discarded);
  coverage_.Add(Branch::kConflict, discarded.size() - known);
  staged_.push_back(dot);
  for (const Change& change : txn.changes) {
    if (change.table != "d") continue;
    std::string row_key;
    AppendRowKey(change.table, change.key, row_key);
    states_staged_.insert(std::move(row_key));
  }
}

void WatchedStore::ApplyOwn(const JournalEntry& entry, const Txn& txn) {
  coverage_.Add(Branch::kLocalTxn);
  CountFates(txn, inner_, truth_, coverage_);
  for (const Change& change : txn.changes) {
    if (change.created) coverage_.Add(Branch::kCreatedMark);
    for (const Op& op : change.ops) {
      if (op.absent && !change.created) coverage_.Add(Branch::kAbsentMark);
      if (op.generation > 0) coverage_.Add(Branch::kRaisedGeneration);
      if (!op.seen.empty()) coverage_.Add(Branch::kSeenShares);
    }
  }
  Cut deps;
  for (const Dot& dot : inner_.applied().dots()) {
    if (dot.origin != entry.origin) deps.Raise(dot);
  }
  HW_CHECK(
      txn.deps == deps, "deps are the applied cut",
      Text({entry.origin, entry.seq}) + " says " + Text(txn.deps) + ", stood at " + Text(deps));
  HW_CHECK(facts_.forked || txn.stamp > stamp_highest_staged_, "stamps rise",
           Text({entry.origin, entry.seq}) + " is stamped before what this region had");
  const Stamp told = truth_.told_clock(facts_.region);
  HW_CHECK(facts_.forked || txn.stamp > told, "stamps are past every clock told",
           Text({entry.origin, entry.seq}) + " is stamped " + std::to_string(txn.stamp.ms()) +
               ", told was " + std::to_string(told.ms()));
  auto made = std::make_unique<TruthTxn>();
  made->dot = {entry.origin, entry.seq};
  made->hash = entry.hash;
  made->bytes = entry.bytes;
  HW_CHECK(DecodeTxn(made->bytes, made->txn).has_value(), "txn is well made",
           "own bytes do not decode");
  made->deps = std::move(deps);
  own_.push_back(std::move(made));
}

void WatchedStore::ApplyForeign(const JournalEntry& entry, const Txn& txn) {
  coverage_.Add(Branch::kRemoteTxn);
  const Dot dot{entry.origin, entry.seq};
  const std::string who = "region " + std::to_string(Raw(facts_.region)) + " applies " + Text(dot);
  const TruthTxn* made = truth_.Find(dot);
  HW_CHECK(made, "only durable txns travel", who + ", which its origin never made durable");
  HW_CHECK(made->bytes == entry.bytes && made->hash == entry.hash, "identity",
           who + " with other content than its origin's");
  HW_CHECK(inner_.applied().Covers(made->deps), "causes before effects",
           who + " at " + Text(inner_.applied()) + ", deps " + Text(made->deps));
  HW_CHECK(txn.stamp.ms() <= clock_.ms() + skew_ms_max_, "stamped too far ahead",
           who + " stamped " + std::to_string(txn.stamp.ms() - clock_.ms()) + " ms ahead");
}

std::expected<void, StorageError> WatchedStore::Commit(Stamp ceiling) {
  auto committed = inner_.Commit(ceiling);
  if (!committed) return committed;
  for (auto& txn : own_) {
    txn->durable_at_us = true_us_;
    if (!facts_.forked) truth_.Add(std::move(txn));
  }
  own_.clear();
  if (staged_.size() > 1) coverage_.Add(Branch::kGroupCommit);
  facts_.journal.insert(facts_.journal.end(), staged_.begin(), staged_.end());
  staged_.clear();
  facts_.stamp_highest = stamp_highest_staged_;
  CheckStates(states_staged_, inner_, facts_, stamp_highest_staged_, coverage_);
  states_staged_.clear();
  committed_ = inner_.applied();
  Cut& durable = truth_.durable(facts_.region);
  if (facts_.forked) {
    for (const Dot& dot : committed_.dots()) {
      if (dot.origin.region != facts_.region) durable.Raise(dot);
    }
  } else {
    durable = committed_;
  }
  return committed;
}

std::expected<void, StorageError> WatchedStore::Reserve(std::uint64_t txn_bytes, bool own) {
  auto reserved = inner_.Reserve(txn_bytes, own);
  if (!reserved) coverage_.Add(own ? Branch::kWriteRefusedFull : Branch::kReceivingPaused);
  return reserved;
}

bool WatchedStore::Congested() const {
  const bool congested = inner_.Congested();
  if (congested) coverage_.Add(Branch::kCongested);
  return congested;
}

// Stable says: every member has durably applied it, and what each did before it did is applied
// here.
void WatchedStore::SetStable(const Stable& stable, const Cut& trim) {
  const std::string who = "region " + std::to_string(Raw(facts_.region)) + " counts " +
                          Text(stable.cut) + " as stable; ";
  for (const auto& [member, durable] : truth_.durable()) {
    HW_CHECK(durable.Covers(stable.cut), "stable means applied by all",
             who + std::to_string(Raw(member)) + " has " + Text(durable));
  }
  for (const auto& [origin, log] : truth_.logs()) {
    // Of a store rolled back unnoticed, nobody can count right.
    if (origin.region == facts_.region || truth_.forked.contains(origin.region)) continue;
    const Seq next = Next(committed_.Get(origin));
    const TruthTxn* unseen = truth_.Find({origin, next});
    if (!unseen) continue;
    bool knew = true;
    for (const Dot& dot : stable.cut.dots()) knew &= unseen->Saw(dot);
    HW_CHECK(knew, "stable means nothing older is under way",
             who + Text(unseen->dot) + " was made before and is not here");
    HW_CHECK(unseen->txn.stamp.ms() >= stable.clock_ms, "stable clock has passed",
             who + "its clock " + std::to_string(stable.clock_ms) + ", " + Text(unseen->dot) +
                 " is stamped " + std::to_string(unseen->txn.stamp.ms()));
  }
  HW_CHECK(stable.cut.Covers(stable_at_least_), "stable keeps up",
           who + "everybody has had " + Text(stable_at_least_) + " for long");
  stable_ = stable;
  inner_.SetStable(stable, trim);
}

std::expected<void, StorageError> WatchedStore::Upkeep() {
  const bool running = inner_.checkpoint_running();
  auto kept = inner_.Upkeep();
  if (running && !inner_.checkpoint_running()) coverage_.Add(Branch::kCheckpoint);
  CheckTrimmed();
  return kept;
}

// What left the journal must be with every member, or, past the journal's bound, with those that
// are not stale; never an own txn that nobody else has.
void WatchedStore::CheckTrimmed() {
  const std::size_t kept = inner_.durable().journal.size();
  HW_CHECK(kept <= facts_.journal.size(), "journal keeps its entries",
           "more entries than were ever committed");
  while (facts_.journal.size() > kept) {
    const Dot dot = facts_.journal.front();
    facts_.journal.pop_front();
    coverage_.Add(Branch::kTrimmed);
    if (truth_.IsEverywhere(dot)) continue;
    const std::string who =
        "region " + std::to_string(Raw(facts_.region)) + " forgets " + Text(dot);
    HW_CHECK(facts_.journal_bounded, "journal keeps what somebody lacks", who);
    int others = 0;
    for (const auto& [member, durable] : truth_.durable()) {
      if (member == facts_.region) continue;
      if (durable.Covers(dot)) {
        ++others;
      } else {
        facts_.stale.insert(member);
      }
    }
    HW_CHECK(others > 0 || dot.origin != self(), "journal keeps what nobody else has", who);
  }
}

}  // namespace hawser::sim
