#pragma once

// Extension: states added to a declared line, and the ranks they get. A line that names new states
// before, between or behind the declared ones extends it; the declared ones keep their ranks.
// Two regions may extend without knowing of each other. A rank is therefore drawn from the state's
// name, within the middle of its part of the gap: the same extension gets the same ranks
// everywhere, and different states in one gap rarely the same one.

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "conflict/declaration.h"

namespace hawser {

struct Extension {
  std::vector<std::pair<std::string, std::uint64_t>> added;  // state, rank; in order
  // States added later that `wanted` does not name: it is an older line, and no contradiction.
  std::vector<std::string> unnamed;
};

// What it takes to bring `declared` to the line `wanted`. An error says which rule `wanted` breaks
// and what to do. REQUIRES: `declared` is a line of states; `wanted` names no state twice.
std::expected<Extension, std::string> Extend(const FieldDeclaration& declared,
                                             const std::vector<std::string>& wanted);

}  // namespace hawser
