#include <doctest/doctest.h>

#include <array>

#include "daemon/config/address.h"
#include "daemon/config/near.h"
#include "daemon/config/units.h"

namespace hawser::config {

TEST_CASE("a size is a whole number with its unit, and prints as it was written") {
  for (const std::string text : {"1B", "64KiB", "16GiB", "3TiB", "0", "1025B", "1025KiB"}) {
    const auto bytes = ParseSize(text);
    REQUIRE(bytes);
    CHECK(FormatSize(*bytes) == text);
  }
  CHECK(*ParseSize("64KiB") == 65536);
  CHECK(*ParseSize("2048KiB") == *ParseSize("2MiB"));
  for (const char* text : {"", "64", "KiB", "-1KiB", "1.5GiB", "64KB", "64 KiB", "64kib",
                           "99999999999TiB", "18446744073709551616B", "0x10KiB", "1KiB ", "64s"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseSize(text));
  }
}

TEST_CASE("a duration always has its unit") {
  CHECK(*ParseDuration("200ms") == 200);
  CHECK(*ParseDuration("2s") == 2000);
  CHECK(*ParseDuration("3m") == 180'000);
  CHECK(*ParseDuration("1d") == 86'400'000);
  CHECK(FormatDuration(90'000) == "90s");
  CHECK(FormatDuration(7'200'000) == "2h");
  for (const char* text :
       {"", "0", "200", "2 s", "2sec", "1.5s", "-2s", "2S", "ms", "9999999999999999d"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseDuration(text));
  }
}

TEST_CASE("a near miss is a slip, not another word") {
  constexpr std::array<std::string_view, 4> kKnown = {"journal_max", "memtable_max", "path",
                                                      "map_max"};
  CHECK(Nearest("jurnal_max", kKnown) == "journal_max");
  CHECK(Nearest("memtabel_max", kKnown) == "memtable_max");
  CHECK(Nearest("pth", kKnown) == "path");
  CHECK(Nearest("apth", kKnown) == "path");
  CHECK(Nearest("colour", kKnown).empty());
  CHECK(Nearest("", kKnown).empty());
  CHECK(EditDistance("abcd", "acbd") == 1);
  CHECK(EditDistance("kitten", "sitting") == 3);
  CHECK(EditDistance("", "abc") == 3);
}

TEST_CASE("loopback is told from what others can reach") {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:70", "[::1]:65535", "localhost:7070"}) {
    const auto address = ParseListen(text);
    REQUIRE(address);
    CHECK(IsLoopback(*address));
    CHECK(Format(*address) == text);
  }
  for (const char* text : {"0.0.0.0:7070", "[::]:7070", "10.0.0.1:7070", "[fe80::1]:1"}) {
    const auto address = ParseListen(text);
    REQUIRE(address);
    CHECK_FALSE(IsLoopback(*address));
  }
}

TEST_CASE("a NATS URL names a host, maybe a port, and never a secret") {
  for (const char* url : {"nats://127.0.0.1:4222", "nats://nats.eu-west.example",
                          "nats://nats-1:4222", "nats://[::1]:4222", "nats://a:4222/"}) {
    CAPTURE(url);
    CHECK(NatsUrlProblem(url) == "");
  }
  const std::string problem = NatsUrlProblem("nats://bob:hunter2@h:4222");
  CHECK(problem.find("credentials") != std::string::npos);
  CHECK(problem.find("hunter2") == std::string::npos);
}

}  // namespace hawser::config
