#include "conflict/txn.h"

#include <bit>

#include <xxhash.h>

#include "conflict/share_codec.h"

namespace hawser {
namespace {

constexpr std::uint8_t kFormat = 1;

constexpr std::uint8_t kChangeCreated = 1;

constexpr std::uint8_t kOpAdd = 1;
constexpr std::uint8_t kOpExpiry = 2;
constexpr std::uint8_t kOpAbsent = 4;
constexpr std::uint8_t kOpNull = 8;         // puts
constexpr std::uint8_t kOpGeneration = 16;  // puts
constexpr std::uint8_t kOpSeen = 32;        // puts
constexpr std::uint8_t kOpKind = 64;        // puts: a kind other than lww follows
constexpr std::uint8_t kOpFloat = 8;        // adds

void PutOp(std::string& out, const Op& op) {
  std::uint8_t flags = 0;
  if (op.expiry) flags |= kOpExpiry;
  if (op.absent) flags |= kOpAbsent;
  if (op.type == Op::Type::kAdd) {
    PutByte(out, flags | kOpAdd | (op.has_float ? kOpFloat : 0));
    PutText(out, op.field);
    PutVarint(out, Raw(op.start));
    PutZigzag(out, op.sum);
    PutZigzag(out, op.delta);
    if (op.has_float) {
      PutFixed64(out, std::bit_cast<std::uint64_t>(op.float_sum));
      PutFixed64(out, std::bit_cast<std::uint64_t>(op.float_delta));
    }
    return;
  }
  if (op.null) flags |= kOpNull;
  if (op.generation > 0) flags |= kOpGeneration;
  if (!op.seen.empty()) flags |= kOpSeen;
  if (op.kind != Kind::kLww) flags |= kOpKind;
  PutByte(out, flags);
  if (!op.expiry) PutText(out, op.field);
  if (op.kind != Kind::kLww) PutByte(out, static_cast<std::uint8_t>(op.kind));
  if (op.generation > 0) PutVarint(out, op.generation);
  if (!op.null) {
    if (op.kind == Kind::kStates) PutVarint(out, op.rank);
    PutText(out, op.value);
  }
  if (!op.seen.empty()) PutShares(out, op.seen);
}

std::expected<void, DecodeError> GetAdd(ByteReader& in, std::uint8_t flags, Op& op) {
  if (flags & ~(kOpAdd | kOpAbsent | kOpFloat)) return std::unexpected(DecodeError::kNewer);
  op.type = Op::Type::kAdd;
  op.field = in.Text();
  op.start = Seq{in.Varint()};
  op.sum = in.Zigzag();
  op.delta = in.Zigzag();
  op.has_float = (flags & kOpFloat) != 0;
  if (op.has_float) {
    op.float_sum = std::bit_cast<double>(in.Fixed64());
    op.float_delta = std::bit_cast<double>(in.Fixed64());
  }
  return {};
}

std::expected<void, DecodeError> GetPut(ByteReader& in, std::uint8_t flags, Op& op) {
  if (flags >= 2 * kOpKind) return std::unexpected(DecodeError::kNewer);
  op.type = Op::Type::kPut;
  op.expiry = (flags & kOpExpiry) != 0;
  op.field = op.expiry ? std::string_view{} : in.Text();
  const std::uint8_t kind = (flags & kOpKind) ? in.Byte() : 0;
  if (kind > kKindMax) return std::unexpected(DecodeError::kNewer);
  op.kind = static_cast<Kind>(kind);
  op.generation = (flags & kOpGeneration) ? in.Varint() : 0;
  op.null = (flags & kOpNull) != 0;
  if (!op.null) {
    if (op.kind == Kind::kStates) op.rank = in.Varint();
    op.value = in.Text();
  }
  if ((flags & kOpSeen) && !GetShares(in, op.seen)) return std::unexpected(DecodeError::kMalformed);
  return {};
}

std::expected<void, DecodeError> GetOp(ByteReader& in, Op& op) {
  const std::uint8_t flags = in.Byte();
  op.absent = (flags & kOpAbsent) != 0;
  return (flags & kOpAdd) ? GetAdd(in, flags, op) : GetPut(in, flags, op);
}

std::expected<void, DecodeError> GetChange(ByteReader& in, Change& change) {
  change.table = in.Text();
  change.key = in.Text();
  const std::uint8_t flags = in.Byte();
  if (flags > kChangeCreated) return std::unexpected(DecodeError::kNewer);
  change.created = (flags & kChangeCreated) != 0;
  const std::size_t count = in.Count();
  change.ops.clear();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    if (auto read = GetOp(in, change.ops.emplace_back()); !read) return read;
  }
  return {};
}

bool GetDeps(ByteReader& in, Cut& deps) {
  const std::size_t count = in.Count();
  deps.Clear();
  Origin last;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    Dot dot;
    dot.origin.region = RegionId{in.Byte()};
    dot.origin.incarnation = Incarnation{in.Fixed64()};
    dot.seq = Seq{in.Varint()};
    if (!in.ok() || dot.seq == Seq{0} || (i > 0 && !(last < dot.origin))) return false;
    last = dot.origin;
    deps.Raise(dot);
  }
  return in.ok();
}

}  // namespace

