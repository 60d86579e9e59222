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
  admin.engine.clock_ahead_ms += 2 * kLaterMs;  // as a replica's clock does, that hears of a write
}

std::string FirstId(Admin& admin, const std::string& query = "") {
  return At(admin.Call("GET", "/v1/conflicts" + query).body, "conflicts.0.id");
}

Reply Resolve(Admin& admin, const std::string& id, const std::string& take,
              Client::Headers headers = {}) {
  return admin.Json("POST", "/v1/conflicts/" + id + "/resolution",
                    R"({"take":)" + take + R"(,"reason":"the customer said so"})",
                    std::move(headers));
}

std::string Plain(Admin& admin, const std::string& key) {
  return At(admin.Call("GET", "/v1/tables/orders/records/" + key).body, "fields.");
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

TEST_CASE("the loser is taken back by one call, and the winner by another") {
  Admin admin;
  Disagree(admin, "42");
  const std::string id = FirstId(admin);
  CHECK(At(admin.Call("GET", "/v1/conflicts/" + id).body, "resolution") == "null");
  CHECK(At(admin.Call("GET", "/v1/conflicts/" + id).body, "current.fields.") == "theirs");

  const Reply taken = Resolve(admin, id, R"("loser")");
  CHECK(taken.status == 200);
  CHECK(At(taken.body, "before") == "theirs");
  CHECK(At(taken.body, "after") == "ours");
  CHECK(Plain(admin, "42") == "ours");
  const std::string one = admin.Call("GET", "/v1/conflicts/" + id).body;
  CHECK(At(one, "resolution.take") == "loser");
  CHECK(At(one, "resolution.by") == "local");
  CHECK(At(one, "resolution.region") == "us-east");
  CHECK(At(one, "resolution.reason") == "the customer said so");
  CHECK(At(one, "resolution.in_effect") == "true");
  CHECK(FirstId(admin, "?resolved=true") == id);
  CHECK(FirstId(admin, "?resolved=false").empty());

  CHECK(Resolve(admin, id, R"("winner")").status == 200);
  CHECK(Plain(admin, "42") == "theirs");
  CHECK(Resolve(admin, id, R"({"value":"a third"})").status == 200);
  CHECK(Plain(admin, "42") == "a third");
  CHECK(Resolve(admin, id, R"({"value":null})").status == 200);
  CHECK(Plain(admin, "42").empty());

  const std::string audit = admin.Call("GET", "/v1/audit").body;
  CHECK(At(audit, "chain.verified") == "true");
  CHECK(At(audit, "chain.length") == "4");
  CHECK(At(audit, "entries.3.before") == "theirs");
  CHECK(At(audit, "entries.3.after") == "ours");
  CHECK(At(audit, "entries.3.by") == "local");
  CHECK(At(audit, "entries.3.subject") == id);
  CHECK(At(audit, "entries.0.after") == "null");
  // Page by page the chain is the same.
  const std::string page = admin.Call("GET", "/v1/audit?limit=3").body;
  CHECK(At(page, "chain.verified") == "true");
  const std::string last =
      admin.Call("GET", "/v1/audit?page_token=" + At(page, "next_page_token")).body;
  CHECK(At(last, "entries.0.seq") == "1");
  CHECK(At(last, "entries.0.hash") == At(audit, "entries.3.hash"));
  CHECK(At(last, "chain.verified") == "true");
}

TEST_CASE("a resolution wins against a write that had not seen it, however late its clock") {
  Admin admin;
  Disagree(admin, "42");
  REQUIRE(Resolve(admin, FirstId(admin), R"("loser")").status == 200);
  TheyWrite(admin, "42", "later by the clock", 300'000);
  CHECK(Plain(admin, "42") == "ours");
  const std::string list = admin.Call("GET", "/v1/conflicts?resolved=false").body;
  CHECK(At(list, "conflicts.0.loser.value") == "later by the clock");
}

TEST_CASE("what was written since is not overruled unseen") {
  Admin admin;
  Disagree(admin, "42");
  const std::string id = FirstId(admin);
  WeWrite(admin, "42", "newer");
  const Reply refused = Resolve(admin, id, R"("loser")");
  CHECK(refused.status == 409);
  CHECK(At(refused.body, "code") == "CHANGED");
  CHECK(refused.Has("If-Match"));
  CHECK(Plain(admin, "42") == "newer");
  CHECK(Resolve(admin, id, R"("loser")", {{"If-Match", "\"1.0-1-0\""}}).status == 412);

  const Reply seen = admin.Call("GET", "/v1/conflicts/" + id);
  CHECK(seen.Header("etag") == refused.Header("etag"));
  CHECK(Resolve(admin, id, R"("loser")", {{"If-Match", seen.Header("etag")}}).status == 200);
  CHECK(Plain(admin, "42") == "ours");

  // Gone since: there is no version to name.
  REQUIRE(admin.Call("DELETE", "/v1/tables/orders/records/42").status == 200);
  CHECK(Resolve(admin, id, R"("winner")").status == 409);
  CHECK(Resolve(admin, id, R"("winner")", {{"If-None-Match", "*"}}).status == 200);
  CHECK(Plain(admin, "42") == "theirs");
  CHECK(Resolve(admin, id, R"("winner")", {{"If-None-Match", "*"}}).status == 412);
}

TEST_CASE("many are resolved at once, each by itself") {
  Admin admin;
  for (int i = 0; i < 130; ++i) Disagree(admin, "k" + std::to_string(i));
  WeWrite(admin, "k7", "newer");
  const Reply some = admin.Json("POST", "/v1/conflicts/resolution",
                                R"({"take":"loser","reason":"a bad import",)"
                                R"("filter":{"table":"orders"},"limit":120})");
  CHECK(some.status == 200);
  CHECK(At(some.body, "more") == "true");
  CHECK(At(some.body, "resolved") == "120");
  const Reply rest = admin.Json("POST", "/v1/conflicts/resolution",
                                R"({"take":"loser","reason":"a bad import",)"
                                R"("filter":{"table":"orders"}})");
  CHECK(At(rest.body, "more") == "false");
  CHECK(At(rest.body, "resolved") == "9");
  CHECK(At(rest.body, "refused") == "1");
  CHECK(At(rest.body, "results.2.code") == "CHANGED");
  CHECK(Plain(admin, "k7") == "newer");
  CHECK(Plain(admin, "k100") == "ours");
  CHECK(At(admin.Call("GET", "/v1/audit?limit=1").body, "chain.length") == "129");

  const std::string id = FirstId(admin, "?key=k1");
  const Reply ids = admin.Json("POST", "/v1/conflicts/resolution",
                               R"({"take":"winner","reason":"undo","ids":[")" + id + R"(",")" +
                                   std::string(32, 'a') + R"("]})");
  CHECK(At(ids.body, "resolved") == "1");
  CHECK(At(ids.body, "refused") == "1");
  CHECK(Plain(admin, "k1") == "theirs");
}

