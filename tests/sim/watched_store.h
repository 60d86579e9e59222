#pragma once

// WatchedStore: a region's store with an observer in front. Everything the replica asks of the
// store passes here and is compared with the truth first: order, causes, content, clocks, what is
// called stable and what leaves the journal.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/memory_store.h"
#include "tests/sim/coverage.h"
#include "tests/sim/machine_clock.h"
#include "tests/sim/truth.h"

namespace hawser::sim {

// What is known of a region from outside, for all its restarts.
struct RegionFacts {
  RegionId region{};
  Stamp stamp_highest;      // of every txn it applied durably or made
  std::deque<Dot> journal;  // what its journal must hold, in order
  bool forked = false;      // runs on an older copy of its store: its own txns are off the books
  bool journal_bounded = false;
  bool loose_line = false;  // regions may have declared different lines at first
  struct State {
    std::uint64_t generation = 0, rank = 0;
    std::string value;
    std::int64_t expires_ms = 0;  // 0: never
  };
  std::map<std::string, State> states;  // by row key: what showed when it was last durable
  std::set<RegionId> stale;  // members it has stopped waiting for (bounded journals only)
};

class WatchedStore final : public Store {
 public:
  WatchedStore(MemoryStore& inner, RegionFacts& facts, Truth& truth, Coverage& coverage,
               const FollowedClock& clock, std::int64_t skew_ms_max);

  Origin self() const override { return inner_.self(); }
  const Cut& applied() const override { return inner_.applied(); }
  std::vector<LogEnd> log_ends() const override { return inner_.log_ends(); }
  std::optional<std::uint64_t> HashAt(const Origin& origin, Seq seq) override {
    return inner_.HashAt(origin, seq);
  }
  Stamp clock_floor() const override { return inner_.clock_floor(); }
  std::optional<std::string_view> Read(std::string_view row_key) override {
    return inner_.Read(row_key);
  }
  void ScanNewest(std::string_view start,
                  const std::function<bool(std::string_view row_key, std::string_view record)>&
                      visit) override {
    inner_.ScanNewest(start, visit);
  }
  void Apply(const JournalEntry& entry, const Txn& txn, std::vector<Discarded>& discarded) override;
  bool HasStaged() const override { return inner_.HasStaged(); }
  std::expected<void, StorageError> Commit(Stamp ceiling) override;
  std::expected<void, StorageError> Reserve(std::uint64_t txn_bytes, bool own) override;
  bool Congested() const override;
  void SetStable(const Stable& stable, const Cut& trim) override;
  std::expected<void, StorageError> Upkeep() override;
  StoreUsage usage() const override { return inner_.usage(); }
  std::unique_ptr<Reader> NewReader() override { return inner_.NewReader(); }
  std::unique_ptr<JournalReader> NewJournalReader() override { return inner_.NewJournalReader(); }

  // Now, in true time; `stable_at_least`: what must be counted stable by now (may be empty).
  void SetMoment(std::int64_t true_us) { true_us_ = true_us; }
  void ExpectStable(Cut at_least) { stable_at_least_ = std::move(at_least); }

  const Cut& committed() const { return committed_; }
  const Stable& stable() const { return stable_; }
  std::size_t staged() const { return staged_.size(); }
  bool staged_own() const { return !own_.empty(); }
  const std::vector<Dot>& staged_dots() const { return staged_; }

 private:
  void ApplyOwn(const JournalEntry& entry, const Txn& txn);
  void ApplyForeign(const JournalEntry& entry, const Txn& txn);
  void CheckTrimmed();

  MemoryStore& inner_;
  RegionFacts& facts_;
  Truth& truth_;
  Coverage& coverage_;
  const FollowedClock& clock_;
  std::int64_t skew_ms_max_;
  std::int64_t true_us_ = 0;
  Cut committed_;
  Stable stable_;
  Cut stable_at_least_;
  std::vector<Dot> staged_;
  std::set<std::string> states_staged_;  // row keys
  std::vector<std::unique_ptr<TruthTxn>> own_;
  Stamp stamp_highest_staged_;
};

}  // namespace hawser::sim
