#pragma once

// Glob patterns of KEYS, SCAN MATCH and CONFIG GET: * ? [abc] [^a] [a-z] and \ before a literal.

#include <string_view>

namespace hawser::redis {

// Time is at most pattern × text: only the last star is ever tried again.
bool GlobMatches(std::string_view pattern, std::string_view text);
// The text before the first special character: what every match begins with.
std::string_view GlobLiteralPrefix(std::string_view pattern);

}  // namespace hawser::redis
