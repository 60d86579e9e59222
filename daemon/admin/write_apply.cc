#include "daemon/admin/write_apply.h"

#include <algorithm>
#include <map>

#include "conflict/merge.h"
#include "conflict/record_codec.h"
#include "daemon/admin/record_json.h"
#include "wan/claim_job.h"

namespace hawser::admin {
namespace {

using Failure = std::unexpected<Problem>;

Problem ToProblem(EditError error, std::string_view field) {
  const std::string name = "field `" + std::string(field) + "`: ";
  switch (error) {
    case EditError::kBackwards:
      return {.status = 409,
              .code = "BACKWARDS",
              .detail = name + "that state comes before the one it has; states only move on"};
    case EditError::kNotAState:
      return {.status = 422,
              .code = "NOTASTATE",
              .detail = name + "not one of the states declared for it"};
    case EditError::kNotANumber:
      return {.status = 422,
              .code = "NOTANUMBER",
              .detail = name + "holds no number to add to (a whole one for a whole step)"};
    case EditError::kOverflow:
      return {.status = 422, .code = "OVERFLOW", .detail = name + "the sum leaves 64 bits"};
    case EditError::kImmutable:
      return {.status = 409,
              .code = "IMMUTABLE",
              .detail = name + "keeps its first value; delete it to give another"};
  }
  return {.status = 500, .code = "INTERNAL", .detail = "an unknown refusal"};
}

// The record that the engine holds now, staged writes included.
struct Newest {
  std::string bytes;
  Record record;
  bool alive = false;
};

bool IsClaim(const PlannedChange& change) {
  return change.op == WriteOp::kClaim || change.op == WriteOp::kRelease;
}

std::string RowKeyOf(const PlannedChange& change) {
  if (IsClaim(change)) return ClaimRowKey(change.table, change.key);
  std::string row_key;
  AppendRowKey(change.table, change.key, row_key);
  return row_key;
}

Newest ReadNewest(Session& session, const PlannedChange& change) {
  Newest newest;
  const std::string row_key = RowKeyOf(change);
  if (const auto bytes = session.Get(row_key)) newest.bytes = *bytes;
  if (!newest.bytes.empty() && !DecodeRecord(newest.bytes, newest.record)) newest.record.clear();
  newest.alive = IsAlive(newest.record, session.now_ms());
  return newest;
}

std::optional<Problem> CheckCondition(const PlannedChange& change, Session& session) {
  const Condition& condition = change.condition;
  if (condition.empty()) return std::nullopt;
  const Newest newest = ReadNewest(session, change);
  Problem problem{.status = 412, .code = "PRECONDITION", .detail = {}};
  if (condition.must_be_absent && newest.alive) {
    problem.detail = "the record exists already";
  } else if (condition.must_exist && !newest.alive) {
    problem.detail = "the record does not exist";
  } else if (condition.has_versions && !newest.alive) {
    problem.detail = "the record does not exist (any more): read it again";
  } else if (condition.has_versions &&
             std::ranges::find(condition.versions, VersionText(newest.record)) ==
                 condition.versions.end()) {
    problem.detail = "the record has changed: read it again";
  } else {
    return std::nullopt;
  }
  if (newest.alive) problem.headers.emplace_back("ETag", '"' + VersionText(newest.record) + '"');
  return problem;
}

std::optional<Problem> SetFields(const PlannedChange& change, RecordEdit& edit,
                                 ChangeResult& result) {
  for (const PlannedField& field : change.fields) {
    if (!field.value) {
      edit.Delete(field.name);
      continue;
    }
    const auto effect = edit.Set(field.name, *field.value);
    if (!effect) return ToProblem(effect.error(), field.name);
    if (*effect == RecordEdit::Effect::kNoOp) result.no_op.push_back(field.name);
  }
  return std::nullopt;
}

std::optional<Problem> Put(const PlannedChange& change, RecordEdit& edit, ChangeResult& result) {
  // Fields of both the old and the new record are set over, not deleted first: a state must not be
  // able to go backwards by a PUT.
  for (const std::string& name : edit.VisibleFields()) {
    const auto in = std::ranges::find(change.fields, name, &PlannedField::name);
    if (in == change.fields.end()) edit.Delete(name);
  }
  if (auto problem = SetFields(change, edit, result)) return problem;
  // An expiry given elsewhere at the same time must not end up on the new record by chance.
  edit.ResetExpiry();
  if (change.expires_at_ms) edit.SetExpiry(*change.expires_at_ms);
  return std::nullopt;
}

std::optional<Problem> Patch(const PlannedChange& change, RecordEdit& edit, ChangeResult& result) {
  if (auto problem = SetFields(change, edit, result)) return problem;
  if (!change.has_expiry) return std::nullopt;
  if (!change.expires_at_ms) {
    edit.ClearExpiry();
  } else if (edit.Alive()) {
    edit.SetExpiry(*change.expires_at_ms);
  } else {
    return Problem{.status = 422,
                   .code = "NOTFOUND",
                   .detail = "`expires_at`: the record has no fields, there is nothing to expire"};
  }
  return std::nullopt;
}

std::optional<Problem> Incr(const PlannedChange& change, RecordEdit& edit, ChangeResult& result) {
  if (const auto* whole = std::get_if<std::int64_t>(&change.by)) {
    const auto sum = edit.Add(change.field, *whole);
    if (!sum) return ToProblem(sum.error(), change.field);
    result.value = std::to_string(*sum);
  } else {
    const auto sum = edit.AddFloat(change.field, std::get<double>(change.by));
    if (!sum) return ToProblem(sum.error(), change.field);
    result.value = FormatFloat(*sum);
  }
  return std::nullopt;
}

std::optional<Problem> ApplyChange(const PlannedChange& change, RecordEdit& edit,
                                   ChangeResult& result) {
  result.existed = edit.Alive();
  switch (change.op) {
    case WriteOp::kPut:
      return Put(change, edit, result);
    case WriteOp::kPatch:
      return Patch(change, edit, result);
    case WriteOp::kIncr:
      return Incr(change, edit, result);
    case WriteOp::kDelete:
      edit.DeleteAll();
      return std::nullopt;
    case WriteOp::kClaim:
    case WriteOp::kRelease:
      break;  // ApplyClaim
  }
  return std::nullopt;
}

std::optional<Problem> ApplyClaim(const PlannedChange& change, Session& session, LocalTxn& txn,
                                  ChangeResult& result) {
  const ClaimOrder order{
      .verb = change.op == WriteOp::kClaim ? ClaimOrder::Verb::kClaim : ClaimOrder::Verb::kRelease,
      .name = change.table,
      .value = change.key,
      .owner = change.owner,
      .request_id = {}};
  if (std::string wrong = order.Problem(session.schema()); !wrong.empty()) {
    return Problem{.status = 422, .code = "UNIQUE", .detail = std::move(wrong)};
  }
  const ClaimOutcome outcome = CarryOut(order, txn);
  const bool same = outcome.effect == ClaimEffect::kSame;
  result.existed = change.op == WriteOp::kClaim ? same : !same;
  return ProblemOf(outcome);
}

// Names the change, if there are several.
Problem Locate(Problem problem, const WritePlan& plan, std::size_t at) {
  if (plan.size() > 1) {
    problem.detail = "changes[" + std::to_string(at) + "]: " + problem.detail;
  }
  return problem;
}

// What shows once the plan is carried out.
void Conclude(const PlannedChange& change, const Newest& after, const Session& session,
              ChangeResult& result) {
  if (IsClaim(change)) {
    result.value = Text(ClaimOf(after.record, session.proof()).state);
    return;
  }
  result.exists = after.alive;
  if (after.alive) result.version = VersionText(after.record);
}

// The answer of a txn that is about to be committed: the records as its changes will leave them.
std::vector<ChangeResult> Foresee(const WritePlan& plan, std::vector<ChangeResult> results,
                                  LocalTxn& txn, Session& session) {
  const std::vector<Change> changes = txn.Finish();
  std::map<std::string, const Change*, std::less<>> by_row_key;
  for (const Change& change : changes) {
    std::string row_key;
    AppendRowKey(change.table, change.key, row_key);
    by_row_key.emplace(std::move(row_key), &change);
  }
  const Origin self = txn.store().self();
  const Writer writer{Dot{self, Next(session.applied().Get(self))},
                      Version{session.stamp_next(), self.region}, session.applied()};
  std::vector<Discarded> none;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    Newest after = ReadNewest(session, plan[i]);
    if (const auto at = by_row_key.find(RowKeyOf(plan[i])); at != by_row_key.end()) {
      ApplyChange(writer, *at->second, after.record, none);
      after.alive = IsAlive(after.record, session.now_ms());
    }
    Conclude(plan[i], after, session, results[i]);
  }
  return results;
}

Problem NoRoom(RequestBook& book, std::int64_t now_ms) {
  const std::int64_t wait_ms = book.RoomAtMs(now_ms) - now_ms;
  return {.status = 507,
          .code = "IDEMPOTENCY_FULL",
          .detail =
              "the answers kept for Idempotency-Key fill [idempotency] max_size: raise it, "
              "lower max_age, or write without a key. Nothing was written; none is forgotten "
              "before its time",
          .retry_after_seconds =
              static_cast<int>(std::clamp<std::int64_t>(wait_ms / 1000 + 1, 1, 24 * 3600))};
}

}  // namespace

