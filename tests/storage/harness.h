#pragma once

// One face for both stores, so that one conformance suite runs on each.

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "storage/lmdb_store.h"
#include "storage/memory_store.h"
#include "tests/storage/author.h"
#include "tests/storage/scratch_dir.h"

namespace hawser::test {

class MemoryHarness {
 public:
  MemoryHarness() {
    options_.region = RegionId{1};
    options_.cluster_id = kCluster;
    options_.incarnation = Incarnation{0x1111};
    options_.checkpoint_idle_upkeeps = 1;
    options_.rows_per_commit = 3;
    store_ = std::make_unique<MemoryStore>(options_);
  }
  Store& store() { return *store_; }
  // A new store, that keeps so much of the conflict log.
  void KeepConflicts(const ConflictLogOptions& conflicts) {
    options_.conflicts = conflicts;
    store_ = std::make_unique<MemoryStore>(options_);
  }
  // Power loss, then a new start.
  void Crash() { store_ = store_->Crash(); }
  // Checkpoints everything, drops and trims what may go.
  void Settle() {
    for (int i = 0; i < 200; ++i) REQUIRE(store_->Upkeep());
  }
  // Leaves a checkpoint half done: some of its commits are in, the last is not.
  void CheckpointInPart() {
    REQUIRE(store_->Upkeep());
    REQUIRE(store_->checkpoint_running());
  }

 private:
  MemoryStoreOptions options_;
  std::unique_ptr<MemoryStore> store_;
};

class LmdbHarness {
 public:
  LmdbHarness() {
    options_.path = dir_ / "store";
    options_.region = RegionId{1};
    options_.cluster_id = kCluster;
    options_.memtable_bytes_max = 8 << 20;
    options_.journal_bytes_max = 64 << 20;
    options_.map_bytes_max = 256 << 20;
    options_.journal_prealloc_bytes = 0;
    options_.disk_reserve_bytes = 1 << 20;
    options_.checkpoint_pages_max = 1;
    options_.checkpoint_idle_ms = 0;
    options_.drop_every_ms = 0;
    options_.checkpoint_gate = [this] { return checkpoint_commits_left_.fetch_sub(1) > 0; };
    Open();
  }
  Store& store() { return *store_; }
  void KeepConflicts(const ConflictLogOptions& conflicts) {
    options_.conflicts = conflicts;
    Crash();
  }
  void Crash() {
    store_.reset();
    Open();
  }
  void Settle() {
    // Until a checkpoint has everything and several rounds of upkeep found nothing to do.
    StoreUsage before;
    const auto began = std::chrono::steady_clock::now();
    for (int quiet = 0; quiet < 10;) {
      REQUIRE(std::chrono::steady_clock::now() - began < std::chrono::seconds(30));
      REQUIRE(store_->Upkeep());
      const StoreUsage now = store_->usage();
      const bool same = now.lsn_checkpointed == now.lsn_last && now.memtable_bytes == 0 &&
                        now.lsn_first == before.lsn_first && now.tombstones == before.tombstones;
      quiet = same ? quiet + 1 : 0;
      before = now;
      if (!same) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  void CheckpointInPart() {
    checkpoint_commits_left_ = 2;
    const Lsn before = store_->usage().lsn_checkpointed;
    while (checkpoint_commits_left_.load() >= 0) {
      REQUIRE(store_->Upkeep());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    REQUIRE(store_->usage().lsn_checkpointed == before);
    checkpoint_commits_left_ = kNoLimit;
  }
  LmdbStoreOptions& options() { return options_; }
  LmdbStore& lmdb() { return *store_; }
  void Close() { store_.reset(); }
  void Open() {
    auto opened = LmdbStore::Open(options_);
    if (!opened) FAIL(opened.error().message);
    store_ = std::move(*opened);
  }

 private:
  static constexpr int kNoLimit = 1 << 30;
  ScratchDir dir_;
  std::atomic<int> checkpoint_commits_left_{kNoLimit};
  LmdbStoreOptions options_;
  std::unique_ptr<LmdbStore> store_;
};

// Another region, to receive from.
inline std::unique_ptr<MemoryStore> OtherRegion(std::uint8_t id) {
  MemoryStoreOptions options;
  options.region = RegionId{id};
  options.cluster_id = kCluster;
  options.incarnation = Incarnation{0x2000u + id};
  return std::make_unique<MemoryStore>(options);
}

}  // namespace hawser::test
