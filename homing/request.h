#pragma once

// Requests: what was asked under a client's request id, so that a retry gets the first's answer. A
// row of the internal table "!request", key = scope, zero byte, id; its one field of kind `first`
// holds what was asked, in a canonical form of the scope's own. It is written in the same txn as
// the request's work, expires after a day or as long as the scope says, and travels like any
// record: exact within a region; of two regions that have not heard of each other both may carry it
// out, and the second is a conflict of kind `idempotency`, unless both texts are the same.
// Threads: plain values; FindRequest and NoteRequest where the LocalTxn belongs.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/local_txn.h"

namespace hawser {

inline constexpr std::int64_t kRequestKeptMs = std::int64_t{24} * 3600 * 1000;
inline constexpr std::size_t kRequestIdBytesMax = 128;

// An id has 1 to 128 bytes.
inline bool IsRequestId(std::string_view id) {
  return !id.empty() && id.size() <= kRequestIdBytesMax;
}

std::string RequestRowKey(std::string_view scope, std::string_view id);
// What a row says, with the txn that wrote it; nullopt: no row, none any more at `now_ms`, or not
// such a row. `asked` borrows from the bytes.
struct NotedRequest {
  std::string_view asked;
  Dot dot;
  std::int64_t expires_ms = 0;
};
std::optional<NotedRequest> ReadRequest(std::optional<std::string_view> record_bytes,
                                        std::int64_t now_ms);

// What was asked under the id; nullopt: nothing yet, or too long ago.
std::optional<std::string> FindRequest(LocalTxn& txn, std::string_view scope, std::string_view id);
// REQUIRES: IsRequestId, and FindRequest found nothing.
void NoteRequest(LocalTxn& txn, std::string_view scope, std::string_view id, std::string_view asked,
                 std::int64_t kept_ms = kRequestKeptMs);

}  // namespace hawser
