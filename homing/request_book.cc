#include "homing/request_book.h"

#include <algorithm>

#include "conflict/record_codec.h"
#include "homing/request.h"

namespace hawser {
namespace {

// What a row takes beside its texts: its key's head, two cells with versions and dots, a place in
// the tables.
constexpr std::uint64_t kRowOverheadBytes = 192;

}  // namespace

RequestBook::RequestBook(std::uint64_t bytes_max, std::int64_t kept_ms)
    : bytes_max_(bytes_max), step_ms_(std::max<std::int64_t>(1, kept_ms / 64)) {}

void RequestBook::Load(View& view, std::string_view scope, RegionId self, std::int64_t now_ms) {
  const std::string first = RequestRowKey(scope, "");
  view.Scan(first, [&](std::string_view row_key, std::string_view bytes) {
    if (!row_key.starts_with(first)) return false;
    const auto noted = ReadRequest(bytes, now_ms);
    if (noted && noted->dot.origin.region == self) {
      Note(row_key.size() - first.size(), noted->asked.size(), noted->expires_ms);
    }
    return true;
  });
}

void RequestBook::Note(std::size_t id_bytes, std::size_t asked_bytes, std::int64_t expires_ms) {
  const std::uint64_t bytes = id_bytes + asked_bytes + kRowOverheadBytes;
  const std::lock_guard lock(mutex_);
  Held& step = by_end_ms_[(expires_ms / step_ms_ + 1) * step_ms_];
  ++step.requests;
  step.bytes += bytes;
  ++held_.requests;
  held_.bytes += bytes;
}

bool RequestBook::HasRoom(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  Expire(now_ms);
  return held_.bytes < bytes_max_;
}

std::int64_t RequestBook::RoomAtMs(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  Expire(now_ms);
  return by_end_ms_.empty() ? now_ms : by_end_ms_.begin()->first;
}

RequestBook::Held RequestBook::HeldNow(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  Expire(now_ms);
  return held_;
}

void RequestBook::Expire(std::int64_t now_ms) {
  while (!by_end_ms_.empty() && by_end_ms_.begin()->first <= now_ms) {
    const Held& gone = by_end_ms_.begin()->second;
    held_.requests -= gone.requests;
    held_.bytes -= gone.bytes;
    by_end_ms_.erase(by_end_ms_.begin());
  }
}

}  // namespace hawser
