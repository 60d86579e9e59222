#pragma once

// Engine: the one thread that owns all state changes. It takes local jobs and received messages in
// batches, runs them through the replica, commits once (group commit), makes the outcome visible,
// finishes the jobs, and hands messages to the link.
//
// Threads: Submit, Status, NewReader, Stop from any thread; Job::Run and Job::Done on the engine
//          thread: they must be quick and must not block.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/commit_bell.h"
#include "homing/home.h"
#include "storage/local_txn.h"
#include "storage/store.h"
#include "wan/session.h"
#include "wan/status.h"

namespace hawser {

struct EngineUsage {
  std::uint64_t ticks = 0;    // turns of the engine's loop, idle ones too; feeds the watchdog
  std::uint64_t commits = 0;  // group commits
  std::uint64_t committed_txns = 0;
  std::uint64_t jobs_waiting = 0;
  std::vector<std::uint64_t> commit_buckets;  // of kCommitBoundsSeconds, plus +Inf
  double commit_seconds_sum = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  // Jobs of one submitter run in the order submitted. After Stop, Done(kUnknown) comes at once.
  virtual void Submit(std::unique_ptr<Job> job) = 0;
  virtual void Submit(AckWait wait) = 0;
  virtual void Submit(CutWait wait) = 0;
  virtual void Submit(ClaimWait wait) = 0;
  virtual void OnReceived(Received message) = 0;  // bounded inbox; over the bound it is dropped
  virtual std::unique_ptr<Reader> NewReader() = 0;
  virtual std::unique_ptr<JournalReader> NewJournalReader() = 0;
  // The homed tables; null: there are none. Cheap then.
  virtual std::shared_ptr<const HomedTables> homed() const = 0;
  virtual ReplicaStatus status() const = 0;
  virtual StoreUsage storage() const = 0;
  virtual EngineUsage usage() const = 0;
  virtual Refusal gate() const = 0;  // kNone: writes are taken
  virtual std::int64_t clock_ms()
      const = 0;  // the hybrid clock for readers elsewhere: never goes back
  // Moves when the conflict log may have grown, after what is new can be read and before the bell
  // rings. To look at the log anew at every commit would cost every reader a sorted memtable.
  virtual std::uint64_t conflicts_logged() const = 0;
  // Rung after every commit of txns, once they can be read and were answered.
  CommitBell& commit_bell() { return commit_bell_; }

 private:
  CommitBell commit_bell_;
};

}  // namespace hawser
