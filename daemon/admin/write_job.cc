#include "daemon/admin/write_job.h"

namespace hawser::admin {

WriteJob::WriteJob(WritePlan plan, std::optional<KeepAnswer> keep, Finish finish)
    : plan_(std::move(plan)), keep_(std::move(keep)), finish_(std::move(finish)) {}

void WriteJob::Run(Session& session) {
  result_ = ApplyPlan(plan_, session, keep_ ? &*keep_ : nullptr);
}

void WriteJob::Done(Outcome outcome) {
  if (!result_) {
    finish_(std::move(plan_), std::unexpected(ToProblem(Refusal::kStopping)));
  } else if (outcome == Outcome::kDurable) {
    finish_(std::move(plan_), std::move(*result_));
  } else {
    // A refusal, too: it may rest on what was staged before it and is now lost.
    const char* advice = keep_ ? "Send it again with the same Idempotency-Key"
                               : "Read the record (or use If-Match) before writing again";
    finish_(std::move(plan_),
            std::unexpected(Problem{
                .status = 504,
                .code = "UNKNOWN",
                .detail = std::string(
                              "the commit did not end: the write may or may not have happened. ") +
                          advice}));
  }
}

}  // namespace hawser::admin
