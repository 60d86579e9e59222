// Scarce fields: what a region may take, what it gives, and that nothing is ever taken twice.

#include "homing/escrow.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "conflict/declaration.h"
#include "conflict/internal_tables.h"
#include "storage/memory_store.h"
#include "tests/storage/author.h"

namespace hawser::test {
namespace {

constexpr std::size_t kRegions = 3;

const Schema& Rules() {
  static const Schema schema = [] {
    Schema rules;
    AddInternalRules(rules);
    FieldRule stock;
    stock.counter = true;
    stock.min = 0;
    rules.tables["t"].fields["stock"] = stock;
    return rules;
  }();
  return schema;
}

using Refused = ScarceRefused::Why;

// One region: its store, and which txns of the others have arrived.
struct Region {
  explicit Region(int number)
      : store({.region = RegionId{static_cast<std::uint8_t>(number)},
               .cluster_id = kCluster,
               .incarnation = Incarnation{static_cast<std::uint64_t>(number)}}) {}
  MemoryStore store;
  std::vector<Shipped> log;
  Proof proof;  // nothing is stable

  Record Read(std::string_view row_key) {
    Record record;
    const auto bytes = store.Read(row_key);
    if (bytes) REQUIRE(DecodeRecord(*bytes, record));
    return record;
  }
  std::int64_t Stock() {
    std::string row_key;
    AppendRowKey("t", "k", row_key);
    const Record record = Read(row_key);
    const Field* field = record.Find("stock");
    if (field == nullptr) return 0;
    const Shown shown = Show(*field);
    if (!shown.visible) return 0;
    return ParseInt(shown.is_counter ? std::string_view(shown.text) : shown.value).value();
  }
  Rights All() {
    std::string row_key;
    AppendRowKey("t", "k", row_key);
    return RightsOf(Read(row_key), "stock", Read(LedgerRowKey("t", "k")));
  }
  std::int64_t Own() { return RightsOf(All(), store.self()); }

  // A txn as the replica makes it.
  std::expected<ScarceTaken, ScarceRefused> Commit(const std::function<void(LocalTxn&)>& write) {
    LocalTxn local(store, Rules(), ++now_ms);
    write(local);
    auto taken = TakeScarce(
        local.Finish(), ScarceFieldsOf(Rules()), store.self(), kRegions, [this] { return proof; },
        local);
    if (!taken) return taken;
    const Shipped shipped = StageTxn(store, now_ms, local);
    REQUIRE(store.Commit(StampAt(now_ms + 1000)));
    if (Raw(shipped.seq) != 0) log.push_back(shipped);
    return taken;
  }
  bool Add(std::int64_t delta) {
    return Commit([&](LocalTxn& txn) { REQUIRE(txn.Edit("t", "k").Add("stock", delta)); })
        .has_value();
  }
  bool Give(Region& to, std::int64_t amount) {
    return Commit([&](LocalTxn& txn) {
             REQUIRE(GiveRights(txn, "t", "k", "stock", to.store.self(), amount));
           })
        .has_value();
  }
  std::expected<ScarceTaken, ScarceRefused> Delete() {
    return Commit([](LocalTxn& txn) { txn.Edit("t", "k").DeleteAll(); });
  }
  // The next txn of `from`, if what it had seen is here.
  bool TakeNext(const Region& from) {
    const std::uint64_t have = Raw(store.applied().Get(from.store.self()));
    if (have >= from.log.size()) return false;
    const Shipped& next = from.log[have];
    Txn txn;
    REQUIRE(DecodeTxn(next.bytes, txn));
    for (const Dot& dot : txn.deps.dots()) {
      if (dot.origin != store.self() && !store.applied().Covers(dot)) return false;
    }
    std::vector<Discarded> discarded;
    store.Apply({.origin = next.origin,
                 .seq = next.seq,
                 .hash = next.hash,
                 .bytes = next.bytes,
                 .applied_ms = now_ms},
                txn, discarded);
    REQUIRE(store.Commit(StampAt(now_ms + 1000)));
    CHECK(discarded.empty());
    return true;
  }
  std::int64_t now_ms = 1'790'000'000'000;
};

struct World {
  Region a{1}, b{2}, c{3};
  std::vector<Region*> all{&a, &b, &c};
  void Settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (Region* to : all) {
        for (const Region* from : all) {
          while (to != from && to->TakeNext(*from)) moved = true;
        }
      }
    }
  }
  // Everybody knows that everybody knows.
  void Prove() {
    Settle();
    for (Region* region : all) {
      region->proof = {.stable = {region->store.applied(), region->now_ms}, .compared = true};
    }
  }
};

