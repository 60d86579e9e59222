#pragma once

// Reload: a changed configuration, taken while running. Validates first; a bad one changes nothing.
// Threads: the main thread.

#include <functional>

#include "daemon/config/load.h"

namespace hawser {

struct Reloaded {
  bool accepted = false;       // false: the old configuration stays in effect
  bool needs_restart = false;  // some changed key is taken only by a restart
};

// Declares what `next` says of tables; false, with the reason in the log: it cannot be.
using DeclareTables = std::function<bool(const Config& next)>;

// Reads again as `options` say; logs what changed, what is in effect now and what waits for a
// restart. `current` becomes the new configuration only in its live keys. `declare` is asked when
// tables changed and all else is good; what it refuses refuses the whole reload.
Reloaded ReloadConfig(const config::LoadOptions& options, config::Loaded& current,
                      const DeclareTables& declare);

}  // namespace hawser
