#include <string>

#include "tests/daemon/admin_fixture.h"

using namespace hawser;
using namespace hawser::admin;

namespace {
constexpr const char* kTxn = "/v1/txn";
}

TEST_CASE("a txn does all of it under one dot") {
  Admin admin;
  admin.Json("PUT", "/v1/tables/t/records/gone", R"({"fields":{"a":"1"}})");
  const Reply reply = admin.Json("POST", kTxn, R"({"changes":[
      {"op":"put","table":"t","key":"a","fields":{"x":"1"}},
      {"op":"patch","table":"t","key":"b","fields":{"y":"2"},"expires_at":"2999-01-01T00:00:00Z"},
      {"op":"delete","table":"t","key":"gone"},
      {"op":"incr","table":"t","key":"n","by":5},
      {"op":"incr","table":"t","key":"n","by":"-2"},
      {"op":"incr","table":"t","key":"f","field":"v","by":1.5}]})");
  CHECK(reply.status == 200);
  CHECK(At(reply.body, "dot.seq") == "2");
  CHECK(At(reply.body, "results.0.result") == "created");
  CHECK(At(reply.body, "results.2.result") == "deleted");
  CHECK(At(reply.body, "results.3.value") == "5");
  CHECK(At(reply.body, "results.4.value") == "3");
  CHECK(At(reply.body, "results.5.value") == "1.5");
  CHECK(At(admin.Call("GET", "/v1/tables/t/records/a").body, "fields.x") == "1");
  CHECK(At(admin.Call("GET", "/v1/tables/t/records/n").body, "fields.") == "3");
  CHECK(admin.Call("GET", "/v1/tables/t/records/gone").status == 404);
  CHECK(At(admin.Call("GET", "/v1/tables/t/records/a").body, "version") ==
        At(reply.body, "results.0.version"));
}

TEST_CASE("a txn does nothing if one change cannot be") {
  Admin admin;
  admin.Json("PUT", "/v1/tables/t/records/text", R"({"fields":{"":"abc"}})");
  const Reply reply = admin.Json("POST", kTxn, R"({"changes":[
      {"op":"put","table":"t","key":"a","fields":{"x":"1"}},
      {"op":"incr","table":"t","key":"text","by":1}]})");
  CHECK(reply.status == 422);
  CHECK(At(reply.body, "code") == "NOTANUMBER");
  CHECK(At(reply.body, "detail").starts_with("changes[1]: "));
  CHECK(admin.Call("GET", "/v1/tables/t/records/a").status == 404);

  const Reply unmet = admin.Json("POST", kTxn, R"({"changes":[
      {"op":"put","table":"t","key":"a","fields":{"x":"1"}},
      {"op":"put","table":"t","key":"text","fields":{"":"x"},"if_absent":true}]})");
  CHECK(unmet.status == 412);
  CHECK(admin.Call("GET", "/v1/tables/t/records/a").status == 404);
}

TEST_CASE("conditions in a txn look at the records before it") {
  Admin admin;
  const Reply put = admin.Json("PUT", "/v1/tables/t/records/k", R"({"fields":{"":"1"}})");
  const std::string version = At(put.body, "version");
  const std::string body = R"({"changes":[
      {"op":"put","table":"t","key":"k","fields":{"":"2"},"if_version":")" +
                           version + R"("},
      {"op":"patch","table":"t","key":"k","fields":{"b":"3"},"if_version":")" +
                           version + R"("},
      {"op":"put","table":"t","key":"new","fields":{"":"x"},"if_absent":true}]})";
  CHECK(admin.Json("POST", kTxn, body).status == 200);
  CHECK(admin.Json("POST", kTxn, body).status == 412);
}

TEST_CASE("txns that say nothing clear are refused, with the place") {
  Admin admin;
  for (const char* changes :
       {"", "{}", "1", R"([])", R"([1])", R"([{}])", R"([{"op":"put","table":"t"}])",
        R"([{"op":"nosuch","table":"t","key":"k"}])", R"([{"op":"claim","table":"t","key":"k"}])",
        R"([{"op":"put","table":"!t","key":"k","fields":{"":"x"}}])",
        R"([{"op":"put","table":"t","key":7,"fields":{"":"x"}}])",
        R"([{"op":"delete","table":"t","key":"k","fields":{}}])",
        R"([{"op":"incr","table":"t","key":"k"}])",
        R"([{"op":"incr","table":"t","key":"k","by":"x"}])",
        R"([{"op":"incr","table":"t","key":"k","by":"1e999"}])",
        R"([{"op":"incr","table":"t","key":"k","by":9223372036854775808}])",
        R"([{"op":"incr","table":"t","key":"k","by":"9223372036854775808"}])",
        R"([{"op":"incr","table":"t","key":"k","by":1,"if_version":7}])",
        R"([{"op":"incr","table":"t","key":"k","by":1,"if_absent":false}])"}) {
    CAPTURE(changes);
    const Reply reply = admin.Json("POST", kTxn, R"({"changes":)" + std::string(changes) + "}");
    CHECK(reply.status == 400);
  }
  CHECK(admin.Json("POST", kTxn, "{}").status == 400);
  CHECK(admin.engine.applied().empty());
}

