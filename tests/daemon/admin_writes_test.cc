#include <unistd.h>

#include <string>

#include "tests/daemon/admin_fixture.h"

using namespace hawser;
using namespace hawser::admin;

namespace {

Schema TestSchema() {
  Schema schema;
  schema.tables["orders"].fields["status"] = StatesRule({"OPEN", "PAID", "SHIPPED"});
  schema.tables["orders"].fields["born"].kind = Kind::kFirst;
  schema.tables["orders"].fields["high"].kind = Kind::kMax;
  schema.tables["orders"].fields["stock"].counter = true;
  return schema;
}

FakeEngineOptions WithSchema() {
  FakeEngineOptions options;
  options.schema = TestSchema();
  return options;
}

constexpr const char* kPath = "/v1/tables/t/records/k";
constexpr const char* kOrder = "/v1/tables/orders/records/1";

}  // namespace

TEST_CASE("PUT replaces, PATCH amends, null removes") {
  Admin admin;
  admin.Json("PUT", kPath, R"({"fields":{"a":"1","b":"2"},"expires_at":"2999-01-01T00:00:00Z"})");
  CHECK(admin.Json("PATCH", kPath, R"({"fields":{"b":null,"c":"3"}})").status == 200);
  Reply got = admin.Call("GET", kPath);
  CHECK(At(got.body, "fields.a") == "1");
  CHECK(At(got.body, "fields.b").empty());
  CHECK(At(got.body, "fields.c") == "3");
  CHECK_FALSE(At(got.body, "expires_at").empty());

  const Reply put = admin.Json("PUT", kPath, R"({"fields":{"z":"9"}})");
  CHECK(put.status == 200);
  CHECK(At(put.body, "result") == "updated");
  got = admin.Call("GET", kPath);
  CHECK(At(got.body, "fields.a").empty());
  CHECK(At(got.body, "fields.z") == "9");
  CHECK(At(got.body, "expires_at").empty());  // a replaced record does not inherit an expiry
}

TEST_CASE("PATCH makes a record, and unmakes it with its last field") {
  Admin admin;
  CHECK(admin.Json("PATCH", kPath, R"({"fields":{"a":"1"}})").status == 201);
  const Reply last = admin.Json("PATCH", kPath, R"({"fields":{"a":null}})");
  CHECK(last.status == 200);
  CHECK(At(last.body, "result") == "deleted");
  CHECK(admin.Call("GET", kPath).status == 404);
  const Reply expire = admin.Json("PATCH", kPath, R"({"expires_at":"2999-01-01T00:00:00Z"})");
  CHECK(expire.status == 422);
}

TEST_CASE("DELETE removes what is there and says when nothing is") {
  Admin admin;
  CHECK(admin.Call("DELETE", kPath).status == 404);
  admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})");
  const Reply gone = admin.Call("DELETE", kPath);
  CHECK(gone.status == 200);
  CHECK(At(gone.body, "result") == "deleted");
  CHECK(admin.Call("GET", kPath).status == 404);
  CHECK(admin.Call("DELETE", kPath).status == 404);
  CHECK(admin.Json("PUT", kPath, R"({"fields":{"a":"2"}})").status == 201);  // and born again
}

TEST_CASE("compare-and-set: only who has seen the newest version writes") {
  Admin admin;
  const std::string old_tag = admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})").Header("etag");
  const Reply second = admin.Json("PUT", kPath, R"({"fields":{"a":"2"}})", {{"If-Match", old_tag}});
  CHECK(second.status == 200);
  for (const char* method : {"PUT", "PATCH"}) {
    const Reply stale =
        admin.Json(method, kPath, R"({"fields":{"a":"3"}})", {{"If-Match", old_tag}});
    CHECK(stale.status == 412);
    CHECK(At(stale.body, "code") == "PRECONDITION");
    CHECK(stale.Header("etag") == second.Header("etag"));
  }
  CHECK(admin.Call("DELETE", kPath, "", {{"If-Match", old_tag}}).status == 412);
  CHECK(At(admin.Call("GET", kPath).body, "fields.a") == "2");
  CHECK(admin.Call("DELETE", kPath, "", {{"If-Match", old_tag + ", " + second.Header("etag")}})
            .status == 200);
  CHECK(admin.Json("PUT", kPath, R"({"fields":{"a":"4"}})", {{"If-Match", "*"}}).status == 412);
  CHECK(admin.Json("PUT", kPath, R"({"fields":{"a":"4"}})", {{"If-Match", old_tag}}).status == 412);
}

TEST_CASE("If-None-Match: * creates and never overwrites") {
  Admin admin;
  const Client::Headers create{{"If-None-Match", "*"}};
  CHECK(admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})", create).status == 201);
  CHECK(admin.Json("PUT", kPath, R"({"fields":{"a":"2"}})", create).status == 412);
  CHECK(At(admin.Call("GET", kPath).body, "fields.a") == "1");
  admin.Call("DELETE", kPath);
  CHECK(admin.Json("PUT", kPath, R"({"fields":{"a":"3"}})", create).status == 201);
}

