#include "daemon/admin/conflict_query.h"

#include <algorithm>

#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

constexpr std::uint64_t kLimitMax = 1000;

std::unexpected<Problem> Bad(std::string detail) {
  return std::unexpected(Problem{.status = 400, .code = "BADREQUEST", .detail = std::move(detail)});
}

std::string KindNames() {
  std::string names;
  for (std::uint8_t i = 0; i <= kConflictKindMax; ++i) {
    names.append(i == 0 ? "" : ", ").append(Text(static_cast<ConflictKind>(i)));
  }
  return names;
}

std::string RegionNames(const AdminOptions& options) {
  std::string names;
  for (const AdminRegion& region : options.regions) {
    names.append(names.empty() ? "" : ", ").append(region.name);
  }
  return names;
}

}  // namespace

bool ConflictFilter::Matches(const Conflict& conflict) const {
  if (table && conflict.table != *table) return false;
  if (key && conflict.key != *key) return false;
  if (field && (conflict.expiry || conflict.field != *field)) return false;
  if (kind && conflict.kind != Text(*kind)) return false;
  if (region && conflict.winner.version.region != *region &&
      conflict.loser.version.region != *region) {
    return false;
  }
  if (since_ms && conflict.at_ms < *since_ms) return false;
  return !until_ms || conflict.at_ms < *until_ms;
}

std::expected<void, Problem> SetFilter(std::string_view name, const std::string& text,
                                       const AdminOptions& options, ConflictFilter& filter) {
  if (name == "table") {
    filter.table = text;
  } else if (name == "key") {
    filter.key = text;
  } else if (name == "field") {
    filter.field = text;
  } else if (name == "kind") {
    filter.kind = ParseConflictKind(text);
    if (!filter.kind) return Bad("`kind` is one of " + KindNames());
  } else if (name == "region") {
    const auto at = std::ranges::find(options.regions, text, &AdminRegion::name);
    if (at == options.regions.end()) return Bad("`region` is one of " + RegionNames(options));
    filter.region = at->id;
  } else if (name == "resolved") {
    if (text != "true" && text != "false") return Bad("`resolved` is true or false");
    filter.resolved = text == "true";
  } else {
    const auto ms = ParseTime(text);
    if (!ms) {
      return Bad("`" + std::string(name) +
                 "` is a time such as 2026-11-22T06:15:00Z (in a query, write + as %2B)");
    }
    (name == "since" ? filter.since_ms : filter.until_ms) = *ms;
  }
  return {};
}

std::string FirstOrderKey(const ConflictFilter& filter) {
  return filter.until_ms ? OrderKeyBefore(*filter.until_ms) : std::string();
}

std::expected<ConflictFilter, Problem> PlanConflictFilter(const Target& target,
                                                          const AdminOptions& options) {
  ConflictFilter filter;
  for (const char* name : kConflictFilterNames) {
    const std::string* text = target.Query(name);
    if (!text) continue;
    if (auto set = SetFilter(name, *text, options, filter); !set) {
      return std::unexpected(std::move(set.error()));
    }
  }
  return filter;
}

std::expected<ConflictQuery, Problem> PlanConflictQuery(const Target& target,
                                                        const AdminOptions& options) {
  ConflictQuery query;
  auto filter = PlanConflictFilter(target, options);
  if (!filter) return std::unexpected(std::move(filter.error()));
  query.filter = std::move(*filter);
  query.start = FirstOrderKey(query.filter);
  if (const std::string* token = target.Query("page_token")) {
    const auto last = FromBase64Url(*token);
    if (!last || last->size() != 1 + kOrderKeyBytes || last->front() != 'c') {
      return Bad("`page_token` must be the `next_page_token` of the page before");
    }
    query.start = std::max(query.start, last->substr(1) + '\0');
  }
  if (const std::string* limit = target.Query("limit")) {
    const auto number = ParseUint(*limit, kLimitMax);
    if (!number || *number == 0) return Bad("`limit` is a number from 1 to 1000");
    query.limit = *number;
  }
  return query;
}

std::string ConflictPageToken(std::string_view order_key) {
  return ToBase64Url('c' + std::string(order_key));
}

}  // namespace hawser::admin
