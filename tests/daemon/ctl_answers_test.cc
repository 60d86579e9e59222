#include <doctest/doctest.h>

#include "daemon/ctl/answers.h"
#include "daemon/ctl/http.h"

namespace hawser::ctl {
namespace {

constexpr std::string_view kRegions = R"({"cluster":"shop","self":"us-east","regions":[
  {"name":"us-east","id":1,"self":true,"lifecycle":"active","software":"0.1.0"},
  {"name":"eu-west","id":2,"self":false,"link":"up","lifecycle":"active","rtt_ms":1.25,
   "outgoing":{"behind_txns":"12"},"incoming":{"behind_txns":"0"},
   "last_heard_at":"2026-01-01T00:00:00Z","software":"0.1.0"},
  {"name":"ap-south","id":3,"self":false,"link":"down","rtt_ms":null,"incarnation":null}]})";

}  // namespace

TEST_CASE("regions become rows, this one first, what is unknown as a dash") {
  const auto grid = RegionGrid(kRegions);
  REQUIRE(grid);
  REQUIRE(grid->rows.size() == 3);
  CHECK(grid->rows[0][2].text == "self");
  CHECK(grid->rows[1][2].tone == Tone::kGood);
  CHECK(grid->rows[1][4].text == "12");
  CHECK(grid->rows[1][6].text == "1.25");
  CHECK(grid->rows[2][2].tone == Tone::kBad);
  CHECK(grid->rows[2][6].text == "-");
}

TEST_CASE("a table is aligned, coloured only when asked, and cannot steer the terminal") {
  const Grid grid{{"NAME", "N"},
                  {{{"\033[31mevil"}, {"7", Tone::kPlain, true}},
                   {{"ä", Tone::kBad}, {"123", Tone::kPlain, true}}}};
  CHECK(Render(grid, false) == "NAME         N\n?[31mevil    7\nä          123\n");
  const std::string coloured = Render(grid, true);
  CHECK(coloured.find("\033[31mä\033[0m") != std::string::npos);
  CHECK(coloured.find("\033[31mevil") == std::string::npos);
}

TEST_CASE("the cut shows what is applied and what of it is stable, by origin") {
  const auto grid = CutGrid(R"({"applied":[{"region":"a","incarnation":"9","seq":"100"},
      {"region":"b","incarnation":"7","seq":"5"}],"stable":[{"region":"a","incarnation":"9","seq":"90"}]})");
  REQUIRE(grid);
  CHECK(grid->rows[0][2].text == "100");
  CHECK(grid->rows[0][3].text == "90");
  CHECK(grid->rows[1][3].text == "0");
}

TEST_CASE("a record shows its fields, the nameless one as an empty name, bytes as base64") {
  const auto grid = RecordGrid(
      R"({"table":"t","key":"k","version":"5.0-1","fields":{"":"v","b":{"base64":"/w=="}}})");
  REQUIRE(grid);
  CHECK(grid->rows[0][1].text == "5.0-1");
  CHECK(grid->rows[1][0].text == "\"\"");
  CHECK(grid->rows[2][1].text == R"({"base64":"/w=="})");
}

TEST_CASE("what is no such answer is not shown as one") {
  for (const char* text : {"", "[]", "{}", "null", "{\"regions\":1}", "{\"regions\":[1]}",
                           "{\"lag\":[null]}", "<html>"}) {
    CAPTURE(text);
    CHECK_FALSE(RegionGrid(text));
    CHECK_FALSE(LagGrid(text));
    CHECK_FALSE(CutGrid(text));
    CHECK_FALSE(RecordGrid(text));
    CHECK_FALSE(WriteGrid(text));
    CHECK_FALSE(LagOver(text, 0));
    CHECK_FALSE(IsDegraded(text));
  }
}

TEST_CASE("a problem is told in its own words") {
  CHECK(ProblemDetail(R"({"code":"TOOBIG","title":"x","detail":"split it"})") ==
        "TOOBIG: split it");
  CHECK(ProblemDetail("Bad Gateway") == "Bad Gateway");
}

TEST_CASE("values that are no text travel as base64") {
  CHECK(FieldsBody({{"a", "\xff\xfe"}, {"b", "\xff"}, {"c", "\xff\xfe\xfd"}}) ==
        R"({"fields":{"a":{"base64":"//4="},"b":{"base64":"/w=="},"c":{"base64":"//79"}}})");
  CHECK_FALSE(FieldsBody({{"\xff", "v"}}));
}

TEST_CASE("a key cannot leave its place in the path") {
  CHECK(PercentEncoded("../a b%\xc3\xa4") == "..%2Fa%20b%25%C3%A4");
}

}  // namespace hawser::ctl
