// Homes: the unit of a key, who may write it, and which of two moves stands.

#include "homing/home.h"

#include <doctest/doctest.h>

#include <array>

#include "conflict/declaration.h"
#include "conflict/internal_tables.h"
#include "storage/memory_store.h"
#include "tests/storage/author.h"

namespace hawser::test {
namespace {

constexpr RegionId kA{1};
constexpr RegionId kB{2};
constexpr RegionId kC{3};

Schema Rules() {
  Schema schema;
  AddInternalRules(schema);
  schema.tables["c"].placement = "homed";
  return schema;
}

}  // namespace

TEST_CASE("the unit is what stands in braces, else the whole key") {
  CHECK(UnitOf("{42}:name") == "42");
  CHECK(UnitOf("a{42}b{43}") == "42");
  CHECK(UnitOf("42") == "42");
  CHECK(UnitOf("{}:name") == "{}:name");
  CHECK(UnitOf("{42") == "{42");
  CHECK(UnitOf("4}2{") == "4}2{");
  CHECK(UnitOf("") == "");
}

TEST_CASE("homed tables are those that say so; an unknown default home is none") {
  Schema schema = Rules();
  schema.tables["d"].placement = "homed";
  schema.tables["d"].default_home = "eu-west";
  schema.tables["e"].placement = "homed";
  schema.tables["e"].default_home = "atlantis";
  schema.tables["f"].placement = "global";
  const HomedTables homed = HomedTablesOf(schema, {{"eu-west", kB}});
  CHECK(homed == HomedTables{{"c", RegionId{}}, {"d", kB}, {"e", RegionId{}}});
}

TEST_CASE("what a home's cell says comes back as it went") {
  const HomeWord first{.region = kB};
  CHECK(EncodeHomeWord(first) == "2");
  const HomeWord move{.region = kB, .at_ms = 1234, .by = "ops", .reason = "eu-west is dark"};
  const std::string text = EncodeHomeWord(move);
  const auto word = ParseHomeWord(text);
  REQUIRE(word);
  CHECK(word->region == kB);
  CHECK(word->at_ms == 1234);
  CHECK(word->by == "ops");
  CHECK(word->reason == "eu-west is dark");
  for (const char* bad : {"", "0", "64", "x", "2 x", "-1"}) CHECK_FALSE(ParseHomeWord(bad));
}

MemoryStore StoreOf(RegionId region) {
  return MemoryStore({.region = region,
                      .cluster_id = kCluster,
                      .incarnation = Incarnation{static_cast<std::uint64_t>(Raw(region))}});
}

const Schema& HomedRules() {
  static const Schema schema = Rules();
  return schema;
}
const HomedTables kHomed{{"c", RegionId{}}};

// A write of one record in `store`, as the replica makes it: nothing if its home is elsewhere.
std::optional<Shipped> Write(MemoryStore& store, std::string_view key, std::int64_t now_ms,
                             const HomedTables& homed = kHomed) {
  LocalTxn local(store, HomedRules(), now_ms);
  REQUIRE(local.Edit("c", key).ReplaceWith(kStringField, "v"));
  const auto added = HomeHere(local.Finish(), homed, store.self().region, local);
  if (!added) return std::nullopt;
  Shipped shipped = StageTxn(store, now_ms, local);
  MustCommit(store);
  return shipped;
}

Shipped Move(MemoryStore& store, std::string_view unit, RegionId to, bool takeover,
             std::int64_t now_ms) {
  LocalTxn local(store, HomedRules(), now_ms);
  const auto made =
      MakeHomeMove({.table = "c",
                    .unit = unit,
                    .word = {.region = to, .at_ms = now_ms, .by = "ops", .reason = "test"},
                    .takeover = takeover},
                   store.self().region, RegionId{}, local);
  REQUIRE(made);
  REQUIRE(*made);
  Shipped shipped = StageTxn(store, now_ms, local);
  MustCommit(store);
  return shipped;
}

Home Look(MemoryStore& store, std::string_view unit) {
  return HomeOf(store.Read(HomeRowKey("c", unit)), {});
}

TEST_CASE("the first write homes its unit, with all keys of it; others are told where") {
  MemoryStore a = StoreOf(kA), b = StoreOf(kB);
  CHECK(Look(a, "42").state == HomeState::kNone);
  const auto first = Write(a, "{42}:name", 1000);
  REQUIRE(first);
  CHECK(Look(a, "42").region == kA);
  CHECK(Look(a, "42").epoch == 0);
  Receive(b, *first);
  CHECK(Look(b, "42").region == kA);
  CHECK_FALSE(Write(b, "{42}:address", 1001));
  CHECK(Write(b, "43", 1002));
  CHECK(Look(b, "43").region == kB);
}

TEST_CASE("a default home homes what nobody has homed; elsewhere the first write waits for it") {
  MemoryStore a = StoreOf(kA), b = StoreOf(kB);
  const HomedTables homed{{"c", kB}};
  CHECK_FALSE(Write(a, "1", 1000, homed));
  CHECK(Write(b, "1", 1000, homed));
  CHECK(Look(b, "1").region == kB);
}

TEST_CASE("of two first writes the earlier homes the unit, in whichever order they arrive") {
  MemoryStore a = StoreOf(kA), b = StoreOf(kB);
  const auto in_a = Write(a, "1", 1001);
  const auto in_b = Write(b, "1", 1000);
  Receive(a, *in_b);
  Receive(b, *in_a);
  CHECK(Look(a, "1").region == kB);
  CHECK(Look(b, "1").region == kB);
  CHECK_FALSE(Write(a, "1", 1002));
  CHECK(Write(b, "1", 1002));
}

TEST_CASE("a planned move: the old home writes no more at once, the new one when it has heard") {
  MemoryStore a = StoreOf(kA), b = StoreOf(kB);
  Receive(b, *Write(a, "1", 1000));
  const auto last = Write(a, "1", 1001);
  const Shipped moved = Move(a, "1", kB, false, 1002);
  CHECK_FALSE(Write(a, "1", 1003));
  CHECK_FALSE(Write(b, "1", 1003));
  Receive(b, *last);
  CHECK_FALSE(Write(b, "1", 1004));
  Receive(b, moved);
  CHECK(Look(b, "1").epoch == 1);
  CHECK(Write(b, "1", 1005));
}

TEST_CASE(
    "a takeover outranks a planned move of the same epoch, and is outranked by a later move") {
  for (const bool takeover_first : {true, false}) {
    MemoryStore a = StoreOf(kA), b = StoreOf(kB), c = StoreOf(kC);
    const auto first = Write(a, "1", 1000);
    Receive(b, *first);
    Receive(c, *first);
    // The earlier version, and the smaller region: neither makes the planned move win.
    const Shipped planned = Move(a, "1", kB, false, 1001);
    const Shipped taken = Move(c, "1", kC, true, 2000);
    for (MemoryStore* store : {&a, &b, &c}) {
      for (const Shipped* each :
           takeover_first ? std::array{&taken, &planned} : std::array{&planned, &taken}) {
        if (store->self() != each->origin) Receive(*store, *each);
      }
      CHECK(Look(*store, "1").region == kC);
      CHECK(Look(*store, "1").epoch == 1);
      CHECK(Look(*store, "1").taken_over);
    }
    const Shipped back = Move(c, "1", kA, false, 3000);
    Receive(a, back);
    CHECK(Look(a, "1").region == kA);
    CHECK(Look(a, "1").epoch == 2);
    CHECK_FALSE(Look(a, "1").taken_over);
    CHECK(Write(a, "1", 3001));
  }
}

TEST_CASE("a planned move is the home's to make; elsewhere it is refused with the region to ask") {
  MemoryStore a = StoreOf(kA), b = StoreOf(kB);
  const auto ask = [](MemoryStore& store, RegionId to, bool takeover, RegionId default_home) {
    LocalTxn local(store, HomedRules(), 1001);
    const HomeMove move{.table = "c",
                        .unit = "1",
                        .word = {.region = to, .at_ms = 1001, .by = "ops", .reason = "test"},
                        .takeover = takeover};
    const auto made = MakeHomeMove(move, store.self().region, default_home, local);
    CHECK(local.Finish().empty() == !(made && *made));
    return made;
  };
  CHECK(ask(b, kC, false, kA).error().region == kA);  // nobody has homed it: the default home's
  CHECK(*ask(a, kC, false, kA));
  CHECK(*ask(b, kC, false, RegionId{}));
  Receive(b, *Write(a, "1", 1000));
  CHECK(ask(b, kB, false, RegionId{}).error().region == kA);
  CHECK(*ask(b, kB, true, RegionId{}));
  CHECK(*ask(a, kB, false, RegionId{}));
  CHECK_FALSE(*ask(a, kA, false, RegionId{}));  // at home there already
  CHECK(*ask(a, kA, true, RegionId{}));         // said by an operator: counts all the same
}

TEST_CASE("a home is pending until every member has it, and until logs were compared") {
  MemoryStore a = StoreOf(kA);
  REQUIRE(Write(a, "1", 1000));
  const auto row = a.Read(HomeRowKey("c", "1"));
  Proof proof;
  CHECK(HomeOf(row, proof).state == HomeState::kPending);
  proof.stable.cut.Raise({a.self(), Seq{1}});
  CHECK(HomeOf(row, proof).state == HomeState::kPending);
  proof.compared = true;
  CHECK(HomeOf(row, proof).state == HomeState::kConfirmed);
}

}  // namespace hawser::test
