// CLIENT TRACKING and SUBSCRIBE hawser.*: clients hear of what is applied here, by whomever.

#include <atomic>
#include <thread>

#include "tests/daemon/redis_fixture.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;

void WriteElsewhere(RedisFixture& redis, const std::string& table, const std::string& key) {
  static int count = 0;
  redis.engine.WriteElsewhere([&](LocalTxn& txn) {
    REQUIRE(txn.Edit(table, key).ReplaceWith(kStringField, std::to_string(++count)));
  });
}

// A client that tracks.
struct Tracker : RawClient {
  explicit Tracker(RedisFixture& redis, const std::string& options = "")
      : RawClient(redis.server->port()) {
    REQUIRE(Do("HELLO 3").starts_with("{"));
    REQUIRE(Do("CLIENT TRACKING ON" + options) == "OK");
  }
};

// Nothing came: the next thing heard is the answer to this.
void CheckSilence(RawClient& client) {
  std::this_thread::sleep_for(50ms);
  CHECK(client.Do("PING") == "PONG");
}

TEST_CASE("who has read a key hears of its next change, by whomever, once") {
  RedisFixture redis;
  Tracker client(redis);
  RawClient other(redis.server->port());
  CHECK(client.Do("GET orders:1") == "nil");
  CHECK(client.Do("MGET a b") == "[nil, nil]");

  other.Do("SET orders:1 x");
  CHECK(client.Next() == R"(>["invalidate", ["orders:1"]])");
  other.Do("SET orders:1 y");  // not read since
  other.Do("SET c y");         // never read
  CheckSilence(client);

  CHECK(client.Do("GET orders:1") == R"("y")");
  WriteElsewhere(redis, "orders", "1");
  CHECK(client.Next() == R"(>["invalidate", ["orders:1"]])");
  WriteElsewhere(redis, "default", "b");
  CHECK(client.Next() == R"(>["invalidate", ["b"]])");
  CHECK(client.Do("SET a mine") == "OK");  // its own write too, behind the reply
  CHECK(client.Next() == R"(>["invalidate", ["a"]])");

  CHECK(client.Do("HGETALL h") == "{}");
  other.Do("HSET h f v");
  CHECK(client.Next() == R"(>["invalidate", ["h"]])");
  CHECK(client.Do("GET default:a") == R"("mine")");
  other.Do("DEL a");
  CHECK(client.Next() == R"(>["invalidate", ["default:a"]])");  // as it was called
  CHECK(client.Do("GET a") == "nil");
  CHECK(client.Do("CLIENT TRACKING OFF") == "OK");
  other.Do("SET a z");
  CheckSilence(client);
}

TEST_CASE("an invalidation comes behind the replies to what was in the engine, and none is lost") {
  RedisFixture redis;
  Tracker client(redis);
  redis.engine.Hold();
  client.Send(Encode({"SET", "w", "1"}) + Encode({"GET", "k"}));  // the read goes with the write
  while (redis.engine.waiting() == 0) std::this_thread::sleep_for(1ms);
  WriteElsewhere(redis, "default", "k");
  CHECK(client.Next(100ms) == "(nothing)");

  redis.engine.LetGo();
  CHECK(client.Next() == "OK");
  CHECK(client.Next().starts_with("\""));
  CHECK(client.Next() == R"(>["invalidate", ["k"]])");
  WriteElsewhere(redis, "default", "k");  // the read was of a later state: it counts still
  CHECK(client.Next() == R"(>["invalidate", ["k"]])");
}

TEST_CASE("reads inside MULTI count when they run") {
  RedisFixture redis;
  Tracker client(redis);
  CHECK(client.Do("MULTI") == "OK");
  CHECK(client.Do("GET k") == "QUEUED");
  WriteElsewhere(redis, "default", "k");
  CHECK(client.Next(50ms) == "(nothing)");
  CHECK(client.Do("EXEC").starts_with("["));
  WriteElsewhere(redis, "default", "k");
  CHECK(client.Next() == R"(>["invalidate", ["k"]])");
}

TEST_CASE("in broadcast mode every key with a prefix is told, read or not") {
  RedisFixture redis;
  Tracker client(redis, " BCAST PREFIX orders: PREFIX users:");
  WriteElsewhere(redis, "orders", "7");
  CHECK(client.Next() == R"(>["invalidate", ["orders:7"]])");
  WriteElsewhere(redis, "carts", "7");
  WriteElsewhere(redis, "users", "8");
  CHECK(client.Next() == R"(>["invalidate", ["users:8"]])");
  CHECK(client.Do("CLIENT TRACKING ON BCAST PREFIX carts:") == "OK");
  WriteElsewhere(redis, "carts", "7");
  CHECK(client.Next() == R"(>["invalidate", ["carts:7"]])");
  CHECK(
      client.Do("CLIENT TRACKINGINFO") ==
      R"({"flags": ~["on", "bcast"], "redirect": :0, "prefixes": ["carts:", "orders:", "users:"]})");

  Tracker all(redis, " BCAST");
  WriteElsewhere(redis, "carts", "9");
  CHECK(all.Next() == R"(>["invalidate", ["carts:9"]])");
}

