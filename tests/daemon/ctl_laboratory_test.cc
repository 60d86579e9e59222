#include "daemon/ctl/laboratory.h"

#include <doctest/doctest.h>

#include "daemon/ctl/answers.h"

namespace hawser::ctl {
namespace {

LabConflict Pair(std::optional<std::string> winner, std::optional<std::string> loser) {
  return {.id = "1",
          .key = "k",
          .winner = {std::move(winner), *ParseVersion("2000.0-2")},
          .loser = {std::move(loser), *ParseVersion("1000.7-1")}};
}
LabOutcome Decided(std::string_view rule, const LabConflict& conflict) {
  const auto parsed = LabRule::Parse(rule);
  REQUIRE(parsed.has_value());
  return parsed->Decide(conflict);
}

}  // namespace

TEST_CASE("each rule decides a logged pair as the daemon would") {
  CHECK(Decided("lww", Pair("a", "b")) == LabOutcome::kStays);
  CHECK(Decided("first", Pair("a", "b")) == LabOutcome::kChanges);
  CHECK(Decided("max", Pair("9", "10")) == LabOutcome::kChanges);
  CHECK(Decided("max", Pair("10", "9")) == LabOutcome::kStays);
  CHECK(Decided("min", Pair("10", "9")) == LabOutcome::kChanges);
  CHECK(Decided("states:OPEN,PAID,SENT", Pair("OPEN", "SENT")) == LabOutcome::kChanges);
  CHECK(Decided("states:OPEN,PAID,SENT", Pair("PAID", "OPEN")) == LabOutcome::kStays);
  CHECK(Decided("states:OPEN,PAID", Pair("OPEN", "LOST")) == LabOutcome::kUndecided);
}

TEST_CASE("a delete that won stays the winner, whatever the rule") {
  for (const char* rule : {"lww", "first", "max", "min", "states:b,c"}) {
    CHECK(Decided(rule, Pair(std::nullopt, "b")) == LabOutcome::kStays);
  }
}

TEST_CASE("a rule that is none is refused with what there is") {
  for (const char* rule : {"", "LWW", "states", "states:", "states:ONE", "counter", "max "}) {
    const auto parsed = LabRule::Parse(rule);
    REQUIRE(!parsed.has_value());
    CHECK(!parsed.error().empty());
  }
}

TEST_CASE("versions are read as the daemon writes them, and nothing else") {
  const auto version = ParseVersion("1763793281000.65535-63");
  REQUIRE(version.has_value());
  CHECK(version->stamp.ms() == 1763793281000);
  CHECK(version->region == RegionId{63});
  for (const char* text : {"", "1", "1.2", "1.2-", "1.2-0", "1.2-64", "1.65536-1", "1.2-3x",
                           "-1.2-3", "281474976710656.0-1"}) {
    CHECK(!ParseVersion(text).has_value());
  }
}

TEST_CASE("a page of the log is read with deletes, bytes and without expiries") {
  const auto found = ReadLabConflicts(
      R"({"conflicts":[
        {"id":"a","key":"k","winner":{"value":null,"version":"2.0-1"},"loser":{"value":"x","version":"1.0-2"}},
        {"id":"b","key":"k","expiry":true,"winner":{"value":null,"version":"2.0-1"},"loser":{"value":"x","version":"1.0-2"}},
        {"id":"c","key":{"base64":"/w=="},"winner":{"value":{"base64":"AA=="},"version":"2.0-1"},"loser":{"value":"","version":"1.0-2"}}]})");
  REQUIRE(found.has_value());
  REQUIRE(found->size() == 2);
  CHECK(!found->at(0).winner.value);
  CHECK(found->at(1).key == "\xff");
  CHECK(found->at(1).winner.value == std::string(1, '\0'));
  CHECK(!ReadLabConflicts(R"({"conflicts":[{"id":"a"}]})"));
  CHECK(!ReadLabConflicts("no"));
}

}  // namespace hawser::ctl
