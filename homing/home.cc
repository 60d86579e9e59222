#include "homing/home.h"

#include "conflict/assert.h"
#include "conflict/internal_tables.h"
#include "conflict/record_codec.h"
#include "conflict/variant.h"

namespace hawser {
namespace {

// Takes what stands before the next blank.
std::string_view TakeWord(std::string_view& text) {
  const std::size_t at = text.find(' ');
  const std::string_view word = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return word;
}

}  // namespace

std::string_view UnitOf(std::string_view key) {
  const std::size_t open = key.find('{');
  if (HW_VARIANT(kUnitIsKey)) return key;
  if (open == std::string_view::npos) return key;
  const std::size_t close = key.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

std::string EncodeHomeWord(const HomeWord& word) {
  std::string text = std::to_string(Raw(word.region));
  if (word.by.empty()) return text;
  HW_ASSERT(!word.by.contains(' '));
  text.append(" ").append(std::to_string(word.at_ms)).append(" ").append(word.by);
  return text.append(" ").append(word.reason);
}

std::optional<HomeWord> ParseHomeWord(std::string_view text) {
  const auto region = ParseInt(TakeWord(text));
  if (!region || *region < 1 || *region > kRegionIdMax) return std::nullopt;
  HomeWord word{.region = RegionId{static_cast<std::uint8_t>(*region)}};
  if (text.empty()) return word;
  const auto at_ms = ParseInt(TakeWord(text));
  if (!at_ms) return std::nullopt;
  word.at_ms = *at_ms;
  word.by = TakeWord(text);
  word.reason = text;
  return word;
}

const char* Text(HomeState state) {
  constexpr const char* kTexts[] = {"none", "pending", "confirmed"};
  return kTexts[static_cast<std::size_t>(state)];
}

Home HomeOf(std::optional<std::string_view> record_bytes, const Proof& proof) {
  Record record;
  if (!record_bytes || !DecodeRecord(*record_bytes, record)) return {};
  const Field* field = record.Find(kHomeField);
  if (field == nullptr || !field->has_cell || field->cell.null) return {};
  const auto word = ParseHomeWord(field->cell.value);
  if (!word) return {};
  const bool everywhere = proof.stable.cut.Covers(field->cell.dot) || HW_VARIANT(kHomeAtOnce);
  const bool stable = proof.compared && everywhere;
  return {.state = stable ? HomeState::kConfirmed : HomeState::kPending,
          .region = word->region,
          .epoch = field->cell.generation,
          .taken_over = field->cell.kind == Kind::kMax,
          .version = field->cell.version,
          .dot = field->cell.dot};
}

std::string HomeKey(std::string_view table, std::string_view unit) {
  std::string key(table);
  key.push_back('\0');
  key.append(unit);
  return key;
}

std::string HomeRowKey(std::string_view table, std::string_view unit) {
  std::string row_key;
  AppendRowKey(kHomeTable, HomeKey(table, unit), row_key);
  return row_key;
}

HomedTables HomedTablesOf(const Schema& schema, const std::map<std::string, RegionId>& names) {
  HomedTables homed;
  for (const auto& [table, rule] : schema.tables) {
    if (rule.placement != "homed") continue;
    const auto at = names.find(rule.default_home);
    homed.emplace(table, at == names.end() ? RegionId{} : at->second);
  }
  return homed;
}

std::expected<bool, HomedElsewhere> HomeHere(const std::vector<Change>& changes,
                                             const HomedTables& homed, RegionId self,
                                             LocalTxn& txn) {
  bool added = false;
  for (const Change& change : changes) {
    const auto table = homed.find(change.table);
    if (table == homed.end()) continue;
    const std::string_view unit = UnitOf(change.key);
    RecordEdit& edit = txn.Edit(kHomeTable, HomeKey(change.table, unit));
    const auto held = edit.Get(kHomeField);
    const auto word = held ? ParseHomeWord(*held) : std::nullopt;
    if (held && !word) return std::unexpected(HomedElsewhere{});  // in newer software's words
    if (word) {
      const auto made_here = [&] {
        return HomeOf(txn.store().Read(HomeRowKey(change.table, unit)), {}).dot.origin.region ==
               self;
      };
      const bool writes_on = HW_VARIANT(kOldHomeWritesOn) && made_here();
      if (word->region != self && !writes_on) {
        return std::unexpected(HomedElsewhere{word->region});
      }
      if (HW_VARIANT(kHomeOfFirstOnly)) break;
      continue;
    }
    const RegionId by_default = HW_VARIANT(kDefaultHomeIgnored) ? RegionId{} : table->second;
    if (by_default != RegionId{} && by_default != self) {
      return std::unexpected(HomedElsewhere{by_default});
    }
    if (HW_VARIANT(kHomeNotWritten)) continue;
    HW_ASSERT(edit.Set(kHomeField, EncodeHomeWord({.region = self})));
    added = true;
  }
  return added;
}

void HomeFinder::Add(std::string_view table, std::string_view key) {
  const auto homed = homed_.find(table);
  if (homed == homed_.end()) return;
  const Home home = HomeOf(rows_(HomeRowKey(table, UnitOf(key))), {});
  Belonging belonging{.home = home.region, .known_by = home.dot, .epoch = home.epoch};
  if (home.state == HomeState::kNone) {
    if (homed->second == RegionId{}) return;  // homed by whoever writes it first
    belonging.home = homed->second;
  }
  if (!found_) {
    found_ = belonging;
  } else if (found_->home != belonging.home) {
    found_->crosses = true;
  }
}

std::expected<bool, HomedElsewhere> MakeHomeMove(const HomeMove& move, RegionId self,
                                                 RegionId default_home, LocalTxn& txn) {
  const Home home = HomeOf(txn.store().Read(HomeRowKey(move.table, move.unit)), {});
  const bool homed = home.state != HomeState::kNone;
  const RegionId at = homed ? home.region : default_home;
  if (!move.takeover && at != RegionId{} && at != self && !HW_VARIANT(kHomeMovedByAnyone)) {
    return std::unexpected(HomedElsewhere{at});
  }
  if (!move.takeover && homed && home.region == move.word.region) return false;
  RecordEdit& edit = txn.Edit(kHomeTable, HomeKey(move.table, move.unit));
  const bool above = move.takeover && !HW_VARIANT(kTakeoverAsMove);
  edit.OverrideAs(above ? Kind::kMax : Kind::kFirst, kHomeField, EncodeHomeWord(move.word));
  return true;
}

}  // namespace hawser
