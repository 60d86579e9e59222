#pragma once

// Sizes and durations as people write them: a whole number and a unit, "16GiB", "200ms".
// Threads: free functions without state.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace hawser::config {

// Bytes of "64KiB" (B KiB MiB GiB TiB); "0" needs no unit. The error says what is wrong and what to
// write instead.
std::expected<std::uint64_t, std::string> ParseSize(std::string_view text);
// The largest unit that divides: 17179869184 is "16GiB", 0 is "0".
std::string FormatSize(std::uint64_t bytes);

// Milliseconds of "200ms" (ms s m h d); always with a unit.
std::expected<std::int64_t, std::string> ParseDuration(std::string_view text);
std::string FormatDuration(std::int64_t ms);

}  // namespace hawser::config
