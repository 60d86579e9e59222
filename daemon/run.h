#pragma once

// Run: the life of a daemon, from a checked configuration to its exit code.
//   store -> engine -> link -> Redis protocol -> REST -> READY; then signals until the end.
// SIGTERM, SIGINT: stop taking, commit what was taken, answer, end. SIGHUP: reload, keep the old
// configuration if the new one is bad.
// Threads: called once, on the main thread, before any other thread exists.

#include "daemon/config/load.h"

namespace hawser {

// `options` is how `loaded` was read, for reloads. Returns a code of exit_codes.h.
int Run(const config::LoadOptions& options, config::Loaded loaded);

}  // namespace hawser
