#include "storage/audit_log.h"

#include "conflict/bytes.h"
#include "conflict/record_codec.h"
#include "conflict/variant.h"
#include "storage/resolution.h"
#include "storage/sha256.h"

namespace hawser {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::string_view kHash = "hash";
constexpr std::string_view kSeq = "seq";

std::optional<std::string_view> TextOf(const Record& record, std::string_view name) {
  const Field* field = record.Find(name);
  if (!field || !field->has_cell || field->cell.null) return std::nullopt;
  return field->cell.value;
}

std::string RowBytes(const Writer& writer, std::string_view first_name, std::string_view first,
                     std::string_view second_name, std::string_view second) {
  Record record;
  for (const auto& [name, value] : {std::pair(first_name, first), std::pair(second_name, second)}) {
    Field& field = record.fields.emplace_back();
    field.name = name;
    field.has_cell = true;
    field.cell = Cell{.null = false, .value = value, .version = writer.version, .dot = writer.dot};
  }
  std::string out;
  EncodeRecord(record, out);
  return out;
}

// What is to be told of a change, and in which words.
struct Told {
  std::string_view what, content;
};
std::optional<Told> ToldOf(const Change& change) {
  for (const Op& op : change.ops) {
    if (op.type != Op::Type::kPut || op.expiry || op.null) continue;
    if (change.table == kHomeTable) {
      if (op.field != kHomeField || op.generation == 0) continue;  // homed by its first write
      return Told{op.kind == Kind::kMax ? "home.takeover" : "home.move", op.value};
    }
    if (op.field.empty() && DecodeResolution(op.value)) {
      return Told{"conflict.resolve", op.value};
    }
  }
  return std::nullopt;  // its removal, or one of newer software
}

}  // namespace

std::string EncodeAuditEntry(const AuditEntry& entry) {
  std::string out;
  PutByte(out, kFormat);
  PutText(out, entry.what);
  PutByte(out, Raw(entry.region));
  PutFixed64(out, Raw(entry.dot.origin.incarnation));
  PutVarint(out, Raw(entry.dot.seq));
  PutZigzag(out, entry.at_ms);
  PutText(out, entry.subject);
  PutText(out, entry.content);
  return out;
}

std::optional<AuditEntry> DecodeAuditEntry(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.Byte() != kFormat) return std::nullopt;
  AuditEntry entry;
  entry.what = in.Text();
  entry.region = RegionId{in.Byte()};
  entry.dot.origin = {entry.region, Incarnation{in.Fixed64()}};
  entry.dot.seq = Seq{in.Varint()};
  entry.at_ms = in.Zigzag();
  entry.subject = in.Text();
  entry.content = in.Text();
  if (!in.done()) return std::nullopt;
  return entry;
}

std::string AuditHash(std::string_view hash_before, std::string_view entry_bytes) {
  return Sha256(std::string(hash_before).append(entry_bytes));
}

std::string AuditKey(std::uint64_t seq) {
  std::string key;
  for (int shift = 56; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(static_cast<std::uint8_t>(~seq >> shift)));
  }
  return key;
}

std::optional<std::uint64_t> ParseAuditKey(std::string_view key) {
  if (key.size() != 8) return std::nullopt;
  std::uint64_t inverted = 0;
  for (const char c : key) inverted = inverted << 8 | static_cast<std::uint8_t>(c);
  return ~inverted;
}

std::optional<AuditHead> ParseAuditHead(const Record& record) {
  const auto hash = TextOf(record, kHash);
  const auto text = TextOf(record, kSeq);
  const auto seq = text ? ParseInt(*text) : std::nullopt;
  if (!hash || !seq || *seq < 1) return std::nullopt;
  return AuditHead{static_cast<std::uint64_t>(*seq), std::string(*hash)};
}

std::optional<AuditRow> ParseAuditRow(const Record& record) {
  const auto entry = TextOf(record, "");
  const auto hash = TextOf(record, kHash);
  if (!entry || !hash) return std::nullopt;
  return AuditRow{*entry, *hash};
}

AuditRows AppendAudit(const Writer& writer, const Txn& txn, AuditHead& head) {
  AuditRows out;
  for (const Change& change : txn.changes) {
    if (!IsAudited(change)) continue;
    const auto told = ToldOf(change);
    if (!told) continue;
    const std::string bytes = EncodeAuditEntry({.what = told->what,
                                                .region = writer.version.region,
                                                .dot = writer.dot,
                                                .at_ms = writer.version.stamp.ms(),
                                                .subject = change.key,
                                                .content = told->content});
    head.hash = AuditHash(HW_VARIANT(kAuditUnchained) ? std::string() : head.hash, bytes);
    ++head.seq;
    out.rows.push_back(
        {kAuditTable, AuditKey(head.seq), RowBytes(writer, "", bytes, kHash, head.hash)});
  }
  if (out.rows.empty()) return out;
  out.rows.push_back(
      {kAuditHeadTable, "", RowBytes(writer, kHash, head.hash, kSeq, std::to_string(head.seq))});
  return out;
}

}  // namespace hawser
