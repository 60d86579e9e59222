#include "daemon/arguments.h"

#include <array>
#include <utility>

#include "daemon/config/near.h"

namespace hawser {

const std::string_view kUsage =
    "usage: hawserd [--config FILE] [--check | --print-config | --print-sample | --version | "
    "--help]\n"
    "\n"
    "Runs one region's gateway. Without --config it reads /etc/hawser/hawser.toml and then\n"
    "/etc/hawser/conf.d/*.toml in order of names; HAWSER_SECTION__KEY overrides both.\n"
    "\n"
    "  --config FILE    read only this file\n"
    "  --check          check the configuration: exit 0, or 78 with file, line and key of each "
    "problem\n"
    "  --print-config   show every key in effect and where its value comes from\n"
    "  --print-sample   show a sample configuration with every key, its default and meaning\n"
    "  --version        show the version\n"
    "\n"
    "Exit codes: 0 clean, 64 usage, 70 defect, 74 storage, 75 try again, 78 bad configuration.\n";

std::expected<Arguments, std::string> ParseArguments(std::span<const std::string_view> words) {
  using Mode = Arguments::Mode;
  constexpr std::array<std::pair<std::string_view, Mode>, 6> kModes = {{
      {"--check", Mode::kCheck},
      {"--print-config", Mode::kPrintConfig},
      {"--print-sample", Mode::kPrintSample},
      {"--version", Mode::kVersion},
      {"--help", Mode::kHelp},
      {"-h", Mode::kHelp},
  }};
  Arguments arguments;
  std::string_view mode_word;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    constexpr std::string_view kConfig = "--config";
    const bool with_equals = word.starts_with("--config=");
    if (word == kConfig || with_equals) {
      if (!arguments.config_file.empty())
        return std::unexpected("--config is given twice; name one file");
      if (with_equals) {
        arguments.config_file = word.substr(kConfig.size() + 1);
      } else if (i + 1 < words.size()) {
        arguments.config_file = words[++i];
      }
      if (arguments.config_file.empty()) return std::unexpected("--config needs a file behind it");
      continue;
    }
    bool known = false;
    for (const auto& [name, mode] : kModes) {
      if (word != name) continue;
      known = true;
      if (!mode_word.empty() && mode_word != word) {
        return std::unexpected(std::string(mode_word) + " and " + std::string(word) +
                               " exclude each other; choose one");
      }
      mode_word = word;
      arguments.mode = mode;
    }
    if (known) continue;
    constexpr std::array<std::string_view, 6> kWords = {
        kConfig, "--check", "--print-config", "--print-sample", "--version", "--help"};
    const std::string_view near = config::Nearest(word, kWords);
    return std::unexpected(
        "unknown argument \"" + std::string(word.substr(0, 60)) + "\"" +
        (near.empty() ? std::string("; see --help") : "; did you mean " + std::string(near) + "?"));
  }
  return arguments;
}

}  // namespace hawser
