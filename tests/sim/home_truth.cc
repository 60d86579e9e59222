#include "tests/sim/home_truth.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "conflict/internal_tables.h"
#include "conflict/record_codec.h"
#include "storage/conflict_log.h"
#include "tests/sim/check.h"
#include "tests/sim/region.h"

namespace hawser::sim {
namespace {

std::uint64_t NumberIn(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

const Op* PutOf(const Change& change, std::string_view field) {
  const auto op = std::ranges::find_if(change.ops, [&](const Op& each) {
    return each.type == Op::Type::kPut && !each.expiry && !each.null && each.field == field;
  });
  return op == change.ops.end() ? nullptr : &*op;
}

// A value that a client wrote here: "w" and its number.
std::optional<std::uint64_t> WrittenNumber(const Change& change) {
  const Op* op = PutOf(change, kStringField);
  if (!op || !op->value.starts_with('w')) return std::nullopt;
  return NumberIn(op->value.substr(1));
}

bool IsHomed(std::string_view table) {
  return table == "h" || table == "g";
}

}  // namespace

std::string HomeRow(std::string_view table, std::string_view unit) {
  std::string row_key;
  AppendRowKey(kHomeTable, std::string(table) + '\0' + std::string(unit), row_key);
  return row_key;
}

std::string_view UnitIn(std::string_view key) {
  return key.starts_with('{') ? key.substr(1, key.find('}') - 1) : key;
}

std::optional<HeldHome> ReadHome(std::optional<std::string_view> record_bytes) {
  if (!record_bytes) return std::nullopt;
  Record record;
  HW_CHECK(DecodeRecord(*record_bytes, record), "row is a record", "a home");
  const Field* field = record.Find(kHomeField);
  HW_CHECK(field && field->has_cell && !field->cell.null, "a home is never deleted", "it is");
  return HeldHome{.region = RegionId{static_cast<std::uint8_t>(NumberIn(field->cell.value))},
                  .epoch = field->cell.generation,
                  .taken_over = field->cell.kind == Kind::kMax,
                  .dot = field->cell.dot};
}

std::uint64_t HomeTruth::Note(const HomeSaid& said) {
  notes_.push_back(said);
  return notes_.size() - 1;
}

HomeTruth::Unit& HomeTruth::UnitAt(const std::string& home_row) {
  const auto [at, added] = units_.try_emplace(home_row);
  if (added) rows_.push_back(home_row);
  return at->second;
}

std::size_t HomeTruth::Words(const std::string& home_row, const Cut& cut) const {
  const Unit& unit = units_.at(home_row);
  return static_cast<std::size_t>(std::ranges::count_if(
      unit.words, [&](const Word& word) { return cut.Covers(word.by->dot); }));
}

const HomeTruth::Word* HomeTruth::Find(const Unit& unit, const Dot& dot) {
  const auto at = std::ranges::find_if(unit.words, [&](const Word& w) { return w.by->dot == dot; });
  return at == unit.words.end() ? nullptr : &*at;
}

// --- As it happens -------------------------------------------------------------------------------

void HomeTruth::OnDurable(const TruthTxn& txn) {
  for (const Change& change : txn.txn.changes) {
    if (change.table == kHomeTable) TakeWord(txn, change);
  }
  for (const Change& change : txn.txn.changes) {
    if (IsHomed(change.table)) TakeWrite(txn, change);
  }
}

void HomeTruth::TakeWord(const TruthTxn& txn, const Change& change) {
  const Op* op = PutOf(change, kHomeField);
  HW_CHECK(op, "a home is never deleted", Text(txn.dot));
  std::string row;
  AppendRowKey(change.table, change.key, row);
  Unit& unit = UnitAt(row);
  const std::size_t number_at = op->value.rfind(" m");
  Word word{.by = &txn,
            .to = RegionId{static_cast<std::uint8_t>(NumberIn(op->value))},
            .epoch = op->generation,
            .first = number_at == std::string_view::npos,
            .takeover = op->kind == Kind::kMax,
            .said = {},
            .value = std::string(op->value)};
  if (!word.first) word.said = notes_.at(NumberIn(op->value.substr(number_at + 2)));
  const RegionId by = txn.dot.origin.region;
  const std::string who = "unit '" + std::string(change.key.substr(2)) + "', " + Text(txn.dot) +
                          ": home '" + word.value + "'";
  if (word.first) {
    const bool raced = std::ranges::any_of(
        unit.words, [&](const Word& other) { return other.first && !txn.Saw(other.by->dot); });
    coverage_.Add(change.key.starts_with("g") ? Branch::kHomeByDefault : Branch::kHomeFirst);
    if (raced) coverage_.Add(Branch::kHomeRaced);
  } else {
    coverage_.Add(word.takeover ? Branch::kHomeTakenOver : Branch::kHomeMoved);
  }
  if (unit.alone) {
    HW_CHECK(!word.first, "a unit with a confirmed home is not homed anew", who);
    HW_CHECK(word.takeover || *unit.alone == by, "only its home moves a unit",
             who + ", while region " + std::to_string(Raw(*unit.alone)) + " is home");
    unit.alone = word.takeover ? std::nullopt : std::optional(word.to);
  }
  unit.words.push_back(std::move(word));
}

void HomeTruth::TakeWrite(const TruthTxn& txn, const Change& change) {
  const auto number = WrittenNumber(change);
  if (!number) return;
  const std::string row = HomeRow(change.table, UnitIn(change.key));
  Unit& unit = UnitAt(row);
  Write write{
      .by = &txn, .row_key = {}, .number = *number, .said = notes_.at(*number), .under = txn.dot};
  AppendRowKey(change.table, change.key, write.row_key);
  if (write.said.held) write.under = write.said.held->dot;
  const RegionId by = txn.dot.origin.region;
  const std::string who = "unit '" + std::string(UnitIn(change.key)) + "', write " + Text(txn.dot);
  const Word* under = Find(unit, write.under);
  HW_CHECK(under, "a write homes what nobody has homed", who);
  HW_CHECK(under->to == by, "only its home writes a unit",
           who + " under " + Text(write.under) + " '" + under->value + "'");
  HW_CHECK(!unit.alone || *unit.alone == by, "one region takes the writes of a unit",
           who + " under " + Text(write.under) + ", while region " +
               std::to_string(Raw(unit.alone.value_or(RegionId{}))) + " is home");
  coverage_.Add(Branch::kHomeWrite);
  unit.writes.push_back(std::move(write));
}

// From here on one region may write, until the unit is taken over: the home, or the last of those
// it was handed on to, which the reporter need not have heard of yet.
void HomeTruth::OnConfirmed(const std::string& home_row, const Dot& dot, const Cut& by) {
  Unit& unit = UnitAt(home_row);
  if (unit.confirmed && *unit.confirmed == dot) return;
  const Word* home = Find(unit, dot);
  HW_CHECK(home, "homes are real", Text(dot));
  HW_CHECK(truth_.IsEverywhere(dot), "a confirmed home is with every member",
           Text(dot) + " '" + home->value + "'");
  HW_CHECK(!unit.confirmed || home->by->Saw(*unit.confirmed), "confirmed homes follow one another",
           Text(dot) + " had not seen " + Text(unit.confirmed.value_or(Dot{})));
  unit.confirmed = dot;
  unit.alone = home->to;
  coverage_.Add(Branch::kHomeConfirmed);
  for (const Word& word : unit.words) {
    if (word.by->dot == dot || by.Covers(word.by->dot)) continue;  // the latter gave way to it
    HW_CHECK(word.by->Saw(dot), "no rival of a confirmed home is under way",
             Text(word.by->dot) + " '" + word.value + "' had not seen " + Text(dot));
    if (word.takeover) {
      unit.alone.reset();
      return;
    }
    unit.alone = word.to;
  }
}

// The highest epoch; in one epoch takeovers before moves; of moves the earliest.
std::optional<HeldHome> HomeTruth::Expected(const std::string& home_row, const Cut& cut) const {
  const auto at = units_.find(home_row);
  const Word* best = nullptr;
  const auto stamp = [](const Word& word) {
    return std::pair(word.by->txn.stamp, word.by->dot.origin.region);
  };
  const auto beats = [&](const Word& a, const Word& b) {
    if (a.epoch != b.epoch) return a.epoch > b.epoch;
    if (a.takeover != b.takeover) return a.takeover;
    return a.takeover ? a.value > b.value : stamp(a) < stamp(b);
  };
  if (at == units_.end()) return std::nullopt;
  for (const Word& word : at->second.words) {
    if (cut.Covers(word.by->dot) && (!best || beats(word, *best))) best = &word;
  }
  if (!best) return std::nullopt;
  return HeldHome{
      .region = best->to, .epoch = best->epoch, .taken_over = best->takeover, .dot = best->by->dot};
}

// --- In the end ----------------------------------------------------------------------------------

// The planned move, of the row of them that led to this home, whose maker had its home confirmed.
const HomeTruth::Word* HomeTruth::RootOf(const Unit& unit, const Dot& under) {
  const Word* word = Find(unit, under);
  while (word && !word->first && !word->takeover && word->said.held) {
    if (word->said.state == HomeState::kConfirmed) return word;
    word = Find(unit, word->said.held->dot);
  }
  return nullptr;
}

// True if nobody may have written the unit at the same time: its home was confirmed, or handed on
// by plan from one that was. What was taken over before that is settled by it; a takeover that it
// did not know of is not, even if the row of moves outran it, unless it knew of the write.
bool HomeTruth::IsKept(const Unit& unit, const Write& write) const {
  const TruthTxn* settled = write.by;
  if (write.said.state != HomeState::kConfirmed) {
    const Word* root = RootOf(unit, write.under);
    if (!root) return false;
    settled = root->by;
  }
  return std::ranges::none_of(unit.words, [&](const Word& word) {
    return word.takeover && !settled->Saw(word.by->dot) && !word.by->Saw(write.by->dot);
  });
}

void HomeTruth::CheckOverlaps() {
  for (const auto& [row, unit] : units_) {
    for (std::size_t i = 0; i < unit.writes.size(); ++i) {
      const Write& a = unit.writes[i];
      for (std::size_t j = 0; j < i; ++j) {
        const Write& b = unit.writes[j];
        if (a.by->dot.origin == b.by->dot.origin) continue;
        if (a.by->Saw(b.by->dot) || b.by->Saw(a.by->dot)) continue;
        coverage_.Add(Branch::kHomeOverlap);
        const std::string who = Text(a.by->dot) + " and " + Text(b.by->dot) + " in one unit";
        HW_CHECK(a.said.state != HomeState::kConfirmed || b.said.state != HomeState::kConfirmed,
                 "writes that overlap were told that a home is pending", who);
        HW_CHECK(!IsKept(unit, a) && !IsKept(unit, b), "planned moves let no writes overlap", who);
      }
    }
  }
}

void HomeTruth::CheckKept(Region& region) {
  const std::string at = "region " + std::to_string(Raw(region.id())) + ", ";
  const Cut& cut = region.watched().committed();
  std::set<std::pair<std::string, Dot>> kept;
  std::map<std::string, const TruthTxn*> standing;  // by row key
  Record record;
  for (const auto& [row, unit] : units_) {
    for (const Write& write : unit.writes) {
      if (!cut.Covers(write.by->dot) || !IsKept(unit, write)) continue;
      kept.emplace(write.row_key, write.by->dot);
      auto& stands = standing[write.row_key];
      if (!stands) {
        const auto bytes = region.store().Read(write.row_key);
        const bool read = bytes && DecodeRecord(*bytes, record);
        const Field* field = read ? record.Find(kStringField) : nullptr;
        stands = field && field->has_cell ? truth_.Find(field->cell.dot) : nullptr;
      }
      HW_CHECK(stands && (stands == write.by || stands->Saw(write.by->dot)),
               "no write of a planned move is lost",
               at + Text(write.by->dot) + " gave way to " +
                   (stands ? Text(stands->dot) : std::string("nothing")));
      coverage_.Add(Branch::kHomeKept);
    }
  }
  std::string start;
  AppendRowKey(kConflictTable, "", start);
  region.store().ScanNewest(start, [&](std::string_view row_key, std::string_view bytes) {
    if (SplitRowKey(row_key).table != kConflictTable) return false;
    const auto conflict = DecodeRecord(bytes, record) ? ParseConflict(record) : std::nullopt;
    if (!conflict || !IsHomed(conflict->table)) return true;
    std::string of;
    AppendRowKey(conflict->table, conflict->key, of);
    HW_CHECK(!kept.contains({of, conflict->loser.dot}), "no write of a planned move is in conflict",
             at + Text(conflict->loser.dot));
    return true;
  });
}

}  // namespace hawser::sim
