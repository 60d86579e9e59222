#include <string>
#include <vector>

#include "conflict/record.h"
#include "tests/daemon/admin_fixture.h"

using namespace hawser;
using namespace hawser::admin;

namespace {

constexpr std::int64_t kLaterMs = 100;

// The other region writes a plain value that has not seen ours.
void TheyWrite(Admin& admin, const std::string& key, const std::string& value,
               std::int64_t ahead_ms = kLaterMs) {
  admin.engine.WriteElsewhere(
      RegionId{2}, [&](LocalTxn& txn) { REQUIRE(txn.Edit("orders", key).ReplaceWith("", value)); },
      ahead_ms);
}

void WeWrite(Admin& admin, const std::string& key, const std::string& value) {
  REQUIRE(
      admin.Json("PUT", "/v1/tables/orders/records/" + key, R"({"fields":{"":")" + value + R"("}})")
          .status < 300);
}

void Disagree(Admin& admin, const std::string& key) {
  WeWrite(admin, key, "ours");
  TheyWrite(admin, key, "theirs");
}

}  // namespace

TEST_CASE("a value that gave way is listed with both sides") {
  Admin admin;
  Disagree(admin, "42");
  const Reply list = admin.Call("GET", "/v1/conflicts");
  CHECK(list.status == 200);
  CHECK(At(list.body, "conflicts.0.table") == "orders");
  CHECK(At(list.body, "conflicts.0.key") == "42");
  CHECK(At(list.body, "conflicts.0.field").empty());
  CHECK(At(list.body, "conflicts.0.kind") == "write");
  CHECK(At(list.body, "conflicts.0.rule") == "lww");
  CHECK(At(list.body, "conflicts.0.winner.value") == "theirs");
  CHECK(At(list.body, "conflicts.0.winner.region") == "eu-west");
  CHECK(At(list.body, "conflicts.0.loser.value") == "ours");
  CHECK(At(list.body, "conflicts.0.loser.region") == "us-east");
  CHECK(At(list.body, "conflicts.1").empty());
  CHECK(At(list.body, "next_page_token").empty());

  const std::string id = At(list.body, "conflicts.0.id");
  const Reply one = admin.Call("GET", "/v1/conflicts/" + id);
  CHECK(one.status == 200);
  CHECK(At(one.body, "id") == id);
  CHECK(At(one.body, "loser.version") == At(list.body, "conflicts.0.loser.version"));
}

TEST_CASE("a value that gave way to a delete says so, and an expiry is told as a time") {
  Admin admin;
  WeWrite(admin, "gone", "ours");
  admin.engine.WriteElsewhere(
      RegionId{2},
      [](LocalTxn& txn) {
        RecordEdit& edit = txn.Edit("orders", "gone");
        REQUIRE(edit.Set("", "x"));
      },
      -1000);
  admin.engine.WriteElsewhere(
      RegionId{2}, [](LocalTxn& txn) { txn.Edit("orders", "gone").DeleteAll(); }, kLaterMs);
  const Reply gone = admin.Call("GET", "/v1/conflicts?kind=delete");
  CHECK(At(gone.body, "conflicts.0.winner.value") == "null");
  CHECK(At(gone.body, "conflicts.0.loser.value") == "ours");

  REQUIRE(admin.Json("PATCH", "/v1/tables/orders/records/ttl", R"({"fields":{"a":"1"}})").status <
          300);
  REQUIRE(admin
              .Json("PATCH", "/v1/tables/orders/records/ttl",
                    R"({"expires_at":"2040-01-01T00:00:00Z"})")
              .status < 300);
  admin.engine.WriteElsewhere(
      RegionId{2},
      [](LocalTxn& txn) {
        RecordEdit& edit = txn.Edit("orders", "ttl");
        REQUIRE(edit.Set("b", "2"));
        edit.SetExpiry(2'000'000'000'000);
      },
      kLaterMs);
  const Reply expiry = admin.Call("GET", "/v1/conflicts?key=ttl");
  CHECK(At(expiry.body, "conflicts.0.expiry") == "true");
  CHECK(At(expiry.body, "conflicts.0.field") == "null");
  CHECK(At(expiry.body, "conflicts.0.winner.value") == "2033-05-18T03:33:20.000Z");
  CHECK(At(expiry.body, "conflicts.0.loser.value") == "2040-01-01T00:00:00.000Z");
}

TEST_CASE("the list is newest first, and its pages give each conflict once") {
  Admin admin;
  for (int i = 0; i < 7; ++i) Disagree(admin, "k" + std::to_string(i));
  std::vector<std::string> keys;
  std::string token;
  int pages = 0;
  do {
    const Reply page =
        admin.Call("GET", "/v1/conflicts?limit=3" + (token.empty() ? "" : "&page_token=" + token));
    REQUIRE(page.status == 200);
    for (int i = 0; i < 3; ++i) {
      const std::string key = At(page.body, "conflicts." + std::to_string(i) + ".key");
      if (!key.empty()) keys.push_back(key);
    }
    // What comes in between is on the first page, not on a later one.
    if (pages == 0) Disagree(admin, "late");
    token = At(page.body, "next_page_token");
    REQUIRE(++pages < 10);
  } while (!token.empty());
  CHECK(keys == std::vector<std::string>{"k6", "k5", "k4", "k3", "k2", "k1", "k0"});
  CHECK(At(admin.Call("GET", "/v1/conflicts?limit=1").body, "conflicts.0.key") == "late");
}

TEST_CASE("filters narrow the list, and a wrong one says what it takes") {
  Admin admin;
  Disagree(admin, "a");
  Disagree(admin, "b");
  const std::string at = At(admin.Call("GET", "/v1/conflicts?key=a").body, "conflicts.0.at");
  const auto count = [&](const std::string& query) {
    const Reply reply = admin.Call("GET", "/v1/conflicts?" + query);
    REQUIRE(reply.status == 200);
    int found = 0;
    while (!At(reply.body, "conflicts." + std::to_string(found) + ".id").empty()) ++found;
    return found;
  };
  CHECK(count("table=orders") == 2);
  CHECK(count("table=other") == 0);
  CHECK(count("key=b") == 1);
  CHECK(count("field=") == 2);
  CHECK(count("field=x") == 0);
  CHECK(count("kind=write") == 2);
  CHECK(count("kind=claim") == 0);
  CHECK(count("region=eu-west") == 2);
  CHECK(count("since=" + at) == 2);
  CHECK(count("until=" + at) == 0);
  CHECK(count("since=2100-01-01T00:00:00Z") == 0);
  CHECK(count("until=2100-01-01T00:00:00Z") == 2);
  CHECK(count("until=1970-01-01T00:00:00Z") == 0);

  for (const char* bad : {"kind=odd", "region=mars", "since=today", "until=1", "limit=0", "limit=x",
                          "page_token=abc", "resolved=maybe", "colour=red"}) {
    CAPTURE(bad);
    const Reply reply = admin.Call("GET", std::string("/v1/conflicts?") + bad);
    CHECK(reply.status == 400);
    CHECK(At(reply.body, "code") == "BADREQUEST");
  }
  CHECK(admin.Call("GET", "/v1/conflicts/" + std::string(32, '0')).status == 404);
  CHECK(admin.Call("GET", "/v1/conflicts/xyz").status == 404);
}
