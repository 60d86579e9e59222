#include "daemon/feeds/conflict_follower.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "conflict/record_codec.h"
#include "storage/conflict_log.h"

namespace hawser {
namespace {

static_assert(ConflictFollower::kPositionBytes == kOrderKeyBytes);

// Keys of the order from `start` on and before `end`, in the order's own direction (newest first).
// nullopt: there are more than `rows_max`. Unless `keep_oldest`: then the last ones, nearest `end`.
std::optional<std::deque<std::string>> Between(View& view, std::string_view start,
                                               std::string_view end, std::size_t rows_max,
                                               bool keep_oldest) {
  std::deque<std::string> keys;
  std::string row_key;
  AppendRowKey(kConflictOrderTable, start, row_key);
  bool over = false;
  view.Scan(row_key, [&](std::string_view at, std::string_view) {
    const RowKey row = SplitRowKey(at);
    if (row.table != kConflictOrderTable || row.key >= end) return false;
    if (keys.size() == rows_max) {
      over = !keep_oldest;
      if (over) return false;
      keys.pop_front();
    }
    keys.emplace_back(row.key);
    return true;
  });
  if (over) return std::nullopt;
  return keys;
}

std::string Floor(View& view) {
  std::string row_key;
  AppendRowKey(kConflictFloorTable, "", row_key);
  const auto bytes = view.Get(row_key);
  Record record;
  if (!bytes || !DecodeRecord(*bytes, record)) return {};
  return ParseConflictFloor(record).value_or("");
}

// Behind every key of the order: nothing was found yet.
std::string Beginning() {
  return std::string(kOrderKeyBytes, '\xFF');
}

}  // namespace

std::string ConflictFollower::Newest(View& view) {
  std::string row_key, newest;
  AppendRowKey(kConflictOrderTable, "", row_key);
  view.Scan(row_key, [&](std::string_view at, std::string_view) {
    const RowKey row = SplitRowKey(at);
    if (row.table == kConflictOrderTable && row.key.size() == kOrderKeyBytes) newest = row.key;
    return false;
  });
  return newest.empty() ? Oldest(view) : newest;
}

std::string ConflictFollower::Oldest(View& view) {
  const std::string floor = Floor(view);
  return floor.empty() ? Beginning() : floor;
}

ConflictFollower::Piece ConflictFollower::Next(View& view, std::size_t rows_max) {
  Piece piece;
  if (std::string floor = Floor(view); !floor.empty() && position_ > floor) {
    piece.gap = true;
    position_ = std::move(floor);
  }
  auto keys = Between(view, "", position_, rows_max, false);
  if (!keys) {
    piece.more = true;
    keys = Narrowed(view, rows_max);
  }
  piece.order_keys.assign(keys->rbegin(), keys->rend());
  return piece;
}

// There are more than `rows_max`: those in a window that begins where we are, or where rows begin.
std::deque<std::string> ConflictFollower::Narrowed(View& view, std::size_t rows_max) {
  const auto here = ParseOrderKey(position_);
  Wide at = here ? Wide{here->place.found.raw} << 64 | Raw(here->place.lsn) : Wide{0};
  bool narrowed = false;
  while (true) {
    const Wide last = at + window_ < at ? ~Wide{0} : at + window_;
    // A key without an id is before all of its place, so the place itself is inside.
    const std::string start = OrderKey({.found = Stamp{static_cast<std::uint64_t>(last >> 64)},
                                        .lsn = Lsn{static_cast<std::uint64_t>(last)}},
                                       "");
    auto keys = Between(view, start, position_, rows_max, /*keep_oldest=*/window_ == 1);
    const bool sparse = keys && keys->size() <= rows_max / 8;
    if (sparse && !narrowed && window_ >> 120 == 0) window_ <<= 4;
    if (keys && !keys->empty()) return std::move(*keys);
    if (keys) {
      at = last;
    } else {
      narrowed = true;
      window_ = std::max(window_ >> 4, Wide{1});
    }
  }
}

}  // namespace hawser
