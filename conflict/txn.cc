#include "conflict/txn.h"

#include <bit>
#include <cmath>

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
  if (!op.seen.empty()) PutShares(out, op.seen, Stamps::kNo);
}

constexpr auto kBad = std::unexpected(DecodeError::kMalformed);
constexpr auto kFromNewer = std::unexpected(DecodeError::kNewer);

std::expected<void, DecodeError> GetAdd(ByteReader& in, std::uint8_t flags, Op& op) {
  if (flags & ~(kOpAdd | kOpAbsent | kOpFloat)) return kFromNewer;
  op.type = Op::Type::kAdd;
  op.field = in.Text();
  op.start = Seq{in.Varint()};
  op.sum = in.Zigzag();
  op.delta = in.Zigzag();
  op.has_float = (flags & kOpFloat) != 0;
  if (op.has_float) {
    op.float_sum = std::bit_cast<double>(in.Fixed64());
    op.float_delta = std::bit_cast<double>(in.Fixed64());
    if (!std::isfinite(op.float_sum) || !std::isfinite(op.float_delta)) return kBad;
  }
  return {};
}

std::expected<void, DecodeError> GetPut(ByteReader& in, std::uint8_t flags, Op& op) {
  if (flags >= 2 * kOpKind) return kFromNewer;
  op.type = Op::Type::kPut;
  op.expiry = (flags & kOpExpiry) != 0;
  op.field = op.expiry ? std::string_view{} : in.Text();
  if (flags & kOpKind) {
    const std::uint8_t kind = in.Byte();
    if (kind == 0) return kBad;  // lww goes without saying
    if (kind > kKindMax) return kFromNewer;
    op.kind = static_cast<Kind>(kind);
  }
  if (flags & kOpGeneration) {
    op.generation = in.Varint();
    if (op.generation == 0) return kBad;
  }
  op.null = (flags & kOpNull) != 0;
  if (!op.null) {
    if (op.kind == Kind::kStates) op.rank = in.Varint();
    op.value = in.Text();
  }
  if ((flags & kOpSeen) && !GetShares(in, op.seen, Stamps::kNo)) return kBad;
  return {};
}

std::expected<void, DecodeError> GetOp(ByteReader& in, Op& op) {
  const std::uint8_t flags = in.Byte();
  op.absent = (flags & kOpAbsent) != 0;
  return (flags & kOpAdd) ? GetAdd(in, flags, op) : GetPut(in, flags, op);
}

// The order of ops, which also says that none comes twice: the expiry, then fields by name, of one
// field the put before the add.
bool InOrder(const Op& before, const Op& after) {
  if (after.expiry) return false;
  if (before.expiry) return true;
  const auto order = before.field <=> after.field;
  if (order != 0) return order < 0;
  return before.type == Op::Type::kPut && after.type == Op::Type::kAdd;
}

std::expected<void, DecodeError> GetChange(ByteReader& in, Change& change) {
  change.table = in.Text();
  change.key = in.Text();
  const std::uint8_t flags = in.Byte();
  if (flags > kChangeCreated) return kFromNewer;
  change.created = (flags & kChangeCreated) != 0;
  const std::size_t count = in.Count();
  change.ops.clear();
  for (std::size_t i = 0; i < count; ++i) {
    if (auto read = GetOp(in, change.ops.emplace_back()); !read) return read;
    if (!in.ok()) return kBad;
    if (i > 0 && !InOrder(change.ops[i - 1], change.ops[i])) return kBad;
  }
  return {};
}

bool GetDeps(ByteReader& in, Cut& deps) {
  const std::size_t count = in.Count();
  deps.Clear();
  Origin last;
  for (std::size_t i = 0; i < count; ++i) {
    Dot dot;
    if (!GetOrigin(in, dot.origin)) return false;
    dot.seq = Seq{in.Varint()};
    if (!in.ok() || dot.seq == Seq{0} || (i > 0 && !(last < dot.origin))) return false;
    last = dot.origin;
    deps.Raise(dot);
  }
  return in.ok();
}

std::expected<void, DecodeError> GetAttributes(ByteReader& in, std::vector<Attribute>& attributes) {
  const std::size_t count = in.Count();
  attributes.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const Attribute attribute{.id = in.Varint(), .value = in.Text()};
    if (!in.ok()) return kBad;
    if (i > 0 && attribute.id <= attributes.back().id) return kBad;
    if (attribute.id % 2 == 1) return kFromNewer;  // critical, and none is known yet
    attributes.push_back(attribute);
  }
  return {};
}

}  // namespace

void EncodeTxn(const Txn& txn, std::string& out) {
  PutByte(out, kFormat);
  PutByte(out, static_cast<std::uint8_t>(txn.type));
  PutFixed64(out, txn.stamp.raw);
  PutVarint(out, txn.deps.dots().size());
  for (const Dot& dot : txn.deps.dots()) {
    PutOrigin(out, dot.origin);
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
  ByteReader in(bytes);
  const std::uint8_t format = in.Byte();
  if (format == 0) return kBad;
  if (format > kFormat) return kFromNewer;
  const std::uint8_t type = in.Byte();
  if (type > kTxnTypeMax) return kFromNewer;
  txn.type = static_cast<TxnType>(type);
  txn.stamp.raw = in.Fixed64();
  if (!GetDeps(in, txn.deps)) return kBad;
  if (auto read = GetAttributes(in, txn.attributes); !read) return read;
  const std::size_t count = in.Count();
  for (std::size_t i = 0; i < count; ++i) {
    if (i == txn.changes.size()) txn.changes.emplace_back();  // else an old change's storage
    if (auto read = GetChange(in, txn.changes[i]); !read) return read;
    if (!in.ok()) return kBad;
  }
  txn.changes.resize(count);
  if (!in.done()) return kBad;
  return {};
}

std::uint64_t HashStart(const Origin& origin) {
  return XXH3_64bits_withSeed(&origin.incarnation, sizeof origin.incarnation, Raw(origin.region));
}

std::uint64_t HashNext(std::uint64_t hash, std::string_view txn_bytes) {
  return XXH3_64bits_withSeed(txn_bytes.data(), txn_bytes.size(), hash);
}

}  // namespace hawser
