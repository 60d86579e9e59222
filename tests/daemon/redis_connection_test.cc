// Connections: order, own writes, bundles, walks, refusals, bounds.

#include <sys/resource.h>

#include <map>
#include <set>
#include <thread>

#include "tests/daemon/redis_fixture.h"

namespace hawser::test {
namespace {

using std::chrono::milliseconds;

std::string Pipeline(std::initializer_list<std::string_view> lines) {
  std::string bytes;
  for (const std::string_view line : lines) bytes += Encode(Words(line));
  return bytes;
}

// Waits until a condition holds; a test that waits in vain fails at the check that follows.
template <typename Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

TEST_CASE("a pipeline sees its own writes, in order, before they are durable elsewhere") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  client.Send(Pipeline({"GET a", "SET a 1", "GET a", "PING", "INCR a", "CLIENT SETNAME me", "GET a",
                        "DEL a", "GET a", "CLIENT GETNAME", "DBSIZE", "ECHO end"}));
  for (const char* reply : {"nil", "OK", "\"1\"", "PONG", ":2", "OK", "\"2\"", ":1", "nil",
                            "\"me\"", ":0", "\"end\""}) {
    CHECK(client.Next() == reply);
  }
}

TEST_CASE("no reply to a write leaves before its commit") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  redis.engine.Hold();
  client.Send(Pipeline({"SET a 1", "PING"}));
  CHECK(client.Next(milliseconds(100)) == "(nothing)");
  RawClient other(redis.server->port());
  CHECK(other.Do("GET a") == "nil");
  // Commands sent while the first are under way keep their turn.
  client.Send(Pipeline({"GET a", "SET a 2", "GET a"}));
  CHECK(other.Do("PING") == "PONG");
  redis.engine.LetGo();
  for (const char* reply : {"OK", "PONG", "\"1\"", "OK", "\"2\""}) CHECK(client.Next() == reply);
}

TEST_CASE("many clients in one turn share group commits") {
  RedisFixture redis;
  std::vector<std::unique_ptr<RawClient>> clients;
  redis.engine.Hold();
  std::size_t sent = 0;
  for (int i = 0; i < 50; ++i) {
    const std::string command = Encode({"SET", "k" + std::to_string(i), "v"});
    sent += command.size();
    clients.push_back(std::make_unique<RawClient>(redis.server->port()));
    clients.back()->Send(command);
  }
  CHECK(Eventually([&] { return redis.server->stats().input_bytes == sent; }));
  redis.engine.LetGo();
  for (auto& client : clients) CHECK(client->Next() == "OK");
  CHECK(redis.engine.commits <= 5);
}

TEST_CASE("a failed commit is answered UNKNOWN, and only to what depended on it") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  redis.engine.FailNext();
  client.Send(Pipeline({"SET a 1", "ECHO x", "GET a"}));
  CHECK(client.Next().starts_with("-UNKNOWN"));
  CHECK(client.Next() == "\"x\"");
  CHECK(client.Next().starts_with("-UNKNOWN"));
  CHECK(client.Do("PING") == "PONG");
}

TEST_CASE("refused writes name the reason and change nothing") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  redis.engine.refusal = Refusal::kFull;
  CHECK(client.Do("SET a 1").starts_with("-FULL "));
  CHECK(client.Do("MULTI") == "OK");
  CHECK(client.Do("SET a 1") == "QUEUED");
  CHECK(client.Do("EXEC").starts_with("-FULL "));
  CHECK(client.Do("DEL a") == ":0");  // nothing to write is nothing to refuse
  redis.engine.refusal = Refusal::kReadOnly;
  CHECK(client.Do("INCR a").starts_with("-READONLY "));
  redis.engine.refusal = Refusal::kNone;
  CHECK(client.Do("GET a") == "nil");
  CHECK(client.Do({"SET", "a", std::string(2'000'000, 'x')}).starts_with("-TOOBIG "));
  CHECK(client.Do({"SET", "a", std::string(20'000'000, 'x')}).starts_with("-TOOBIG "));
  CHECK(client.Do("SET a 1") == "OK");
}