TEST_CASE("a prefix that names table default is told of its keys, called so") {
  RedisFixture redis;
  Tracker client(redis, " BCAST PREFIX default:foo PREFIX bar");
  WriteElsewhere(redis, "default", "foo1");
  CHECK(client.Next() == R"(>["invalidate", ["default:foo1"]])");
  WriteElsewhere(redis, "default", "other");
  WriteElsewhere(redis, "default", "foo:x");  // looks like table foo's
  CHECK(client.Next() == R"(>["invalidate", ["default:foo:x"]])");
  WriteElsewhere(redis, "default", "bar");
  CHECK(client.Next() == R"(>["invalidate", ["bar"]])");
  CheckSilence(client);
}

TEST_CASE("a long backlog is told whole, each change once and in order") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  CHECK(client.Do("SUBSCRIBE hawser.changes.t").starts_with("["));
  for (int i = 0; i < 40; ++i) {
    redis.engine.WriteElsewhere([&](LocalTxn& txn) {
      for (int k = 0; k < 50; ++k) {
        REQUIRE(txn.Edit("t", std::to_string(i * 50 + k))
                    .ReplaceWith(kStringField, std::string(2000, 'v')));
      }
    });
  }
  for (int i = 0; i < 2000; ++i) {
    REQUIRE(client.Next() ==
            R"(["message", "hawser.changes.t", "t:)" + std::to_string(i) + R"("])");
  }
  CHECK(client.Next(50ms) == "(nothing)");
}

