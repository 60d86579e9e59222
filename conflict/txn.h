#pragma once

// Txn: a set of changes committed and applied together everywhere, at most one change per record.
// Its bytes are made once, at its origin, and travel unchanged: relays, journals and running hashes
// all see the same bytes. The format is docs/formats.md, section 2.
// Names and values borrow from the bytes decoded.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/cell.h"
#include "conflict/cut.h"
#include "conflict/record.h"

namespace hawser {

// One field's part of a change: a put (a value or null, for lww possibly the base of a counter), or
// an add to the origin's own share of a counter.
struct Op {
  enum class Type : std::uint8_t { kPut = 0, kAdd = 1 };
  Type type = Type::kPut;
  bool expiry = false;  // the record's expiry, not a field; `field` is empty
  bool absent = false;  // the writer held no cell of this field (and no shares)
  std::string_view field;

  // kPut
  Kind kind = Kind::kLww;
  bool null = false;
  std::uint64_t generation = 0;
  std::uint64_t rank = 0;
  std::string_view value;
  std::vector<Share> seen;  // lww only: the shares this base folds in or wipes out

  // kAdd: the share after this txn, and what this txn added to it
  Seq start{};  // 0: this txn starts the share
  std::int64_t sum = 0;
  std::int64_t delta = 0;
  double float_sum = 0;
  double float_delta = 0;
  bool has_float = false;
};

struct Change {
  std::string_view table;
  std::string_view key;
  bool created = false;  // the writer held no cell of the record, nulls included
  // In order: the expiry, then fields by name; of one field at most a put, then at most an add.
  std::vector<Op> ops;
};

enum class TxnType : std::uint8_t {
  kData = 0,
  kMembership = 1,   // join, remove
  kClosing = 2,      // (origin, last seq, hash): ends an incarnation
  kDeclaration = 3,  // table, field rule, unique table, placement: see declaration.h
};
inline constexpr std::uint8_t kTxnTypeMax = 3;

// Something about the txn as a whole. Odd ids are critical: who does not know one must hold the
// stream; even ids may be passed over.
struct Attribute {
  std::uint64_t id = 0;
  std::string_view value;
};

struct Txn {
  TxnType type = TxnType::kData;
  Stamp stamp;
  Cut deps;  // of other origins; the txn's own origin stands at its seq - 1 without saying so
  std::vector<Attribute> attributes;  // ids rising
  std::vector<Change> changes;
};

enum class DecodeError {
  kMalformed,  // not bytes this software or any other would write
  kNewer,      // well-formed as far as it can be read, from newer software: hold the stream
};

// Appends the txn's bytes to `out`. Canonical: the same txn gives the same bytes.
void EncodeTxn(const Txn& txn, std::string& out);
// Reads into `txn`, whose vectors are reused; it borrows from `bytes`. On error `txn` is
// unspecified.
std::expected<void, DecodeError> DecodeTxn(std::string_view bytes, Txn& txn);

// The running hash of an origin's log: HashStart, then HashNext over each txn's bytes in order.
// Source: XXH3-64 with the previous hash as seed.
std::uint64_t HashStart(const Origin& origin);
std::uint64_t HashNext(std::uint64_t hash, std::string_view txn_bytes);

}  // namespace hawser
