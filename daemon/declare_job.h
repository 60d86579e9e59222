#pragma once

// DeclareSchema: states what the configuration says of tables and fields as replicated facts.
// Threads: any but the engine's; waits for the commit.

#include <optional>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/engine.h"
#include "storage/declare.h"

namespace hawser {

struct Declared {
  // What contradicts what is declared already, with what to do; nothing was committed then.
  std::vector<Contradiction> contradictions;
  // Lines of states that are longer than the configuration says; they hold.
  std::vector<Contradiction> older;
  // Not empty: the facts could not be written now (no room, no commit within the time).
  std::optional<Refusal> refused;
};

// What is declared already is not declared again. Waits 30 s at most.
Declared DeclareSchema(Engine& engine, const Schema& schema);

// A line of the log for each, with the place in the configuration's files. `code` and `text` say
// what follows from it.
void LogContradictions(const std::vector<Contradiction>& contradictions, const Config& config,
                       LogLevel level, std::string_view code, std::string_view text);

}  // namespace hawser
