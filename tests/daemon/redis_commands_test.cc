// Every data command against what a user of Redis expects, as transcripts.

#include "conflict/declaration.h"
#include "tests/daemon/redis_fixture.h"

namespace hawser::test {
namespace {

TEST_CASE("strings are set, read and replaced") {
  RedisFixture redis;
  Play(redis, R"(
    > GET a
    nil
    > SET a 1
    OK
    > GET a
    "1"
    > SET a 2 NX
    nil
    > SET b 2 XX
    nil
    > SET b 2 NX
    OK
    > SET b 3 XX GET
    "2"
    > SET c 1 GET
    nil
    > SET c 1 NX GET
    "1"
    > SET a 1 NX XX
    -ERR syntax error
    > SET a 1 EX
    -ERR syntax error
    > SET a 1 EX 0
    -ERR invalid expire time in 'set' command
    > SET a 1 EX x
    -ERR value is not an integer or out of range
    > SET a 1 EX 9223372036854775807
    -ERR invalid expire time in 'set' command
    > SET a 1 BOGUS
    -ERR syntax error
    > SETNX a 9
    :0
    > SETNX d 9
    :1
    > GETSET a x
    "1"
    > GETDEL a
    "x"
    > GETDEL a
    nil
    > EXISTS a
    :0
    > APPEND s Hello
    :5
    > APPEND s World
    :10
    > STRLEN s
    :10
    > STRLEN none
    :0
    > GETRANGE s 0 4
    "Hello"
    > GETRANGE s -5 -1
    "World"
    > GETRANGE s 5 100
    "World"
    > GETRANGE s 7 3
    ""
    > SUBSTR s 0 0
    "H"
    > SETRANGE s 5 -----
    :10
    > GET s
    "Hello-----"
    > SETRANGE t 3 x
    :4
    > SETRANGE t -1 x
    -ERR offset is out of range
    > SETRANGE t 999999999 x
    -TOOBIG …
    > SETRANGE none 0 ''
    :0
    > EXISTS none
    :0
    > MSET m1 a m2 b
    OK
    > MGET m1 none m2
    ["a", nil, "b"]
    > MSET m1 a m2
    -ERR wrong number of arguments for 'mset' command
    > MSETNX m2 x m3 y
    :0
    > MSETNX m3 y m4 z
    :1
    > MGET m2 m3 m4
    ["b", "y", "z"]
    > SET e ''
    OK
    > GET e
    ""
  )");
}

TEST_CASE("time to live is judged by the hybrid clock") {
  RedisFixture redis;
  Play(redis, R"(
    > SET a 1 PX 1500
    OK
    > TTL a
    :2
    > PTTL a
    :1500
    > PEXPIRETIME a
    :1001500
    > EXPIRETIME a
    :1001
    @ 1499
    > GET a
    "1"
    @ 1
    > GET a
    nil
    > TTL a
    :-2
    > EXISTS a
    :0
    > SET a 2
    OK
    > TTL a
    :-1
    > EXPIRE a 100
    :1
    > EXPIRE a 200 NX
    :0
    > EXPIRE a 50 GT
    :0
    > EXPIRE a 200 GT
    :1
    > EXPIRE a 300 LT
    :0
    > EXPIRE a 30 LT
    :1
    > TTL a
    :30
    > SET a 3 KEEPTTL
    OK
    > TTL a
    :30
    > APPEND a x
    :2
    > TTL a
    :30
    > PERSIST a
    :1
    > PERSIST a
    :0
    > EXPIRE a 10 XX
    :0
    > EXPIRE a 10 GT
    :0
    > EXPIRE a 10 LT
    :1
    > EXPIRE a 10 NX XX
    -ERR NX and XX, GT or LT options at the same time are not compatible
    > EXPIRE a 10 GT LT
    -ERR GT and LT options at the same time are not compatible
    > EXPIRE a 10 FOO
    -ERR Unsupported option FOO
    > GETEX a PERSIST
    "3x"
    > TTL a
    :-1
    > GETEX a EX 10
    "3x"
    > TTL a
    :10
    > GETEX a
    "3x"
    > TTL a
    :10
    > GETEX a EX 10 PERSIST
    -ERR syntax error
    > GETEX none
    nil
    > EXPIRE none 10
    :0
    > EXPIRE a -1
    :1
    > EXISTS a
    :0
    > SETEX b 10 v
    OK
    > TTL b
    :10
    > PSETEX b 10 v
    OK
    > PTTL b
    :10
    > SETEX b 0 v
    -ERR invalid expire time in 'setex' command
    > PEXPIREAT b 2000000
    :1
    > PEXPIRETIME b
    :2000000
    > EXPIREAT b 3000
    :1
    > EXPIRETIME b
    :3000
    > PEXPIRE b 5
    :1
    @ 5
    > TYPE b
    none
    > SET c 1 EXAT 5000
    OK
    > EXPIRETIME c
    :5000
    > SET c 1 PXAT 5000000
    OK
    > SET c 2
    OK
    > TTL c
    :-1
    > SET h x PX 10
    OK
    @ 10
    > HSET h f 1
    :1
    > TTL h
    :-1
    > GET h
    -WRONGTYPE …
    > EXPIRE h 5
    :1
    > HDEL h f
    :1
    > HSET h g 1
    :1
    > TTL h
    :-1
  )");
}

TEST_CASE("counters count, refuse what is no number, and stop at 64 bits") {
  RedisFixture redis;
  Play(redis, R"(
    > INCR n
    :1
    > INCRBY n 10
    :11
    > DECR n
    :10
    > DECRBY n 20
    :-10
    > GET n
    "-10"
    > TYPE n
    string
    > SET n 9223372036854775807
    OK
    > INCR n
    -ERR increment or decrement would overflow
    > GET n
    "9223372036854775807"
    > DECRBY n -9223372036854775808
    -ERR decrement would overflow
    > SET s abc
    OK
    > INCR s
    -ERR value is not an integer or out of range
    > INCRBY n 1.5
    -ERR value is not an integer or out of range
    > SET f 10.50
    OK
    > INCRBYFLOAT f 0.1
    "10.6"
    > GET f
    "10.6"
    > INCRBYFLOAT f -5
    "5.6"
    > SET f 5.0e3
    OK
    > INCRBYFLOAT f 2.0e2
    "5200"
    > INCRBYFLOAT s 1
    -ERR value is not a valid float
    > INCRBYFLOAT f nan
    -ERR value is not a valid float
    > INCRBYFLOAT f 1e309
    -ERR value is not a valid float
    > SET big 1.7e308
    OK
    > INCRBYFLOAT big 1.7e308
    -ERR increment would produce NaN or Infinity
    > HINCRBY h f 5
    :5
    > HINCRBY h f -7
    :-2
    > HSET h s abc
    :1
    > HINCRBY h s 1
    -ERR hash value is not an integer
    > HINCRBYFLOAT h x 1.5
    "1.5"
    > HINCRBYFLOAT h s 1
    -ERR hash value is not a float
    > INCR h
    -WRONGTYPE Operation against a key holding the wrong kind of value
    > HINCRBY f x 1
    -WRONGTYPE …
    > DEL n
    :1
    > INCR n
    :1
    > SET n 5
    OK
    > INCR n
    :6
    > EXPIRE n 10
    :1
    > INCR n
    :7
    > TTL n
    :10
  )");
}

TEST_CASE("hashes are the fields of a record") {
  RedisFixture redis;
  Play(redis, R"(
    > HSET h a 1 b 2
    :2
    > HSET h a 3 c 4
    :1
    > HGET h a
    "3"
    > HGET h none
    nil
    > HGET none a
    nil
    > HMGET h a none b
    ["3", nil, "2"]
    > HGETALL h
    ["a", "3", "b", "2", "c", "4"]
    > HGETALL none
    []
    > HKEYS h
    ["a", "b", "c"]
    > HVALS h
    ["3", "2", "4"]
    > HLEN h
    :3
    > HLEN none
    :0
    > HEXISTS h a
    :1
    > HEXISTS h z
    :0
    > HSTRLEN h a
    :1
    > HSETNX h a 9
    :0
    > HSETNX h d 9
    :1
    > HMSET h e 1
    OK
    > HSET h a
    -ERR wrong number of arguments for 'hset' command
    > HSET h a 1 b
    -ERR wrong number of arguments for 'hset' command
    > HSET h '' 1
    -ERR the empty field name …
    > HSCAN h 0 MATCH [ab]
    ["0", ["a", "3", "b", "2"]]
    > HSCAN h 0 COUNT 0
    -ERR syntax error
    > HSCAN h x
    -ERR invalid cursor
    > HDEL h a b none
    :2
    > HDEL none a
    :0
    > HRANDFIELD none
    nil
    > HRANDFIELD none 3
    []
    > HDEL h c d e
    :3
    > EXISTS h
    :0
    > HSET one f v
    :1
    > HRANDFIELD one
    "f"
    > HRANDFIELD one 5 WITHVALUES
    ["f", "v"]
    > HRANDFIELD one -3
    ["f", "f", "f"]
    > TYPE one
    hash
    > GET one
    -WRONGTYPE …
    > APPEND one x
    -WRONGTYPE …
    > GETSET one x
    -WRONGTYPE …
    > MGET one
    [nil]
    > STRLEN one
    -WRONGTYPE …
    > SET one x GET
    -WRONGTYPE …
    > SET one x
    OK
    > HLEN one
    -WRONGTYPE …
    > HSET one f v
    -WRONGTYPE …
    > HDEL one f
    -WRONGTYPE …
    > HGETALL one
    -WRONGTYPE …
    > GET one
    "x"
  )");
}

TEST_CASE("keys are deleted, renamed and copied with their time to live") {
  RedisFixture redis;
  Play(redis, R"(
    > MSET a 1 b 2
    OK
    > EXISTS a b a none
    :3
    > TOUCH a none
    :1
    > DEL a none a
    :1
    > UNLINK b
    :1
    > HSET h f 1 g 2
    :2
    > EXPIRE h 100
    :1
    > SET other x
    OK
    > RENAME h other
    OK
    > EXISTS h
    :0
    > HGETALL other
    ["f", "1", "g", "2"]
    > TTL other
    :100
    > RENAME none x
    -ERR no such key
    > RENAME other other
    OK
    > SET s v
    OK
    > RENAMENX s other
    :0
    > RENAMENX s fresh
    :1
    > GET fresh
    "v"
    > COPY other fresh
    :0
    > COPY other fresh REPLACE
    :1
    > TYPE fresh
    hash
    > TTL fresh
    :100
    > COPY other other
    -ERR source and destination objects are the same
    > COPY none x
    :0
    > COPY other x DB 1
    -ERR DB index is out of range
    > SET t:1 x
    OK
    > COPY t:1 u:1
    :1
    > GET u:1
    "x"
    > SET default:t:1 y
    OK
    > GET t:1
    "x"
    > SET plain z
    OK
    > GET default:plain
    "z"
  )");
  RawClient client(redis.server->port());
  CHECK(client.Do({"SET", std::string(480, 'k'), "v"}) == "OK");
  CHECK(client.Do({"SET", std::string(481, 'k'), "v"}).starts_with("-TOOBIG"));
  CHECK(client.Do({"GET", std::string(481, 'k')}).starts_with("-TOOBIG"));
  CHECK(client.Do({"DEL", "a", std::string(481, 'k')}).starts_with("-TOOBIG"));
}

TEST_CASE("a record that concurrent SET and HSET left mixed shows both parts") {
  RedisFixture redis;
  RawClient client(redis.server->port());
  redis.engine.WriteElsewhere([](LocalTxn& txn) {
    RecordEdit& edit = txn.Edit("default", "mixed");
    REQUIRE(edit.Set("", "text"));
    REQUIRE(edit.Set("f", "1"));
  });
  CHECK(client.Do("TYPE mixed") == "hash");
  CHECK(client.Do("GET mixed") == "\"text\"");
  CHECK(client.Do("HGETALL mixed") == "[\"f\", \"1\"]");
  CHECK(client.Do("HSET mixed g 2") == ":1");
  CHECK(client.Do("HLEN mixed") == ":2");
  CHECK(client.Do("APPEND mixed !") == ":5");
  CHECK(client.Do("SET mixed new") == "OK");
  CHECK(client.Do("TYPE mixed") == "string");
  CHECK(client.Do("HGETALL mixed").starts_with("-WRONGTYPE"));
}

Schema DeclaredSchema() {
  Schema schema;
  schema.tables["orders"].fields["status"] = StatesRule({"OPEN", "PAID", "SHIPPED"});
  schema.tables["orders"].fields["best"].kind = Kind::kMax;
  schema.tables["orders"].fields["id"].kind = Kind::kFirst;
  schema.tables["top"].fields[""].kind = Kind::kMax;
  return schema;
}

TEST_CASE("declared fields refuse what their rule forbids, and say so by name") {
  RedisFixture redis(TestOptions(), DeclaredSchema());
  Play(redis, R"(
    > HSET orders:1 status OPEN
    :1
    > HSET orders:1 status SHIPPED note x
    :1
    > HSET orders:1 note y status PAID
    -BACKWARDS …
    > HGET orders:1 note
    "x"
    > HSET orders:1 status LOST
    -NOTASTATE …
    > HSET orders:1 id 7
    :1
    > HSET orders:1 id 8
    -IMMUTABLE …
    > HSET orders:1 best 10
    :1
    > HSET orders:1 best 5
    :0
    > HGET orders:1 best
    "10"
    > SET top:x 5
    OK
    > SET top:x 3
    nil
    > SET top:x 5
    OK
    > SET top:x 7
    OK
    > GET top:x
    "7"
    > DEL orders:1
    :1
    > HSET orders:1 status OPEN
    :1
    # inside MULTI a refused command leaves nothing of itself behind
    > HSET orders:2 status PAID
    :1
    > MULTI
    OK
    > HSET orders:2 note z status OPEN
    QUEUED
    > HSET orders:2 seen 1
    QUEUED
    > EXEC
    [-BACKWARDS the field holds a later state, and states of this field go one way, :1]
    > HGETALL orders:2
    ["seen", "1", "status", "PAID"]
  )");
}

TEST_CASE("absent types and later features say what they are") {
  RedisFixture redis;
  Play(redis, R"(
    > LPUSH l 1
    -ERR hawser has no lists…
    > sadd s 1
    -ERR hawser has no sets…
    > ZADD z 1 a
    -ERR hawser has no sorted sets
    > XADD x * a 1
    -ERR hawser has no streams
    > EVAL x 0
    -ERR hawser has no scripts
    > HOME GET k
    -NOTHOMED table "default" is not homed: every region writes it;…
    > NOSUCH a b
    -ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' 
    > GET
    -ERR wrong number of arguments for 'get' command
    > GET a b
    -ERR wrong number of arguments for 'get' command
    > SELECT 0
    OK
    > SELECT 1
    -ERR DB index is out of range
    > FLUSHALL
    -ERR FLUSHDB and FLUSHALL delete worldwide…
  )");
}

}  // namespace
namespace {

Schema WithLogin() {
  Schema schema;
  AddInternalRules(schema);
  schema.unique.insert("login");
  return schema;
}

}  // namespace

TEST_CASE("a unique value has one owner, and only that owner gives it up") {
  RedisFixture fixture(TestOptions(), WithLogin());
  Play(fixture, R"(
    > UNIQ GET login anna
    nil
    > UNIQ CLAIM login anna u1
    pending
    > UNIQ CLAIM login anna u1
    pending
    > UNIQ CLAIM login anna u2
    -TAKEN u1
    > UNIQ RELEASE login anna u2
    -TAKEN u1
    > UNIQ CLAIM phone 123 u1
    -ERR the unique name "phone" is not declared…
    > UNIQ CLAIM login
    -ERR syntax error
    > UNIQ CLAIM login anna u1 WAITMS x
    -ERR syntax error
    > UNIQ STEAL login anna u1
    -ERR UNIQ is followed by CLAIM, GET or RELEASE
    > UNIQ RELEASE login anna u1
    :1
    > UNIQ RELEASE login anna u1
    :0
    > UNIQ CLAIM login anna u3 REQ r1
    pending
    > UNIQ CLAIM login anna u4 REQ r1
    pending
    > UNIQ CLAIM login berta u4 REQ r1
    -REQUEST this request id was used for another value
  )");
}

TEST_CASE("who waits for a claim is told when it is confirmed") {
  RedisFixture fixture(TestOptions(), WithLogin());
  fixture.engine.all_have_it = true;
  Play(fixture, R"(
    > UNIQ CLAIM login anna u1 WAITMS 5000
    confirmed
    > UNIQ CLAIM login anna u1
    confirmed
  )");
}

TEST_CASE("a taken claim drops the whole bundle: the record it protects is not written") {
  RedisFixture fixture(TestOptions(), WithLogin());
  Play(fixture, R"(
    > MULTI
    OK
    > SET account:u1 anna
    QUEUED
    > UNIQ CLAIM login anna u1
    QUEUED
    > EXEC
    [OK, pending]
    > MULTI
    OK
    > SET account:u2 anna
    QUEUED
    > UNIQ CLAIM login anna u2
    QUEUED
    > EXEC
    -TAKEN u1; nothing of this transaction was written
    > GET account:u2
    nil
    > GET account:u1
    "anna"
    > MULTI
    OK
    > UNIQ RELEASE login anna u1
    QUEUED
    > UNIQ CLAIM login anna u2
    QUEUED
    > EXEC
    [:1, pending]
    > UNIQ CLAIM login anna u1
    -TAKEN u2
  )");
}

}  // namespace hawser::test
