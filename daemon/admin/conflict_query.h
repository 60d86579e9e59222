#pragma once

// ConflictQuery: what a request asks of the conflict log. Pure: names of regions are looked up in
// the options, the log itself is not.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "daemon/admin/problem.h"
#include "daemon/admin/server.h"
#include "daemon/admin/target.h"
#include "storage/conflict_log.h"

namespace hawser::admin {

struct ConflictFilter {
  std::optional<std::string> table, key, field;
  std::optional<ConflictKind> kind;
  std::optional<RegionId> region;        // of either side
  std::optional<std::int64_t> since_ms;  // found at or after
  std::optional<std::int64_t> until_ms;  // found before
  std::optional<bool> resolved;
  bool Matches(const Conflict& conflict) const;  // `resolved` aside
};

struct ConflictQuery {
  ConflictFilter filter;
  std::uint64_t limit = 100;
  std::string start;  // the first order key wanted (storage/conflict_log.h)
};

// Names of parameters of the filter, for the route table.
inline constexpr const char* kConflictFilterNames[] = {"table",  "key",   "field", "kind",
                                                       "region", "since", "until", "resolved"};

// One parameter of the filter, from a query or a body. The error says what it takes.
std::expected<void, Problem> SetFilter(std::string_view name, const std::string& text,
                                       const AdminOptions& options, ConflictFilter& filter);
std::expected<ConflictFilter, Problem> PlanConflictFilter(const Target& target,
                                                          const AdminOptions& options);
std::expected<ConflictQuery, Problem> PlanConflictQuery(const Target& target,
                                                        const AdminOptions& options);
// Where the first row that may match stands in the log's order.
std::string FirstOrderKey(const ConflictFilter& filter);
// The page behind this row.
std::string ConflictPageToken(std::string_view order_key);

}  // namespace hawser::admin
