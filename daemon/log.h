#pragma once

// Log: structured lines on stderr, as JSON or text. A line is an event with a stable code
// (docs/log-codes.md), a fixed message, and named values.
// Threads: Log from any thread. It hands the line to a bounded queue and never waits for
//          stderr; when the queue is full, the oldest lines go. A line that repeats is collapsed
//          into a count.
// Errors:  none; before StartLog, lines go straight to stderr as text.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "daemon/config/config.h"

namespace hawser {

struct LogField {
  std::string_view name;
  std::string value;
  bool of_user = false;  // a key or a value of a user: masked unless [log] mask_values = false
};
// A key or value of a user, as a field.
inline LogField UserData(std::string_view name, std::string_view value) {
  return {name, std::string(value), true};
}

// `code` is a constant word of log_codes.h, `message` a constant sentence; what varies goes into
// the fields.
void Log(LogLevel level, std::string_view component, std::string_view code,
         std::string_view message, std::initializer_list<LogField> fields = {});

// Starts the writer; `region` stands in every line from now on. To be called once.
void StartLog(const LogConfig& config, std::string region);
// Level, format and masking of a reloaded configuration.
void SetLog(const LogConfig& config);
// Reports repeats that have become old. Called about once a second.
void FlushLog();
// Writes out everything held and queued; the last call before the process ends. Lines that still
// come go straight to stderr.
void StopLog();

}  // namespace hawser
