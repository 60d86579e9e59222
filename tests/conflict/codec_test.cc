#include <doctest/doctest.h>

#include <random>

#include "conflict/bytes.h"
#include "tests/conflict/samples.h"
#include "tests/conflict/values.h"

namespace hawser::test {
namespace {

std::string BytesOf(const Txn& txn) {
  std::string bytes;
  EncodeTxn(txn, bytes);
  return bytes;
}
std::string BytesOf(const Record& record) {
  std::string bytes;
  EncodeRecord(record, bytes);
  return bytes;
}
std::string TxnBytes(const char* name) {
  for (const TxnSample& sample : TxnSamples()) {
    if (sample.name == name) return BytesOf(sample.txn);
  }
  FAIL("no such sample");
  return {};
}
DecodeError ErrorOf(const std::string& bytes) {
  Txn txn;
  const auto read = DecodeTxn(bytes, txn);
  REQUIRE_FALSE(read);
  return read.error();
}
Txn OneOp(Op op) {
  Txn txn;
  txn.changes.push_back({.table = "t", .key = "k", .created = false, .ops = {std::move(op)}});
  return txn;
}

// Reads bytes that may be anything: whatever is taken must be the one encoding of what was read.
void Attack(const std::string& bytes) {
  Txn txn;
  if (DecodeTxn(bytes, txn)) CHECK(BytesOf(txn) == bytes);
  Record record;
  if (!DecodeRecord(bytes, record)) CHECK(record.empty());
}

}  // namespace

TEST_CASE("a txn read and written again is the same bytes") {
  Txn reused;
  for (const TxnSample& sample : TxnSamples()) {
    INFO(sample.name);
    const std::string bytes = BytesOf(sample.txn);
    REQUIRE(DecodeTxn(bytes, reused));
    CHECK(BytesOf(reused) == bytes);
    CHECK(reused.type == sample.txn.type);
    CHECK(reused.deps == sample.txn.deps);
    CHECK(reused.changes.size() == sample.txn.changes.size());
  }
}

TEST_CASE("a row read and written again is the same bytes, into used storage too") {
  Record reused;
  for (int round = 0; round < 2; ++round) {
    for (const RecordSample& sample : RecordSamples()) {
      INFO(sample.name);
      const std::string bytes = BytesOf(sample.record);
      REQUIRE(DecodeRecord(bytes, reused));
      CHECK(BytesOf(reused) == bytes);
      REQUIRE(reused.fields.size() == sample.record.fields.size());
      for (std::size_t i = 0; i < reused.fields.size(); ++i) {
        CHECK(reused.fields[i].shares == sample.record.fields[i].shares);
        CHECK(reused.fields[i].seen == sample.record.fields[i].seen);
        CHECK(Compare(reused.fields[i].cell, sample.record.fields[i].cell) == 0);
      }
    }
  }
}

TEST_CASE("every truncation is malformed, none is taken and none for newer software") {
  for (const TxnSample& sample : TxnSamples()) {
    const std::string bytes = BytesOf(sample.txn);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CHECK(ErrorOf(bytes.substr(0, size)) == DecodeError::kMalformed);
    }
    CHECK(ErrorOf(bytes + '\0') == DecodeError::kMalformed);
  }
  Record record;
  for (const RecordSample& sample : RecordSamples()) {
    const std::string bytes = BytesOf(sample.record);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CHECK_FALSE(DecodeRecord(bytes.substr(0, size), record));
    }
    CHECK_FALSE(DecodeRecord(bytes + '\0', record));
  }
}

TEST_CASE("damaged bytes are refused or read as what they are, never more") {
  std::mt19937 random(5);
  std::vector<std::string> seeds;
  for (const TxnSample& sample : TxnSamples()) seeds.push_back(BytesOf(sample.txn));
  for (const RecordSample& sample : RecordSamples()) seeds.push_back(BytesOf(sample.record));
  for (const std::string& seed : seeds) {
    for (std::size_t at = 0; at < seed.size(); ++at) {
      for (const int byte : {0, 1, 2, 4, 8, 16, 32, 64, 127, 128, 255}) {
        std::string bytes = seed;
        bytes[at] = static_cast<char>(byte);
        Attack(bytes);
      }
    }
    for (int i = 0; i < 5'000; ++i) {
      std::string bytes = seed;
      for (auto n = random() % 4 + 1; n > 0; --n)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      if (random() % 3 == 0) bytes.resize(random() % (bytes.size() + 1));
      if (random() % 3 == 0)
        bytes.insert(random() % (bytes.size() + 1), seed, random() % seed.size(), 8);
      Attack(bytes);
    }
  }
}