TEST_CASE("a wish that cannot be carried out says why") {
  Admin admin;
  Disagree(admin, "42");
  const std::string id = FirstId(admin);
  const std::string path = "/v1/conflicts/" + id + "/resolution";
  for (const char* body :
       {"{}", R"({"take":"loser"})", R"({"reason":"x"})", R"({"take":"both","reason":"x"})",
        R"({"take":{"v":"x"},"reason":"x"})", R"({"take":"loser","reason":" "})",
        R"({"take":"loser","reason":"x","force":true})", R"({"take":1,"reason":"x"})"}) {
    CAPTURE(body);
    CHECK(admin.Json("POST", path, body).status == 400);
  }
  for (const char* body :
       {R"({"take":"loser","reason":"x"})", R"({"take":"loser","reason":"x","ids":[]})",
        R"({"take":"loser","reason":"x","ids":["q"]})",
        R"({"take":"loser","reason":"x","filter":{}})",
        R"({"take":"loser","reason":"x","filter":{"resolved":"true"}})",
        R"({"take":"loser","reason":"x","filter":{"table":"t"},"limit":0})"}) {
    CAPTURE(body);
    CHECK(admin.Json("POST", "/v1/conflicts/resolution", body).status == 400);
  }
  CHECK(admin
            .Json("POST", "/v1/conflicts/" + std::string(32, 'b') + "/resolution",
                  R"({"take":"loser","reason":"x"})")
            .status == 404);
  admin.engine.refuse = Refusal::kFull;
  CHECK(Resolve(admin, id, R"("loser")").status == 507);
  admin.engine.refuse.reset();
  admin.engine.commits_unknown = true;
  CHECK(Resolve(admin, id, R"("loser")").status == 504);
  CHECK(At(admin.Call("GET", "/v1/audit?limit=0").body, "code") == "BADREQUEST");
  CHECK(admin.Call("GET", "/v1/audit?page_token=zz").status == 400);
}

