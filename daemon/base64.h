#pragma once

// Base64 of RFC 4648, one form per text: wrong padding and loose bits are refused. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace hawser {

std::string ToBase64(std::string_view bytes);  // section 4, padded
std::optional<std::string> FromBase64(std::string_view text);
std::string ToBase64Url(std::string_view bytes);  // section 5, without padding: fit for a query
std::optional<std::string> FromBase64Url(std::string_view text);

}  // namespace hawser
