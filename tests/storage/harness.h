#pragma once

// One face for both stores, so that one conformance suite runs on each.

#include <memory>

#include "storage/memory_store.h"
#include "tests/storage/author.h"

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

// Another region, to receive from.
inline std::unique_ptr<MemoryStore> OtherRegion(std::uint8_t id) {
  MemoryStoreOptions options;
  options.region = RegionId{id};
  options.cluster_id = kCluster;
  options.incarnation = Incarnation{0x2000u + id};
  return std::make_unique<MemoryStore>(options);
}

}  // namespace hawser::test
