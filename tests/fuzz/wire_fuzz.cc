// Whatever comes as a message is refused, or is a message that can be sent on and means the same.
// The first byte says how the rest is to be taken, because hardly any mutation gets past the
// checksum:
//   0          as it is
//   1..6       as the head of a message of that kind, sealed with a right checksum
//   0x11       as a batch's body, sealed; 0x12: as a zstd frame of it; the head is a good one

#include <google/protobuf/io/coded_stream.h>
#include <xxhash.h>
#include <zstd.h>

#include <cstdlib>

#include "tests/fuzz/fuzz.h"
#include "tests/wan/wire_examples.h"
#include "wan/wire.h"
#include "wan/wire.pb.h"

using namespace hawser;

namespace {

std::string Sealed(std::uint32_t kind, const std::string& head, const std::string& body,
                   std::uint32_t body_bytes, const std::string& whole) {
  wire::Envelope envelope;
  envelope.set_wire_version(kWireVersion);
  envelope.set_kind(static_cast<wire::Kind>(kind));
  envelope.set_head(head);
  envelope.set_body_bytes(body_bytes);
  envelope.set_body(body);
  const std::uint64_t seed = std::uint64_t{kWireVersion} << 32 | kind;
  envelope.set_checksum(XXH3_64bits_withSeed(whole.data(), whole.size(),
                                             XXH3_64bits_withSeed(head.data(), head.size(), seed)));
  return envelope.SerializeAsString();
}

std::string Head() {
  wire::Batch head;
  head.mutable_origin()->set_region(3);
  head.set_first(1);
  head.set_count(1);
  head.set_fragments(1);
  return head.SerializeAsString();
}

void Expect(bool holds) {
  if (!holds) std::abort();
}

void CheckDecode(std::string_view bytes) {
  const auto decoded = Decode(bytes);
  if (!decoded.has_value()) return;
  if (const auto* batch = std::get_if<Batch>(&*decoded)) {
    Expect(batch->body.size() <= kBodyBytesMax);
    Expect(batch->fragment < batch->fragments && batch->fragments <= kFragmentsMax);
    // Once decompressed it may be too large to be sent on in one piece.
    if (batch->body.size() > kFragmentBytesMax) return;
  }
  const auto again = Decode(Encode(*decoded));
  Expect(again.has_value() && *again == *decoded);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::uint8_t how = data[0];
  if (how == 0) {
    CheckDecode(rest);
  } else if (how <= 6) {
    CheckDecode(Sealed(how, rest, how == 1 ? "some body" : "", 0, how == 1 ? "some body" : ""));
  } else if (how == 0x11) {
    CheckDecode(Sealed(wire::KIND_BATCH, Head(), rest, 0, rest));
  } else if (how == 0x12 && rest.size() >= 4) {
    // The declared size comes first; what the frame really holds, if anything, gets the checksum.
    std::uint32_t declared = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      declared |= std::uint32_t{static_cast<unsigned char>(rest[i])} << (8 * i);
    }
    const std::string frame = rest.substr(4);
    std::string whole(kBodyBytesMax, '\0');
    const std::size_t held =
        ZSTD_decompress(whole.data(), whole.size(), frame.data(), frame.size());
    whole.resize(ZSTD_isError(held) != 0 ? 0 : held);
    CheckDecode(Sealed(wire::KIND_BATCH, Head(), frame, declared, whole));
  }
  return 0;
}

std::vector<std::string> hawser::test::FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const auto& [name, message] : Examples()) {
    const std::string bytes = Encode(message);
    wire::Envelope envelope;
    Expect(envelope.ParseFromString(bytes));
    seeds.push_back('\0' + bytes);
    seeds.push_back(static_cast<char>(envelope.kind()) + envelope.head());
    if (envelope.body_bytes() == 0) {
      seeds.push_back('\x11' + envelope.body());
    } else {
      std::string declared;
      for (std::uint32_t shift = 0; shift < 32; shift += 8) {
        declared.push_back(static_cast<char>(envelope.body_bytes() >> shift));
      }
      seeds.push_back('\x12' + declared + envelope.body());
    }
  }
  return seeds;
}
