#include "tests/sim/fates.h"

#include <algorithm>
#include <string>

#include "conflict/record_codec.h"
#include "tests/sim/check.h"

namespace hawser::sim {
namespace {

Rule RuleOf(const Op& op, const Field* held) {
  const bool counts =
      op.type == Op::Type::kAdd || !op.seen.empty() || (held && !held->shares.empty());
  if (counts) return Rule::kCounter;
  switch (op.null && held && held->has_cell ? held->cell.kind : op.kind) {
    case Kind::kLww:
      return Rule::kLww;
    case Kind::kStates:
      return Rule::kStates;
    case Kind::kFirst:
      return Rule::kFirst;
    case Kind::kMax:
      return Rule::kMax;
    case Kind::kMin:
      return Rule::kMin;
  }
  return Rule::kLww;
}

}  // namespace

void CountFates(const Txn& txn, MemoryStore& store, const Truth& truth, Coverage& coverage) {
  std::string row_key;
  Record record;
  for (const Change& change : txn.changes) {
    if (change.table.starts_with('!')) continue;
    row_key.clear();
    AppendRowKey(change.table, change.key, row_key);
    record.clear();
    if (const auto bytes = store.Read(row_key)) {
      HW_CHECK(DecodeRecord(*bytes, record), "row is a record", row_key);
    }
    const bool expired = IsExpired(record, txn.stamp.ms());
    const bool has_expiry_op = std::ranges::any_of(change.ops, &Op::expiry);
    const bool replaces = has_expiry_op && std::ranges::any_of(change.ops, [](const Op& op) {
                            return !op.expiry && op.field == kStringField && !op.null;
                          });
    const bool written_before = !truth.WrittenTo(row_key).empty();
    for (const Op& op : change.ops) {
      if (op.expiry) continue;
      const Field* held = record.Find(op.field);
      const bool shown = held && IsVisible(*held);
      const Rule rule = RuleOf(op, held);
      if (shown && expired) {
        coverage.Add(rule, Fate::kExpired);
      } else if (shown && replaces) {
        coverage.Add(rule, Fate::kReplaced);
      } else if (shown && op.null) {
        coverage.Add(rule, Fate::kDeleted);
      } else if (shown && op.type == Op::Type::kPut && held->has_cell &&
                 op.generation > held->cell.generation) {
        coverage.Add(rule, Fate::kOverridden);
      } else if (!shown && !op.null && (held || (op.absent && written_before))) {
        coverage.Add(rule, Fate::kMadeAnew);
      }
    }
  }
}

}  // namespace hawser::sim
