#include "storage/resolution.h"

#include <algorithm>

#include "conflict/bytes.h"

namespace hawser {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kExpiryFlag = 1, kBeforeFlag = 2, kAfterFlag = 4;

void PutResolved(std::string& out, const ResolvedText& text) {
  if (!text.text) return;
  PutVarint(out, text.bytes);
  PutText(out, text.text->substr(0, kResolutionTextBytesMax));
}

ResolvedText ReadResolved(ByteReader& in) {
  ResolvedText out;
  out.bytes = in.Varint();
  out.text = in.Text();
  return out;
}

}  // namespace

const char* Text(Take take) {
  switch (take) {
    case Take::kWinner:
      return "winner";
    case Take::kLoser:
      return "loser";
    case Take::kValue:
      return "value";
  }
  return "value";
}

std::string EncodeResolution(const Resolution& resolution) {
  std::string out;
  PutByte(out, kFormat);
  PutByte(out, static_cast<std::uint8_t>(resolution.take));
  PutByte(out, static_cast<std::uint8_t>((resolution.expiry ? kExpiryFlag : 0) |
                                         (resolution.before.text ? kBeforeFlag : 0) |
                                         (resolution.after.text ? kAfterFlag : 0)));
  PutZigzag(out, resolution.at_ms);
  PutText(out, resolution.table);
  PutText(out, resolution.key);
  PutText(out, resolution.field);
  PutResolved(out, resolution.before);
  PutResolved(out, resolution.after);
  PutText(out, resolution.by);
  PutText(out, resolution.reason);
  return out;
}

std::optional<Resolution> DecodeResolution(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.Byte() != kFormat) return std::nullopt;
  Resolution out;
  const std::uint8_t take = in.Byte();
  const std::uint8_t flags = in.Byte();
  if (take > 2 || flags > (kExpiryFlag | kBeforeFlag | kAfterFlag)) return std::nullopt;
  out.take = static_cast<Take>(take);
  out.expiry = (flags & kExpiryFlag) != 0;
  out.at_ms = in.Zigzag();
  out.table = in.Text();
  out.key = in.Text();
  out.field = in.Text();
  if ((flags & kBeforeFlag) != 0) out.before = ReadResolved(in);
  if ((flags & kAfterFlag) != 0) out.after = ReadResolved(in);
  out.by = in.Text();
  out.reason = in.Text();
  if (!in.done()) return std::nullopt;
  return out;
}

std::optional<HeldResolution> ParseResolution(const Record& record) {
  const Field* field = record.Find("");
  if (!field || !field->has_cell || field->cell.null) return std::nullopt;
  const auto resolution = DecodeResolution(field->cell.value);
  if (!resolution) return std::nullopt;
  return HeldResolution{*resolution, field->cell.version, field->cell.dot};
}

}  // namespace hawser
