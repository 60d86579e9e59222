#include "tests/sim/conflict_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "conflict/record_codec.h"
#include "storage/conflict_log.h"
#include "storage/resolution.h"
#include "tests/sim/check.h"
#include "tests/sim/reference.h"

namespace hawser::sim {
namespace {

struct Put {
  const TruthTxn* by = nullptr;
  const Op* op = nullptr;
};

const Op* FindOp(const Truth& truth, const Dot& dot, const Conflict& conflict, Op::Type type) {
  const TruthTxn* made = truth.Find(dot);
  if (!made) return nullptr;
  for (const Change& change : made->txn.changes) {
    if (change.table != conflict.table || change.key != conflict.key) continue;
    for (const Op& op : change.ops) {
      if (op.type == type && op.expiry == conflict.expiry && op.field == conflict.field) return &op;
    }
  }
  return nullptr;
}

void CheckExact(const Conflict& conflict, const Truth& truth, const std::string& who) {
  const Op* winner = FindOp(truth, conflict.winner.dot, conflict, Op::Type::kPut);
  const Op* loser = FindOp(truth, conflict.loser.dot, conflict, Op::Type::kPut);
  const Op* add = FindOp(truth, conflict.loser.dot, conflict, Op::Type::kAdd);
  HW_CHECK(winner && (loser || add), "conflicts name real writes", who);
  const TruthTxn* lost = truth.Find(conflict.loser.dot);
  const TruthTxn* won = truth.Find(conflict.winner.dot);
  HW_CHECK(!won->Saw(lost->dot) && !lost->Saw(won->dot), "no conflict where one had seen the other",
           who);
  HW_CHECK(conflict.winner.value.has_value() == !winner->null, "conflicts keep the winning value",
           who);
  const bool is_put = loser && (!add || conflict.loser.value == loser->value);
  if (!is_put) {  // added to what is no number
    HW_CHECK(!winner->null && !ParseFloat(winner->value), "adds are lost to what is no number",
             who);
    return;
  }
  HW_CHECK(IsLarger(*won, *winner, *lost, *loser), "the winner of a conflict wins", who);
  if (conflict.expiry) return;
  HW_CHECK(!loser->null && conflict.loser.value == loser->value, "conflicts keep the lost value",
           who);
  HW_CHECK(winner->null || conflict.winner.value == winner->value,
           "conflicts keep the winning value", who);
}

// Moving on along an order that the kind declares loses nothing.
bool MovesOn(const Op& winner, const Op& loser) {
  return loser.kind != Kind::kLww && loser.kind != Kind::kFirst && winner.kind == loser.kind &&
         winner.generation == loser.generation && !winner.null;
}

}  // namespace

void CheckConflicts(Region& region, const Truth& truth, Coverage& coverage) {
  const std::string who = "region " + std::to_string(Raw(region.id())) + ", ";
  std::set<std::tuple<std::string, std::string, Dot>> logged;  // row key, field, loser
  std::string start;
  AppendRowKey(kConflictTable, "", start);
  Record record;
  region.store().ScanNewest(start, [&](std::string_view row_key, std::string_view bytes) {
    if (SplitRowKey(row_key).table != kConflictTable) return false;
    HW_CHECK(DecodeRecord(bytes, record), "row is a record", who + "conflict log");
    const auto conflict = ParseConflict(record);
    HW_CHECK(conflict.has_value(), "conflict rows read", who + std::string(row_key));
    std::string of;
    AppendRowKey(conflict->table, conflict->key, of);
    CheckExact(*conflict, truth,
               who + RowText(of) + "/" + std::string(conflict->field) + ": " +
                   Text(conflict->loser.dot) + " gave way to " + Text(conflict->winner.dot));
    logged.emplace(std::move(of), conflict->field, conflict->loser.dot);
    coverage.Add(Branch::kConflictChecked);
    return true;
  });

  for (const auto& [row_key, writes] : truth.rows()) {
    if (SplitRowKey(row_key).table == kResolutionTable) continue;  // both are in the audit log
    std::map<std::string_view, std::vector<Put>> fields;
    for (const Written& written : writes) {
      if (!region.watched().committed().Covers(written.by->dot)) continue;
      for (const Op& op : written.change->ops) {
        if (op.type == Op::Type::kPut && !op.expiry) fields[op.field].push_back({written.by, &op});
      }
    }
    for (const auto& [field, puts] : fields) {
      for (const Put& lost : puts) {
        if (lost.op->null) continue;
        const bool excused = std::ranges::any_of(puts, [&](const Put& other) {
          return &other != &lost &&
                 (other.by->Saw(lost.by->dot) || other.op->value == lost.op->value ||
                  MovesOn(*other.op, *lost.op));
        });
        if (excused) continue;
        const Put* winner = nullptr;
        for (const Put& other : puts) {
          if (&other == &lost || !IsLarger(*other.by, *other.op, *lost.by, *lost.op)) continue;
          // What this write knew to be gone when it was made does not count against it.
          if (!lost.by->Saw(other.by->dot)) winner = &other;
        }
        if (!winner) continue;
        HW_CHECK(logged.contains({row_key, std::string(field), lost.by->dot}),
                 "nothing is lost silently",
                 who + RowText(row_key) + "/" + std::string(field) + ": " + Text(lost.by->dot) +
                     " '" + std::string(lost.op->value.substr(0, 30)) + "' gave way to " +
                     Text(winner->by->dot) + " unlogged");
      }
    }
  }
}

}  // namespace hawser::sim
