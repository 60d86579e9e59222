#pragma once

// ClaimJob: one claim or release, or a look at a value, on its way through the engine. Shared by
// the Redis protocol and REST, which put the answer into words.
// Threads: as any Job; `finish` is called on the engine thread.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "wan/session.h"
#include "wan/status.h"

namespace hawser {

struct ClaimOrder {
  enum class Verb : std::uint8_t { kClaim, kRelease, kLook };
  Verb verb = Verb::kClaim;
  std::string name, value;
  std::string owner;       // of kLook: not used
  std::string request_id;  // of kClaim; empty: none
  // Empty, or why this can be nothing that is claimed (a length, a name that is not declared).
  std::string Problem(const Schema& schema) const;
};

struct ClaimAnswer {
  ClaimOutcome outcome;
  Claim shown;                     // after it, in this region
  Dot dot;                         // seq 0: nothing had to be written
  Cut cut;                         // what a reader must have applied to see it
  std::optional<Refusal> refused;  // nothing was written
  bool unknown = false;            // it may or may not have happened
  std::string problem;             // of the order; nothing else counts then
};

class ClaimJob final : public Job {
 public:
  using Finish = std::function<void(const ClaimOrder& order, ClaimAnswer answer)>;
  ClaimJob(ClaimOrder order, Finish finish)
      : order_(std::move(order)), finish_(std::move(finish)) {}
  void Run(Session& session) override;
  void Done(Outcome outcome) override;

 private:
  ClaimOrder order_;
  Finish finish_;
  ClaimAnswer answer_;
  bool ran_ = false;
};

// Carries the order out within a txn; the caller commits, or drops the txn unless the effect is
// kWritten or kSame.
ClaimOutcome CarryOut(const ClaimOrder& order, LocalTxn& txn);

// Members that are not known to have a txn, or have not compared their copy of our log since our
// start: those that a pending claim waits for.
std::vector<RegionId> SilentRegions(const ReplicaStatus& status, const Dot& dot);

}  // namespace hawser
