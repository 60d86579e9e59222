#pragma once

// Load: files, environment and defaults into one checked Config. Touches the file system only to
// read configuration files. Errors:  every problem there is, not only the first; an operator mends
// all in one go. Threads: free functions without state.

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/config/settings.h"

namespace hawser::config {

struct LoadOptions {
  std::string
      file;  // --config FILE: read alone. Empty: `directory`/hawser.toml, then its conf.d/*.toml
  std::string directory = "/etc/hawser";
  std::vector<std::pair<std::string, std::string>> environment;  // overrides files
};
// The HAWSER_… variables of this process.
std::vector<std::pair<std::string, std::string>> HawserEnvironment();

struct Loaded {
  Config config;
  Settings settings;  // complete: defaults included, in the order of the key table
};

std::expected<Loaded, Problems> Load(const LoadOptions& options);

// Keys whose value differs, each once, in the order of the key table: what a reload has to apply.
// A change in the number of elements of a section counts as a change of each of its keys.
std::vector<const Key*> ChangedKeys(const Settings& before, const Settings& after);

}  // namespace hawser::config
