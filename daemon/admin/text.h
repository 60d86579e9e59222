#pragma once

// Small text matters of the REST edge: UTF-8, percent coding, times. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base64.h"

namespace hawser::admin {

// Bytes of the UTF-8 character at the front (RFC 3629: no overlong forms, no surrogates); 0: none.
std::size_t Utf8Length(std::string_view text);
bool IsUtf8(std::string_view text);

// %XX to bytes; nullopt for a "%" that two hex digits do not follow. `plus_is_space`: in a query.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space = false);
// Everything but letters, digits and "-._~" as %XX.
std::string PercentEncode(std::string_view bytes);

// RFC 3339 in UTC with milliseconds: 2026-11-22T06:15:00.000Z. Years past 9999 stay at their last
// ms.
std::string FormatTime(std::int64_t unix_ms);
// Any RFC 3339 time, offsets too; digits past the milliseconds are cut off.
std::optional<std::int64_t> ParseTime(std::string_view text);

std::string Lower(std::string_view text);      // ASCII only
std::string_view Trim(std::string_view text);  // spaces and tabs
bool EqualsIgnoringCase(std::string_view a, std::string_view b);
// A whole number in decimal, 0..max; nothing else around it.
std::optional<std::uint64_t> ParseUint(std::string_view text, std::uint64_t max);

}  // namespace hawser::admin
