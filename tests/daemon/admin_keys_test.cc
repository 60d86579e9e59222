#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "homing/request.h"
#include "tests/daemon/admin_fixture.h"

using namespace hawser;
using namespace hawser::admin;

namespace {

constexpr const char* kPath = "/v1/tables/t/records/k";
constexpr const char* kIncr =
    R"({"changes":[{"op":"incr","table":"orders","key":"1","field":"stock","by":5}]})";

FakeEngineOptions WithSchema() {
  FakeEngineOptions options;
  options.schema.tables["orders"].fields["stock"].counter = true;
  options.schema.tables["orders"].fields["high"].kind = Kind::kMax;
  options.schema.unique.insert("login");
  return options;
}

Client::Headers Key(std::string id) {
  return {{"Idempotency-Key", std::move(id)}};
}

// What a client keeps of an answer; the token may name more than the first did, and a problem names
// each request by itself.
std::string Lasting(const Reply& reply) {
  const std::size_t token =
      std::min(reply.body.find(R"("token")"), reply.body.find(R"("request_id")"));
  return std::to_string(reply.status) + " " + reply.Header("etag") + " " +
         reply.body.substr(0, token);
}

std::string Stock(Admin& admin) {
  return At(admin.Call("GET", "/v1/tables/orders/records/1").body, "fields.stock");
}

}  // namespace

TEST_CASE("every kind of write gives its first answer again, and is carried out once") {
  Admin admin({TestOptions()}, WithSchema());
  admin.Json("PUT", "/v1/tables/orders/records/h", R"({"fields":{"high":"9","low":"1"}})");
  const struct {
    const char *method, *path, *body;
    int status;
  } cases[] = {
      {"PUT", kPath, R"({"fields":{"a":"1"},"expires_at":"2999-01-01T00:00:00Z"})", 201},
      {"PUT", kPath, R"({"fields":{"a":"2","b":"2"}})", 200},
      {"PATCH", kPath, R"({"fields":{"a":null,"c":"3"}})", 200},
      {"PATCH", "/v1/tables/orders/records/h", R"({"fields":{"high":"3","a":"x"}})", 200},
      {"PATCH", "/v1/tables/orders/records/h", R"({"fields":{"high":"3"}})", 200},
      {"POST", "/v1/txn", kIncr, 200},
      {"POST", "/v1/txn",
       R"({"changes":[{"op":"incr","table":"t","key":"f","field":"x","by":0.5},
                      {"op":"put","table":"t","key":"f2","fields":{"a":"1"}},
                      {"op":"patch","table":"t","key":"f2","fields":{"b":"2"}},
                      {"op":"delete","table":"t","key":"k"},
                      {"op":"claim","name":"login","value":"anna","owner":"u1"}]})",
       200},
      {"PUT", kPath, R"({"fields":{"a":"1"}})", 201},
      {"DELETE", kPath, "", 200},
      {"DELETE", kPath, "", 404},
  };
  int number = 0;
  for (const auto& one : cases) {
    CAPTURE(one.method);
    CAPTURE(one.body);
    const auto key = Key("key-" + std::to_string(++number));
    const auto send = [&] {
      return *one.body == '\0' ? admin.Call(one.method, one.path, "", key)
                               : admin.Json(one.method, one.path, one.body, key);
    };
    const Reply first = send();
    const Cut cut = admin.engine.applied();
    CHECK(first.status == one.status);
    CHECK(first.Header("hawser-replayed").empty());
    const Reply again = send();
    CHECK(Lasting(again) == Lasting(first));
    CHECK(again.Header("hawser-replayed") == "true");
    CHECK(admin.engine.applied() == cut);
    CHECK(At(again.body, "token") == At(first.body, "token"));
  }
  CHECK(Stock(admin) == "5");
  CHECK(admin.Call("GET", kPath).status == 404);
}

TEST_CASE("the first answer stands though the record went on, and what it says is true") {
  Admin admin;
  const Reply first = admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})", Key("one"));
  CHECK(admin.Call("GET", kPath).Header("etag") == first.Header("etag"));
  admin.Json("PUT", kPath, R"({"fields":{"a":"2"}})");
  const Reply again = admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})", Key("one"));
  CHECK(Lasting(again) == Lasting(first));
  CHECK(At(admin.Call("GET", kPath).body, "fields.a") == "2");
}

TEST_CASE("a retry of a compare-and-set that succeeded is no failed one") {
  Admin admin;
  const std::string tag = admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})").Header("etag");
  auto headers = Key("cas");
  headers.emplace_back("If-Match", tag);
  const Reply first = admin.Json("PUT", kPath, R"({"fields":{"a":"2"}})", headers);
  CHECK(first.status == 200);
  CHECK(Lasting(admin.Json("PUT", kPath, R"({"fields":{"a":"2"}})", headers)) == Lasting(first));
}

