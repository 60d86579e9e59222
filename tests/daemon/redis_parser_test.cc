#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "daemon/redis/command.h"
#include "daemon/redis/glob.h"
#include "daemon/redis/key_name.h"
#include "daemon/redis/reply.h"
#include "daemon/redis/resp_parser.h"

namespace hawser::redis {
namespace {

using State = RespParser::State;
using Commands = std::vector<std::vector<std::string>>;

struct Parsed {
  Commands commands;
  int too_big = 0;
  std::string error;
  std::size_t kept_max = 0;  // bytes that the caller had to hold at most
};

// Feeds `bytes` in the given pieces, as a connection would.
Parsed Feed(const std::vector<std::string>& pieces, RespLimits limits = {}) {
  RespParser parser(limits);
  Parsed parsed;
  std::string buffer;
  for (const std::string& piece : pieces) {
    buffer += piece;
    while (!buffer.empty()) {
      std::vector<std::string_view> args;
      const auto result = parser.Next(buffer.data(), buffer.size(), args);
      if (result.state == State::kCommand) {
        parsed.commands.emplace_back(args.begin(), args.end());
      } else if (result.state == State::kTooBig) {
        ++parsed.too_big;
      } else if (result.state == State::kError) {
        parsed.error = parser.error();
        return parsed;
      }
      buffer.erase(0, result.consumed);
      if (result.state == State::kMore) break;
    }
    parsed.kept_max = std::max(parsed.kept_max, buffer.size());
  }
  return parsed;
}

std::vector<std::string> Bytewise(const std::string& bytes) {
  std::vector<std::string> pieces;
  for (const char c : bytes) pieces.emplace_back(1, c);
  return pieces;
}

TEST_CASE("commands are the same however the stream is cut") {
  const std::string stream =
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\nb\n\r\n"
      "PING\r\n\r\n*0\r\n*-1\r\n"
      "set \"a b\" 'c\\'d' \"\\x41\\n\\\"\"\n"
      "*1\r\n$0\r\n\r\n";
  const Commands expected = {
      {"SET", "k", "a\r\nb\n"}, {"PING"}, {"set", "a b", "c'd", "A\n\""}, {""}};
  CHECK(Feed({stream}).commands == expected);
  CHECK(Feed(Bytewise(stream)).commands == expected);
  for (std::size_t i = 1; i < stream.size(); ++i) {
    for (std::size_t j = i; j < stream.size(); j += 7) {
      CAPTURE(i);
      CAPTURE(j);
      const Parsed parsed = Feed({stream.substr(0, i), stream.substr(i, j - i), stream.substr(j)});
      CHECK(parsed.commands == expected);
      CHECK(parsed.error.empty());
    }
  }
}

TEST_CASE("what is no RESP is named and ends the stream") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"*x\r\n", "invalid multibulk length"},
      {"*1048577\r\n", "invalid multibulk length"},
      {"*99999999999999999999\r\n", "invalid multibulk length"},
      {"*1\n$4\r\n", "invalid multibulk length"},
      {"*" + std::string(100, '1'), "invalid multibulk length"},
      {"*1\r\n:4\r\n", "expected '$', got ':'"},
      {"*1\r\n\x01", "expected '$', got '?'"},
      {"*1\r\n$-1\r\n", "invalid bulk length"},
      {"*1\r\n$536870913\r\n", "invalid bulk length"},
      {"*1\r\n$\r\n", "invalid bulk length"},
      {"*1\r\n$4x\r\n", "invalid bulk length"},
      {"*1\r\n$" + std::string(40, '9'), "invalid bulk length"},
      {"*1\r\n$4\r\nPINGxx", "expected CRLF after a bulk string"},
      {"PING \"abc\r\n", "unbalanced quotes in request"},
      {"PING \"abc\"d\r\n", "unbalanced quotes in request"},
      {std::string(70'000, 'a'), "too big inline request"},
  };
  for (const auto& [bytes, error] : table) {
    CAPTURE(error);
    CHECK(Feed({bytes}).error == "ERR Protocol error: " + error);
    CHECK(Feed(Bytewise(bytes)).error == "ERR Protocol error: " + error);
  }
}

TEST_CASE("an argument beyond the limit is read past, holding none of it") {
  RespLimits limits;
  limits.bulk_bytes_max = 1000;
  const std::string huge(50'000, 'x');
  const std::string stream =
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$50000\r\n" + huge + "\r\n*1\r\n$4\r\nPING\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{777}, stream.size()}) {
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      pieces.push_back(stream.substr(at, piece));
    }
    const Parsed parsed = Feed(pieces, limits);
    CHECK(parsed.too_big == 1);
    CHECK(parsed.commands == Commands{{"PING"}});
    CHECK(parsed.kept_max < 2 * 1000);
  }
}

