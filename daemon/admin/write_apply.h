#pragma once

// Applies a plan to the records the engine holds, as one txn. Engine thread, inside Job::Run.

#include <expected>
#include <string>
#include <vector>

#include "daemon/admin/problem.h"
#include "daemon/admin/write_plan.h"
#include "daemon/engine.h"

namespace hawser::admin {

// What became of one planned change.
struct ChangeResult {
  bool existed = false;            // a reader saw the record before
  bool exists = false;             // a reader sees it now
  std::string version;             // VersionText; empty if it does not exist
  std::string value;               // kIncr: the number after
  std::vector<std::string> no_op;  // fields whose value would have lost to the one held
};

struct WriteResult {
  Dot dot;  // seq 0: nothing had to be written
  Cut cut;  // what a reader must have applied to see it
  std::vector<ChangeResult> changes;
};

// All of it is staged, or nothing.
std::expected<WriteResult, Problem> ApplyPlan(const WritePlan& plan, Session& session);

// Why a claim or release came to nothing; nullopt: it did not.
std::optional<Problem> ProblemOf(const ClaimOutcome& outcome);
// How a refused write is answered.
Problem ToProblem(Refusal refusal);

}  // namespace hawser::admin