TEST_CASE("MULTI is one txn, atomic for readers, and goes on after a failing command") {
  RedisFixture redis;
  Play(redis, R"(
    > MULTI
    OK
    > MULTI
    -ERR MULTI calls can not be nested
    > SET a 1
    QUEUED
    > GET a
    QUEUED
    > INCR a
    QUEUED
    > HSET a f 1
    QUEUED
    > DEL a
    QUEUED
    > HSET a f 1
    QUEUED
    > PING
    QUEUED
    > EXEC
    [OK, "1", :2, -WRONGTYPE Operation against a key holding the wrong kind of value, :1, :1, PONG]
    > HGETALL a
    ["f", "1"]
    > EXEC
    -ERR EXEC without MULTI
    > DISCARD
    -ERR DISCARD without MULTI
    > MULTI
    OK
    > SET x 1
    QUEUED
    > DISCARD
    OK
    > EXISTS x
    :0
    > MULTI
    OK
    > NOSUCH
    -ERR unknown command…
    > SET x 1
    QUEUED
    > EXEC
    -EXECABORT Transaction discarded because of previous errors.
    > EXISTS x
    :0
    > MULTI
    OK
    > KEYS *
    -ERR KEYS inside MULTI is not allowed
    > EXEC
    -EXECABORT …
    > MULTI
    OK
    > EXEC
    []
    > MULTI
    OK
    > SET x 1 PX 100
    QUEUED
    > PTTL x
    QUEUED
    > RENAME x y
    QUEUED
    > EXISTS x y
    QUEUED
    > EXEC
    [OK, :100, OK, :1]
  )");
  const auto commits = redis.engine.commits.load();
  RawClient client(redis.server->port());
  client.Send(Pipeline({"MULTI", "SET p 1", "SET q 2", "EXEC"}));
  for (const char* reply : {"OK", "QUEUED", "QUEUED", "[OK, OK]"}) CHECK(client.Next() == reply);
  CHECK(redis.engine.commits == commits + 1);
}

TEST_CASE("EXEC does nothing if a watched record has changed, by whomever and however") {
  RedisFixture redis;
  RawClient client(redis.server->port()), other(redis.server->port());
  const auto exec = [&] {
    CHECK(client.Do("MULTI") == "OK");
    CHECK(client.Do("SET mine 1") == "QUEUED");
    return client.Do("EXEC");
  };
  CHECK(other.Do("SET w 1") == "OK");
  CHECK(client.Do("WATCH w none") == "OK");
  CHECK(exec() == "[OK]");
  for (const char* change :
       {"SET w 2", "INCR w", "DEL w", "SET w 1", "EXPIRE w 100", "SET none x"}) {
    CAPTURE(change);
    CHECK(client.Do("WATCH w none") == "OK");
    other.Do(change);
    CHECK(exec() == "nil");
    CHECK(exec() == "[OK]");  // EXEC forgets what was watched
  }
  CHECK(client.Do("WATCH w") == "OK");
  redis.engine.now_ms += 100'000;  // it expires
  CHECK(exec() == "nil");
  CHECK(client.Do("WATCH w") == "OK");
  other.Do("SET w 3");
  CHECK(client.Do("UNWATCH") == "OK");
  CHECK(exec() == "[OK]");
  CHECK(client.Do("WATCH w") == "OK");
  other.Do("SET w 4");
  CHECK(client.Do("MULTI") == "OK");
  CHECK(client.Do("DISCARD") == "OK");
  CHECK(exec() == "[OK]");
  CHECK(client.Do("WATCH w") == "OK");
  CHECK(client.Do("GET w") == "\"4\"");  // reading is no change
  CHECK(exec() == "[OK]");
  client.Send(Pipeline({"WATCH w", "SET w 5", "MULTI", "SET mine 2", "EXEC"}));
  for (const char* reply : {"OK", "OK", "OK", "QUEUED", "nil"}) CHECK(client.Next() == reply);
}

