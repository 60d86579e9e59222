#pragma once

// Homes: which region takes the writes of a unit, of tables with placement "homed". A home is a row
// of the internal table "!home", key = table, zero byte, unit; its field "home" holds the region's
// id, and the cell's generation is the epoch:
//   first write     epoch 0, kind `first`: of two regions at once the earlier one stays
//   planned move    a txn of the home itself, epoch + 1, kind `first`: in the moment it is
//                   committed the old home writes no more; the new one starts when it applies it,
//                   and has by causality all that the old one wrote
//   takeover        by an operator in any region, epoch + 1, kind `max`: kinds are ordered, so it
//                   ranks above a planned move of the same epoch
// The value is text: the region's id; of a move also when, by whom and why (HomeWord).
// The home's state is that of its cell: pending until every member has it. Confirmed, no other
// region takes writes of the unit, and across planned moves none does.
//
// Threads: plain values and pure functions, but HomeHere and the Make…, where their LocalTxn
// belongs.

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conflict/schema.h"
#include "homing/claim.h"
#include "storage/local_txn.h"

namespace hawser {

// The part of a key that is homed as a whole: the text inside the first {…}, unless there is none
// or it is empty; else the key.
std::string_view UnitOf(std::string_view key);

enum class HomeState : std::uint8_t { kNone, kPending, kConfirmed };
const char* Text(HomeState state);  // "none", "pending", "confirmed"

// What a home's cell says.
struct HomeWord {
  RegionId region{};
  // Of a move, else empty. `by` holds no blank.
  std::int64_t at_ms = 0;
  std::string_view by, reason;
};
inline constexpr std::size_t kHomeReasonBytesMax = 1024;
std::string EncodeHomeWord(const HomeWord& word);
std::optional<HomeWord> ParseHomeWord(std::string_view text);  // borrows

struct Home {
  HomeState state = HomeState::kNone;
  RegionId region{};  // of kNone: 0
  std::uint64_t epoch = 0;
  bool taken_over = false;
  Version version;
  Dot dot;
};
// What a region that holds this row may say; nullopt: nobody has homed the unit.
Home HomeOf(std::optional<std::string_view> record_bytes, const Proof& proof);

std::string HomeKey(std::string_view table, std::string_view unit);
std::string HomeRowKey(std::string_view table, std::string_view unit);

// The homed tables of a schema, with the region that homes what nobody has homed yet (0: whoever
// writes first). A default_home that is no region of `names` counts as none.
using HomedTables = std::map<std::string, RegionId, std::less<>>;
HomedTables HomedTablesOf(const Schema& schema, const std::map<std::string, RegionId>& names);

// Why a txn may not be committed here: the unit of one of its changes has its home elsewhere.
struct HomedElsewhere {
  RegionId region{};
};
// Looks at what `txn` would write. A unit that nobody has homed is homed here, in this txn, unless
// its table has another default home. True if it added that to the txn.
std::expected<bool, HomedElsewhere> HomeHere(const std::vector<Change>& changes,
                                             const HomedTables& homed, RegionId self,
                                             LocalTxn& txn);

// Where a txn belongs, by the homes of its units.
struct Belonging {
  bool crosses = false;  // units of two homes: no region may write them in one txn
  RegionId home{};  // of units that have a home, or a default one; 0: it may be written anywhere
  Dot known_by;     // the txn that says so; seq 0: nobody has homed it yet
  std::uint64_t epoch = 0;
};
class HomeFinder {
 public:
  // `rows`: the bytes of a row, as a view or the engine has them; valid until it is asked again.
  using Rows = std::function<std::optional<std::string_view>(std::string_view row_key)>;
  HomeFinder(const HomedTables& homed, Rows rows) : homed_(homed), rows_(std::move(rows)) {}
  void Add(std::string_view table, std::string_view key);
  Belonging Found() const { return found_.value_or(Belonging{}); }

 private:
  const HomedTables& homed_;
  Rows rows_;
  std::optional<Belonging> found_;
};

struct HomeMove {
  std::string_view table, unit;
  HomeWord word;
  bool takeover = false;
};
// Puts the move into the txn: one epoch up, from nothing too. A planned move is the home's to make:
// elsewhere it is refused with the region to ask, as it would be from `default_home` (0: none)
// while nobody has homed the unit. False: the unit is at home there already, nothing was added.
std::expected<bool, HomedElsewhere> MakeHomeMove(const HomeMove& move, RegionId self,
                                                 RegionId default_home, LocalTxn& txn);

}  // namespace hawser
