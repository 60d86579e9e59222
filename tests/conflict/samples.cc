#include "tests/conflict/samples.h"

#include "tests/conflict/values.h"

namespace hawser::test {
namespace {

constexpr Stamp kStamp{0x0001'8bcf'e568'0007};
constexpr std::string_view kExpiryBytes{"\x00\x68\xe5\xcf\x8b\x01\x00\x00", 8};

Dot At(std::uint8_t region, std::uint64_t seq) {
  return {OriginOf(region), Seq{seq}};
}

Txn Base() {
  return Txn{.type = TxnType::kData,
             .stamp = kStamp,
             .deps = {At(2, 300), At(3, 1)},
             .attributes = {},
             .changes = {}};
}

std::vector<Share> Seen() {
  return {{.origin = OriginOf(1), .start = Seq{2}, .seq = Seq{9}, .sum = -5},
          {.origin = OriginOf(2),
           .start = Seq{1},
           .seq = Seq{1},
           .sum = 1,
           .float_sum = 0.25,
           .has_float = true}};
}

Change PlainChange() {
  Op expiry{.expiry = true, .absent = true, .null = true};
  Op put{.absent = true, .value = "hello"};
  return {.table = "default", .key = "greeting", .created = true, .ops = {expiry, put}};
}

Change KindsChange() {
  Change change{.table = "orders", .key = "42", .created = false, .ops = {}};
  change.ops.push_back({.expiry = true, .value = kExpiryBytes});
  change.ops.push_back({.field = "first", .kind = Kind::kFirst, .value = "ann"});
  change.ops.push_back({.field = "gone", .null = true});
  change.ops.push_back({.field = "max", .kind = Kind::kMax, .generation = 3, .value = "10"});
  change.ops.push_back({.field = "min", .kind = Kind::kMin, .null = true, .generation = 1});
  change.ops.push_back({.field = "status",
                        .kind = Kind::kStates,
                        .generation = 200,
                        .rank = 131072,
                        .value = "PAID"});
  return change;
}

Change CounterChange() {
  Change change{.table = "stock", .key = "7", .created = false, .ops = {}};
  change.ops.push_back({.field = "n", .null = true, .seen = Seen()});
  change.ops.push_back({.type = Op::Type::kAdd, .field = "n", .sum = 4, .delta = 4});
  change.ops.push_back({.type = Op::Type::kAdd,
                        .absent = true,
                        .field = "x",
                        .start = Seq{5},
                        .sum = -300,
                        .delta = -1});
  change.ops.push_back({.type = Op::Type::kAdd,
                        .field = "y",
                        .start = Seq{5},
                        .sum = 0,
                        .delta = 0,
                        .float_sum = 1.5,
                        .float_delta = 0.5,
                        .has_float = true});
  return change;
}

Cell CellOf(Kind kind, std::string_view value, Dot dot, std::uint64_t generation = 0) {
  return {.generation = generation,
          .kind = kind,
          .null = false,
          .rank = kind == Kind::kStates ? 65536u : 0u,
          .value = value,
          .version = {Stamp{kStamp.raw + Raw(dot.seq)}, dot.origin.region},
          .dot = dot};
}
Cell NullOf(Kind kind, Dot dot, std::uint64_t generation) {
  Cell cell = CellOf(kind, "", dot, generation);
  cell.null = true;
  cell.rank = 0;
  return cell;
}

}  // namespace

std::vector<TxnSample> TxnSamples() {
  std::vector<TxnSample> samples;
  const auto add = [&](const char* name, std::vector<Change> changes) -> Txn& {
    samples.push_back({name, Base()});
    samples.back().txn.changes = std::move(changes);
    return samples.back().txn;
  };
  add("txn_set", {PlainChange()});
  add("txn_kinds", {KindsChange()});
  add("txn_counter", {CounterChange()});
  add("txn_bundle", {PlainChange(), KindsChange(), CounterChange()});
  Txn& first = add("txn_first_of_its_origin", {PlainChange()});
  first.deps.Clear();
  Txn& closing = add("txn_closing_with_attributes", {});
  closing.type = TxnType::kClosing;
  closing.attributes = {{2, "may be passed over"}, {4, ""}};
  return samples;
}

std::vector<RecordSample> RecordSamples() {
  std::vector<RecordSample> samples;
  Record plain;
  plain.fields.push_back(
      {.name = "", .has_cell = true, .cell = CellOf(Kind::kLww, "hello", At(1, 1))});
  plain.expiry = NullOf(Kind::kLww, At(1, 1), 0);
  samples.push_back({"record_string", plain});

  Record hash;
  hash.expiry = CellOf(Kind::kLww, kExpiryBytes, At(2, 300));
  hash.fields.push_back(
      {.name = "first", .has_cell = true, .cell = CellOf(Kind::kFirst, "ann", At(1, 1))});
  hash.fields.push_back(
      {.name = "gone", .has_cell = true, .cell = NullOf(Kind::kMin, At(2, 300), 1)});
  hash.fields.push_back(
      {.name = "max", .has_cell = true, .cell = CellOf(Kind::kMax, "10", At(3, 2), 3)});
  hash.fields.push_back(
      {.name = "status", .has_cell = true, .cell = CellOf(Kind::kStates, "OPEN", At(1, 1), 200)});
  samples.push_back({"record_hash", hash});

  Record counter;
  Field n{.name = "n", .has_cell = true, .cell = NullOf(Kind::kLww, At(2, 7), 0)};
  n.shares = Seen();
  for (Share& share : n.shares) share.stamp = Stamp{kStamp.raw + 1};
  n.shares[0].seq = Seq{11};
  n.seen = Seen();
  counter.fields.push_back(n);
  Field only_shares{.name = "x"};
  only_shares.shares = {n.shares[1]};
  counter.fields.push_back(only_shares);
  samples.push_back({"record_counter", counter});
  samples.push_back({"record_empty", {}});
  return samples;
}

}  // namespace hawser::test
