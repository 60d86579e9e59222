#pragma once

// Region: one gateway in the simulator: the product's replica and fetch server on a store in
// memory, driven turn by turn as the daemon's engine drives them, with places where it can die.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/coverage.h"
#include "tests/sim/knobs.h"
#include "tests/sim/machine_clock.h"
#include "tests/sim/random.h"
#include "tests/sim/truth.h"
#include "tests/sim/watched_store.h"
#include "wan/fetch_server.h"
#include "wan/replica.h"

namespace hawser::sim {

// Where a process dies. Each waits for a turn in which it means something.
enum class CrashPoint : std::uint8_t {
  kNone,
  kBeforeCommit,   // something is staged
  kAfterCommit,    // durable, nothing of it has left
  kWhileSending,   // some of it has left
  kMidCheckpoint,  // a checkpoint is half written
  kCommitFails,    // the disk says no
  kIdle,           // between two turns
};

// What a region's sends go through.
class Carrier {
 public:
  virtual ~Carrier() = default;
  virtual void Carry(RegionId from, const Send& send) = 0;
};

class Region {
 public:
  Region(RegionId id, const Knobs& knobs, Truth& truth, Coverage& coverage, Carrier& carrier,
         Random random);
  ~Region();
  Region(const Region&) = delete;

  void Start(std::int64_t true_us);
  // The process is gone, and with it what was not durable.
  void Kill();
  // The machine is gone for ever.
  void Destroy();
  // The next start finds this instead of what was there. REQUIRES: down.
  void PutBack(StoreImage image);
  // The same with an empty store of another incarnation.
  void Wipe();

  // Takes in what waits, commits, says what follows. False: it died on the way.
  bool Turn(std::int64_t true_us);

  bool up() const { return replica_ != nullptr; }
  bool destroyed() const { return destroyed_; }
  bool stopped() const { return stopped_; }  // it found itself rolled back and ended
  bool alive() const { return !destroyed_ && !stopped_ && !facts_.forked; }
  RegionId id() const { return facts_.region; }
  Origin origin() const { return store_->self(); }
  MemoryStore& store() { return *store_; }
  Replica& replica() { return *replica_; }
  WatchedStore& watched() { return *watched_; }
  RegionFacts& facts() { return facts_; }
  MachineClock& clock() { return clock_; }
  bool WantsTurn() const { return wants_turn_; }

  void Take(std::shared_ptr<const Received> received);
  void Take(std::unique_ptr<Job> job) { jobs_.push_back(std::move(job)); }
  void CrashAt(CrashPoint point) { crash_ = point; }
  CrashPoint crash_waiting() const { return crash_; }
  const std::string& rolled_back() const { return rolled_back_; }

  // Compares what is held with what the applied writes say, for one record.
  void CheckRecord(std::string_view row_key);

 private:
  void CheckRecovered();
  void CheckBounds();
  void Say(const std::vector<Send>& sends);
  void CountCounters();
  bool Die(CrashPoint point, Branch branch);

  const Knobs& knobs_;
  Truth& truth_;
  Coverage& coverage_;
  Carrier& carrier_;
  Random random_;
  RegionFacts facts_;
  MachineClock clock_;
  FollowedClock followed_;
  MemoryStoreOptions store_options_;
  std::unique_ptr<MemoryStore> store_;
  std::unique_ptr<WatchedStore> watched_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<FetchServer> server_;
  std::deque<std::shared_ptr<const Received>> inbox_;
  std::vector<std::unique_ptr<Job>> jobs_;
  CrashPoint crash_ = CrashPoint::kNone;
  bool destroyed_ = false;
  bool stopped_ = false;
  bool wants_turn_ = false;
  std::uint64_t turns_ = 0;
  std::string rolled_back_;
};

Schema SimSchema();

}  // namespace hawser::sim
