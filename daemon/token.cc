#include "daemon/token.h"

#include <cstdint>

namespace hawser {
namespace {

constexpr std::string_view kPrefix = "h1:";
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void AppendVarint(std::uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out += static_cast<char>(static_cast<unsigned char>(value | 0x80));
    value >>= 7;
  }
  out += static_cast<char>(static_cast<unsigned char>(value));
}

// Takes one varint off the front; nullopt if it is cut short, too large or not the shortest form.
std::optional<std::uint64_t> TakeVarint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (bytes.empty()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (shift == 63 && byte > 1) return std::nullopt;
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) {
      if (byte == 0 && shift > 0) return std::nullopt;
      return value;
    }
  }
  return std::nullopt;
}

std::string ToBase64Url(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (held += 8; held >= 6;) {
      held -= 6;
      out += kAlphabet[(bits >> held) & 63];
    }
  }
  if (held > 0) out += kAlphabet[(bits << (6 - held)) & 63];
  return out;
}

std::optional<std::string> FromBase64Url(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::size_t at = kAlphabet.find(c);
    if (at == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(at);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(static_cast<unsigned char>((bits >> held) & 0xFF));
    }
  }
  // What is left over must be padding bits: fewer than six of them, all zero.
  if (held >= 6 || (bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace

std::string EncodeToken(const Cut& cut) {
  std::string bytes;
  for (const Dot& dot : cut.dots()) {
    AppendVarint(Raw(dot.origin.region), bytes);
    AppendVarint(Raw(dot.origin.incarnation), bytes);
    AppendVarint(Raw(dot.seq), bytes);
  }
  return std::string(kPrefix) + ToBase64Url(bytes);
}

std::optional<Cut> DecodeToken(std::string_view text) {
  if (text.size() > kTokenBytesMax || !text.starts_with(kPrefix)) return std::nullopt;
  const std::optional<std::string> bytes = FromBase64Url(text.substr(kPrefix.size()));
  if (!bytes) return std::nullopt;
  std::string_view rest = *bytes;
  Cut cut;
  std::optional<Origin> before;
  while (!rest.empty()) {
    const auto region = TakeVarint(rest);
    const auto incarnation = region ? TakeVarint(rest) : std::nullopt;
    const auto seq = incarnation ? TakeVarint(rest) : std::nullopt;
    if (!seq || *seq == 0 || *region == 0 || *region > kRegionIdMax) return std::nullopt;
    const Origin origin{RegionId{static_cast<std::uint8_t>(*region)}, Incarnation{*incarnation}};
    if (before && origin <= *before) return std::nullopt;
    before = origin;
    cut.Raise(Dot{origin, Seq{*seq}});
  }
  return cut;
}

}  // namespace hawser
