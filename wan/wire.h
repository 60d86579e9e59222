#pragma once

// The wire format: messages as bytes and back. Bodies of batches are compressed with zstd when that
// pays, and carry a checksum (XXH3-64 of the uncompressed body).
// Threads: free functions without state, any thread.

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "wan/message.h"

namespace hawser {

inline constexpr std::uint32_t kWireVersion = 1;
// Live batches aim at this body size; NATS moves most bytes in 8..32 KiB messages.
inline constexpr std::size_t kBatchBodyBytesAim = 24 * 1024;
// No encoded message is larger; txns above it travel in fragments. The smallest max_payload we
// accept of a NATS server is 256 KiB (checked at connect).
inline constexpr std::size_t kMessageBytesMax = 200 * 1024;
// A body may claim no more than this once decompressed; checked before anything is allocated.
inline constexpr std::size_t kBodyBytesMax = 1024 * 1024;

enum class WireError {
  kMalformed,  // no message, a bad length, a wrong checksum
  kNewer,      // a wire version this software does not know
};

std::string Encode(const Message& message);
std::expected<Message, WireError> Decode(std::string_view bytes);

}  // namespace hawser
