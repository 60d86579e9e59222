#include "daemon/token.h"

#include <cstdint>

#include "conflict/bytes.h"
#include "daemon/base64.h"

namespace hawser {
namespace {

constexpr std::string_view kPrefix = "h1:";

}  // namespace

std::string EncodeToken(const Cut& cut) {
  std::string bytes;
  for (const Dot& dot : cut.dots()) {
    PutVarint(bytes, Raw(dot.origin.region));
    PutVarint(bytes, Raw(dot.origin.incarnation));
    PutVarint(bytes, Raw(dot.seq));
  }
  return std::string(kPrefix) + ToBase64Url(bytes);
}

std::optional<Cut> DecodeToken(std::string_view text) {
  if (text.size() > kTokenBytesMax || !text.starts_with(kPrefix)) return std::nullopt;
  const std::optional<std::string> bytes = FromBase64Url(text.substr(kPrefix.size()));
  if (!bytes) return std::nullopt;
  ByteReader in(*bytes);
  Cut cut;
  std::optional<Origin> before;
  while (in.left() > 0) {
    const std::uint64_t region = in.Varint(), incarnation = in.Varint(), seq = in.Varint();
    if (!in.ok() || seq == 0 || region == 0 || region > kRegionIdMax) return std::nullopt;
    const Origin origin{RegionId{static_cast<std::uint8_t>(region)}, Incarnation{incarnation}};
    if (before && origin <= *before) return std::nullopt;
    before = origin;
    cut.Raise(Dot{origin, Seq{seq}});
  }
  return cut;
}

}  // namespace hawser
