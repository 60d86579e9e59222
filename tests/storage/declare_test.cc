#include "storage/declare.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "conflict/declaration.h"
#include "storage/memory_store.h"
#include "tests/storage/author.h"

using namespace hawser;

namespace {

Schema SchemaOf(std::vector<std::string> states) {
  Schema schema;
  schema.tables["orders"].fields["status"] = StatesRule(std::move(states));
  return schema;
}

// One region's store, and what it says is declared.
class Site {
 public:
  explicit Site(std::uint8_t id)
      : store_(MemoryStoreOptions{
            .region = RegionId{id}, .cluster_id = test::kCluster, .incarnation = Incarnation{id}}) {
    AddInternalRules(internal_);
  }

  test::Shipped Commit(const Schema& schema, std::int64_t now_ms, Declaring* outcome = nullptr) {
    LocalTxn local(store_, internal_, now_ms);
    Declaring declaring = Declare(schema, local);
    if (outcome) *outcome = declaring;
    REQUIRE(declaring.contradictions.empty());
    const test::Shipped shipped = test::StageTxn(store_, now_ms, local);
    test::MustCommit(store_);
    return shipped;
  }
  Declaring Try(const Schema& schema, std::int64_t now_ms) {
    LocalTxn local(store_, internal_, now_ms);
    return Declare(schema, local);
  }
  void Receive(const test::Shipped& shipped) { test::Receive(store_, shipped); }

  Schema Declared() {
    Schema schema;
    for (const auto& [row_key, bytes] : test::AllRows(store_)) {
      if (SplitRowKey(row_key).table != kDeclarationTable) continue;
      Record record;
      REQUIRE(DecodeRecord(bytes, record));
      TakeDeclaration(SplitRowKey(row_key).key, record, schema);
    }
    return schema;
  }
  std::vector<std::string> States() { return Declared().Rule("orders", "status").states; }

 private:
  MemoryStore store_;
  Schema internal_;
};

}  // namespace

TEST_CASE("what is declared reads back, and is declared once only") {
  Schema schema = SchemaOf({"OPEN", "PAID"});
  schema.tables["orders"].fields[""].counter = true;
  schema.tables["orders"].placement = "global";
  schema.tables["users"].placement = "homed";
  schema.tables["users"].default_home = "eu-west";
  schema.tables["users"].index = {"email", "phone"};
  schema.unique = {"login"};
  Site site(1);
  site.Commit(schema, 1000);
  CHECK(site.Declared() == schema);
  CHECK(Raw(site.Commit(schema, 1001).seq) == 0);  // nothing to say
}

TEST_CASE("another placement, home or rule contradicts; more indexes do not") {
  Schema schema;
  schema.tables["users"].placement = "homed";
  schema.tables["users"].default_home = "eu-west";
  schema.tables["users"].fields["name"].kind = Kind::kMax;
  Site site(1);
  site.Commit(schema, 1000);
  Schema other = schema;
  other.tables["users"].placement = "global";
  other.tables["users"].default_home = "us-east";
  other.tables["users"].fields["name"].kind = Kind::kMin;
  const Declaring declaring = site.Try(other, 1001);
  REQUIRE(declaring.contradictions.size() == 3);
  CHECK(declaring.contradictions[0].key == "placement");
  CHECK(declaring.contradictions[1].key == "default_home");
  CHECK(declaring.contradictions[2].key == "resolve");
  CHECK(declaring.contradictions[2].field == "name");
  schema.tables["users"].index = {"email"};
  site.Commit(schema, 1002);
  CHECK(site.Declared() == schema);
}

TEST_CASE("lines extended in several regions at once are one line everywhere, in any order") {
  Site author(1), left(2), right(3);
  const test::Shipped base = author.Commit(SchemaOf({"OPEN", "PAID", "SHIPPED"}), 1000);
  left.Receive(base);
  right.Receive(base);
  // Added by both, by each alone in the same gap, and by one behind another's addition.
  const std::vector<test::Shipped> later = {
      author.Commit(SchemaOf({"OPEN", "CHECKED", "PAID", "SHIPPED", "CLOSED"}), 1010),
      left.Commit(SchemaOf({"OPEN", "FROZEN", "PAID", "SHIPPED", "CLOSED", "FILED"}), 1011),
      right.Commit(SchemaOf({"NEW", "OPEN", "PAID", "SHIPPED", "FILED"}), 1012)};
  std::vector<std::size_t> order(later.size());
  std::iota(order.begin(), order.end(), 0);
  std::optional<Schema> settled;
  do {
    Site reader(9);
    reader.Receive(base);
    for (const std::size_t i : order) reader.Receive(later[i]);
    if (!settled) settled = reader.Declared();
    CHECK(reader.Declared() == *settled);
  } while (std::ranges::next_permutation(order).found);
  const FieldRule& rule = settled->Rule("orders", "status");
  CHECK(rule.states.size() == 8);
  CHECK(rule.RankOf("NEW") < rule.RankOf("OPEN"));
  CHECK(rule.RankOf("CHECKED") < rule.RankOf("PAID"));
  CHECK(rule.RankOf("FROZEN") < rule.RankOf("PAID"));
  CHECK(rule.RankOf("CLOSED") > rule.RankOf("SHIPPED"));
}

TEST_CASE(
    "of two lines declared at once the earlier holds; what the other adds can be added to it") {
  Site one(1), two(2);
  const test::Shipped earlier = one.Commit(SchemaOf({"OPEN", "PAID"}), 1000);
  const test::Shipped later = two.Commit(SchemaOf({"NEW", "OPEN", "PAID", "GONE"}), 1001);
  one.Receive(later);
  two.Receive(earlier);
  CHECK(one.States() == std::vector<std::string>{"OPEN", "PAID"});
  CHECK(two.States() == one.States());
  // The later region's configuration is no contradiction: it extends the line that won.
  const test::Shipped extension = two.Commit(SchemaOf({"NEW", "OPEN", "PAID", "GONE"}), 1002);
  one.Receive(extension);
  CHECK(one.States() == std::vector<std::string>{"NEW", "OPEN", "PAID", "GONE"});
  CHECK(one.Declared() == two.Declared());
  Declaring outcome;
  one.Commit(SchemaOf({"OPEN", "PAID"}), 1003, &outcome);
  REQUIRE(outcome.older.size() == 1);
  CHECK(outcome.older[0].text.find("\"NEW\" \"GONE\"") != std::string::npos);
}