TEST_CASE("only operators resolve and read the audit, and it names their token") {
  AdminOptions options = TestOptions();
  options.check_token = [](std::string_view token) -> std::optional<Role> {
    if (token == "ops") return Role::kOperator;
    return token == "app" ? std::optional(Role::kApp) : std::nullopt;
  };
  options.token_name = [](std::string_view token) { return "name-of-" + std::string(token); };
  Admin admin(options);
  const Client::Headers app{{"Authorization", "Bearer app"}};
  const Client::Headers ops{{"Authorization", "Bearer ops"}};
  REQUIRE(
      admin.Json("PUT", "/v1/tables/orders/records/42", R"({"fields":{"":"ours"}})", app).status ==
      201);
  TheyWrite(admin, "42", "theirs");
  const std::string id = At(admin.Call("GET", "/v1/conflicts", "", app).body, "conflicts.0.id");
  CHECK(Resolve(admin, id, R"("loser")", app).status == 403);
  admin.client = std::make_unique<Client>(admin.server->port());  // a refused body ends it
  CHECK(admin.Call("GET", "/v1/audit", "", app).status == 403);
  CHECK(Resolve(admin, id, R"("loser")", ops).status == 200);
  CHECK(At(admin.Call("GET", "/v1/audit", "", ops).body, "entries.0.by") == "name-of-ops");
}