TEST_CASE("a subscriber that reads a long pipeline while changes come is answered whole") {
  RedisFixture redis;
  Tracker client(redis, " BCAST PREFIX t:");
  RawClient other(redis.server->port());
  CHECK(other.Do({"SET", "big", std::string(400'000, 'x')}) == "OK");
  std::atomic<bool> done{false};
  std::thread writer([&] {
    while (!done) {
      WriteElsewhere(redis, "t", "1");
      std::this_thread::sleep_for(100us);
    }
  });
  std::string load;
  constexpr int kReads = 600;
  for (int i = 0; i < kReads; ++i) load += Encode({"GET", "big"});
  client.Send(load);
  int answers = 0;
  while (answers < kReads) {
    const std::string next = client.Next();
    if (next == "(nothing)" || next == "(closed)") break;
    answers += next.starts_with("\"xx") ? 1 : 0;
  }
  done = true;
  writer.join();
  CHECK(answers == kReads);
}

TEST_CASE("with NOLOOP a client does not hear of its own writes, and of all others") {
  RedisFixture redis;
  Tracker client(redis, " NOLOOP");
  RawClient other(redis.server->port());
  CHECK(client.Do("GET k") == "nil");
  CHECK(client.Do("SET k 1") == "OK");
  CheckSilence(client);
  other.Do("SET k 2");
  CHECK(client.Next() == R"(>["invalidate", ["k"]])");

  Tracker loud(redis, " BCAST NOLOOP");
  redis.engine.Hold();  // its writes and others' in one commit
  loud.Send(Encode({"SET", "a", "1"}) + Encode({"MSET", "b", "1", "c", "1"}));
  while (redis.engine.waiting() == 0) std::this_thread::sleep_for(1ms);
  other.Send(Encode({"SET", "d", "1"}));
  while (redis.engine.waiting() < 2) std::this_thread::sleep_for(1ms);
  redis.engine.LetGo();
  CHECK(loud.Next() == "OK");
  CHECK(loud.Next() == "OK");
  CHECK(loud.Next() == R"(>["invalidate", ["d"]])");
  CheckSilence(loud);
}

TEST_CASE("OPTIN and OPTOUT choose by CLIENT CACHING, for one command or one MULTI") {
  RedisFixture redis;
  Tracker in(redis, " OPTIN"), out(redis, " OPTOUT");
  CHECK(in.Do("GET a") == "nil");
  CHECK(in.Do("CLIENT CACHING YES") == "OK");
  CHECK(in.Do("GET b") == "nil");
  CHECK(in.Do("GET c") == "nil");
  CHECK(in.Do("CLIENT CACHING YES") == "OK");
  CHECK(in.Do("MULTI") == "OK");
  CHECK(in.Do("GET d") == "QUEUED");
  CHECK(in.Do("EXEC") == "[nil]");
  CHECK(out.Do("GET a") == "nil");
  CHECK(out.Do("CLIENT CACHING NO") == "OK");
  CHECK(out.Do("GET b") == "nil");

  for (const char* key : {"a", "b", "c", "d"}) WriteElsewhere(redis, "default", key);

  CHECK(in.Next() == R"(>["invalidate", ["b"]])");
  CHECK(in.Next() == R"(>["invalidate", ["d"]])");
  CheckSilence(in);
  CHECK(out.Next() == R"(>["invalidate", ["a"]])");
  CheckSilence(out);
}

TEST_CASE("past the bound on what is remembered, all is invalidated, behind the reply") {
  RedisOptions options = TestOptions();
  options.tracked_keys_max = 3;
  RedisFixture redis(options);
  Tracker client(redis), modest(redis);
  CHECK(modest.Do("GET k1") == "nil");
  CHECK(client.Do("MGET k1 k2 k3 k4") == "[nil, nil, nil, nil]");
  CHECK(client.Next() == R"(>["invalidate", nil])");
  CHECK(client.Do("GET k2") == "nil");
  WriteElsewhere(redis, "default", "k1");
  WriteElsewhere(redis, "default", "k2");
  CHECK(client.Next() == R"(>["invalidate", ["k2"]])");
  CHECK(modest.Next() == R"(>["invalidate", ["k1"]])");

  options.tracked_keys_max = 1000;
  options.tracked_bytes_max = 1000;
  RedisFixture small(options);
  Tracker one(small), two(small);
  CHECK(one.Do("GET a") == "nil");
  for (int i = 0; i < 20; ++i) CHECK(two.Do("GET k" + std::to_string(i)).find("nil") < 20);
  CHECK(one.Next() == R"(>["invalidate", nil])");
}

TEST_CASE("a subscriber to hawser.changes hears of each change of a table") {
  RedisFixture redis;
  RawClient resp2(redis.server->port()), resp3(redis.server->port());
  CHECK(resp2.Do("SUBSCRIBE hawser.changes.orders") ==
        R"(["subscribe", "hawser.changes.orders", :1])");
  CHECK(resp3.Do("HELLO 3").starts_with("{"));
  CHECK(resp3.Do("PSUBSCRIBE hawser.*") == R"(>["psubscribe", "hawser.*", :1])");
  WriteElsewhere(redis, "carts", "1");
  WriteElsewhere(redis, "orders", "2");
  CHECK(resp3.Next() == R"(>["pmessage", "hawser.*", "hawser.changes.carts", "carts:1"])");
  CHECK(resp3.Next() == R"(>["pmessage", "hawser.*", "hawser.changes.orders", "orders:2"])");
  CHECK(resp2.Next() == R"(["message", "hawser.changes.orders", "orders:2"])");
  CHECK(resp2.Do("UNSUBSCRIBE") == R"(["unsubscribe", "hawser.changes.orders", :0])");
  WriteElsewhere(redis, "orders", "3");
  CheckSilence(resp2);
}

TEST_CASE("past the bound on subscriptions, those before it are heard") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  std::vector<std::string> words{"SUBSCRIBE", "hawser.changes.t"};
  for (int i = 0; i < 1024; ++i) words.push_back("hawser.changes.t" + std::to_string(i));
  client.Send(Encode(words));
  for (int i = 0; i < 1024; ++i) REQUIRE(client.Next().starts_with("[\"subscribe\""));
  CHECK(client.Next() == "-ERR too many subscriptions");
  WriteElsewhere(redis, "t", "1");
  CHECK(client.Next() == R"(["message", "hawser.changes.t", "t:1"])");
}

TEST_CASE("tracking options that do not go together are refused by name") {
  RedisFixture redis;
  Play(redis, R"(
    > CLIENT GETREDIR
    :-1
    > CLIENT TRACKING ON
    -ERR CLIENT TRACKING needs RESP3: say HELLO 3 first
    > CLIENT TRACKING ON REDIRECT 5
    -ERR hawser does not redirect invalidations to another connection; use RESP3 (HELLO 3)
    > CLIENT TRACKING ON PREFIX a
    -ERR PREFIX option requires BCAST mode to be enabled
    > CLIENT TRACKING ON OPTIN OPTOUT
    -ERR You can't use both OPTIN and OPTOUT
    > CLIENT TRACKING ON BCAST OPTIN
    -ERR OPTIN and OPTOUT are not compatible with BCAST
    > CLIENT TRACKING MAYBE
    -ERR syntax error
    > CLIENT CACHING YES
    -ERR CLIENT CACHING YES is only valid with tracking in OPTIN mode
    > HELLO 3
    {…
    > CLIENT TRACKING ON BCAST PREFIX a PREFIX ab
    -ERR one of these prefixes begins with another: a key would be announced twice
    > CLIENT TRACKING ON
    OK
    > CLIENT TRACKING ON BCAST
    -ERR You can't switch BCAST mode…
    > CLIENT GETREDIR
    :0
  )");
}

TEST_CASE("a tracker that leaves harms nobody, and one that says HELLO 2 is let go") {
  RedisFixture redis;
  {
    Tracker gone(redis);
    REQUIRE(gone.Do("GET k") == "nil");
  }
  Tracker client(redis);
  CHECK(client.Do("GET k") == "nil");
  WriteElsewhere(redis, "default", "k");
  CHECK(client.Next() == R"(>["invalidate", ["k"]])");
  CHECK(client.Do("GET k").starts_with("\""));
  CHECK(client.Do("HELLO 2").starts_with("["));
  WriteElsewhere(redis, "default", "k");
  CheckSilence(client);
}

}  // namespace
}  // namespace hawser::test