std::set<std::string> ScanAll(RawClient& client, const std::string& options) {
  std::set<std::string> keys;
  std::string cursor = "0";
  do {
    const std::string reply = client.Do("SCAN " + cursor + options);
    const std::size_t quote = reply.find('"', 2);
    cursor = reply.substr(2, quote - 2);
    for (std::size_t at = reply.find('"', quote + 1); at != std::string::npos;
         at = reply.find('"', at + 1)) {
      const std::size_t end = reply.find('"', at + 1);
      keys.insert(reply.substr(at + 1, end - at - 1));
      at = end;
    }
  } while (cursor != "0");
  return keys;
}

TEST_CASE("SCAN meets every key that is there all the time, whatever its COUNT") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  std::set<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    const std::string key =
        (i % 3 == 0 ? "t" + std::to_string(i % 5) + ":" : "") + std::to_string(i);
    expected.insert(key);
    CHECK(client.Do(i % 2 == 0 ? "SET " + key + " x" : "HSET " + key + " f x") != "");
  }
  client.Do("SET gone x");
  client.Do("DEL gone");
  for (const char* options : {"", " COUNT 1", " COUNT 7", " COUNT 1000000"}) {
    CAPTURE(options);
    CHECK(ScanAll(client, options) == expected);
  }
  CHECK(ScanAll(client, " MATCH t3:*").size() == 20);
  CHECK(ScanAll(client, " MATCH t3:* COUNT 3").size() == 20);
  CHECK(ScanAll(client, " TYPE hash").size() == 150);
  CHECK(ScanAll(client, " TYPE string MATCH *0").size() == 30);
  CHECK(ScanAll(client, " TYPE list").empty());
  CHECK(client.Do("SCAN 12345").starts_with("-ERR invalid cursor"));
  CHECK(client.Do("SCAN x").starts_with("-ERR invalid cursor"));
  CHECK(client.Do("SCAN 0 COUNT 0") == "-ERR syntax error");
  CHECK(client.Do("DBSIZE") == ":300");
  CHECK(client.Do("KEYS t3:12*") == "[\"t3:123\"]");
  CHECK(client.Do("KEYS *").size() > 300 * 5);
  const std::string random = client.Do("RANDOMKEY");
  CHECK(expected.contains(random.substr(1, random.size() - 2)));
}

TEST_CASE("a default-table key that looks like another table's is printed so that it leads back") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  CHECK(client.Do("SET default:orders:1 x") == "OK");
  CHECK(client.Do("KEYS *") == "[\"default:orders:1\"]");
  CHECK(client.Do("RANDOMKEY") == "\"default:orders:1\"");
  CHECK(client.Do("DEL default:orders:1") == ":1");
  CHECK(client.Do("RANDOMKEY") == "nil");
}

