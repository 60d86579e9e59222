#pragma once

// Inline commands: what a person types into telnet. Words are parted by blanks.
// "…" knows the escapes \n \r \t \a \b \xHH and a backslash before anything else,
// '…' only \'.

#include <cstddef>
#include <string_view>
#include <vector>

namespace hawser::redis {

// Splits the line in place (unescaped words are never longer) and appends views into it. False if a
// quote is not closed, or followed by something other than a blank.
bool SplitInlineArgs(char* line, std::size_t size, std::vector<std::string_view>& args);

}  // namespace hawser::redis
