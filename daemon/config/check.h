#pragma once

// Check: the rules between keys, judged when each value by itself is fine.
// Threads: free functions without state; no file is touched.

#include "daemon/config/config.h"
#include "daemon/config/settings.h"

namespace hawser::config {

// REQUIRES: `settings` is complete and `config` was stored from it, element by element.
void CheckTogether(const Settings& settings, const Config& config, Problems& problems);

// What follows from a checked config: the own id, the schema, where tables and fields were said.
void Conclude(const Settings& settings, Config& config);

}  // namespace hawser::config
