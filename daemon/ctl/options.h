#pragma once

// What the user asks for, as parsed from the command line. options.cc is the only file that
// includes CLI11.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hawser::ctl {

enum class Command {
  kRegionList,
  kLag,
  kRecordGet,
  kRecordPut,
  kRecordExplain,
  kCut,
  kUniqueGet,
  kUniqueClaim,
  kUniqueRelease,
  kHomeGet,
  kHomeList,
  kHomeMove,
  kConflictList,
  kConflictShow,
  kConflictResolve,
  kConflictReplay,
  kAuditList,
  kAuditVerify,
  kConfigCheck
};

struct Options {
  Command command = Command::kRegionList;

  // For every command.
  bool json = false;
  bool colour = false;
  std::string server = "http://127.0.0.1:7070";
  std::string token_file;
  std::int64_t timeout_ms = 10'000;     // of one request
  std::optional<std::int64_t> wait_ms;  // --wait: until it holds, at most so long
  bool yes = false;
  bool dry_run = false;

  std::string owner, request_id;  // unique; `table` is the name, `key` the value
  // home; `table`, and `key` is the unit
  std::string prefix;                      // home list, move --prefix
  bool many = false;                       // home move --prefix was given
  std::string to_region;                   // home move --to
  bool force = false;                      // home move --force
  double moves_per_second = 0;             // home move --rate
  std::string peer;                        // lag
  std::optional<std::int64_t> max_lag_ms;  // lag --max
  std::string table, key;                  // record
  std::optional<std::string> value;        // record put --value
  std::vector<std::string> fields;         // record put FIELD=VALUE …
  bool merge = false;                      // record put --merge
  std::string if_match;                    // record put --if-match
  std::string config_file;                 // config check

  // conflict, audit; empty: not asked for
  std::string conflict_id;
  std::string filter_table, filter_key, filter_field, filter_kind, filter_region, since, until;
  bool unresolved = false;  // conflict list --unresolved
  std::int64_t limit = 50;  // of a list
  std::string take;         // conflict resolve: winner or loser; empty: take_value
  std::optional<std::string> take_value;
  std::string reason;
  std::string resolver;  // conflict replay
};

// What parsing came to: options to act on, or text to print and a code to end with.
struct Parsed {
  std::optional<Options> options;
  std::string text;
  bool to_stderr = false;
  int exit_code = 0;
};
Parsed ParseOptions(int argc, const char* const* argv);

}  // namespace hawser::ctl
