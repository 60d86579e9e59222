#include "storage/conflict_log.h"

#include <xxhash.h>

#include <array>
#include <cstdio>

#include "conflict/bytes.h"
#include "conflict/record_codec.h"

namespace hawser {
namespace {

// Field names in byte order, as a record keeps them.
constexpr std::string_view kAt = "at";
constexpr std::string_view kExpiry = "expiry";
constexpr std::string_view kField = "field";
constexpr std::string_view kKey = "key";
constexpr std::string_view kKind = "kind";
constexpr std::string_view kLoser = "loser";
constexpr std::string_view kLoserWriter = "loser_writer";
constexpr std::string_view kRule = "rule";
constexpr std::string_view kTable = "table";
constexpr std::string_view kWinner = "winner";
constexpr std::string_view kWinnerWriter = "winner_writer";

std::string_view RuleText(Kind kind) {
  switch (kind) {
    case Kind::kLww:
      return "lww";
    case Kind::kStates:
      return "states";
    case Kind::kFirst:
      return "first";
    case Kind::kMax:
      return "max";
    case Kind::kMin:
      return "min";
  }
  return "lww";
}

// Version and dot of one side, packed: stamp, region, incarnation, seq.
std::string WriterBytes(const Cell& cell) {
  std::string out;
  PutFixed64(out, cell.version.stamp.raw);
  PutByte(out, Raw(cell.dot.origin.region));
  PutFixed64(out, Raw(cell.dot.origin.incarnation));
  PutVarint(out, Raw(cell.dot.seq));
  return out;
}

bool ReadWriter(std::string_view bytes, ConflictSide& side) {
  ByteReader in(bytes);
  side.version.stamp.raw = in.Fixed64();
  side.dot.origin.region = RegionId{in.Byte()};
  side.version.region = side.dot.origin.region;
  side.dot.origin.incarnation = Incarnation{in.Fixed64()};
  side.dot.seq = Seq{in.Varint()};
  return in.done();
}

std::optional<std::string_view> TextOf(const Record& record, std::string_view name) {
  const Field* field = record.Find(name);
  if (!field || !field->has_cell || field->cell.null) return std::nullopt;
  return field->cell.value;
}

}  // namespace

std::string ConflictId(std::string_view table, std::string_view key, const Discarded& what) {
  std::string bytes;
  PutByte(bytes, Raw(what.loser.dot.origin.region));
  PutFixed64(bytes, Raw(what.loser.dot.origin.incarnation));
  PutFixed64(bytes, Raw(what.loser.dot.seq));
  PutText(bytes, table);
  PutText(bytes, key);
  PutByte(bytes, what.expiry ? 1 : 0);
  PutText(bytes, what.field);
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx",
                static_cast<unsigned long long>(hash.high64),  // NOLINT(google-runtime-int)
                static_cast<unsigned long long>(hash.low64));  // NOLINT(google-runtime-int)
  return std::string(text, 32);
}

void EncodeConflict(const Writer& writer, std::string_view table, std::string_view key,
                    const Discarded& what, std::string& out) {
  const std::string at = std::to_string(writer.version.stamp.ms());
  const std::string loser = WriterBytes(what.loser);
  const std::string winner = WriterBytes(what.winner);
  Record record;
  const auto put = [&](std::string_view name, std::string_view value) {
    Field& field = record.fields.emplace_back();
    field.name = name;
    field.has_cell = true;
    field.cell = Cell{.null = false, .value = value, .version = writer.version, .dot = writer.dot};
  };
  put(kAt, at);
  if (what.expiry) put(kExpiry, "1");
  put(kField, what.field);
  put(kKey, key);
  put(kKind, what.winner.null ? "delete" : "update");
  if (!what.loser.null) put(kLoser, what.loser.value);
  put(kLoserWriter, loser);
  put(kRule, RuleText(what.winner.kind));
  put(kTable, table);
  if (!what.winner.null) put(kWinner, what.winner.value);
  put(kWinnerWriter, winner);
  EncodeRecord(record, out);
}

std::optional<Conflict> ParseConflict(const Record& record) {
  const auto at = TextOf(record, kAt);
  const auto at_ms = at ? ParseInt(*at) : std::nullopt;
  const auto table = TextOf(record, kTable);
  const auto key = TextOf(record, kKey);
  const auto field = TextOf(record, kField);
  const auto kind = TextOf(record, kKind);
  const auto rule = TextOf(record, kRule);
  const auto loser = TextOf(record, kLoserWriter);
  const auto winner = TextOf(record, kWinnerWriter);
  if (!at_ms || !table || !key || !field || !kind || !rule || !loser || !winner) {
    return std::nullopt;
  }
  Conflict conflict;
  conflict.at_ms = *at_ms;
  conflict.table = *table;
  conflict.key = *key;
  conflict.field = *field;
  conflict.expiry = TextOf(record, kExpiry).has_value();
  conflict.kind = *kind;
  conflict.rule = *rule;
  conflict.loser.value = TextOf(record, kLoser);
  conflict.winner.value = TextOf(record, kWinner);
  if (!ReadWriter(*loser, conflict.loser) || !ReadWriter(*winner, conflict.winner)) {
    return std::nullopt;
  }
  return conflict;
}

}  // namespace hawser
