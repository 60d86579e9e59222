#pragma once

// The internal tables that are replicated like any other, and the one field of each that matters.
// Their names begin with "!": out of clients' reach except through the commands that own them.

#include <string_view>

namespace hawser {

// Who owns a unique value: key = name, zero byte, value (homing/claim.h).
inline constexpr std::string_view kUniqueTable = "!unique";
inline constexpr std::string_view kOwnerField = "owner";

// Where a unit is at home: key = table, zero byte, unit (homing/home.h).
inline constexpr std::string_view kHomeTable = "!home";
inline constexpr std::string_view kHomeField = "home";

// Rights to scarce fields that one origin gave another: key = table, zero byte, key
// (homing/escrow.h).
inline constexpr std::string_view kRightsTable = "!rights";

// What was asked under a request's id: key = scope, zero byte, id (homing/request.h).
inline constexpr std::string_view kRequestTable = "!request";
inline constexpr std::string_view kRequestField = "asked";

}  // namespace hawser