TEST_CASE("a count that promises more than there is allocates nothing") {
  std::string bytes = TxnBytes("txn_first_of_its_origin");
  bytes.resize(11);  // format, type, stamp, no deps
  PutVarint(bytes, 0);
  PutVarint(bytes, 1'000'000'000);
  bytes.append(2'000, '\xff');
  Txn txn;
  CHECK_FALSE(DecodeTxn(bytes, txn));
  CHECK(txn.changes.capacity() < 10);
}

TEST_CASE("what newer software may add holds the stream") {
  const std::string plain = TxnBytes("txn_set");
  std::string bytes = plain;
  SUBCASE("a format") {
    bytes[0] = 2;
  }
  SUBCASE("a type of txn") {
    bytes[1] = 4;
  }
  SUBCASE("a critical attribute") {
    Txn txn = OneOp({.field = "f", .value = "v"});
    txn.attributes = {{3, "x"}};
    bytes = BytesOf(txn);
  }
  SUBCASE("a bit in an op") {
    bytes = BytesOf(OneOp({.field = "f", .value = "v"}));
    bytes[bytes.size() - 5] = static_cast<char>(0x80);
  }
  SUBCASE("a bit in an add") {
    bytes = BytesOf(OneOp({.type = Op::Type::kAdd, .field = "f", .sum = 1, .delta = 1}));
    bytes[bytes.size() - 6] = 1 | 16;
  }
  SUBCASE("a kind") {
    bytes = BytesOf(OneOp({.field = "f", .kind = Kind::kMin, .value = "v"}));
    bytes[bytes.size() - 3] = kKindMax + 1;
  }
  SUBCASE("a bit in a change") {
    bytes = BytesOf(OneOp({.field = "f", .value = "v"}));
    bytes[bytes.size() - 7] = 2;
  }
  CHECK(ErrorOf(bytes) == DecodeError::kNewer);
}

TEST_CASE("an even attribute may be passed over") {
  Txn txn = OneOp({.field = "f", .value = "v"});
  txn.attributes = {{2, "x"}, {100, "y"}};
  const std::string bytes = BytesOf(txn);
  REQUIRE(DecodeTxn(bytes, txn));
  CHECK(txn.attributes.size() == 2);
}

TEST_CASE("what no software writes is malformed") {
  const Op f{.field = "f", .value = "v"};
  const Op g{.field = "g", .value = "v"};
  const Op expiry{.expiry = true, .null = true};
  Txn txn;
  txn.changes.push_back({.table = "t", .key = "k", .created = false, .ops = {}});
  auto& ops = txn.changes[0].ops;
  SUBCASE("fields out of order") {
    ops = {g, f};
  }
  SUBCASE("a field twice") {
    ops = {f, f};
  }
  SUBCASE("the expiry after a field") {
    ops = {f, expiry};
  }
  SUBCASE("the expiry twice") {
    ops = {expiry, expiry};
  }
  SUBCASE("an add before the put of its field") {
    ops = {{.type = Op::Type::kAdd, .field = "f", .sum = 1, .delta = 1}, f};
  }
  SUBCASE("attributes out of order") {
    txn.attributes = {{4, ""}, {2, ""}};
  }
  SUBCASE("region 0") {
    txn.deps.Raise({{RegionId{0}, Incarnation{1}}, Seq{1}});
  }
  SUBCASE("region 64") {
    txn.deps.Raise({{RegionId{64}, Incarnation{1}}, Seq{1}});
  }
  SUBCASE("a share that ends before it starts") {
    ops = {f};
    ops[0].seen = {{.origin = OriginOf(1), .start = Seq{3}, .seq = Seq{2}}};
  }
  SUBCASE("a float that is no number") {
    ops = {{.type = Op::Type::kAdd,
            .field = "f",
            .float_sum = 0.0 / std::numeric_limits<double>::infinity() *
                         std::numeric_limits<double>::quiet_NaN(),
            .has_float = true}};
  }
  CHECK(ErrorOf(BytesOf(txn)) == DecodeError::kMalformed);
}

TEST_CASE("rows of a table stand together in the order of their keys") {
  const auto row_key = [](std::string_view table, std::string_view key) {
    std::string out;
    AppendRowKey(table, key, out);
    return out;
  };
  CHECK(row_key("a", "z") < row_key("a-b", ""));
  CHECK(row_key("a", "1") < row_key("a", "2"));
  const std::string zero("k\0k", 3);
  const std::string kept = row_key("t", zero);
  CHECK(SplitRowKey(kept).table == "t");
  CHECK(SplitRowKey(kept).key == zero);
}

TEST_CASE("varints have one form, and end") {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, ~std::uint64_t{0}}) {
    std::string bytes;
    PutVarint(bytes, value);
    ByteReader in(bytes);
    CHECK(in.Varint() == value);
    CHECK(in.done());
  }
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
    std::string bytes;
    PutZigzag(bytes, value);
    CHECK(ByteReader(bytes).Zigzag() == value);
  }
  for (const std::string& bad :
       {std::string("\x80\x00", 2), std::string(10, '\xff'), std::string("\x80"), std::string()}) {
    ByteReader in(bad);
    in.Varint();
    CHECK_FALSE(in.ok());
  }
}

}  // namespace hawser::test
