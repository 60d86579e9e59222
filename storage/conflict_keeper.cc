#include "storage/conflict_keeper.h"

#include <algorithm>

#include "conflict/record_codec.h"
#include "storage/conflict_log.h"

namespace hawser {
namespace {

// What a row takes beside its bytes: two keys, two heads, the order's row.
constexpr std::uint64_t kRowOverheadBytes = 192;
// A walk costs a look at every row: it waits until the log has grown by an eighth.
constexpr std::uint64_t kGrownRowsMin = 64;

}  // namespace

bool ConflictLogOptions::IsQuiet(std::string_view table, std::string_view field) const {
  if (quiet.empty()) return false;
  const auto fields = quiet.find(table);
  return fields != quiet.end() && fields->second.contains(field);
}

bool ConflictKeeper::Due(std::int64_t now_ms) const {
  if (walking_ || !walked_) return true;
  if (logged_ >= std::max(kGrownRowsMin, kept_ / 8)) return true;
  if (kept_ == 0 || oldest_ms_ == 0) return false;
  // A little late, so that a log that ages evenly is not walked for every row.
  return now_ms - oldest_ms_ > options_.age_ms_max + options_.age_ms_max / 64;
}

void ConflictKeeper::Begin(const Scan& scan) {
  walking_ = walked_ = true;
  logged_ = bytes_ = keeping_ = 0;
  keeping_ms_ = 0;
  resume_.clear();
  AppendRowKey(kConflictOrderTable, "", resume_);
  std::string row_key;
  AppendRowKey(kConflictFloorTable, "", row_key);
  Record record;
  floor_.clear();
  scan(row_key, [&](std::string_view at, std::string_view bytes) {
    if (at == row_key && DecodeRecord(bytes, record)) {
      floor_ = ParseConflictFloor(record).value_or("");
    }
    return false;
  });
}

ConflictKeeper::Piece ConflictKeeper::Walk(const Scan& scan, std::int64_t now_ms,
                                           std::uint32_t rows_max) {
  if (!walking_) Begin(scan);
  Piece piece;
  std::vector<std::string>& drop = piece.drop;
  std::string newest_dropped;
  Record record;
  bool more = false;
  std::uint32_t looked_at = 0;
  scan(resume_, [&](std::string_view row_key, std::string_view bytes) {
    const RowKey row = SplitRowKey(row_key);
    if (row.table != kConflictOrderTable) return false;
    if (looked_at++ == rows_max) {
      resume_ = row_key;
      more = true;
      return false;
    }
    const auto at = ParseOrderKey(row.key);
    const auto size = DecodeRecord(bytes, record) ? ParseOrderRow(record) : std::nullopt;
    if (at && size) {
      bytes_ += *size + kRowOverheadBytes;
      const std::int64_t found_ms = at->place.found.ms();
      if (bytes_ <= options_.bytes_max && now_ms - found_ms <= options_.age_ms_max) {
        ++keeping_;
        keeping_ms_ = found_ms;
        return true;
      }
      AppendRowKey(kConflictTable, at->id, drop.emplace_back());
      if (newest_dropped.empty()) newest_dropped = row.key;
    }
    drop.emplace_back(row_key);
    return true;
  });
  if (!more) {
    walking_ = false;
    kept_ = keeping_;
    oldest_ms_ = keeping_ms_;
  }
  // A smaller order key is a newer one. After a crash rows behind the floor may be dropped again.
  if (!newest_dropped.empty() && (floor_.empty() || newest_dropped < floor_)) {
    floor_ = newest_dropped;
    AppendRowKey(kConflictFloorTable, "", piece.floor_key);
    EncodeConflictFloor(floor_, piece.floor_row);
  }
  return piece;
}

}  // namespace hawser
