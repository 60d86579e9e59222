#pragma once

// FakeEngine: an engine for tests of what stands at its door. Jobs run on the caller's thread
// against the real replica and the store in memory, one at a time, each with a commit of its own;
// what other regions would do is the test's to say. Threads: any; one lock around everything.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "daemon/engine.h"
#include "storage/memory_store.h"
#include "wan/replica.h"

namespace hawser {

struct FakeEngineOptions {
  std::vector<RegionId> members = {RegionId{1}, RegionId{2}};  // the first is this one
  Schema schema;
  std::uint64_t txn_bytes_max = 8 * 1024 * 1024;
  std::uint64_t record_bytes_max = 1024 * 1024;
};

class FakeEngine final : public Engine {
 public:
  explicit FakeEngine(FakeEngineOptions options = {});
  ~FakeEngine() override;

  // --- The test's levers; set them while nothing is submitted, or under Locked -------------------
  // Regions that have a txn; without it, all that were asked for.
  std::function<int(const AckWait&)> acks;
  // A cut that is not applied: true keeps the wait until FinishCutWaits, false says "not reached".
  bool hold_cut_waits = false;
  void FinishCutWaits(bool reached);
  // What is proved of other regions, instead of nothing.
  std::optional<Proof> proof;
  // Claims that are not settled: true keeps the wait until FinishClaimWaits, false says as it is.
  bool hold_claim_waits = false;
  void FinishClaimWaits();
  // The next jobs run, but their commits end in doubt.
  bool commits_unknown = false;
  // The next jobs are refused as this, at the commit.
  std::optional<Refusal> refuse;
  // Jobs are kept and not run until Release.
  bool hold_jobs = false;
  void Release();
  void DropHeld();  // as an engine that ends before it came to them
  // What status(), storage(), usage() and gate() say instead of the truth.
  std::optional<ReplicaStatus> status_says;
  std::optional<StoreUsage> storage_says;
  std::optional<EngineUsage> usage_says;
  std::optional<Refusal> gate_says;
  std::int64_t clock_ahead_ms = 0;  // added to every clock: to see things expire

  // A write made in another region that has not heard of this one, arriving here at once. Its
  // clock is `ahead_ms` ahead of ours.
  void WriteElsewhere(RegionId region, const std::function<void(LocalTxn&)>& write,
                      std::int64_t ahead_ms = 0);

  std::size_t jobs_held() const;
  Cut applied() const;

  // --- Engine
  // --------------------------------------------------------------------------------------
  void Submit(std::unique_ptr<Job> job) override;
  void Submit(AckWait wait) override;
  void Submit(CutWait wait) override;
  void Submit(ClaimWait wait) override;
  void OnReceived(Received) override {}
  std::unique_ptr<Reader> NewReader() override;
  std::unique_ptr<JournalReader> NewJournalReader() override;
  std::shared_ptr<const HomedTables> homed() const override;
  ReplicaStatus status() const override;
  StoreUsage storage() const override;
  EngineUsage usage() const override;
  Refusal gate() const override;
  std::uint64_t conflicts_logged() const override { return rings_; }  // every commit may be one
  std::int64_t clock_ms() const override;

 private:
  class LockedReader;
  class LockedJournalReader;
  class LockedView;
  class Wrapped;

  Now ReadClocks() const;
  void RunJob(std::unique_ptr<Job> job);

  mutable std::recursive_mutex mutex_;
  MemoryStore store_;
  Replica replica_;
  std::uint64_t commits_ = 0;
  std::atomic<std::uint64_t> rings_{0};
  mutable std::uint64_t ticks_ = 0;
  std::vector<std::unique_ptr<Job>> held_jobs_;
  std::vector<CutWait> cut_waits_;
  std::vector<ClaimWait> claim_waits_;
  std::map<RegionId, std::unique_ptr<MemoryStore>> elsewhere_;
};

}  // namespace hawser