void EncodeTxn(const Txn& txn, std::string& out) {
  PutByte(out, kFormat);
  PutByte(out, static_cast<std::uint8_t>(txn.type));
  PutFixed64(out, txn.stamp.raw);
  PutVarint(out, txn.deps.dots().size());
  for (const Dot& dot : txn.deps.dots()) {
    PutByte(out, Raw(dot.origin.region));
    PutFixed64(out, Raw(dot.origin.incarnation));
    PutVarint(out, Raw(dot.seq));
  }
  PutVarint(out, txn.attributes.size());
  for (const Attribute& attribute : txn.attributes) {
    PutVarint(out, attribute.id);
    PutText(out, attribute.value);
  }
  PutVarint(out, txn.changes.size());
  for (const Change& change : txn.changes) {
    PutText(out, change.table);
    PutText(out, change.key);
    PutByte(out, change.created ? kChangeCreated : 0);
    PutVarint(out, change.ops.size());
    for (const Op& op : change.ops) PutOp(out, op);
  }
}

std::expected<void, DecodeError> DecodeTxn(std::string_view bytes, Txn& txn) {
  constexpr auto malformed = std::unexpected(DecodeError::kMalformed);
  constexpr auto newer = std::unexpected(DecodeError::kNewer);
  ByteReader in(bytes);
  const std::uint8_t format = in.Byte();
  if (format == 0) return malformed;
  if (format > kFormat) return newer;
  const std::uint8_t type = in.Byte();
  if (type > kTxnTypeMax) return newer;
  txn.type = static_cast<TxnType>(type);
  txn.stamp.raw = in.Fixed64();
  if (!GetDeps(in, txn.deps)) return malformed;
  txn.attributes.clear();
  const std::size_t attribute_count = in.Count();
  for (std::size_t i = 0; i < attribute_count && in.ok(); ++i) {
    Attribute& attribute = txn.attributes.emplace_back();
    attribute.id = in.Varint();
    attribute.value = in.Text();
    if (attribute.id % 2 == 1) return newer;  // critical, and none is known yet
  }
  const std::size_t change_count = in.Count();
  txn.changes.resize(in.ok() ? change_count : 0);
  for (Change& change : txn.changes) {
    if (auto read = GetChange(in, change); !read) return read;
    if (!in.ok()) return malformed;
  }
  if (!in.done()) return malformed;
  return {};
}

std::uint64_t HashStart(const Origin& origin) {
  return XXH3_64bits_withSeed(&origin.incarnation, sizeof origin.incarnation, Raw(origin.region));
}

std::uint64_t HashNext(std::uint64_t hash, std::string_view txn_bytes) {
  return XXH3_64bits_withSeed(txn_bytes.data(), txn_bytes.size(), hash);
}

}  // namespace hawser
