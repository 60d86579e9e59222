#pragma once

// Arguments of hawserd. Pure.

#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace hawser {

struct Arguments {
  enum class Mode { kRun, kCheck, kPrintConfig, kPrintSample, kVersion, kHelp };
  Mode mode = Mode::kRun;
  std::string config_file;  // empty: /etc/hawser and its conf.d
};

// The error says what is wrong and what to write.
std::expected<Arguments, std::string> ParseArguments(std::span<const std::string_view> words);

extern const std::string_view kUsage;

}  // namespace hawser
