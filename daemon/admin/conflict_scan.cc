#include "daemon/admin/conflict_scan.h"

#include <algorithm>
#include <vector>

#include "conflict/record_codec.h"

namespace hawser::admin {
namespace {

constexpr std::size_t kRowsVisitedMax = 20'000;  // a page may be short
// Rows of the order are gathered first: a view that is asked for a row while it scans might not
// keep the scan's bytes.
constexpr std::size_t kPiece = 256;

std::vector<std::string> OrderKeys(View& view, std::string_view start, std::size_t count) {
  std::vector<std::string> keys;
  std::string row_key;
  AppendRowKey(kConflictOrderTable, start, row_key);
  view.Scan(row_key, [&](std::string_view at, std::string_view) {
    const RowKey row = SplitRowKey(at);
    if (row.table != kConflictOrderTable || keys.size() == count) return false;
    keys.emplace_back(row.key);
    return true;
  });
  return keys;
}

}  // namespace

bool IsConflictId(std::string_view text) {
  return text.size() == kConflictIdBytes && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool ReadConflict(View& view, std::string_view id, LoggedConflict& out) {
  std::string row_key;
  AppendRowKey(kConflictTable, id, row_key);
  const auto bytes = view.Get(row_key);
  if (!bytes || !DecodeRecord(*bytes, out.record)) return false;
  const auto conflict = ParseConflict(out.record);
  if (!conflict) return false;
  out.id = id;
  out.conflict = *conflict;
  return true;
}

bool ReadResolution(View& view, std::string_view id, LoggedResolution& out) {
  std::string row_key;
  AppendRowKey(kResolutionTable, id, row_key);
  const auto bytes = view.Get(row_key);
  if (!bytes || !DecodeRecord(*bytes, out.record)) return false;
  const auto held = ParseResolution(out.record);
  if (!held) return false;
  out.held = *held;
  row_key.clear();
  AppendRowKey(held->resolution.table, held->resolution.key, row_key);
  const auto target = view.Get(row_key);
  Record record;
  if (!target || !DecodeRecord(*target, record)) return true;
  if (held->resolution.expiry) {
    out.in_effect = record.expiry && record.expiry->dot == held->dot;
  } else {
    const Field* field = record.Find(held->resolution.field);
    out.in_effect = field && field->has_cell && field->cell.dot == held->dot;
  }
  return true;
}

std::optional<std::string> ScanConflicts(View& view, const ConflictFilter& filter,
                                         std::string_view start,
                                         const std::function<bool(const LoggedConflict&)>& visit) {
  std::string from(start);
  LoggedConflict logged;
  for (std::size_t visited = 0; visited < kRowsVisitedMax; visited += kPiece) {
    const std::vector<std::string> keys = OrderKeys(view, from, kPiece);
    for (const std::string& key : keys) {
      const auto place = ParseOrderKey(key);
      if (!place) continue;
      if (filter.since_ms && place->place.found.ms() < *filter.since_ms) return std::nullopt;
      if (!ReadConflict(view, place->id, logged) || !filter.Matches(logged.conflict)) continue;
      if (!visit(logged)) return key;
    }
    if (keys.size() < kPiece) return std::nullopt;
    from = keys.back() + '\0';
  }
  return from.substr(0, from.size() - 1);
}

}  // namespace hawser::admin