std::expected<WriteResult, Problem> FirstAnswer(const NotedRequest& noted, const WriteKey& key,
                                                const WritePlan& plan, Cut cut) {
  auto results = DecodeKept(noted.asked, key, plan);
  if (!results) return Failure(std::move(results.error()));
  return WriteResult{
      .dot = noted.dot, .cut = std::move(cut), .changes = std::move(*results), .replayed = true};
}

std::expected<WriteResult, Problem> ApplyPlan(const WritePlan& plan, Session& session,
                                              const KeepAnswer* keep) {
  if (keep != nullptr) {
    const std::string row_key = RequestRowKey(kWriteKeyScope, keep->key.id);
    const auto noted = ReadRequest(session.Get(row_key), session.now_ms());
    if (noted) return FirstAnswer(*noted, keep->key, plan, session.applied());
    if (!keep->book->HasRoom(session.now_ms())) {
      return Failure(NoRoom(*keep->book, session.now_ms()));
    }
  }
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (auto problem = CheckCondition(plan[i], session)) {
      return Failure(Locate(std::move(*problem), plan, i));
    }
  }
  WriteResult written;
  written.changes.resize(plan.size());
  const std::unique_ptr<LocalTxn> txn = session.Begin();
  for (std::size_t i = 0; i < plan.size(); ++i) {
    ChangeResult& result = written.changes[i];
    auto problem = IsClaim(plan[i])
                       ? ApplyClaim(plan[i], session, *txn, result)
                       : ApplyChange(plan[i], txn->Edit(plan[i].table, plan[i].key), result);
    if (problem) {
      return Failure(Locate(std::move(*problem), plan, i));
    }
  }
  std::string kept;
  if (keep != nullptr) {
    kept = EncodeKept(keep->key, txn->store().self(), plan,
                      Foresee(plan, written.changes, *txn, session));
    NoteRequest(*txn, kWriteKeyScope, keep->key.id, kept, keep->kept_ms);
  }
  const std::int64_t expires_ms = txn->now_ms() + (keep != nullptr ? keep->kept_ms : 0);
  const auto dot = session.Commit(*txn);
  if (!dot) return Failure(ToProblem(dot.error()));
  if (keep != nullptr) keep->book->Note(keep->key.id.size(), kept.size(), expires_ms);
  written.dot = *dot;
  written.cut = session.applied();
  for (std::size_t i = 0; i < plan.size(); ++i) {
    Conclude(plan[i], ReadNewest(session, plan[i]), session, written.changes[i]);
  }
  return written;
}

