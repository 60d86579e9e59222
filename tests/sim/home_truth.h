#pragma once

// HomeTruth: who was home to a unit, told from the durable txns alone, on the simulator's common
// clock. Every write of a unit and every word on its home comes by as it becomes durable, and is
// held against what the client was told (invariants 19 to 21).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "homing/home.h"
#include "tests/sim/coverage.h"
#include "tests/sim/truth.h"

namespace hawser::sim {

class Region;

// What a region's row says of a home; nothing if nobody has homed the unit.
struct HeldHome {
  RegionId region{};
  std::uint64_t epoch = 0;
  bool taken_over = false;
  Dot dot;
};
std::optional<HeldHome> ReadHome(std::optional<std::string_view> record_bytes);

// The row of a unit's home, and the unit of a key as this simulator names keys.
std::string HomeRow(std::string_view table, std::string_view unit);
std::string_view UnitIn(std::string_view key);

// What a region said of a unit's home at the moment it took a write or a move.
struct HomeSaid {
  HomeState state = HomeState::kNone;
  std::optional<HeldHome> held;
};

class HomeTruth {
 public:
  HomeTruth(Truth& truth, Coverage& coverage) : truth_(truth), coverage_(coverage) {}

  // A number for a write or a move about to be made; it travels in what is written.
  std::uint64_t Note(const HomeSaid& said);
  static std::string ValueOf(std::uint64_t number) { return "w" + std::to_string(number); }

  void OnDurable(const TruthTxn& txn);
  // A region that has applied `by` reports this home confirmed.
  void OnConfirmed(const std::string& home_row, const Dot& dot, const Cut& by);

  // Every home row that something was said of, in their order.
  const std::vector<std::string>& rows() const { return rows_; }
  // How many words were said of it, of those that `cut` covers.
  std::size_t Words(const std::string& home_row, const Cut& cut) const;
  // The home by all the words that `cut` covers.
  std::optional<HeldHome> Expected(const std::string& home_row, const Cut& cut) const;

  // Of writes that overlap not both were told that their home is confirmed, and none was made where
  // the unit only moved by plan.
  void CheckOverlaps();
  // What was written where the unit only moved by plan stands here, or was read by what does.
  void CheckKept(Region& region);

 private:
  struct Word {
    const TruthTxn* by = nullptr;
    RegionId to{};
    std::uint64_t epoch = 0;
    bool first = false, takeover = false;
    HomeSaid said;  // of a move: before it
    std::string value;
  };
  struct Write {
    const TruthTxn* by = nullptr;
    std::string row_key;
    std::uint64_t number = 0;
    HomeSaid said;
    Dot under;  // the word by which it was taken
  };
  struct Unit {
    std::vector<Word> words;  // both in the order they became durable
    std::vector<Write> writes;
    std::optional<Dot> confirmed;   // the last home that any region reported so
    std::optional<RegionId> alone;  // who alone may write now; nothing: no home is confirmed, or a
                                    // takeover is abroad
  };
  Unit& UnitAt(const std::string& home_row);
  static const Word* Find(const Unit& unit, const Dot& dot);
  void TakeWord(const TruthTxn& txn, const Change& change);
  void TakeWrite(const TruthTxn& txn, const Change& change);
  static const Word* RootOf(const Unit& unit, const Dot& under);
  bool IsKept(const Unit& unit, const Write& write) const;

  Truth& truth_;
  Coverage& coverage_;
  std::vector<HomeSaid> notes_;
  std::map<std::string, Unit> units_;  // by home row
  std::vector<std::string> rows_;
};

}  // namespace hawser::sim
