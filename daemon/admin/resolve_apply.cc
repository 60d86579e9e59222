#include "daemon/admin/resolve_apply.h"

#include <algorithm>

#include "conflict/record_codec.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"
#include "daemon/admin/write_apply.h"
#include "storage/conflict_log.h"

namespace hawser::admin {
namespace {

using Failure = std::unexpected<Problem>;

// A row as the engine holds it now.
struct Held {
  std::string bytes;
  Record record;
};

bool ReadRow(Session& session, std::string_view table, std::string_view key, Held& held) {
  std::string row_key;
  AppendRowKey(table, key, row_key);
  const auto bytes = session.Get(row_key);
  if (!bytes) return false;
  held.bytes = *bytes;
  return DecodeRecord(held.bytes, held.record);
}

// The cell that the conflict was about; null if nothing is held.
const Cell* CellOf(const Record& record, const Conflict& conflict) {
  if (conflict.expiry) return record.expiry ? &*record.expiry : nullptr;
  const Field* field = record.Find(conflict.field);
  return field && field->has_cell ? &field->cell : nullptr;
}

bool AddedToSince(const Record& record, const Conflict& conflict, Stamp since) {
  const Field* field = conflict.expiry ? nullptr : record.Find(conflict.field);
  if (!field) return false;
  return std::ranges::any_of(field->shares, [&](const Share& s) { return s.stamp > since; });
}

// Empty, or what has changed since the conflict was settled.
std::string ChangedSince(const Record& record, const Conflict& conflict,
                         const std::optional<HeldResolution>& resolution) {
  const Cell* cell = CellOf(record, conflict);
  const bool resolved_last = cell && resolution && cell->dot == resolution->dot;
  if (!cell) return conflict.winner.value ? "the field has been deleted since" : "";
  if (cell->dot != conflict.winner.dot && !resolved_last) {
    return "the field has been written again since";
  }
  const Stamp since = resolved_last ? resolution->version.stamp : conflict.place.found;
  return AddedToSince(record, conflict, since) ? "the counter has been added to since" : "";
}

std::optional<Problem> CheckUnchanged(const std::string& id, const Conflict& conflict,
                                      const Wish& wish, const Record& record, bool alive,
                                      const std::optional<HeldResolution>& resolution) {
  const std::string version = alive ? VersionText(record) : std::string();
  Problem problem{.status = 409, .code = "CHANGED", .detail = {}};
  if (!version.empty()) problem.headers.emplace_back("ETag", '"' + version + '"');
  if (wish.if_absent) {
    if (!alive) return std::nullopt;
    problem.status = 412;
    problem.code = "PRECONDITION";
    problem.detail = "the record exists (again): look at it, then send its version in If-Match";
    return problem;
  }
  if (!wish.if_match.empty()) {
    const bool any = wish.if_match.front() == "*" && alive;
    if (any || std::ranges::find(wish.if_match, version) != wish.if_match.end()) {
      return std::nullopt;
    }
    problem.status = 412;
    problem.code = "PRECONDITION";
    problem.detail =
        "the record is not at the version of If-Match: look at it again (GET "
        "/v1/conflicts/" +
        id + ", `current`)";
    return problem;
  }
  const std::string changed = ChangedSince(record, conflict, resolution);
  if (changed.empty()) return std::nullopt;
  problem.detail = changed + ": look at it (GET /v1/conflicts/" + id + ", `current`), then send " +
                   (alive ? "its version in If-Match" : "If-None-Match: *") +
                   " to overrule it, or leave it";
  return problem;
}

// What the field shall hold; an inner nullopt: nothing.
std::optional<std::string> ValueOf(const Conflict& conflict, const Wish& wish) {
  const auto copy = [](const std::optional<std::string_view>& value) {
    return value ? std::optional<std::string>(*value) : std::nullopt;
  };
  if (wish.take == Take::kWinner) return copy(conflict.winner.value);
  if (wish.take == Take::kLoser) return copy(conflict.loser.value);
  return wish.value;
}

std::optional<Problem> CheckValue(const Conflict& conflict, const std::string& value,
                                  const Cell* cell, const FieldRule& rule) {
  const auto refuse = [](const char* code, std::string detail) {
    return Problem{.status = 422, .code = code, .detail = std::move(detail)};
  };
  const bool held_states = cell && cell->kind == Kind::kStates && !cell->null;
  if (rule.kind == Kind::kStates && !rule.RankOf(value)) {
    return refuse("NOTASTATE", "`" + value.substr(0, 64) + "` is none of the states declared for " +
                                   std::string(conflict.table) + '.' + std::string(conflict.field));
  }
  if (rule.kind < Kind::kStates && held_states && value != cell->value) {
    return refuse("NOTASTATE",
                  "the field holds a state, and this region's configuration does not declare the "
                  "line of states: resolve it in a region that does");
  }
  if (rule.counter && !ParseFloat(value)) {
    return refuse("NOTANUMBER", "the field is a counter: take a number");
  }
  return std::nullopt;
}

std::expected<void, Problem> OverrideExpiry(RecordEdit& edit,
                                            const std::optional<std::string>& value, bool given,
                                            std::int64_t now_ms) {
  std::optional<std::int64_t> ms;
  if (value) {
    ms = given ? ParseTime(*value) : ParseExpiry({.null = false, .value = *value});
    if (!ms) {
      return Failure(
          Problem{.status = 422,
                  .code = "NOTATIME",
                  .detail = "an expiry is a time such as 2026-11-22T06:15:00Z, or null"});
    }
  }
  if (!edit.Alive()) {
    return Failure(Problem{.status = 409,
                           .code = "CHANGED",
                           .detail = "the record is gone: there is nothing to expire"});
  }
  if (ms && *ms <= now_ms) {
    return Failure(Problem{.status = 409,
                           .code = "PASSED",
                           .detail = "that time has passed: delete the record instead"});
  }
  edit.OverrideExpiry(ms);
  return {};
}

std::optional<std::string> Shown(const RecordEdit& edit, const Conflict& conflict) {
  if (!conflict.expiry) return edit.Get(conflict.field);
  const auto ms = edit.ExpiryMs();
  return ms ? std::optional(FormatTime(*ms)) : std::nullopt;
}

ResolvedText ToText(const std::optional<std::string>& value) {
  if (!value) return {};
  return {std::string_view(*value), value->size()};
}

}  // namespace

std::expected<Resolved, Problem> Resolve(const std::string& id, const Wish& wish,
                                         Session& session) {
  Held logged, held, known;
  const bool found = ReadRow(session, kConflictTable, id, logged);
  const auto conflict = found ? ParseConflict(logged.record) : std::nullopt;
  if (!conflict) {
    return Failure(Problem{.status = 404,
                           .code = "NOTFOUND",
                           .detail = "no such conflict in this region's log; it may be older than "
                                     "[conflicts] max_age, or have been found in other regions "
                                     "only"});
  }
  if (conflict->table.starts_with('!')) {
    return Failure(Problem{.status = 409,
                           .code = "INTERNAL_TABLE",
                           .detail = "a conflict of Hawser's own records (a declaration) is not "
                                     "resolved by hand: the winner is the fact; mend the "
                                     "configuration of the region that says otherwise"});
  }
  (void)ReadRow(session, conflict->table, conflict->key, held);
  const bool has_resolution = ReadRow(session, kResolutionTable, id, known);
  const auto resolution = has_resolution ? ParseResolution(known.record) : std::nullopt;
  const bool alive = IsAlive(held.record, session.now_ms());
  if (auto problem = CheckUnchanged(id, *conflict, wish, held.record, alive, resolution)) {
    return Failure(std::move(*problem));
  }

  const std::unique_ptr<LocalTxn> txn = session.Begin();
  RecordEdit& edit = txn->Edit(conflict->table, conflict->key);
  const auto value = ValueOf(*conflict, wish);
  Resolved out{.table = std::string(conflict->table),
               .key = std::string(conflict->key),
               .field = std::nullopt,
               .before = Shown(edit, *conflict),
               .after = {},
               .version = {},
               .dot = {},
               .cut = {}};
  if (!conflict->expiry) out.field = conflict->field;
  if (conflict->expiry) {
    const bool given = wish.take == Take::kValue;
    if (auto done = OverrideExpiry(edit, value, given, session.now_ms()); !done) {
      return Failure(std::move(done.error()));
    }
  } else if (value) {
    const FieldRule& rule = session.schema().Rule(conflict->table, conflict->field);
    if (auto problem = CheckValue(*conflict, *value, CellOf(held.record, *conflict), rule)) {
      return Failure(std::move(*problem));
    }
    edit.Override(conflict->field, *value, conflict->generation);
  } else {
    edit.OverrideNull(conflict->field, conflict->generation);
  }
  out.after = Shown(edit, *conflict);

  const Resolution word{.take = wish.take,
                        .at_ms = session.now_ms(),
                        .table = conflict->table,
                        .key = conflict->key,
                        .field = conflict->field,
                        .expiry = conflict->expiry,
                        .before = ToText(out.before),
                        .after = ToText(out.after),
                        .by = wish.by,
                        .reason = wish.reason};
  RecordEdit& own = txn->Edit(kResolutionTable, id);
  if (const auto set = own.ReplaceWith("", EncodeResolution(word)); !set) {
    return Failure(Problem{.status = 500, .code = "INTERNAL", .detail = "not written"});
  }
  own.SetExpiry(session.now_ms() + std::max<std::int64_t>(wish.keep_ms, 60'000));

  const auto dot = session.Commit(*txn);
  if (!dot) return Failure(ToProblem(dot.error()));
  out.dot = *dot;
  out.cut = session.applied();
  Held now;
  if (ReadRow(session, out.table, out.key, now) && IsAlive(now.record, session.now_ms())) {
    out.version = VersionText(now.record);
  }
  return out;
}

void ResolveJob::Run(Session& session) {
  for (const std::string& id : ids_) outcomes_.emplace_back(id, Resolve(id, wish_, session));
}

void ResolveJob::Done(Outcome outcome) {
  const bool ran = outcomes_.size() == ids_.size();
  if (!ran || outcome != Outcome::kDurable) {
    Problem problem = ToProblem(Refusal::kStopping);
    if (ran) {
      problem = {.status = 504,
                 .code = "UNKNOWN",
                 .detail =
                     "the commit did not end: the resolution may or may not have happened. "
                     "Look at the conflict again"};
    }
    outcomes_.clear();
    for (const std::string& id : ids_) outcomes_.emplace_back(id, Failure(problem));
  }
  finish_(std::move(outcomes_));
}

}  // namespace hawser::admin