TEST_CASE("a sum past 64 bits is refused and leaves the counter as it was") {
  Admin admin;
  const auto add = [&](const std::string& by) {
    return admin.Json("POST", kTxn,
                      R"({"changes":[{"op":"incr","table":"t","key":"k","by":")" + by + R"("}]})");
  };
  CHECK(add("9223372036854775807").status == 200);
  const Reply over = add("1");
  CHECK(over.status == 422);
  CHECK(At(over.body, "code") == "OVERFLOW");
  CHECK(At(admin.Call("GET", "/v1/tables/t/records/k").body, "fields.") == "9223372036854775807");
}

TEST_CASE("a txn holds no more changes than its bound") {
  AdminOptions options = TestOptions();
  options.txn_changes_max = 3;
  Admin admin(options);
  const auto body = [](int changes) {
    std::string text = R"({"changes":[)";
    for (int i = 0; i < changes; ++i) {
      if (i > 0) text += ',';
      text += R"({"op":"put","table":"t","key":")" + std::to_string(i) + R"(","fields":{"":"x"}})";
    }
    return text + "]}";
  };
  CHECK(admin.Json("POST", kTxn, body(3)).status == 200);
  const Reply over = admin.Json("POST", kTxn, body(4));
  CHECK(over.status == 413);
  CHECK(At(over.body, "code") == "TOOBIG");
}

TEST_CASE("a txn that writes nothing has no dot and waits for nobody") {
  Admin admin;
  admin.engine.acks = [](const AckWait&) -> int {
    FAIL("nothing to wait for");
    return 0;
  };
  const Reply reply =
      admin.Json("POST", kTxn, R"({"changes":[{"op":"delete","table":"t","key":"k"}]})",
                 {{"Hawser-Wait-Regions", "all"}, {"Prefer", "wait=1"}});
  CHECK(reply.status == 200);
  CHECK(At(reply.body, "results.0.result") == "absent");
  CHECK(At(reply.body, "dot") == "null");
  CHECK(At(reply.body, "acks").empty());
}

TEST_CASE("a txn with a claim that is taken writes nothing at all") {
  FakeEngineOptions options;
  options.schema.unique.insert("login");
  Admin admin(TestOptions(), options);
  const auto sign_up = [&admin](const std::string& owner) {
    return admin.Json("POST", kTxn,
                      R"({"changes":[{"op":"put","table":"account","key":")" + owner +
                          R"(","fields":{"login":"anna"}},
                          {"op":"claim","name":"login","value":"anna","owner":")" +
                          owner + R"("}]})");
  };
  const Reply first = sign_up("u1");
  CHECK(first.status == 200);
  CHECK(At(first.body, "results.1.state") == "pending");
  const Reply second = sign_up("u2");
  CHECK(second.status == 409);
  CHECK(At(second.body, "code") == "TAKEN");
  CHECK(admin.Call("GET", "/v1/tables/account/records/u2").status == 404);
  const Reply look = admin.Call("GET", "/v1/unique/login/anna");
  CHECK(look.status == 200);
  CHECK(At(look.body, "owner") == "u1");
  CHECK(At(look.body, "silent_regions.0") == "eu-west");
  CHECK(admin.Call("DELETE", "/v1/unique/login/anna?owner=u2").status == 409);
  CHECK(admin.Call("DELETE", "/v1/unique/login/anna?owner=u1").status == 200);
  CHECK(admin.Call("GET", "/v1/unique/login/anna").status == 404);
}

TEST_CASE("a lost or confirmed claim ends the wait for it") {
  FakeEngineOptions options;
  options.schema.unique.insert("login");
  Admin admin(TestOptions(), options);
  const Reply pending = admin.Json("PUT", "/v1/unique/login/anna", R"({"owner":"u1"})");
  CHECK(pending.status == 201);
  CHECK(At(pending.body, "state") == "pending");
  admin.engine.proof =
      Proof{.stable = {.cut = admin.engine.applied(), .clock_ms = 0}, .compared = true};
  const Reply confirmed =
      admin.Json("PUT", "/v1/unique/login/anna", R"({"owner":"u1"})", {{"Prefer", "wait=5"}});
  CHECK(confirmed.status == 200);
  CHECK(At(confirmed.body, "state") == "confirmed");
}
