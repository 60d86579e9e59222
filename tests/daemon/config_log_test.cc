#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

#include "daemon/log_codes.h"
#include "daemon/log_line.h"
#include "tests/daemon/config_fixture.h"

namespace hawser {
namespace {

const std::vector<LogField> kFields = {{"peer", "eu-west"}, UserData("key", "alice@example.org")};
LogEvent Event() {
  return {LogLevel::kWarning, "link", "peer-state", "the link changed", kFields, 0};
}

}  // namespace

TEST_CASE("a line is one JSON object with time, level, message, component, region and code") {
  CHECK(
      FormatLine(Event(), "us-east", 1'700'000'000'123'456, {}) ==
      "{\"time\":\"2023-11-14T22:13:20.123456Z\",\"level\":\"warning\",\"msg\":\"the link "
      "changed\","
      "\"component\":\"link\",\"region\":\"us-east\",\"code\":\"peer-state\",\"peer\":\"eu-west\","
      "\"key\":\"(17 bytes)\"}");
}

TEST_CASE("keys and values of users are masked unless the operator wants to see them") {
  for (const LogFormat format : {LogFormat::kJson, LogFormat::kText}) {
    CHECK(FormatLine(Event(), "r", 0, {.format = format}).find("alice") == std::string::npos);
    CHECK(FormatLine(Event(), "r", 0, {.format = format, .mask_values = false}).find("alice") !=
          std::string::npos);
  }
}

TEST_CASE("nothing in a value can break the line or the object") {
  const std::vector<LogField> fields = {{"v", std::string("a\n\"b\\\0\x7f\xff\xc3\xa4", 11)}};
  const LogEvent event{LogLevel::kError, "c", "code", "m", fields, 0};
  const std::string line = FormatLine(event, "", 0, {});
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find("a\\u000a\\\"b\\\\\\u0000\\u007f\\ufffd\xc3\xa4") != std::string::npos);
  CHECK(FormatLine(event, "", 0, {.format = LogFormat::kText}).find('\n') == std::string::npos);
}

TEST_CASE("in the journal a line begins with its priority") {
  CHECK(FormatLine(Event(), "r", 0, {.journal = true}).starts_with("<4>{"));
  CHECK(FormatLine(Event(), "r", 0, {.format = LogFormat::kText, .journal = true}) ==
        "<4>warning link: the link changed peer=\"eu-west\" key=\"(17 bytes)\" [peer-state]");
}

TEST_CASE("a line that repeats is written once, and then with a count") {
  RepeatFilter filter;
  CHECK(filter.Offer(Event(), 0) == 0);
  for (int i = 1; i <= 5; ++i) CHECK_FALSE(filter.Offer(Event(), i));
  const std::vector<LogField> other = {{"peer", "ap-south"}};
  CHECK(filter.Offer({LogLevel::kWarning, "link", "peer-state", "the link changed", other, 0}, 6) ==
        0);

  CHECK(filter.Offer(Event(), RepeatFilter::kWindowMs) == 5);
  CHECK_FALSE(filter.Offer(Event(), RepeatFilter::kWindowMs + 1));

  const auto due = filter.Drain(2 * RepeatFilter::kWindowMs, false);
  REQUIRE(due.size() == 1);
  CHECK(due[0].count == 1);
  CHECK(due[0].fields[0].second.name == "peer");
  CHECK(filter.Drain(9 * RepeatFilter::kWindowMs, true).empty());
}

TEST_CASE("many kinds of lines do not fill the memory") {
  RepeatFilter filter;
  for (int i = 0; i < 10'000; ++i) {
    const std::vector<LogField> fields = {{"n", std::to_string(i % 5000)}};
    const LogEvent event{LogLevel::kInfo, "c", "code", "m", fields, 0};
    filter.Offer(event, 0);
  }
  const std::vector<LogField> fields = {{"n", "4999"}};
  CHECK(filter.Offer({LogLevel::kInfo, "c", "code", "m", fields, 0}, 0) ==
        0);  // past the bound: as it comes
}

TEST_CASE("the page of log codes is what the table says") {
  CHECK(config::FileText(HAWSER_SOURCE_DIR "/docs/log-codes.md") == LogCodesPage());
}

TEST_CASE("every code is explained, once") {
  std::set<std::string_view> seen;
  for (const LogCode& entry : LogCodes()) {
    CHECK(seen.insert(entry.code).second);
    CHECK_FALSE(entry.action.empty());
  }
  const std::string header = config::FileText(HAWSER_SOURCE_DIR "/daemon/log_codes.h");
  const std::regex declared("string_view k[A-Za-z]+ = \"([a-z_]+)\"");
  std::set<std::string> codes;
  for (std::sregex_iterator at(header.begin(), header.end(), declared), end; at != end; ++at) {
    codes.insert((*at)[1]);
  }
  CHECK(codes.size() == seen.size());
  for (const std::string& code : codes) CHECK(seen.contains(code));
}

}  // namespace hawser