Problem ToProblem(Refusal refusal) {
  switch (refusal) {
    case Refusal::kFull:
      return {.status = 507,
              .code = "FULL",
              .detail =
                  "the journal, the map or the disk is at its bound; writes go on when there is "
                  "room again. See GET /v1/lag for peers that hold the journal",
              .retry_after_seconds = 5};
    case Refusal::kReadOnly:
      return {.status = 503,
              .code = "READONLY",
              .detail =
                  "this region takes no writes: it started on a full disk, or its store needs "
                  "an operator",
              .retry_after_seconds = 30};
    case Refusal::kRolledBack:
      return {.status = 503,
              .code = "ROLLEDBACK",
              .detail =
                  "this region's store was found rolled back to an older state; write in "
                  "another region"};
    case Refusal::kTooBig:
      return {.status = 413,
              .code = "TOOBIG",
              .detail = "larger than `[storage] max_txn`, or one record than `max_record`"};
    case Refusal::kNotHome:
      return {.status = 409,
              .code = "TRYAGAIN",
              .detail =
                  "the home of this unit is another region by now: nothing was written; "
                  "send the request again",
              .retry_after_seconds = 1};
    case Refusal::kNotEnough:
      return {.status = 409,
              .code = "NOTENOUGH",
              .detail = "less than that is left within reach; nothing was written"};
    case Refusal::kRightsElsewhere:
      return {.status = 503,
              .code = "TRYAGAIN",
              .detail =
                  "less than that may be taken in this region; more is being fetched from others: "
                  "send the request again",
              .retry_after_seconds = 1};
    case Refusal::kRightsLeft:
      return {.status = 409,
              .code = "SCARCE",
              .detail =
                  "a field with `min` is deleted only when nothing is left of it and every region "
                  "knows; no record of its table expires"};
    case Refusal::kStopping:
      return {.status = 503,
              .code = "STOPPING",
              .detail = "this region is stopping: write in another one, or here again soon",
              .retry_after_seconds = 2};
    case Refusal::kNone:
      break;
  }
  return {.status = 500, .code = "INTERNAL", .detail = "refused without a reason"};
}

}  // namespace hawser::admin