std::int64_t Sum(const Rights& rights) {
  std::int64_t sum = 0;
  for (const auto& [origin, held] : rights) sum += held;
  return sum;
}

}  // namespace

TEST_CASE("only who added may take, until it gives") {
  World world;
  CHECK(world.a.Add(10));
  world.Settle();
  CHECK(world.b.Stock() == 10);
  const auto refused =
      world.b.Commit([](LocalTxn& txn) { (void)txn.Edit("t", "k").Add("stock", -4); });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().why == Refused::kShort);
  CHECK(refused.error().wish.need == 4);
  REQUIRE(refused.error().wish.holders.size() == 1);
  CHECK(refused.error().wish.holders[0] == std::pair{world.a.store.self(), std::int64_t{10}});

  CHECK(world.a.Give(world.b, 4));
  CHECK(world.a.Own() == 6);
  CHECK_FALSE(world.b.Add(-1));  // not yet arrived
  world.Settle();
  CHECK(world.b.Own() == 4);
  CHECK(world.b.Add(-4));
  CHECK_FALSE(world.b.Add(-1));
  CHECK_FALSE(world.a.Add(-7));
  CHECK(world.a.Add(-6));
  world.Settle();
  for (Region* region : world.all) CHECK(region->Stock() == 0);
}

TEST_CASE("nobody gives what it does not hold") {
  World world;
  CHECK(world.a.Add(3));
  world.Settle();
  CHECK_FALSE(world.b.Give(world.c, 1));
  CHECK_FALSE(world.a.Give(world.b, 4));
  CHECK(world.a.Give(world.b, 3));
  CHECK_FALSE(world.a.Add(-1));
}

TEST_CASE("a value put is an add of the difference") {
  World world;
  const auto put = [](Region& region, const char* value) {
    return region.Commit([&](LocalTxn& txn) { REQUIRE(txn.Edit("t", "k").Set("stock", value)); })
        .has_value();
  };
  CHECK(put(world.a, "10"));
  CHECK(put(world.a, "7"));
  CHECK(world.a.Stock() == 7);
  CHECK(world.a.Own() == 7);
  world.Settle();
  CHECK(put(world.b, "9"));
  CHECK(world.b.Own() == 2);
  CHECK(put(world.b, "7"));
  CHECK_FALSE(put(world.b, "6"));
  CHECK_FALSE(put(world.a, "-1"));
  LocalTxn local(world.a.store, Rules(), 1);
  CHECK(local.Edit("t", "k").Set("stock", "many").error() == EditError::kNotANumber);
  CHECK(local.Edit("t", "k").AddFloat("stock", 0.5).error() == EditError::kNotANumber);
}

