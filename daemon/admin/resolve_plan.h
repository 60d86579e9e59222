#pragma once

// ResolvePlan: what a request wants done with conflicts, from its body. Pure: the log and the
// records are not asked.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "daemon/admin/conflict_query.h"
#include "storage/resolution.h"

namespace hawser::admin {

inline constexpr std::size_t kReasonBytesMax = 1000;
inline constexpr std::uint64_t kResolveManyMax = 1000;  // conflicts of one call

struct Wish {
  Take take = Take::kWinner;
  std::optional<std::string> value;  // of kValue; nullopt there: the field shall go
  std::string reason;
  std::string by;                     // who asks; filled in by the caller
  std::vector<std::string> if_match;  // versions the record may have; empty: not asked for
  bool if_absent = false;             // the record shows nothing
  std::int64_t keep_ms = 0;           // how long the resolution's record is kept
};
// {"take": "winner"|"loser"|{"value": …}, "reason": "…"}
std::expected<Wish, Problem> PlanResolution(const HttpRequest& request);

struct WishForMany {
  Wish wish;
  std::vector<std::string> ids;          // one of the two
  std::optional<ConflictFilter> filter;  // of those not resolved yet, newest first
  std::uint64_t limit = 100;
};
// The same and {"ids": ["…"]} or {"filter": {"table": "…", …}, "limit": N}
std::expected<WishForMany, Problem> PlanResolutions(const HttpRequest& request,
                                                    const AdminOptions& options);

}  // namespace hawser::admin
