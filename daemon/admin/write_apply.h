#pragma once

// Applies a plan to the records the engine holds, as one txn. Engine thread, inside Job::Run.

#include <expected>
#include <string>
#include <vector>

#include "daemon/admin/problem.h"
#include "daemon/admin/write_key.h"
#include "daemon/admin/write_plan.h"
#include "daemon/engine.h"

namespace hawser::admin {

struct WriteResult {
  Dot dot;  // seq 0: nothing had to be written
  Cut cut;  // what a reader must have applied to see it
  std::vector<ChangeResult> changes;
  bool replayed = false;  // the first answer to this key: nothing was written now
};

// All of it is staged, or nothing. `keep`, unless null: under that key the plan is carried out
// once; the answer is staged in the same txn, and given again to whoever comes with the key.
std::expected<WriteResult, Problem> ApplyPlan(const WritePlan& plan, Session& session,
                                              const KeepAnswer* keep = nullptr);
// The first answer, from the row of a key; `cut`: what the row was read under.
std::expected<WriteResult, Problem> FirstAnswer(const NotedRequest& noted, const WriteKey& key,
                                                const WritePlan& plan, Cut cut);

// Why a claim or release came to nothing; nullopt: it did not.
std::optional<Problem> ProblemOf(const ClaimOutcome& outcome);
// How a refused write is answered.
Problem ToProblem(Refusal refusal);

}  // namespace hawser::admin