TEST_CASE("another request under a used key is refused, and the same in other words is not") {
  Admin admin({TestOptions()}, WithSchema());
  admin.Json("PUT", kPath, R"({"fields":{"a":"1","b":"2"}})", Key("one"));
  const auto refused = [](const Reply& reply) {
    return reply.status == 422 && At(reply.body, "code") == "IDEMPOTENCY";
  };
  CHECK(refused(admin.Json("PUT", kPath, R"({"fields":{"a":"1"}})", Key("one"))));
  CHECK(refused(admin.Json("PATCH", kPath, R"({"fields":{"a":"1","b":"2"}})", Key("one"))));
  CHECK(refused(
      admin.Json("PUT", "/v1/tables/t/records/l", R"({"fields":{"a":"1","b":"2"}})", Key("one"))));
  CHECK(refused(admin.Call("DELETE", kPath, "", Key("one"))));
  CHECK(refused(admin.Json("POST", "/v1/txn", kIncr, Key("one"))));
  CHECK(refused(
      admin.Json("POST", "/v1/txn",
                 R"({"changes":[{"op":"put","table":"t","key":"k","fields":{"a":"1","b":"2"}}]})",
                 Key("one"))));
  auto conditional = Key("one");
  conditional.emplace_back("If-None-Match", "*");
  CHECK(refused(admin.Json("PUT", kPath, R"({"fields":{"a":"1","b":"2"}})", conditional)));
  const Reply same = admin.Json("PUT", "/v1/tables/t/records/%6B",
                                R"({ "fields": {"b":"2", "a":"1"} })", Key("one"));
  CHECK(same.status == 201);
  CHECK(same.Header("hawser-replayed") == "true");
  CHECK(Stock(admin).empty());
}

TEST_CASE("what was refused was not carried out: its key is still free") {
  Admin admin;
  auto headers = Key("one");
  headers.emplace_back("If-Match", "*");
  const std::string body = R"({"fields":{"a":"1"}})";
  CHECK(admin.Json("PUT", kPath, body, headers).status == 412);
  admin.Json("PUT", kPath, body);
  CHECK(admin.Json("PUT", kPath, body, headers).status == 200);
  admin.engine.refuse = Refusal::kFull;
  CHECK(admin.Json("PUT", kPath, body, Key("two")).status == 507);
  admin.engine.refuse.reset();
  const Reply carried = admin.Json("PUT", kPath, body, Key("two"));
  CHECK(carried.status == 200);
  CHECK(carried.Header("hawser-replayed").empty());
}

TEST_CASE("of many at once under one key, one is carried out") {
  Admin admin({TestOptions()}, WithSchema());
  admin.engine.hold_jobs = true;
  constexpr std::size_t kClients = 8;
  std::vector<std::unique_ptr<Client>> clients;
  const std::string body(kIncr);
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Client>(admin.server->port()));
    clients.back()->Send(
        "POST /v1/txn HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Idempotency-Key: one\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  while (admin.engine.jobs_held() < kClients) usleep(1000);
  admin.engine.Release();
  std::size_t replayed = 0;
  for (const auto& client : clients) {
    const Reply reply = client->Read();
    CHECK(reply.status == 200);
    CHECK(At(reply.body, "results.0.value") == "5");
    if (reply.Header("hawser-replayed") == "true") ++replayed;
  }
  CHECK(replayed == kClients - 1);
  CHECK(Stock(admin) == "5");
}

TEST_CASE("a key is 1 to 128 bytes, given once") {
  Admin admin;
  const std::string body = R"({"fields":{"a":"1"}})";
  CHECK(admin.Json("PUT", kPath, body, Key(std::string(129, 'x'))).status == 400);
  CHECK(admin.Json("PUT", kPath, body, Key("")).status == 400);
  CHECK(admin.Json("PUT", kPath, body, Key("  ")).status == 400);
  CHECK(
      admin.Json("PUT", kPath, body, {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}}).status ==
      400);
  CHECK(admin.Call("GET", kPath).status == 404);
  CHECK(admin.Json("PUT", kPath, body, Key(std::string(128, 'x'))).status == 201);
  CHECK(admin.Json("PUT", kPath, body, Key(" " + std::string(128, 'x') + " "))
            .Header("hawser-replayed") == "true");
}