TEST_CASE("an increment changes the version that compare-and-set looks at") {
  Admin admin({TestOptions()}, WithSchema());
  const auto incr =
      R"({"changes":[{"op":"incr","table":"orders","key":"1","field":"stock","by":5}]})";
  admin.Json("POST", "/v1/txn", incr);
  const std::string tag = admin.Call("GET", kOrder).Header("etag");
  admin.Json("POST", "/v1/txn", incr);
  CHECK(admin.Call("GET", kOrder).Header("etag") != tag);
  CHECK(admin.Json("PATCH", kOrder, R"({"fields":{"stock":"0"}})", {{"If-Match", tag}}).status ==
        412);
}

TEST_CASE("conditions that cannot be met are refused as such") {
  Admin admin;
  for (const char* tag : {"abc", "\"", "\"a\" \"b\"", "\"a\",b"}) {
    CAPTURE(tag);
    CHECK(admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})", {{"If-Match", tag}}).status == 400);
  }
  CHECK(admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})", {{"If-None-Match", "\"x\""}}).status ==
        400);
  CHECK(admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})", {{"If-Match", "W/\"x\""}}).status ==
        412);
  CHECK(admin.Call("GET", kPath).status == 404);
}

TEST_CASE("declared fields keep their rules at the REST door") {
  Admin admin({TestOptions()}, WithSchema());
  CHECK(admin.Json("PUT", kOrder, R"({"fields":{"status":"PAID","born":"x","high":"7"}})").status ==
        201);

  const Reply back = admin.Json("PATCH", kOrder, R"({"fields":{"status":"OPEN"}})");
  CHECK(back.status == 409);
  CHECK(At(back.body, "code") == "BACKWARDS");
  CHECK(admin.Json("PUT", kOrder, R"({"fields":{"status":"OPEN"}})").status == 409);
  const Reply unknown = admin.Json("PATCH", kOrder, R"({"fields":{"status":"LOST"}})");
  CHECK(unknown.status == 422);
  CHECK(At(unknown.body, "code") == "NOTASTATE");
  const Reply twice = admin.Json("PATCH", kOrder, R"({"fields":{"born":"y"}})");
  CHECK(twice.status == 409);
  CHECK(At(twice.body, "code") == "IMMUTABLE");
  const Reply lower = admin.Json("PATCH", kOrder, R"({"fields":{"high":"3","note":"n"}})");
  CHECK(lower.status == 200);
  CHECK(At(lower.body, "not_written.0") == "high");
  const Reply got = admin.Call("GET", kOrder);
  CHECK(At(got.body, "fields.status") == "PAID");
  CHECK(At(got.body, "fields.born") == "x");
  CHECK(At(got.body, "fields.high") == "7");
  CHECK(At(got.body, "fields.note") == "n");
}

TEST_CASE("bodies that say nothing clear are refused") {
  Admin admin;
  for (const char* body : {"",
                           "{",
                           "[]",
                           "1",
                           "\"x\"",
                           "{}",
                           R"({"fields":{}})",
                           R"({"fields":[]})",
                           R"({"fields":{"a":1}})",
                           R"({"fields":{"a":true}})",
                           R"({"fields":{"a":null}})",
                           R"({"fields":{"a":["x"]}})",
                           R"({"fields":{"a":{"base64":"?"}}})",
                           R"({"fields":{"a":{"base64":"AA=="  ,"x":1}}})",
                           R"({"fields":{"a":"1","a":"2"}})",
                           R"({"fields":{"a":"1"},"extra":1})",
                           R"({"fields":{"a":"1"},"expires_at":"tomorrow"})",
                           R"({"fields":{"a":"1"},"expires_at":5})",
                           R"({"fields":{"a":NaN}})",
                           R"({"fields":{"a":"1"}} x)",
                           "{\"fields\":{\"a\":\"\xFF\"}}",
                           "{\"fields\":{\"a\":\"\xC0\x80\"}}",
                           R"({"fields":{"a":"\ud800"}})",
                           R"({"binary_fields":{"a":1}})",
                           R"({"binary_fields":[{"name":"a"}]})",
                           R"({"fields":{"a":"1"},"binary_fields":[{"name":"a","value":"2"}]})"}) {
    CAPTURE(body);
    const Reply reply = admin.Json("PUT", kPath, body);
    CHECK(reply.status == 400);
    CHECK_FALSE(At(reply.body, "detail").empty());
  }
  CHECK(admin.Call("GET", kPath).status == 404);
}

