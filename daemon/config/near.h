#pragma once

// The near miss: which known word was probably meant. Threads: free functions without state.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace hawser::config {

// Letters to insert, delete, replace or swap with their neighbour to get from one word to the
// other.
std::size_t EditDistance(std::string_view a, std::string_view b);

// The closest of `known` if it is close enough to be a slip (a third of the letters, at least one;
// or the word's beginning);
// empty if none is. Ties go to the first.
std::string_view Nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace hawser::config