TEST_CASE("an answer is kept as long as it is said, and then the key is free") {
  AdminOptions options = TestOptions();
  options.key_kept_ms = 60'000;
  Admin admin(options, WithSchema());
  admin.Json("POST", "/v1/txn", kIncr, Key("one"));
  admin.engine.clock_ahead_ms = 55'000;
  CHECK(admin.Json("POST", "/v1/txn", kIncr, Key("one")).Header("hawser-replayed") == "true");
  admin.engine.clock_ahead_ms = 65'000;
  CHECK(admin.Json("POST", "/v1/txn", kIncr, Key("one")).Header("hawser-replayed").empty());
  CHECK(Stock(admin) == "10");
}

TEST_CASE("a full house refuses new keys, keeps its word to old ones, and empties by itself") {
  AdminOptions options = TestOptions();
  options.key_kept_ms = 64'000;
  options.key_bytes_max = 2000;
  Admin admin(options, WithSchema());
  int taken = 0;
  Reply reply = admin.Json("POST", "/v1/txn", kIncr, Key("k0"));
  while (reply.status == 200) {
    reply = admin.Json("POST", "/v1/txn", kIncr, Key("k" + std::to_string(++taken)));
    REQUIRE(taken < 100);
  }
  CHECK(taken > 2);
  CHECK(reply.status == 507);
  CHECK(At(reply.body, "code") == "IDEMPOTENCY_FULL");
  CHECK_FALSE(reply.Header("retry-after").empty());
  CHECK(Stock(admin) == std::to_string(5 * taken));
  CHECK(admin.Json("POST", "/v1/txn", kIncr, Key("k0")).Header("hawser-replayed") == "true");
  CHECK(admin.Json("POST", "/v1/txn", kIncr).status == 200);  // without a key
  CHECK(admin.Call("GET", "/metrics").Has("hawser_idempotency_keys " + std::to_string(taken)));

  // A server that starts anew counts what is there.
  const auto second = AdminServer::Start(options, admin.engine);
  REQUIRE(second);
  Client client((*second)->port());
  CHECK(client
            .Call("POST", "/v1/txn", kIncr,
                  {{"Content-Type", "application/json"}, {"Idempotency-Key", "other"}})
            .status == 507);
  (*second)->Stop();

  admin.engine.clock_ahead_ms = 70'000;
  CHECK(admin.Json("POST", "/v1/txn", kIncr, Key("other")).status == 200);
}

TEST_CASE(
    "a key that another region used without knowing is a logged conflict, of which one stays") {
  Admin admin({TestOptions()}, WithSchema());
  const Reply ours = admin.Json("POST", "/v1/txn", kIncr, Key("one"));
  // The same request there: the text differs in the region alone.
  const auto view = admin.engine.NewReader()->Take();
  const auto noted = ReadRequest(view->Get(RequestRowKey("rest", "one")), admin.engine.clock_ms());
  REQUIRE(noted);
  std::string theirs(noted->asked);
  const std::size_t at = theirs.find(" 1-");
  REQUIRE(at != std::string::npos);
  theirs[at + 1] = '2';
  admin.engine.WriteElsewhere(
      RegionId{2}, [&](LocalTxn& txn) { NoteRequest(txn, "rest", "one", theirs); }, 1000);
  const Reply list = admin.Call("GET", "/v1/conflicts?kind=idempotency");
  CHECK(At(list.body, "conflicts.0.table") == "!request");
  CHECK(At(list.body, "conflicts.0.winner.region") == "us-east");
  CHECK(At(list.body, "conflicts.0.loser.region") == "eu-west");
  CHECK(At(list.body, "conflicts.1").empty());
  CHECK(Lasting(admin.Json("POST", "/v1/txn", kIncr, Key("one"))) == Lasting(ours));
}

TEST_CASE("what newer software kept under a key is not taken for another request") {
  Admin admin({TestOptions()}, WithSchema());
  admin.engine.WriteElsewhere(RegionId{2}, [](LocalTxn& txn) {
    NoteRequest(txn, "rest", "one", "2 whatever it says");
    NoteRequest(txn, "rest", "two", "1 ");
  });
  CHECK(admin.Json("POST", "/v1/txn", kIncr, Key("one")).status == 503);
  CHECK(admin.Json("POST", "/v1/txn", kIncr, Key("two")).status == 422);
  CHECK(Stock(admin).empty());
}

TEST_CASE("a retry that waits for other regions waits for the first write") {
  Admin admin({TestOptions()}, WithSchema());
  const Reply first = admin.Json("POST", "/v1/txn", kIncr, Key("one"));
  Dot waited;
  admin.engine.acks = [&](const AckWait& wait) {
    waited = wait.dot;
    return 1;
  };
  auto headers = Key("one");
  headers.emplace_back("Hawser-Wait-Regions", "all");
  const Reply again = admin.Json("POST", "/v1/txn", kIncr, headers);
  CHECK(again.Header("hawser-acked-regions") == "1");
  CHECK(std::to_string(Raw(waited.seq)) == At(first.body, "dot.seq"));
}
