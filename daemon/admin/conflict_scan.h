#pragma once

// Reading the conflict log through a view: pages in the order found, and single conflicts.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/admin/conflict_json.h"
#include "daemon/admin/conflict_query.h"
#include "storage/resolution.h"
#include "storage/store.h"

namespace hawser::admin {

// A conflict and the row it borrows from.
struct LoggedConflict {
  std::string id;
  Record record;
  Conflict conflict;
};
// False: there is none, or its row is damaged (view.damaged()).
bool ReadConflict(View& view, std::string_view id, LoggedConflict& out);

// The last resolution of a conflict, and the row it borrows from.
struct LoggedResolution {
  Record record;
  HeldResolution held;
  bool in_effect = false;  // the field's cell is still the one that it wrote
};
bool ReadResolution(View& view, std::string_view id, LoggedResolution& out);

bool IsResolved(View& view, const std::string& id);

// The members of a conflict as every call shows it, its resolution among them, into an object that
// is open.
void WriteLogged(View& view, const LoggedConflict& logged, const RegionNames& names,
                 JsonWriter& json);

// 32 hex digits.
bool IsConflictId(std::string_view text);

// Visits what matches from query.start on, newest first, until `visit` says false, the log ends, or
// a bound on rows looked at is met. Gives the last order key looked at, where there may be more
// behind it.
std::optional<std::string> ScanConflicts(View& view, const ConflictFilter& filter,
                                         std::string_view start,
                                         const std::function<bool(const LoggedConflict&)>& visit);

}  // namespace hawser::admin
