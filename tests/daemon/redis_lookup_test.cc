// HAWSER LOOKUP: keys by the value of an indexed field.

#include "storage/declare.h"
#include "tests/daemon/redis_fixture.h"

namespace hawser::test {
namespace {

// As a region does that declares it; `upkeeps` pieces of building follow.
void DeclareIndex(RedisFixture& fixture, const std::string& table, const std::string& field,
                  int upkeeps = 4) {
  Schema schema;
  schema.tables[table].index.insert(field);
  fixture.engine.WriteElsewhere(
      [&](LocalTxn& txn) { REQUIRE(Declare(schema, txn).contradictions.empty()); });
  for (int i = 0; i < upkeeps; ++i) fixture.engine.Upkeep();
}

TEST_CASE("a customer is found by e-mail as soon as it is written, and by the new one only") {
  RedisFixture fixture;
  DeclareIndex(fixture, "customers", "email");
  Play(fixture, R"(
    > HSET customers:1 email a@x name Ann
    :2
    > HSET customers:2 email a@x
    :1
    > HSET orders:1 email a@x
    :1
    > HAWSER LOOKUP customers email a@x
    [nil, ["customers:1", "customers:2"]]
    > HSET customers:1 email b@x
    :0
    > HAWSER LOOKUP customers email a@x
    [nil, ["customers:2"]]
    > HAWSER LOOKUP customers email b@x
    [nil, ["customers:1"]]
    > HAWSER LOOKUP customers email nobody@x
    [nil, []]
    > DEL customers:1
    :1
    > HAWSER LOOKUP customers email b@x
    [nil, []]
    > PEXPIRE customers:2 50
    :1
    > HAWSER LOOKUP customers email a@x
    [nil, ["customers:2"]]
    @ 50
    > HAWSER LOOKUP customers email a@x
    [nil, []]
  )");
}

TEST_CASE("what another region wrote is found too") {
  RedisFixture fixture;
  DeclareIndex(fixture, "customers", "email");
  fixture.engine.WriteElsewhere(
      [](LocalTxn& txn) { REQUIRE(txn.Edit("customers", "7").Set("email", "c@x")); });
  Play(fixture, R"(
    > HAWSER LOOKUP customers email c@x
    [nil, ["customers:7"]]
  )");
}

TEST_CASE("many customers of one value come page by page") {
  RedisFixture fixture;
  DeclareIndex(fixture, "default", "tag");
  Play(fixture, R"(
    > HSET a tag x
    :1
    > HSET b tag x
    :1
    > HSET c tag x
    :1
    > HAWSER LOOKUP default tag x LIMIT 2
    ["b", ["a", "b"]]
    > HAWSER LOOKUP default tag x LIMIT 2 AFTER b
    [nil, ["c"]]
    > HAWSER LOOKUP default tag x LIMIT 3
    [nil, ["a", "b", "c"]]
    > HAWSER LOOKUP default tag x LIMIT 0
    -ERR LIMIT is a number from 1 to 1000
    > HAWSER LOOKUP default tag x AFTER orders:1
    -ERR AFTER takes a key of that table, as the reply before gave it
    > HAWSER LOOKUP default tag x AFTER
    -ERR syntax error
    > HAWSER LOOKUP default tag x FROM a
    -ERR syntax error
    > HAWSER LOOKUP no/table tag x
    -ERR this is no table name
  )");
}

TEST_CASE("a lookup without an index names those that are; one being built says how far it is") {
  RedisFixture fixture;
  Play(fixture, R"(
    > HSET customers:1 email a@x
    :1
    > HAWSER LOOKUP customers email a@x
    -NOINDEX table "customers" has no index over "email"; it has none at all. …
  )");
  DeclareIndex(fixture, "customers", "email", 0);
  Play(fixture, R"(
    > HAWSER LOOKUP customers email a@x
    -TRYAGAIN the index of table "customers" over "email" is being built, 0 records so far: ask again
  )");
  for (int i = 0; i < 4; ++i) fixture.engine.Upkeep();
  Play(fixture, R"(
    > HAWSER LOOKUP customers email a@x
    [nil, ["customers:1"]]
    > HAWSER LOOKUP customers phone 1
    -NOINDEX table "customers" has no index over "phone"; it has one over "email". …
  )");
}

}  // namespace
}  // namespace hawser::test
