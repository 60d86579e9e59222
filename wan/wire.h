#pragma once

// The wire format: messages as bytes and back. Bodies of batches are compressed with zstd when that
// pays. Every message carries a checksum (XXH3-64) over all it says, the body uncompressed: a beat
// whose hash took a flipped bit would look like a proof of rollback.
// Threads: free functions, any thread; the same message gives the same bytes, always.

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
// A batch with a body of at most this is never larger than kMessageBytesMax, compressed or not. Cut
// larger txns into fragments of this size.
inline constexpr std::size_t kFragmentBytesMax = kMessageBytesMax - 1024;
// What a message may list; more is malformed. 63 regions have 63 logs each, plus older
// incarnations.
inline constexpr std::size_t kReportLogsMax = 256;
inline constexpr std::size_t kRelayedReportsMax = 64;
inline constexpr std::size_t kFragmentsMax = 4096;
inline constexpr std::size_t kSoftwareBytesMax = 64;
// A call's body and its answer's, in pieces of at most kFragmentBytesMax.
inline constexpr std::size_t kCallBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kCallPiecesMax = 128;
inline constexpr std::size_t kVerbBytesMax = 32;

enum class WireError {
  kMalformed,  // no message, a bad length, a wrong checksum
  kNewer,      // a wire version, or a kind of message, that this software does not know
};

struct EncodeOptions {
  // Off where bytes are cheaper than the processor, as over loopback. On, a body of 512 bytes or
  // more that does not look random is compressed (zstd level 1), and sent so if that saves a tenth.
  bool compress = true;
};

// REQUIRES of a batch or a call: body.size() <= kFragmentBytesMax; of a report: at most
// kReportLogsMax logs. A beat that would grow past kMessageBytesMax leaves out relayed reports from
// the end of the list.
std::string Encode(const Message& message, const EncodeOptions& options = {});
// Lengths are checked before anything is allocated for them. What comes back keeps the bounds
// above, region ids are 1..63, and a batch is of one piece with itself: see Problem() in wire.cc.
std::expected<Message, WireError> Decode(std::string_view bytes);

// The last word of the subject of a request or an answer, read off the encoded message: "fetch",
// "probe", "call"; "other" for anything else.
std::string_view VerbOf(std::string_view bytes);

}  // namespace hawser
