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

void PutOp(ByteWriter& out, const Op& op) {
  std::uint8_t flags = 0;
  if (op.expiry) flags |= kOpExpiry;
  if (op.absent) flags |= kOpAbsent;
  if (op.type == Op::Type::kAdd) {
    out.Byte(flags | kOpAdd | (op.has_float ? kOpFloat : 0));
    out.Text(op.field);
    out.Varint(Raw(op.start));
    out.Zigzag(op.sum);
    out.Zigzag(op.delta);
    if (op.has_float) {
      out.Fixed64(std::bit_cast<std::uint64_t>(op.float_sum));
      out.Fixed64(std::bit_cast<std::uint64_t>(op.float_delta));
    }
    return;
  }
  if (op.null) flags |= kOpNull;
  if (op.generation > 0) flags |= kOpGeneration;
  if (!op.seen.empty()) flags |= kOpSeen;
  if (op.kind != Kind::kLww) flags |= kOpKind;
  out.Byte(flags);
  if (!op.expiry) out.Text(op.field);
  if (op.kind != Kind::kLww) out.Byte(static_cast<std::uint8_t>(op.kind));
  if (op.generation > 0) out.Varint(op.generation);
  if (!op.null) {
    if (op.kind == Kind::kStates) out.Varint(op.rank);
    out.Text(op.value);
  }
  if (!op.seen.empty()) PutShares(out, op.seen, Stamps::kNo);
}

void PutTxn(ByteWriter& out, const Txn& txn) {
  out.Byte(kFormat);
  out.Byte(static_cast<std::uint8_t>(txn.type));
  out.Fixed64(txn.stamp.raw);
  out.Varint(txn.deps.dots().size());
  for (const Dot& dot : txn.deps.dots()) {
    PutOrigin(out, dot.origin);
    out.Varint(Raw(dot.seq));
  }
  out.Varint(txn.attributes.size());
  for (const Attribute& attribute : txn.attributes) {
    out.Varint(attribute.id);
    out.Text(attribute.value);
  }
  out.Varint(txn.changes.size());
  for (const Change& change : txn.changes) {
    out.Text(change.table);
    out.Text(change.key);
    out.Byte(change.created ? kChangeCreated : 0);
    out.Varint(change.ops.size());
    for (const Op& op : change.ops) PutOp(out, op);
  }
}

// More than the txn's bytes: texts at their size, the rest at its largest.
std::size_t BytesMax(const Txn& txn) {
  std::size_t bytes = 64 + txn.deps.dots().size() * 32;
  for (const Attribute& attribute : txn.attributes) bytes += 32 + attribute.value.size();
  for (const Change& change : txn.changes) {
    bytes += 32 + change.table.size() + change.key.size();
    for (const Op& op : change.ops) {
      bytes += 96 + op.field.size() + op.value.size() + SharesBytesMax(op.seen.size());
    }
  }
  return bytes;
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
  AppendBounded(out, BytesMax(txn), [&](ByteWriter& writer) { PutTxn(writer, txn); });
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
