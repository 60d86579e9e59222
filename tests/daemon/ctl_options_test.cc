#include <doctest/doctest.h>

#include <vector>

#include "daemon/ctl/options.h"

namespace hawser::ctl {
namespace {

Parsed Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "hawserctl");
  return ParseOptions(static_cast<int>(words.size()), words.data());
}

}  // namespace

TEST_CASE("nouns and verbs become commands, options stand where one likes") {
  CHECK(Parse({"region", "list"}).options->command == Command::kRegionList);
  CHECK(Parse({"cut"}).options->command == Command::kCut);
  const auto lag =
      Parse({"lag", "-o", "json", "--server", "http://h:1", "--max", "5s", "--wait", "1m"});
  REQUIRE(lag.options);
  CHECK(lag.options->json);
  CHECK(lag.options->server == "http://h:1");
  CHECK(lag.options->max_lag_ms == 5000);
  CHECK(lag.options->wait_ms == 60'000);
  const auto get = Parse({"-o", "json", "record", "get", "users", "alice"});
  REQUIRE(get.options);
  CHECK(get.options->table == "users");
  CHECK(get.options->key == "alice");
  const auto put = Parse({"record", "put", "users", "alice", "a=1", "b=2", "--merge"});
  REQUIRE(put.options);
  CHECK(put.options->fields == std::vector<std::string>{"a=1", "b=2"});
  CHECK(put.options->merge);
  CHECK_FALSE(put.options->value);
  CHECK(Parse({"record", "put", "t", "k", "--value", ""}).options->value == "");
  CHECK(Parse({"config", "check", "/c"}).options->config_file == "/c");
}

TEST_CASE("a mistake is usage, and ends with 2") {
  const std::vector<std::vector<const char*>> kMistakes = {{},
                                                           {"lagg"},
                                                           {"region"},
                                                           {"region", "lst"},
                                                           {"record", "get", "t"},
                                                           {"lag", "--max", "5"},
                                                           {"lag", "-o", "xml"},
                                                           {"lag", "--wait", "soon"},
                                                           {"cut", "extra"},
                                                           {"lag", "--nonsense"}};
  for (const auto& words : kMistakes) {
    const Parsed parsed = Parse(words);
    CHECK_FALSE(parsed.options);
    CHECK(parsed.exit_code == 2);
    CHECK(parsed.to_stderr);
  }
}

TEST_CASE("what comes in a later version says so, and is not in the help") {
  for (const char* noun : {"verify", "parked", "backup", "bench"}) {
    const Parsed parsed = Parse({noun, "list"});
    CHECK(parsed.exit_code == 2);
    CHECK(parsed.text.find("not in this version") != std::string::npos);
    CHECK(Parse({"--help"}).text.find(std::string("  ") + noun) == std::string::npos);
  }
  CHECK(Parse({"region", "drain", "eu"}).text.find("not in this version") != std::string::npos);
  CHECK(Parse({"region", "lst"}).text.find("not in this version") == std::string::npos);
}

TEST_CASE("a claim names what it is, its value and its owner") {
  const Parsed parsed = Parse({"unique", "claim", "login", "anna", "u1", "--request-id", "r1"});
  REQUIRE(parsed.options);
  CHECK(parsed.options->command == Command::kUniqueClaim);
  CHECK(parsed.options->table == "login");
  CHECK(parsed.options->key == "anna");
  CHECK(parsed.options->owner == "u1");
  CHECK(parsed.options->request_id == "r1");
  CHECK(Parse({"unique", "release", "login", "anna"}).exit_code == 2);
  CHECK(Parse({"unique", "get", "login", "anna"}).options);
}

TEST_CASE("one unit is moved, or all of a prefix; never both, and many are never taken over") {
  const Parsed one = Parse({"home", "move", "t", "u", "--to", "eu-west", "--reason", "why"});
  REQUIRE(one.options);
  CHECK(one.options->command == Command::kHomeMove);
  CHECK(one.options->key == "u");
  CHECK(one.options->to_region == "eu-west");
  CHECK_FALSE(one.options->many);
  const Parsed many = Parse(
      {"home", "move", "t", "--prefix", "", "--to", "eu-west", "--reason", "why", "--rate", "2.5"});
  REQUIRE(many.options);
  CHECK(many.options->many);
  CHECK(many.options->moves_per_second == 2.5);
  for (const char* more : {"u", "--force"}) {
    CHECK(Parse({"home", "move", "t", "--prefix", "a", "--to", "eu", "--reason", "w", more})
              .exit_code == 2);
  }
  CHECK(Parse({"home", "move", "t", "u", "--to", "eu"}).exit_code == 2);
  CHECK(Parse({"home", "get", "t", "u"}).options);
}

TEST_CASE("a conflict is resolved with one value and a reason") {
  const Parsed taken =
      Parse({"conflict", "resolve", "77", "--take", "loser", "--reason", "as agreed"});
  REQUIRE(taken.options);
  CHECK(taken.options->command == Command::kConflictResolve);
  CHECK(taken.options->conflict_id == "77");
  CHECK(taken.options->take == "loser");
  CHECK_FALSE(taken.options->take_value);
  const Parsed given = Parse({"conflict", "resolve", "77", "--value", "", "--reason", "x"});
  REQUIRE(given.options);
  CHECK(given.options->take_value == "");
  CHECK_FALSE(Parse({"conflict", "resolve", "77", "--take", "loser"}).options);
  CHECK_FALSE(Parse({"conflict", "resolve", "77", "--take", "both", "--reason", "x"}).options);
  CHECK_FALSE(
      Parse({"conflict", "resolve", "77", "--take", "loser", "--value", "x", "--reason", "x"})
          .options);
  CHECK_FALSE(Parse({"conflict", "list", "--limit", "0"}).options);
  CHECK(Parse({"audit", "verify"}).options->command == Command::kAuditVerify);
}

TEST_CASE("help and version are no mistakes") {
  CHECK(Parse({"--help"}).exit_code == 0);
  CHECK(Parse({"--help"}).text.find("condition not met") != std::string::npos);
  CHECK(Parse({"--version"}).text.starts_with("hawserctl "));
}

}  // namespace hawser::ctl
