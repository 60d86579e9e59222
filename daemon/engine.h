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

#include "storage/local_txn.h"
#include "storage/store.h"
#include "wan/status.h"

namespace hawser {

// Why a local write is refused before anything happened.
enum class Refusal {
  kNone,
  kFull,        // journal, map or disk at its bound
  kReadOnly,    // started on a full disk, or the store needs an operator
  kRolledBack,  // this store was found rolled back: it is about to end
  kTooBig,      // the txn is larger than max_txn, or one record than max_record
  kStopping,
};

// The engine as a job sees it, between two commits.
class Session {
 public:
  virtual ~Session() = default;
  // A txn in the making; reads the newest state, other jobs of this group commit included.
  virtual std::unique_ptr<LocalTxn> Begin() = 0;
  // Stages it. No changes: fine, dot is empty. Durable only when the job's Done says so.
  virtual std::expected<Dot, Refusal> Commit(LocalTxn& txn) = 0;
  // Newest state for reads that must see writes of the same group commit.
  virtual std::optional<std::string_view> Get(std::string_view row_key) = 0;
  virtual void Scan(std::string_view start,
                    const std::function<bool(std::string_view, std::string_view)>& visit) = 0;
  virtual std::int64_t now_ms() const = 0;  // judges expiry
  virtual const Cut& applied() const = 0;   // staged included
  virtual const Schema& schema() const = 0;
};

enum class Outcome {
  kDurable,  // everything the job committed is durable and visible
  kUnknown,  // the commit failed or the engine stops: may or may not have happened
};

class Job {
 public:
  virtual ~Job() = default;
  virtual void Run(Session& session) = 0;
  virtual void Done(Outcome outcome) = 0;  // exactly once, also when Run never came (kUnknown)
};

// Waits for something of other regions; finished by the engine, Done(…) as for jobs.
struct AckWait {
  Dot dot;          // regions must have durably applied this
  int regions = 0;  // how many others; -1: all
  std::int64_t deadline_mono_ms = 0;
  std::function<void(int regions_reached)> done;  // engine thread
};
struct CutWait {
  Cut cut;  // this region must have applied this, visibly
  std::int64_t deadline_mono_ms = 0;
  std::function<void(bool reached)> done;  // engine thread
};

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
  virtual void OnReceived(Received message) = 0;  // bounded inbox; over the bound it is dropped
  virtual std::unique_ptr<Reader> NewReader() = 0;
  virtual ReplicaStatus status() const = 0;
  virtual StoreUsage storage() const = 0;
  virtual EngineUsage usage() const = 0;
  virtual Refusal gate() const = 0;  // kNone: writes are taken
  virtual std::int64_t clock_ms()
      const = 0;  // the hybrid clock for readers elsewhere: never goes back
};

}  // namespace hawser
