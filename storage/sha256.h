#pragma once

// SHA-256 by libcrypto, for the audit log's chain. Pure.

#include <string>
#include <string_view>

namespace hawser {

inline constexpr std::size_t kSha256Bytes = 32;
std::string Sha256(std::string_view bytes);

}  // namespace hawser
