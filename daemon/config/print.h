#pragma once

// Print: settings as a TOML file again. Threads: free functions without state.

#include <string>

#include "daemon/config/settings.h"

namespace hawser::config {

// The effective configuration: every key with its value and, behind it, where that comes from.
// Reading it again gives the same Config. There is nothing to mask: secrets are not in the
// configuration, only the names of their files.
// REQUIRES: `settings` is complete (as in Loaded).
std::string PrintConfig(const Settings& settings);

// The sample file: every key there is with its default, unit and meaning.
std::string SampleFile();

}  // namespace hawser::config
