#pragma once

// Causal token: a cut as text that clients carry from one region to another ("show me at least what
// I have seen"). Opaque to them: "h1:" and base64url (no padding) of, per origin in order, the
// varints region, incarnation, seq. Threads: pure functions.

#include <optional>
#include <string>
#include <string_view>

#include "conflict/cut.h"

namespace hawser {

// Longest text taken in; a cut of 200 origins stays well below.
inline constexpr std::size_t kTokenBytesMax = 8192;

std::string EncodeToken(const Cut& cut);
// nullopt: not a token of ours. There is one text for a cut: what decodes encodes to the same.
std::optional<Cut> DecodeToken(std::string_view text);

}  // namespace hawser