TEST_CASE("many small arguments beyond the sum are read past too") {
  RespLimits limits;
  limits.bulk_bytes_max = 1000;
  limits.command_bytes_max = 2000;
  std::string stream = "*11\r\n$4\r\nMSET\r\n";
  for (int i = 0; i < 10; ++i) stream += "$500\r\n" + std::string(500, 'v') + "\r\n";
  CHECK(Feed(Bytewise(stream + "*1\r\n$4\r\nPING\r\n"), limits).too_big == 1);
  CHECK(Feed({stream + "*1\r\n$4\r\nPING\r\n"}, limits).commands == Commands{{"PING"}});
}

TEST_CASE("a stranger may say little before AUTH") {
  CHECK(Feed({"*11\r\n"}, UnauthenticatedLimits()).error ==
        "ERR Protocol error: unauthenticated multibulk length");
  CHECK(Feed({"*2\r\n$4\r\nAUTH\r\n$16385\r\n"}, UnauthenticatedLimits()).error ==
        "ERR Protocol error: unauthenticated bulk length");
  CHECK(Feed({"*2\r\n$4\r\nAUTH\r\n$3\r\nabc\r\n"}, UnauthenticatedLimits()).commands ==
        Commands{{"AUTH", "abc"}});
}

TEST_CASE("whatever comes, the parser neither crashes nor holds more than its limits") {
  RespLimits limits;
  limits.bulk_bytes_max = 200;
  limits.command_bytes_max = 400;
  limits.inline_bytes_max = 300;
  const std::string good =
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\nPING 'a' "
      "\"b\\x41\"\r\n*2\r\n$3\r\nGET\r\n$300\r\n" +
      std::string(300, 'x') + "\r\n";
  std::mt19937 random(7);
  int errors = 0, whole = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string stream = good + good;
    for (unsigned i = random() % 4; i > 0; --i) {
      const std::size_t at = random() % stream.size();
      switch (random() % 3) {
        case 0:
          stream[at] = "*$\r\n-19\"'\\ "[random() % 11];
          break;
        case 1:
          stream.erase(at, random() % 9);
          break;
        default:
          stream.insert(at, stream.substr(random() % stream.size(), random() % 20));
          break;
      }
    }
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = 1 + random() % 64;
      pieces.push_back(stream.substr(at, size));
      at += size;
    }
    const Parsed parsed = Feed(pieces, limits);
    REQUIRE(parsed.kept_max < 1000);
    errors += parsed.error.empty() ? 0 : 1;
    whole += parsed.commands.size() == 4 && parsed.too_big == 2 ? 1 : 0;
  }
  CHECK(errors > 1'000);
  CHECK(whole > 1'000);
}

TEST_CASE("every command that INTERFACE.md promises is there") {
  const std::string_view promised =
      "HELLO AUTH PING ECHO SELECT CLIENT COMMAND INFO CONFIG QUIT RESET "
      "GET SET SETNX SETEX PSETEX GETSET GETDEL GETEX MGET MSET MSETNX APPEND STRLEN GETRANGE "
      "SETRANGE "
      "INCR INCRBY DECR DECRBY INCRBYFLOAT HINCRBY HINCRBYFLOAT "
      "DEL UNLINK EXISTS TYPE EXPIRE PEXPIRE EXPIREAT PEXPIREAT EXPIRETIME PEXPIRETIME PERSIST TTL "
      "PTTL "
      "SCAN KEYS DBSIZE RANDOMKEY RENAME RENAMENX COPY TOUCH FLUSHDB FLUSHALL "
      "HSET HSETNX HGET HMGET HGETALL HDEL HEXISTS HLEN HKEYS HVALS HSTRLEN HSCAN HRANDFIELD "
      "MULTI EXEC DISCARD WATCH UNWATCH WAIT SUBSCRIBE HAWSER UNIQ HOME";
  std::size_t at = 0, count = 0;
  while (at < promised.size()) {
    const std::size_t end = std::min(promised.find(' ', at), promised.size());
    const std::string name(promised.substr(at, end - at));
    CAPTURE(name);
    const Command* command = FindCommand(name);
    REQUIRE(command != nullptr);
    CHECK(command->name == name);
    // UNIQ is served alone, and is part of the txn inside MULTI.
    const bool both = command->run != nullptr && command->serve != nullptr;
    CHECK(both == (name == "UNIQ"));
    CHECK((command->run != nullptr || command->serve != nullptr));
    CHECK(AbsentReason(name).empty());
    at = end + 1;
    ++count;
  }
  CHECK(count == 79);
  CHECK(FindCommand("sEt") == FindCommand("SET"));
  CHECK(FindCommand("") == nullptr);
  CHECK(FindCommand("SETX") == nullptr);
  CHECK(FindCommand(std::string(1000, 'S')) == nullptr);
}

TEST_CASE("a Redis key names one record, and its printed name leads back to it") {
  const std::vector<std::array<std::string, 3>> table = {
      {"orders:42", "orders", "42"},
      {"plain", "default", "plain"},
      {"a b:c", "default", "a b:c"},
      {":x", "default", ":x"},
      {"!homes:x", "default", "!homes:x"},
      {"orders:", "orders", ""},
      {"a:b:c", "a", "b:c"},
      {"", "default", ""},
      {"-x:1", "default", "-x:1"},
      {std::string(65, 't') + ":1", "default", std::string(65, 't') + ":1"},
  };
  for (const auto& [redis_key, record_table, key] : table) {
    CAPTURE(redis_key);
    const auto name = ParseKeyName(redis_key);
    REQUIRE(name);
    CHECK(name->table == record_table);
    CHECK(name->key == key);
    std::string printed;
    AppendRedisKey(name->table, name->key, printed);
    CHECK(printed == redis_key);
  }
  std::string printed;
  AppendRedisKey("default", "orders:42", printed);
  CHECK(printed == "default:orders:42");
  CHECK(ParseKeyName(std::string(480, 'k')));
  CHECK(!ParseKeyName(std::string(481, 'k')));
}

TEST_CASE("patterns match as in Redis, and a hostile one costs no more than its size") {
  CHECK(GlobMatches("*", ""));
  CHECK(GlobMatches("h?llo", "hello"));
  CHECK(GlobMatches("h[ae]llo", "hallo"));
  CHECK(!GlobMatches("h[^e]llo", "hello"));
  CHECK(GlobMatches("h[a-c]llo", "hbllo"));
  CHECK(GlobMatches("h[c-a]llo", "hbllo"));
  CHECK(GlobMatches("\\*x", "*x"));
  CHECK(!GlobMatches("\\*x", "ax"));
  CHECK(GlobMatches("a*b*c", "a-b-b-c"));
  CHECK(!GlobMatches("a*b*c", "a-b-b"));
  CHECK(GlobMatches("[\\]]", "]"));
  CHECK(!GlobMatches("[", "x"));
  std::string hostile;
  for (int i = 0; i < 200; ++i) hostile += "*a";
  CHECK(!GlobMatches(hostile + "b", std::string(5'000, 'a')));
  CHECK(GlobLiteralPrefix("orders:*") == "orders:");
}

TEST_CASE("an error is one line, whatever the text holds") {
  std::string out;
  Reply(out, 2).Error("ERR a\r\nb");
  CHECK(out == "-ERR a  b\r\n");
}

}  // namespace
}  // namespace hawser::redis
