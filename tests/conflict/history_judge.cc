#include "tests/conflict/history_judge.h"

#include <algorithm>
#include <cstdlib>

#include "conflict/record_codec.h"

namespace hawser::test {
namespace {

const std::string kAddsMark = "adds ";

std::string Place(std::string_view row_key, std::string_view field, const Dot& loser) {
  const RowKey at = SplitRowKey(row_key);
  return std::string(at.table) + ":" + std::string(at.key) + "." + std::string(field) + " of " +
         Print(loser);
}

void CountConflict(const Cell& winner, const Cell& loser, Coverage& coverage) {
  if (winner.null) coverage.Add(Event::kConflictNullWon);
  switch (loser.kind) {
    case Kind::kLww:
      return coverage.Add(Event::kConflictLww);
    case Kind::kStates:
      return coverage.Add(Event::kConflictStates);
    case Kind::kFirst:
      return coverage.Add(Event::kConflictFirst);
    case Kind::kMax:
    case Kind::kMin:
      return coverage.Add(Event::kConflictMaxMin);
  }
}

// True if losing is no loss: nothing was there, the same was there, or the value moved on in its
// line.
bool LosesNothing(const Cell& winner, const Cell& loser) {
  if (loser.null) return true;
  if (winner.null) return false;
  if (winner.value == loser.value) return true;
  const bool line =
      loser.kind == Kind::kStates || loser.kind == Kind::kMax || loser.kind == Kind::kMin;
  return line && loser.kind == winner.kind && loser.generation == winner.generation;
}

bool IsNumber(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  (void)std::strtod(copy.c_str(), &end);
  return !copy.empty() && end == copy.c_str() + copy.size();
}

// A base that adds cannot go on from.
bool Refuses(const Field& field) {
  return field.has_cell &&
         (field.cell.kind != Kind::kLww || (!field.cell.null && !IsNumber(field.cell.value)));
}

bool FoldedIn(const Field& field, const Share& share) {
  return std::ranges::any_of(field.seen, [&](const Share& seen) {
    return seen.origin == share.origin &&
           (seen.start > share.start || (seen.start == share.start && seen.seq >= share.seq));
  });
}

// A cell that is gone may only have been dropped by a mark, by a writer that had seen it dead.
std::string JudgeGone(const Sent& writer, bool saw, const Field& field, const Record& before) {
  const std::string where = "field '" + std::string(field.name) + "' by " + Print(writer.dot);
  if (!saw) return "a mark dropped what its writer had not seen: " + where;
  const auto expiry_ms = ExpiryMs(before);
  const bool expired = expiry_ms && *expiry_ms <= writer.stamp.ms();
  if (IsVisible(field) && !expired) return "a mark dropped a live value: " + where;
  return {};
}

}  // namespace

std::string Print(const Dot& dot) {
  return "r" + std::to_string(Raw(dot.origin.region)) + "#" + std::to_string(Raw(dot.seq));
}

std::string Watcher::Judge(const Sent& writer, std::string_view row_key, const Change& change,
                           const Record& before, const Record& after,
                           const std::vector<Discarded>& discarded, Coverage& coverage) {
  const auto saw_field = [&](const Field& field) {
    return (!field.has_cell || Saw(writer, field.cell.dot)) &&
           std::ranges::all_of(field.shares, [&](const Share& share) {
             return Saw(writer, {share.origin, share.seq});
           });
  };
  std::multiset<std::string> expected;
  for (const Field& held : before.fields) {
    const Op* put = nullptr;
    const Op* any = nullptr;
    for (const Op& op : change.ops) {
      if (op.expiry || op.field != held.name) continue;
      any = &op;
      if (op.type == Op::Type::kPut) put = &op;
    }
    // A put that lists shares was made beside them: its mark speaks of the cell only.
    const bool beside = put && put->absent && !put->seen.empty();
    const bool marked = change.created || (any && any->absent && !beside);
    const Field* now = after.Find(held.name);
    const bool seen = saw_field(held);
    if (marked && seen) {
      coverage.Add(change.created ? Event::kCreatedMarkUsed : Event::kAbsentMarkUsed);
      if (auto bad = JudgeGone(writer, seen, held, before); !bad.empty()) return bad;
      if (!any && now) return "a created mark left a seen cell: " + std::string(held.name);
      continue;
    }
    if (!now) return "a cell is gone without a mark: " + std::string(held.name);
    if (now->shares.size() < held.shares.size()) coverage.Add(Event::kShareDropped);
    if (Refuses(*now)) ExpectAdds(writer, row_key, any, held, *now, expected);
    if (!held.has_cell) continue;
    if ((marked || beside) && Saw(writer, held.cell.dot)) {
      if (auto bad = JudgeGone(writer, true,
                               {.name = held.name, .has_cell = true, .cell = held.cell}, before);
          !bad.empty()) {
        return bad;
      }
      if (now->has_cell && now->cell.dot == held.cell.dot) return "a mark left a seen cell";
      if (!put) continue;
    }
    if (!put) {
      if (now->cell.dot != held.cell.dot) return "a cell changed without a put";
      continue;
    }
    const bool won = now->cell.dot == writer.dot;
    Cell incoming{.generation = put->generation,
                  .kind = put->kind,
                  .null = put->null,
                  .rank = put->rank,
                  .value = put->value,
                  .version = {writer.stamp, writer.dot.origin.region},
                  .dot = writer.dot};
    const Cell& winner = won ? incoming : held.cell;
    const Cell& loser = won ? held.cell : incoming;
    if (winner.version.stamp.ms() == loser.version.stamp.ms())
      coverage.Add(Event::kSameMillisecond);
    if (winner.generation > loser.generation) coverage.Add(Event::kGenerationDecided);
    if (Saw(writer, held.cell.dot)) {
      if (!won) return "a write lost to what it had seen: " + std::string(held.name);
      coverage.Add(Event::kCausalOverwrite);
      continue;
    }
    if (LosesNothing(winner, loser)) continue;
    CountConflict(winner, loser, coverage);
    expected.insert(Place(row_key, held.name, loser.dot));
  }
  coverage.Add(Event::kConflictAdds,
               static_cast<std::uint64_t>(std::ranges::count_if(
                   expected, [](const std::string& one) { return one.starts_with(kAddsMark); })));
  if (auto lost = ExpectExpiry(writer, change, before, after)) {
    const bool said = std::ranges::any_of(
        expected, [&](const std::string& one) { return one.ends_with(" of " + Print(*lost)); });
    if (!said) {
      coverage.Add(Event::kConflictExpiry);
      expected.insert("expiry " + Place(row_key, "", *lost));
    }
  }
  std::multiset<std::string> reported;
  for (const Discarded& lost : discarded) {
    const std::string mark = lost.expiry ? "expiry " : lost.adds ? kAddsMark : "";
    if (lost.adds && !IsNumber(lost.loser.value)) return "lost adds are no number";
    reported.insert(mark + Place(row_key, lost.field, lost.loser.dot));
  }
  reported_.insert(reported.begin(), reported.end());
  if (expected == reported) return {};
  std::string bad = "wrong verdict at " + Print(writer.dot) + ": expected";
  for (const auto& one : expected) bad += " " + one;
  bad += ", reported";
  for (const auto& one : reported) bad += " " + one;
  return bad;
}

// Adds that showed, or come in, beside a base that is no number and that neither side had seen.
void Watcher::ExpectAdds(const Sent& writer, std::string_view row_key, const Op* op,
                         const Field& before, const Field& after,
                         std::multiset<std::string>& expected) const {
  const bool base_is_new = after.cell.dot == writer.dot;
  if (base_is_new && !Refuses(before)) {
    for (const Share& share : after.shares) {
      const Dot last{share.origin, share.seq};
      if (last == writer.dot || FoldedIn(before, share) || Saw(writer, last)) continue;
      expected.insert(kAddsMark + Place(row_key, before.name, last));
    }
  }
  if (!base_is_new && op && op->type == Op::Type::kAdd && !Saw(writer, after.cell.dot)) {
    expected.insert(kAddsMark + Place(row_key, before.name, writer.dot));
  }
}

// The writer of the expiry that gave way to a sooner one it had not seen.
std::optional<Dot> Watcher::ExpectExpiry(const Sent& writer, const Change& change,
                                         const Record& before, const Record& after) const {
  const bool put = std::ranges::any_of(change.ops, &Op::expiry);
  if (!put || !before.expiry || Saw(writer, before.expiry->dot)) return std::nullopt;
  const bool won = after.expiry->dot == writer.dot;
  const auto now_ms = ExpiryMs(after);
  const Op& op = *std::ranges::find_if(change.ops, &Op::expiry);
  Record incoming;
  incoming.expiry = Cell{.null = op.null, .value = op.value};
  const auto lost_ms = won ? ExpiryMs(before) : ExpiryMs(incoming);
  if (!now_ms || (lost_ms && *lost_ms <= *now_ms)) return std::nullopt;
  return won ? before.expiry->dot : writer.dot;
}

void Watcher::Dropped(const Record& record) {
  for (const Field& field : record.fields) {
    if (field.has_cell) dropped_.insert(Print(field.cell.dot));
  }
}

std::string Watcher::JudgeEnd(
    const std::vector<Sent>& sent,
    const std::function<std::optional<Dot>(const std::string&, const std::string&)>& standing)
    const {
  struct Write {
    std::size_t index;
    bool null;
    bool created_mark;
    Kind kind;
    std::string field;
  };
  std::map<std::string, std::vector<Write>> writes;
  for (const Sent& one : sent) {
    Txn txn;
    if (!DecodeTxn(one.bytes, txn)) return "a txn cannot be read back";
    for (const Change& change : txn.changes) {
      std::string row;
      AppendRowKey(change.table, change.key, row);
      auto& list = writes[row];
      if (change.created) list.push_back({one.index, true, true, Kind::kLww, {}});
      for (const Op& op : change.ops) {
        if (op.expiry || op.type == Op::Type::kAdd) continue;
        list.push_back({one.index, op.null, false, op.kind, std::string(op.field)});
      }
    }
  }
  for (const auto& [row, list] : writes) {
    if (row[0] == 'z') continue;  // what kept the reports flowing, partly still under way
    for (const Write& write : list) {
      if (write.null || (write.kind != Kind::kLww && write.kind != Kind::kFirst)) continue;
      const Dot& dot = sent[write.index].dot;
      const bool overwritten = std::ranges::any_of(list, [&](const Write& later) {
        return (later.created_mark || later.field == write.field) &&
               sent[later.index].saw[write.index];
      });
      if (overwritten || dropped_.contains(Print(dot)) || standing(row, write.field) == dot)
        continue;
      if (!reported_.contains(Place(row, write.field, dot))) {
        return "lost silently: " + Place(row, write.field, dot);
      }
    }
  }
  return {};
}

}  // namespace hawser::test
