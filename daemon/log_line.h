#pragma once

// LogLine: what a line looks like, and when one is a repeat. Pure: no clock, no file.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/log.h"

namespace hawser {

struct LogEvent {
  LogLevel level = LogLevel::kInfo;
  std::string_view component, code, message;
  std::span<const LogField> fields;
  std::uint64_t repeated = 0;  // more lines like this came since the last that was written
};

struct LineStyle {
  LogFormat format = LogFormat::kJson;
  bool mask_values = true;
  bool journal = false;  // stderr is the journal's: begin with <N>, leave the time to it
};

// One line without its end. `unix_us` is the time of the event; `region` may be empty.
std::string FormatLine(const LogEvent& event, std::string_view region, std::int64_t unix_us,
                       const LineStyle& style);

// RFC 3339 in UTC with microseconds.
std::string FormatLogTime(std::int64_t unix_us);

// Collapses repeats: of lines with the same code, component and fields, one is written per window
// and the others are counted. Bound:   kKindsMax kinds are remembered; past it lines are written as
// they come. Threads: one owner, or guarded from outside.
class RepeatFilter {
 public:
  static constexpr std::int64_t kWindowMs = 10'000;
  static constexpr std::size_t kKindsMax = 256;

  // The count to write with this line, or nothing if it is to be left out now.
  std::optional<std::uint64_t> Offer(const LogEvent& event, std::int64_t mono_ms);

  // Kinds whose window is over: those with a count are handed out to be written once more, the
  // others are forgotten.
  struct Held {
    LogLevel level;
    std::string component, code, message;
    std::vector<std::pair<std::string, LogField>> fields;  // the name owned beside its view
    std::uint64_t count = 0;
    std::int64_t since_mono_ms = 0;
  };
  std::vector<Held> Drain(std::int64_t mono_ms, bool all);

 private:
  std::map<std::string, Held> kinds_;
};

}  // namespace hawser