TEST_CASE("FLUSHALL deletes all client tables in bounded txns") {
  RedisOptions options = TestOptions();
  options.allow_flush = true;
  RedisFixture redis(std::move(options));
  RawClient client(redis.server->port());
  std::string load;
  for (int i = 0; i < 2'000; ++i) load += Encode({"SET", "k" + std::to_string(i), "v"});
  client.Send(load);
  for (int i = 0; i < 2'000; ++i) REQUIRE(client.Next() == "OK");
  redis.engine.WriteElsewhere(
      [](LocalTxn& txn) { REQUIRE(txn.Edit("!declared", "x").Set("", "y")); });
  const auto commits = redis.engine.commits.load();
  CHECK(client.Do("FLUSHALL BOGUS") == "-ERR syntax error");
  CHECK(client.Do("FLUSHALL") == "OK");
  CHECK(redis.engine.commits - commits >= 2'000 / 256);
  CHECK(client.Do("DBSIZE") == ":0");
  CHECK(client.Do("SET a 1") == "OK");
}

TEST_CASE("WAIT, tokens and cuts speak of other regions") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  CHECK(client.Do("WAIT 1 100") == ":2");  // nothing written: both others have all of it
  CHECK(client.Do("HAWSER EXPLAIN k").starts_with("-ERR explanations are not wired up"));
  CHECK(client.Do("HAWSER CUT") == "[]");
  CHECK(client.Do("SET a 1") == "OK");
  redis.engine.regions_acking = 1;
  CHECK(client.Do("WAIT 2 100") == ":1");
  CHECK(client.Do("WAIT -1 100").starts_with("-ERR"));
  CHECK(client.Do("WAIT 1 -1").starts_with("-ERR timeout is negative"));
  CHECK(client.Do("HAWSER CUT") == "[[\"us-east\", \"0000000000abcdef\", :1]]");
  const std::string token = client.Do("HAWSER TOKEN");
  CHECK(token.starts_with("\"h1:"));
  CHECK(client.Do({"HAWSER", "AWAIT", token.substr(1, token.size() - 2), "100"}) == "OK");
  CHECK(client.Do("HAWSER AWAIT h1:xx 100").starts_with("-ERR this is no causal token"));
  client.Send(Pipeline({"SET a 2", "WAIT 1 0", "SET a 3", "HAWSER CUT"}));
  for (const char* reply : {"OK", ":1", "OK", "[[\"us-east\", \"0000000000abcdef\", :3]]"}) {
    CHECK(client.Next() == reply);
  }
}

TEST_CASE("HELLO, RESP3 and CLIENT are what client libraries expect") {
  RedisFixture redis;
  Play(redis, R"(
    > HELLO 2
    ["server", "redis", "version", "7.0.15", "proto", :2, "id"…
    > HELLO 4
    -NOPROTO unsupported protocol version
    > HELLO 3 SETNAME bob
    {"server": "redis", "version": "7.0.15", "proto": :3, "id"…
    > GET none
    nil
    > HSET h a 1
    :1
    > HGETALL h
    {"a": "1"}
    > HRANDFIELD h 1 WITHVALUES
    [["a", "1"]]
    > CONFIG GET save appendonly
    {"appendonly": "yes", "save": ""}
    > CLIENT GETNAME
    "bob"
    > CLIENT SETINFO LIB-NAME redis-py
    OK
    > CLIENT SETINFO lib-ver 1
    OK
    > CLIENT SETNAME a_b
    OK
    > CLIENT NO-EVICT ON
    OK
    > CLIENT LIST
    "id=…
    > CLIENT NOSUCH
    -ERR unknown subcommand 'NOSUCH'
    > SUBSCRIBE hawser.changes
    >["subscribe", "hawser.changes", :1]
    > PING
    PONG
    > SUBSCRIBE news
    -ERR there are only the channels hawser.*…
    > RESET
    RESET
    > CLIENT GETNAME
    nil
    > SUBSCRIBE hawser.changes
    ["subscribe", "hawser.changes", :1]
    > GET a
    -ERR Can't execute 'GET'…
    > PING
    ["pong", ""]
    > UNSUBSCRIBE
    ["unsubscribe", "hawser.changes", :0]
    > PSUBSCRIBE hawser.*
    ["psubscribe", "hawser.*", :1]
    > PUNSUBSCRIBE hawser.*
    ["punsubscribe", "hawser.*", :0]
    > AUTH x
    -ERR AUTH <password> called without any password…
    > COMMAND DOCS
    []
    > COMMAND INFO get nosuch
    [["get", :2, [readonly], :1, :1, :1, [], [], [], []], nil]
    > CONFIG SET save x
    -ERR only CONFIG GET…
    > TIME
    ["1000", "0"]
    > ECHO hi
    "hi"
  )");
  RawClient client(redis.server->port());
  CHECK(client.Do("INFO").find("region_eu-west:link=up") != std::string::npos);
  CHECK(client.Do("INFO server").find("redis_version:7") != std::string::npos);
  CHECK(client.Do("COMMAND").size() > 1000);
}

TEST_CASE("CLIENT REPLY silences what it should, in batches too") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  client.Send(Pipeline({"CLIENT REPLY SKIP", "SET a 1", "GET a", "CLIENT REPLY OFF", "SET a 2",
                        "PING", "CLIENT REPLY ON", "GET a"}));
  for (const char* reply : {"\"1\"", "OK", "\"2\""}) CHECK(client.Next() == reply);
}

TEST_CASE("with tokens nothing is done before AUTH, and a role bounds what is done after") {
  RedisOptions options = TestOptions();
  options.allow_flush = true;
  options.authenticate = [](std::string_view, std::string_view token) {
    return token == "v"   ? RedisRole::kViewer
           : token == "a" ? RedisRole::kApp
           : token == "o" ? RedisRole::kOperator
                          : RedisRole::kNone;
  };
  RedisFixture redis(std::move(options));
  Play(redis, R"(
    > GET a
    -NOAUTH Authentication required.
    > HELLO 3
    -NOAUTH HELLO must be called…
    > AUTH wrong
    -WRONGPASS …
    > AUTH v
    OK
    > GET a
    nil
    > SET a 1
    -NOPERM …
    > AUTH default a
    OK
    > SET a 1
    OK
    > FLUSHALL
    -NOPERM …
    > HELLO 2 AUTH default o
    ["server"…
    > FLUSHALL
    OK
    > RESET
    RESET
    > GET a
    -NOAUTH …
  )");
  RawClient client(redis.server->port());
  client.Send("*11\r\n");
  CHECK(client.Next() == "-ERR Protocol error: unauthenticated multibulk length");
  CHECK(client.Next() == "(closed)");
}

TEST_CASE("a protocol error is answered in its turn and ends the connection alone") {
  RedisFixture redis;
  RawClient client(redis.server->port()), other(redis.server->port());
  client.Send(Pipeline({"SET a 1"}) + "*1\r\n:oops\r\n" + Pipeline({"SET a 2"}));
  CHECK(client.Next() == "OK");
  CHECK(client.Next() == "-ERR Protocol error: expected '$', got ':'");
  CHECK(client.Next() == "(closed)");
  CHECK(other.Do("GET a") == "\"1\"");
  CHECK(redis.server->stats().protocol_errors == 1);
  RawClient quitter(redis.server->port());
  quitter.Send(Pipeline({"SET a 3", "QUIT", "SET a 4"}));
  CHECK(quitter.Next() == "OK");
  CHECK(quitter.Next() == "OK");
  CHECK(quitter.Next() == "(closed)");
  CHECK(other.Do("GET a") == "\"3\"");
}

TEST_CASE("a client that leaves with writes under way harms nobody") {
  RedisFixture redis;
  redis.engine.Hold();
  for (int i = 0; i < 20; ++i) {
    RawClient client(redis.server->port());
    client.Send(Pipeline({"SET a 1", "WATCH a", "MULTI", "INCR a", "EXEC"}));
    CHECK(Eventually([&] { return redis.engine.waiting() > 0; }));
  }
  redis.engine.LetGo();
  RawClient client(redis.server->port());
  CHECK(client.Do("PING") == "PONG");
  CHECK(Eventually([&] { return redis.server->stats().clients == 1; }));
}

TEST_CASE("clients beyond the limit are told so; the others go on") {
  RedisOptions options = TestOptions();
  options.clients_max = 3;
  RedisFixture redis(std::move(options));
  RawClient a(redis.server->port()), b(redis.server->port()), c(redis.server->port());
  CHECK(c.Do("PING") == "PONG");
  RawClient d(redis.server->port());
  CHECK(d.Next() == "-ERR max number of clients reached");
  CHECK(d.Next() == "(closed)");
  CHECK(a.Do("PING") == "PONG");
  CHECK(redis.server->stats().rejected == 1);
}

TEST_CASE("a reader that never reads is closed at the output bound") {
  RedisOptions options = TestOptions();
  options.bulk_bytes_max = 1024 * 1024;
  options.output_bytes_max = 1024 * 1024;
  RedisFixture redis(std::move(options));
  RawClient slow(redis.server->port()), other(redis.server->port());
  CHECK(other.Do({"SET", "big", std::string(900'000, 'x')}) == "OK");
  std::string load;
  for (int i = 0; i < 2'000; ++i) load += Encode({"GET", "big"});
  std::thread flood([&] { slow.Send(load); });
  CHECK(Eventually([&] { return redis.server->stats().closed_slow == 1; }));
  flood.join();
  CHECK(other.Do("PING") == "PONG");
}

TEST_CASE("a pipeline larger than every buffer is answered whole") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  const std::string value(10'000, 'v');
  std::string load;
  for (int i = 0; i < 3'000; ++i) {
    load += Encode({"SET", "k", value + std::to_string(i)}) + Encode({"STRLEN", "k"});
  }
  std::thread writer([&] { client.Send(load); });
  for (int i = 0; i < 3'000; ++i) {
    REQUIRE(client.Next() == "OK");
    REQUIRE(client.Next() == ":" + std::to_string(10'000 + std::to_string(i).size()));
  }
  writer.join();
  load.clear();
  for (int i = 0; i < 1'000; ++i) load += Encode({"GET", "k"});
  std::thread reader([&] { client.Send(load); });
  for (int i = 0; i < 1'000; ++i) REQUIRE(client.Next() == "\"" + value + "2999\"");
  reader.join();
}

TEST_CASE("stopping answers what is under way and then closes") {
  auto redis = std::make_unique<RedisFixture>();
  RawClient client(redis->server->port());
  redis->engine.Hold();
  client.Send(Pipeline({"SET a 1"}));
  CHECK(Eventually([&] { return redis->engine.waiting() > 0; }));
  std::thread stopper([&] { redis->server->Stop(); });
  std::this_thread::sleep_for(milliseconds(50));
  redis->engine.LetGo();
  CHECK(client.Next() == "OK");
  CHECK(client.Next() == "(closed)");
  stopper.join();
}

TEST_CASE("out of file descriptors, accepting pauses and heals") {
  RedisFixture redis;
  RawClient before(redis.server->port());
  CHECK(before.Do("PING") == "PONG");
  RawClient late;  // has its socket, is not connected yet
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &old) == 0);
  rlimit tight = old;
  tight.rlim_cur = 3;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &tight) == 0);
  late.Connect(redis.server->port());
  const bool paused = Eventually([&] { return redis.server->stats().accept_paused; });
  const std::string meanwhile = before.Do("SET a 1");
  REQUIRE(setrlimit(RLIMIT_NOFILE, &old) == 0);
  CHECK(paused);
  CHECK(meanwhile == "OK");
  CHECK(late.Do("GET a") == "\"1\"");
  CHECK(!redis.server->stats().accept_paused);
}

TEST_CASE("times are booked by family") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  client.Send(Pipeline({"SET a 1", "GET a", "INCR n", "HSET h f 1"}));
  for (int i = 0; i < 4; ++i) client.Next();
  client.Do("GET a");
  std::map<std::string, std::uint64_t> counts;
  for (const RedisOpStats& op : redis.server->stats().ops) {
    std::uint64_t sum = 0;
    for (const std::uint64_t bucket : op.buckets) sum += bucket;
    CHECK(sum == op.count);
    counts[op.op] = op.count;
  }
  CHECK(counts["set"] == 1);
  CHECK(counts["get"] == 2);
  CHECK(counts["counter"] == 1);
  CHECK(counts["hash_write"] == 1);
}

TEST_CASE("HAWSER EXPLAIN gives what the regions say of a key, in its turn among the replies") {
  RedisOptions options = TestOptions();
  options.explain = [](const std::string& table, const std::string& key, std::int64_t budget_ms,
                       const std::function<void(std::string)>& done) {
    CHECK(budget_ms > 0);
    done("{\"table\":\"" + table + "\",\"key\":\"" + key + "\"}");
  };
  RedisFixture fixture(std::move(options));
  RawClient client(fixture.server->port());
  CHECK(client.Do("HAWSER EXPLAIN orders:42") == "\"{\"table\":\"orders\",\"key\":\"42\"}\"");
  CHECK(client.Do("HAWSER EXPLAIN " + std::string(500, 'k')).starts_with("-TOOBIG"));
}

}  // namespace
}  // namespace hawser::test
