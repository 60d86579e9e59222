#include "conflict/cell.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "conflict/record.h"
#include "tests/conflict/values.h"

namespace hawser::test {
namespace {

constexpr const char* kValues[] = {"0",
                                   "1",
                                   "1.0",
                                   "-0",
                                   "-3",
                                   "9007199254740993",
                                   "9007199254740992.0",
                                   "9007199254740992",
                                   "9223372036854775807",
                                   "9223372036854775808",
                                   "-9223372036854775808",
                                   "-9.3e18",
                                   "1e3",
                                   "1000",
                                   "a",
                                   "b",
                                   "",
                                   "007",
                                   "1e400",
                                   "inf",
                                   "nan",
                                   " 1",
                                   "0.1",
                                   "1e-3"};

std::vector<Cell> RandomCells(std::size_t count) {
  std::mt19937 random(7);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  std::vector<Cell> cells;
  for (std::size_t i = 0; i < count; ++i) {
    Cell cell;
    cell.generation = below(3);
    cell.kind = static_cast<Kind>(below(kKindMax + 1u));
    cell.null = below(4) == 0;
    if (!cell.null) cell.value = kValues[below(std::size(kValues))];
    cell.rank = !cell.null && cell.kind == Kind::kStates ? below(4) : 0;
    cell.version = {Stamp{i}, RegionId{static_cast<std::uint8_t>(1 + below(3))}};
    cells.push_back(cell);
  }
  return cells;
}

}  // namespace

TEST_CASE("the order of cells is total, whatever their kinds") {
  const std::vector<Cell> cells = RandomCells(160);
  for (const Cell& a : cells) {
    REQUIRE(Compare(a, a) == 0);
    for (const Cell& b : cells) {
      const auto order = Compare(a, b);
      REQUIRE((order == 0) == (&a == &b));
      REQUIRE((0 <=> Compare(b, a)) == order);
      if (order >= 0) continue;
      for (const Cell& c : cells) {
        if (Compare(b, c) < 0) REQUIRE(Compare(a, c) < 0);
      }
    }
  }
}

TEST_CASE("values of max and min order without circles, floats beside whole numbers too") {
  for (const char* a : kValues) {
    for (const char* b : kValues) {
      CAPTURE(std::string(a));
      CAPTURE(std::string(b));
      const auto order = CompareValues(a, b);
      CHECK((0 <=> CompareValues(b, a)) == order);
      for (const char* c : kValues) {
        if (order <= 0 && CompareValues(b, c) <= 0) CHECK(CompareValues(a, c) <= 0);
      }
    }
  }
}

TEST_CASE("numbers go by size and before texts, texts by bytes") {
  CHECK(CompareValues("9", "10") < 0);
  CHECK(CompareValues("1", "1.0") == 0);
  CHECK(CompareValues("1e3", "999.5") > 0);
  CHECK(CompareValues("99999", "a") < 0);
  CHECK(CompareValues("a10", "a9") < 0);
  CHECK(CompareValues("9007199254740993", "9007199254740992.0") > 0);
  CHECK(CompareValues("1e400", "5") > 0);  // not finite: a text
}

TEST_CASE("what decides: generation, kind, a null below all, the line of the kind, the version") {
  Cell low{.kind = Kind::kStates, .null = false, .rank = 1, .version = {Stamp{9}, RegionId{1}}};
  Cell high = low;
  high.version = {Stamp{1}, RegionId{1}};
  SUBCASE("a later state, whatever the clocks say") {
    high.rank = 2;
  }
  SUBCASE("a raised generation, a null even") {
    high.generation = 1;
    high.null = true;
  }
  SUBCASE("a stronger kind") {
    high.kind = Kind::kFirst;
  }
  SUBCASE("any value above a null") {
    low.null = true;
  }
  SUBCASE("of equals the later version") {
    high.version.stamp = Stamp{10};
  }
  SUBCASE("of one stamp the larger region") {
    high.version = {Stamp{9}, RegionId{2}};
  }
  SUBCASE("the earliest of firsts") {
    low.kind = high.kind = Kind::kFirst;
  }
  SUBCASE("the largest of max") {
    low.kind = high.kind = Kind::kMax;
    low.value = "9";
    high.value = "10";
  }
  SUBCASE("the smallest of min") {
    low.kind = high.kind = Kind::kMin;
    low.value = "10";
    high.value = "9";
  }
  CHECK(Compare(low, high) < 0);
}

TEST_CASE("of lww cells the later wins, null or not") {
  const Cell value{.null = false, .value = "v", .version = {Stamp{1}, RegionId{1}}};
  const Cell null{.version = {Stamp{2}, RegionId{1}}};
  CHECK(Compare(value, null) < 0);
}

TEST_CASE("integers are what Redis takes for integers") {
  CHECK(ParseInt("0") == 0);
  CHECK(ParseInt("-12") == -12);
  CHECK(ParseInt("9223372036854775807") == INT64_MAX);
  CHECK(ParseInt("-9223372036854775808") == INT64_MIN);
  for (const char* bad :
       {"", "-", "+1", " 1", "1 ", "01", "-0", "-01", "1.0", "0x1", "9223372036854775808"}) {
    CAPTURE(std::string(bad));
    CHECK_FALSE(ParseInt(bad));
  }
}

TEST_CASE("floats are finite and print as the shortest text that reads back the same") {
  for (const char* bad : {"", "inf", "nan", "1e400", " 1", "1 ", "abc", "--1"}) {
    CAPTURE(std::string(bad));
    CHECK_FALSE(ParseFloat(bad));
  }
  CHECK(FormatFloat(10.6) == "10.6");
  CHECK(FormatFloat(-0.0) == "0");
  CHECK(FormatFloat(5200.0) == "5200");
  CHECK(FormatFloat(1e17) == "100000000000000000");
  CHECK(FormatFloat(0.1 + 0.2) == "0.30000000000000004");
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = FormatFloat(value);
    REQUIRE(text.find_first_of("eEn") == std::string::npos);
    REQUIRE(ParseFloat(text) == value);
  }
}

}  // namespace hawser::test
