#include "storage/conflict_log.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "conflict/bytes.h"
#include "conflict/internal_tables.h"
#include "conflict/record_codec.h"

namespace hawser {
namespace {

// Field names in byte order, as a record keeps them.
constexpr std::string_view kAt = "at";
constexpr std::string_view kExpiry = "expiry";
constexpr std::string_view kField = "field";
constexpr std::string_view kFound = "found";
constexpr std::string_view kGeneration = "generation";
constexpr std::string_view kKey = "key";
constexpr std::string_view kKind = "kind";
constexpr std::string_view kLoser = "loser";
constexpr std::string_view kLoserWriter = "loser_writer";
constexpr std::string_view kRule = "rule";
constexpr std::string_view kTable = "table";
constexpr std::string_view kWinner = "winner";
constexpr std::string_view kWinnerWriter = "winner_writer";

constexpr std::array<const char*, kConflictKindMax + 1> kKindNames = {
    "write", "delete", "state", "claim", "home", "idempotency", "rejected"};

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

std::string PlaceBytes(const ConflictPlace& place) {
  std::string out;
  PutFixed64(out, place.found.raw);
  PutFixed64(out, Raw(place.lsn));
  return out;
}

std::optional<ConflictPlace> ReadPlace(std::string_view bytes) {
  ByteReader in(bytes);
  ConflictPlace place;
  place.found.raw = in.Fixed64();
  place.lsn = Lsn{in.Fixed64()};
  if (!in.done()) return std::nullopt;
  return place;
}

// Big endian and inverted: what is larger sorts first.
void PutInverted(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(~value >> shift)));
  }
}

std::uint64_t ReadInverted(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
  return ~value;
}

constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

const char* Text(ConflictKind kind) {
  return kKindNames[static_cast<std::size_t>(kind)];
}

std::optional<ConflictKind> ParseConflictKind(std::string_view text) {
  for (std::size_t i = 0; i < kKindNames.size(); ++i) {
    if (text == kKindNames[i]) return static_cast<ConflictKind>(i);
  }
  return std::nullopt;
}

ConflictKind KindOf(const Discarded& what) {
  if (what.winner.null && !what.expiry) return ConflictKind::kDelete;
  if (what.table == kUniqueTable) return ConflictKind::kClaim;
  if (what.table == kHomeTable) return ConflictKind::kHome;
  if (what.table == kRequestTable && !what.expiry) return ConflictKind::kIdempotency;
  const bool states = what.winner.kind == Kind::kStates || what.loser.kind == Kind::kStates;
  return states ? ConflictKind::kState : ConflictKind::kWrite;
}

// --- The order -----------------------------------------------------------------------------------

std::string OrderKey(const ConflictPlace& place, std::string_view id) {
  std::string key;
  PutInverted(key, place.found.raw);
  PutInverted(key, Raw(place.lsn));
  for (std::size_t i = 0; i + 1 < id.size(); i += 2) {
    key.push_back(static_cast<char>(kHexDigits.find(id[i]) << 4 | kHexDigits.find(id[i + 1])));
  }
  return key;
}

std::string OrderKeyBefore(std::int64_t ms) {
  const std::uint64_t first = Stamp::FromMs(ms).raw;
  std::string key;
  PutInverted(key, first == 0 ? 0 : first - 1);
  return key;
}

std::optional<OrderedConflict> ParseOrderKey(std::string_view key) {
  if (key.size() != kOrderKeyBytes) return std::nullopt;
  OrderedConflict out;
  out.place.found.raw = ReadInverted(key.substr(0, 8));
  out.place.lsn = Lsn{ReadInverted(key.substr(8, 8))};
  for (const char c : key.substr(16)) {
    const auto byte = static_cast<std::uint8_t>(c);
    out.id.push_back(kHexDigits[byte >> 4]);
    out.id.push_back(kHexDigits[byte & 15]);
  }
  return out;
}

void EncodeOrderRow(const Writer& writer, std::size_t row_bytes, std::string& out) {
  const std::string text = std::to_string(row_bytes);
  Record record;
  Field& field = record.fields.emplace_back();
  field.has_cell = true;
  field.cell = Cell{.null = false, .value = text, .version = writer.version, .dot = writer.dot};
  EncodeRecord(record, out);
}

std::optional<std::uint64_t> ParseOrderRow(const Record& record) {
  const auto text = TextOf(record, "");
  const auto bytes = text ? ParseInt(*text) : std::nullopt;
  if (!bytes || *bytes < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*bytes);
}

void EncodeConflictFloor(std::string_view order_key, std::string& out) {
  Record record;
  Field& field = record.fields.emplace_back();
  field.has_cell = true;
  field.cell = Cell{.null = false, .value = order_key};
  field.cell.dot.origin.region = field.cell.version.region = RegionId{1};  // no txn wrote it
  EncodeRecord(record, out);
}

std::optional<std::string> ParseConflictFloor(const Record& record) {
  const auto key = TextOf(record, "");
  if (!key || key->size() != kOrderKeyBytes) return std::nullopt;
  return std::string(*key);
}

// --- The rows ------------------------------------------------------------------------------------

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

void EncodeConflict(const Writer& writer, const ConflictPlace& place, std::string_view table,
                    std::string_view key, const Discarded& what, std::string& out) {
  const std::string at = std::to_string(place.found.ms());
  const std::string found = PlaceBytes(place);
  const std::string generation =
      std::to_string(std::max(what.loser.generation, what.winner.generation));
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
  put(kFound, found);
  put(kGeneration, generation);
  put(kKey, key);
  put(kKind, Text(KindOf(what)));
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
  const auto found = TextOf(record, kFound);
  const auto place = found ? ReadPlace(*found) : std::nullopt;
  if (!at_ms || !place || !table || !key || !field || !kind || !rule || !loser || !winner) {
    return std::nullopt;
  }
  Conflict conflict;
  conflict.at_ms = *at_ms;
  conflict.place = *place;
  conflict.table = *table;
  conflict.key = *key;
  conflict.field = *field;
  conflict.expiry = TextOf(record, kExpiry).has_value();
  if (const auto generation = TextOf(record, kGeneration)) {
    conflict.generation = static_cast<std::uint64_t>(ParseInt(*generation).value_or(0));
  }
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