TEST_CASE("every resolver's field can be resolved, both ways") {
  Schema schema;
  auto& fields = schema.tables["orders"].fields;
  fields["status"] = StatesRule({"OPEN", "PAID", "SHIPPED"});
  fields["born"].kind = Kind::kFirst;
  fields["most"].kind = Kind::kMax;
  fields["least"].kind = Kind::kMin;
  fields["stock"].counter = true;
  Admin admin(TestOptions(), {.schema = schema});
  const auto set = [&](const char* field, const char* value) {
    return admin
        .Json("PATCH", "/v1/tables/orders/records/1",
              std::string(R"({"fields":{")") + field + R"(":")" + value + R"("}})")
        .status;
  };
  const auto get = [&](const std::string& field) {
    return At(admin.Call("GET", "/v1/tables/orders/records/1").body, "fields." + field);
  };
  // The other region deletes and writes anew: another generation, where the kind has an order.
  const auto theirs = [&](const char* field, const char* value) {
    admin.engine.WriteElsewhere(
        RegionId{2}, [&](LocalTxn& txn) { txn.Edit("orders", "1").Override(field, value); },
        kLaterMs);
  };
  const std::tuple<const char*, const char*, const char*> kCases[] = {{"plain", "ours", "theirs"},
                                                                      {"born", "2001", "2002"},
                                                                      {"most", "10", "7"},
                                                                      {"least", "3", "5"},
                                                                      {"stock", "8", "9"}};
  for (const auto& [field, our_value, their_value] : kCases) {
    CAPTURE(field);
    REQUIRE(set(field, our_value) < 300);
    theirs(field, their_value);
    CHECK(get(field) == their_value);
    const std::string id = FirstId(admin, std::string("?field=") + field);
    REQUIRE_FALSE(id.empty());
    CHECK(Resolve(admin, id, R"("loser")").status == 200);
    CHECK(get(field) == our_value);
    CHECK(Resolve(admin, id, R"("winner")").status == 200);
    CHECK(get(field) == their_value);
  }
  const std::string stock = FirstId(admin, "?field=stock");
  CHECK(Resolve(admin, stock, R"({"value":"many"})").status == 422);

  REQUIRE(set("status", "SHIPPED") < 300);
  admin.engine.WriteElsewhere(
      RegionId{2}, [](LocalTxn& txn) { REQUIRE(txn.Edit("orders", "1").Set("status", "x")); },
      kLaterMs);
  CHECK(get("status") == "SHIPPED");  // a state wins over a plain value
  const std::string state = FirstId(admin, "?field=status");
  CHECK(At(admin.Call("GET", "/v1/conflicts/" + state).body, "kind") == "state");
  CHECK(Resolve(admin, state, R"({"value":"LOST"})").status == 422);
  CHECK(Resolve(admin, state, R"({"value":"OPEN"})").status == 200);  // back, by an operator
  CHECK(get("status") == "OPEN");
}

TEST_CASE("a record is explained: cells, nulls too, who wrote them and what gave way") {
  Admin admin;
  Disagree(admin, "42");
  REQUIRE(
      admin.Json("PATCH", "/v1/tables/orders/records/42", R"({"fields":{"note":"x"}})").status ==
      200);
  REQUIRE(
      admin.Json("PATCH", "/v1/tables/orders/records/42", R"({"fields":{"note":null}})").status ==
      200);
  REQUIRE(admin
              .Json("POST", "/v1/txn",
                    R"({"changes":[{"op":"incr","table":"orders","key":"42","field":"n","by":3}]})")
              .status == 200);
  const std::string text = admin.Call("GET", "/v1/explain/orders/42").body;
  CHECK(At(text, "state") == "alive");
  CHECK(At(text, "region") == "us-east");
  CHECK(At(text, "cells.0.value") == "theirs");
  CHECK(At(text, "cells.0.region") == "eu-west");
  CHECK(At(text, "cells.0.stable") == "false");
  CHECK(At(text, "cells.1.added.0.sum") == "3");
  CHECK(At(text, "cells.1.shows") == "3");
  CHECK(At(text, "cells.2.field") == "note");
  CHECK(At(text, "cells.2.null") == "true");
  CHECK(At(text, "conflicts.0.loser.value") == "ours");
  CHECK(At(text, "peers.0.region") == "eu-west");
  CHECK(At(text, "peers.0.asked") == "false");
  CHECK(At(text, "peers.0.answered") == "false");
  CHECK(At(text, "peers.0.detail") == "this region does not hear it");
  CHECK(At(text, "regions_agree") == "as far as they answered");
  CHECK(At(text, "cells.0.arrived_at") == "null");  // not by way of a journal
  CHECK(At(text, "cells.2.arrived_at").starts_with("20"));

  REQUIRE(Resolve(admin, FirstId(admin), R"("loser")").status == 200);
  const std::string resolved = admin.Call("GET", "/v1/explain/orders/42").body;
  CHECK(At(resolved, "cells.0.generation") == "1");
  CHECK(At(resolved, "conflicts.0.resolution.in_effect") == "true");

  REQUIRE(admin.Call("DELETE", "/v1/tables/orders/records/42").status == 200);
  CHECK(At(admin.Call("GET", "/v1/explain/orders/42").body, "state") == "dead");
  CHECK(At(admin.Call("GET", "/v1/explain/orders/never").body, "state") == "absent");
  CHECK(admin.Call("GET", "/v1/explain/!conflict/x").status == 400);
}
