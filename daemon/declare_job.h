#pragma once

// DeclareSchema: states what the configuration says of tables and fields as replicated facts.
// Threads: any but the engine's; waits for the commit.

#include <optional>
#include <string>
#include <vector>

#include "conflict/schema.h"
#include "daemon/engine.h"

namespace hawser {

struct Declared {
  // Rules that contradict what is declared already, with what to do; nothing was committed then.
  std::vector<std::string> contradictions;
  // Not empty: the facts could not be written now (no room); the next start tries again.
  std::optional<Refusal> refused;
};

// A rule that is declared already is not declared again. REQUIRES: the engine outlives the call.
Declared DeclareSchema(Engine& engine, const Schema& schema);

}  // namespace hawser
