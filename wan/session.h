#pragma once

// Session and Job: how local work reaches the replica. A job runs between two commits, sees the
// newest state, may commit any number of txns, and is told when all of it is durable and visible.
// Threads: Run and Done are called on the engine thread; they must be quick and must not block.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "conflict/cut.h"
#include "conflict/schema.h"
#include "homing/claim.h"
#include "storage/local_txn.h"

namespace hawser {

// Why a local write is refused before anything happened.
enum class Refusal {
  kNone,
  kFull,        // journal, map or disk at its bound
  kReadOnly,    // started on a full disk, or the store needs an operator
  kRolledBack,  // this store was found rolled back: it is about to end
  kTooBig,      // the txn is larger than max_txn, or one record than max_record
  kNotHome,     // the home of one of its units is another region (homing/home.h)
  // Of scarce fields (homing/escrow.h):
  kNotEnough,        // it takes more than is left within reach
  kRightsElsewhere,  // it takes more than this region may; more was asked for, try again
  kRightsLeft,       // it would delete or replace what still has rights, or let it expire
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
  virtual Stamp stamp_next() const = 0;    // of the next Commit, for who keeps its own answer in it
  virtual const Cut& applied() const = 0;  // staged included
  virtual const Schema& schema() const = 0;
  virtual Proof proof() const = 0;  // for ClaimOf; of what is durable, so never newer than Get
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

// A claim is confirmed for that owner, or no longer that owner's, or neither by the deadline.
struct ClaimWait {
  std::string row_key;
  std::string owner;
  std::int64_t deadline_mono_ms = 0;
  std::function<void(const Claim& claim)> done;  // engine thread; what the row shows then
};

}  // namespace hawser