TEST_CASE("what has rights is not deleted and does not expire; what is over and known may go") {
  World world;
  CHECK(world.a.Add(2));
  CHECK(world.a.Give(world.b, 1));
  const auto expires = world.a.Commit(
      [&](LocalTxn& txn) { txn.Edit("t", "k").SetExpiry(world.a.now_ms + 100'000); });
  REQUIRE_FALSE(expires);
  CHECK(expires.error().why == Refused::kInTheWay);
  CHECK_FALSE(world.a.Delete());
  CHECK(world.a.Add(-1));
  world.Settle();
  CHECK(world.b.Add(-1));
  world.Settle();
  CHECK(world.a.Stock() == 0);
  CHECK_FALSE(world.a.Delete());  // nothing is left, but not everybody is known to know
  world.Prove();
  CHECK(world.a.Delete());
  CHECK(world.c.Delete());  // knows nothing of the other
  CHECK(world.a.Add(5));
  world.Settle();
  for (Region* region : world.all) {
    CHECK(region->Stock() == 5);
    CHECK(region->All() == Rights{{world.a.store.self(), 5}});
  }
}

TEST_CASE("what was taken before the field was scarce is nobody's to take again") {
  World world;
  // Undeclared: one region adds, another takes.
  const auto before = [](Region& region, std::int64_t delta) {
    region.log.push_back(StageLocal(region.store, ++region.now_ms, [&](LocalTxn& txn) {
      REQUIRE(txn.Edit("t", "k").Add("stock", delta));
    }));
    REQUIRE(region.store.Commit(StampAt(region.now_ms + 1000)));
  };
  before(world.a, 100);
  world.Settle();
  before(world.b, -30);
  world.Settle();
  CHECK(world.c.Stock() == 70);
  CHECK_FALSE(world.a.Add(-71));
  CHECK(world.a.Give(world.c, 50));
  world.Settle();
  CHECK(world.a.Add(-20));
  CHECK_FALSE(world.a.Add(-1));
  CHECK(world.c.Add(-20));
  CHECK_FALSE(world.c.Add(-1));
  world.Settle();
  CHECK(world.c.Give(world.a, 30));
  world.Settle();
  CHECK(world.a.Add(-30));
  world.Settle();
  CHECK(world.b.Stock() == 0);
}

TEST_CASE("no record of the table expires, and one that does gets nothing more") {
  World world;
  const auto expire = [](Region& region) {
    return region.Commit([&](LocalTxn& txn) {
      RecordEdit& edit = txn.Edit("t", "k");
      REQUIRE(edit.Set("name", "x"));
      edit.SetExpiry(region.now_ms + 100'000);
    });
  };
  const auto refused = expire(world.a);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().why == Refused::kInTheWay);
  world.b.log.push_back(StageLocal(world.b.store, ++world.b.now_ms, [&](LocalTxn& txn) {
    RecordEdit& edit = txn.Edit("t", "k");
    REQUIRE(edit.Set("name", "x"));
    edit.SetExpiry(world.b.now_ms + 100'000);
  }));
  REQUIRE(world.b.store.Commit(StampAt(world.b.now_ms + 1000)));
  CHECK(world.a.Add(5));
  world.Settle();
  CHECK_FALSE(world.a.Add(-1));
  CHECK_FALSE(world.a.Give(world.c, 1));
  CHECK(world.a.Commit([](LocalTxn& txn) { txn.Edit("t", "k").ClearExpiry(); }));
  CHECK(world.a.Add(-1));
}

TEST_CASE("the ends of 64 bits are no way around") {
  World world;
  CHECK(world.a.Add(std::numeric_limits<std::int64_t>::max()));
  CHECK_FALSE(world.a.Add(std::numeric_limits<std::int64_t>::min()));
  CHECK(world.a.Add(-std::numeric_limits<std::int64_t>::max()));
  CHECK(world.a.Stock() == 0);
}

TEST_CASE("a value of another kind, or no number, is refused and may be deleted") {
  World world;
  world.a.log.push_back(StageLocal(world.a.store, ++world.a.now_ms, [](LocalTxn& txn) {
    txn.Edit("t", "k").OverrideAs(Kind::kMin, "stock", "5");
  }));
  REQUIRE(world.a.store.Commit(StampAt(world.a.now_ms + 1000)));
  for (const char* value : {"6", "4"}) {
    (void)world.a.Commit([&](LocalTxn& txn) { (void)txn.Edit("t", "k").Set("stock", value); });
    CHECK(world.a.Stock() == 5);
  }
  World words;
  words.a.log.push_back(StageLocal(words.a.store, ++words.a.now_ms, [](LocalTxn& txn) {
    REQUIRE(txn.Edit("t", "k").Set("stock", "many"));
  }));
  REQUIRE(words.a.store.Commit(StampAt(words.a.now_ms + 1000)));
  LocalTxn local(words.a.store, Rules(), 1);
  CHECK(local.Edit("t", "k").Add("stock", 1).error() == EditError::kNotANumber);
  words.Prove();
  CHECK(words.a.Delete());
  CHECK(words.a.Add(2));
  CHECK(words.a.Own() == 2);
}

TEST_CASE("a field that runs low asks before it is empty") {
  World world;
  CHECK(world.a.Add(60));
  CHECK(world.a.Give(world.b, 12));
  world.Settle();
  const auto spend = [&](std::int64_t amount) {
    const auto taken =
        world.b.Commit([&](LocalTxn& txn) { REQUIRE(txn.Edit("t", "k").Add("stock", -amount)); });
    REQUIRE(taken);
    return taken->ahead;
  };
  CHECK(spend(1).empty());  // 11 of 59: a sixth is 9
  const auto ahead = spend(3);
  REQUIRE(ahead.size() == 1);
  CHECK(ahead[0].held == 8);
  CHECK(ahead[0].need == 0);
  CHECK(RightsToGive(48, ahead[0].held, 0) == 20);
}

TEST_CASE("a region gives half the difference, or what is needed") {
  CHECK(RightsToGive(0, 0, 5) == 0);
  CHECK(RightsToGive(-3, 0, 5) == 0);
  CHECK(RightsToGive(10, 0, 0) == 5);
  CHECK(RightsToGive(10, 20, 0) == 0);
  CHECK(RightsToGive(10, 4, 8) == 8);
  CHECK(RightsToGive(10, 4, 80) == 10);
  CHECK(RightsToGive(1, 0, 1) == 1);
  CHECK(RightsToGive(9'000'000'000'000'000'000, -9'000'000'000'000'000'000, 0) > 0);
}

// The law: whatever is added, taken and given, in whatever causal order it is seen, rights add up
// to what is shown in every region, nobody's fall below nothing, and what was taken was there.
TEST_CASE("rights add up in every region at every moment") {
  std::mt19937_64 random(42);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  std::uint64_t takes = 0, refusals = 0, gifts = 0, deletes = 0;
  for (int history = 0; history < 150; ++history) {
    World world;
    std::int64_t added = 0, taken = 0;
    for (int step = 0; step < 120; ++step) {
      Region& region = *world.all[below(kRegions)];
      Region& other = *world.all[below(kRegions)];
      const auto amount = static_cast<std::int64_t>(1 + below(9));
      switch (below(12)) {
        case 0:
        case 1:
          REQUIRE(region.Add(amount));
          added += amount;
          break;
        case 2:
        case 3:
        case 4:
        case 5:
          if (region.Add(-amount)) {
            taken += amount;
            ++takes;
          } else {
            ++refusals;
          }
          break;
        case 6:
        case 7:
          if (&region != &other && region.Give(other, amount)) ++gifts;
          break;
        case 8:
          if (below(3) == 0) {
            while (region.Own() > 0 && region.Add(-1)) ++taken;
          }
          break;
        case 9:
          if (below(3) == 0) world.Prove();
          if (region.Stock() == 0 && region.Delete()) ++deletes;
          break;
        default:
          if (&region != &other) region.TakeNext(other);
      }
      for (Region* each : world.all) {
        const Rights rights = each->All();
        REQUIRE(Sum(rights) == each->Stock());
        REQUIRE(each->Stock() >= 0);
        for (const auto& [origin, held] : rights) REQUIRE(held >= 0);
      }
    }
    world.Settle();
    for (Region* each : world.all) REQUIRE(each->Stock() == added - taken);
  }
  CHECK(takes > 1000);
  CHECK(refusals > 1000);
  CHECK(gifts > 500);
  CHECK(deletes > 20);
}

}  // namespace hawser::test