TEST_CASE("a body without a known type is refused, so that a web page's form cannot write") {
  Admin admin;
  const std::string body = R"({"fields":{"a":"1"}})";
  CHECK(admin.Call("PUT", kPath, body).status == 415);
  CHECK(admin.Call("PUT", kPath, body, {{"Content-Type", "application/x-www-form-urlencoded"}})
            .status == 415);
  CHECK(admin.Call("PATCH", kPath, body, {{"Content-Type", "text/plain"}}).status == 415);
  const std::string txn = R"({"changes":[{"op":"delete","table":"t","key":"k"}]})";
  CHECK(admin.Call("POST", "/v1/txn", txn, {{"Content-Type", "text/plain"}}).status == 415);
  CHECK(admin
            .Call("PATCH", kPath, body,
                  {{"Content-Type", "application/merge-patch+json; charset=utf-8"}})
            .status == 201);
}

TEST_CASE("a reply names how many regions have the write, and never pretends") {
  Admin admin;
  const std::string body = R"({"fields":{"a":"1"}})";
  const Reply all =
      admin.Json("PUT", kPath, body, {{"Prefer", "wait=5"}, {"Hawser-Wait-Regions", "all"}});
  CHECK(all.status == 201);
  CHECK(all.Header("hawser-acked-regions") == "1");
  CHECK(all.Header("preference-applied") == "wait=5");
  CHECK(all.Header("hawser-degraded").empty());
  CHECK(At(all.body, "acks.degraded") == "false");

  AckWait seen;
  admin.engine.acks = [&seen](const AckWait& wait) {
    seen = wait;
    return 0;
  };
  const Reply none = admin.Json(
      "PUT", kPath, body, {{"Prefer", "respond-async, wait=2"}, {"Hawser-Wait-Regions", "1"}});
  CHECK(none.status == 200);
  CHECK(none.Header("hawser-acked-regions") == "0");
  CHECK(none.Header("hawser-degraded") == "acks");
  CHECK(At(none.body, "acks.asked") == "1");
  CHECK(At(none.body, "acks.reached") == "0");
  CHECK(At(none.body, "acks.degraded") == "true");
  CHECK(seen.regions == 1);
  CHECK(At(none.body, "dot.seq") == std::to_string(Raw(seen.dot.seq)));

  const Reply plain = admin.Json("PUT", kPath, body);
  CHECK(plain.Header("hawser-acked-regions").empty());
  for (const char* regions : {"2", "-1", "x", ""}) {
    CAPTURE(regions);
    CHECK(admin.Json("PUT", kPath, body, {{"Hawser-Wait-Regions", regions}}).status == 400);
  }
}

TEST_CASE("each refusal has its own status, code and advice") {
  Admin admin;
  const struct {
    Refusal refusal;
    int status;
    const char* code;
    bool retry;
  } cases[] = {{Refusal::kFull, 507, "FULL", true},
               {Refusal::kReadOnly, 503, "READONLY", true},
               {Refusal::kRolledBack, 503, "ROLLEDBACK", false},
               {Refusal::kTooBig, 413, "TOOBIG", false},
               {Refusal::kStopping, 503, "STOPPING", true}};
  for (const auto& expected : cases) {
    CAPTURE(expected.code);
    admin.engine.refuse = expected.refusal;
    const Reply reply = admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})");
    CHECK(reply.status == expected.status);
    CHECK(At(reply.body, "code") == expected.code);
    CHECK(reply.Header("retry-after").empty() != expected.retry);
  }
  admin.engine.refuse.reset();
  CHECK(admin.Call("GET", kPath).status == 404);
}

TEST_CASE("a commit in doubt is UNKNOWN, for refusals that rest on it too") {
  Admin admin;
  admin.engine.commits_unknown = true;
  const Reply write = admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})");
  CHECK(write.status == 504);
  CHECK(At(write.body, "code") == "UNKNOWN");
  const Reply refused =
      admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})", {{"If-None-Match", "*"}});
  CHECK(refused.status == 504);
}

TEST_CASE("a write that never ran says that nothing happened") {
  Admin admin;
  admin.engine.hold_jobs = true;
  admin.client->Send(
      "PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
      "Content-Length: 1\r\n\r\nx");
  while (admin.engine.jobs_held() == 0) usleep(1000);
  admin.engine.DropHeld();
  const Reply reply = admin.client->Read();
  CHECK(reply.status == 503);
  CHECK(At(reply.body, "code") == "STOPPING");
}

TEST_CASE("a value past the record's bound is TOOBIG, and the region goes on") {
  FakeEngineOptions engine;
  engine.record_bytes_max = 1000;
  Admin admin(TestOptions(), engine);
  const Reply reply =
      admin.Call("PUT", kPath, std::string(1001, 'x'), {{"Content-Type", "text/plain"}});
  CHECK(reply.status == 413);
  CHECK(At(reply.body, "code") == "TOOBIG");
  CHECK(admin.Call("PUT", kPath, std::string(900, 'x'), {{"Content-Type", "text/plain"}}).status ==
        201);
}
