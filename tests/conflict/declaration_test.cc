#include "conflict/declaration.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "conflict/extension.h"

using namespace hawser;

TEST_CASE("every rule reads back from its text") {
  FieldRule counter, limited, first;
  counter.counter = limited.counter = true;
  limited.min = -3;
  first.kind = Kind::kFirst;
  for (const FieldRule& rule :
       {FieldRule{}, counter, limited, first, StatesRule({"OPEN", "PAID", "CLOSED"})}) {
    const auto read = ParseRule(RuleText(rule));
    REQUIRE(read);
    CHECK(*read == rule);
  }
}

TEST_CASE("a text that is no rule is refused") {
  for (const char* text :
       {"", "latest", "states", "states A", "states A=0", "states A=2,B=1", "states A=1,,B=2",
        "lww x=1", "counter max=3", "counter min=", "counter min=x"}) {
    CAPTURE(text);
    const auto read = ParseRule(text);
    CHECK_FALSE(read.has_value());
  }
}

namespace {

FieldDeclaration Declared(std::vector<std::string> states) {
  FieldDeclaration declaration;
  declaration.Take(kDeclarationField, RuleText(StatesRule(std::move(states))));
  return declaration;
}

void Add(FieldDeclaration& to, const Extension& extension) {
  for (const auto& [state, rank] : extension.added) {
    to.Take(to.AddedStateField(state), std::to_string(rank));
  }
}

}  // namespace

TEST_CASE("new states before, between and behind the declared ones get ranks in between") {
  FieldDeclaration line = Declared({"OPEN", "PAID", "SHIPPED"});
  const std::vector<std::string> wanted = {"NEW",    "OPEN",    "CHECKED", "PAID",
                                           "PACKED", "SHIPPED", "CLOSED",  "FILED"};

  const auto extension = Extend(line, wanted);

  REQUIRE(extension);
  CHECK(extension->added.size() == 5);
  Add(line, *extension);
  const FieldRule rule = line.Effective();
  CHECK(rule.states == wanted);
  CHECK(std::ranges::is_sorted(rule.ranks, std::less_equal{}));  // strictly rising
  CHECK(rule.RankOf("PAID") == 2 * 65536);
  const auto again = Extend(line, wanted);
  REQUIRE(again);
  CHECK(again->added.empty());
}

TEST_CASE("a line may be extended over and over in one place, until its gap is used up") {
  FieldDeclaration line = Declared({"A", "B"});
  std::vector<std::string> wanted = {"A", "B"};
  int added = 0;
  for (;; ++added) {
    wanted.insert(wanted.begin() + 1, "s" + std::to_string(added));
    const auto extension = Extend(line, wanted);
    if (!extension) {
      CHECK(extension.error().find("used up") != std::string::npos);
      CHECK(extension.error().find("\"A\"") != std::string::npos);
      break;
    }
    Add(line, *extension);
    REQUIRE(line.Effective().states == wanted);
  }
  CHECK(added >= 9);
  // Elsewhere there is room.
  wanted.erase(wanted.begin() + 1);
  wanted.push_back("Z");
  CHECK(Extend(line, wanted).has_value());
}

TEST_CASE("what is no extension is refused, and the line is named") {
  const FieldDeclaration line = Declared({"OPEN", "PAID", "SHIPPED"});
  for (const std::vector<std::string>& wanted :
       {std::vector<std::string>{"OPEN", "SHIPPED", "PAID"},
        {"OPEN", "SHIPPED"},
        {"PAID", "NEW", "OPEN", "SHIPPED"},
        {"A", "B"}}) {
    const auto extension = Extend(line, wanted);
    REQUIRE_FALSE(extension.has_value());
    CHECK(extension.error().find("[\"OPEN\", \"PAID\", \"SHIPPED\"]") != std::string::npos);
  }
}

TEST_CASE("two extensions of one line join to the same line, whichever comes first") {
  const FieldDeclaration base = Declared({"OPEN", "PAID", "SHIPPED"});
  const auto one = Extend(base, {"OPEN", "CHECKED", "PAID", "SHIPPED"});
  const auto other = Extend(base, {"NEW", "OPEN", "FROZEN", "PAID", "SHIPPED"});
  REQUIRE(one);
  REQUIRE(other);
  FieldDeclaration a = base, b = base;
  Add(a, *one), Add(a, *other);
  Add(b, *other), Add(b, *one);
  CHECK(a.Effective() == b.Effective());
  CHECK(a.Effective().states.size() == 6);
  // An older file names some of them only: no contradiction, and it says which.
  const auto older = Extend(a, {"OPEN", "PAID", "CHECKED", "SHIPPED"});
  CHECK_FALSE(older.has_value());
  const auto fine = Extend(a, {"OPEN", "CHECKED", "PAID", "SHIPPED"});
  REQUIRE(fine);
  CHECK(fine->unnamed.size() == 2);
  CHECK(fine->added.empty());
}

TEST_CASE("two states with one rank stand in the order of their names, and neither is behind") {
  FieldDeclaration line = Declared({"A", "D"});
  line.Take(line.AddedStateField("C"), "98304");
  line.Take(line.AddedStateField("B"), "98304");
  CHECK(line.Effective().states == std::vector<std::string>{"A", "B", "C", "D"});
  CHECK(Extend(line, {"A", "B", "C", "D"}).has_value());
  CHECK(Extend(line, {"A", "C", "B", "D"}).has_value());
  const auto squeezed = Extend(line, {"A", "B", "X", "C", "D"});
  REQUIRE_FALSE(squeezed.has_value());
  CHECK(squeezed.error().find("used up") != std::string::npos);
}

TEST_CASE("a state of the first line keeps its rank there, whatever was added under its name") {
  FieldDeclaration line = Declared({"A", "B"});
  line.Take(line.AddedStateField("B"), "5");
  line.Take(line.AddedStateField("C"), "no number");
  CHECK(line.Effective() == StatesRule({"A", "B"}));
}

TEST_CASE("what was added to a line that lost does not stand between the winner's states") {
  const FieldDeclaration lost = Declared({"NEW", "OPEN", "PAID", "SHIPPED"});
  const auto extension = Extend(lost, {"NEW", "OPEN", "PAID", "PACKED", "SHIPPED"});
  REQUIRE(extension);
  FieldDeclaration won = Declared({"OPEN", "PAID", "SHIPPED"});
  won.Take(lost.AddedStateField("PACKED"), std::to_string(extension->added[0].second));
  CHECK(won.Effective() == StatesRule({"OPEN", "PAID", "SHIPPED"}));
  const auto anew = Extend(won, {"NEW", "OPEN", "PAID", "PACKED", "SHIPPED"});
  REQUIRE(anew);
  Add(won, *anew);
  CHECK(won.Effective().states ==
        std::vector<std::string>{"NEW", "OPEN", "PAID", "PACKED", "SHIPPED"});
}

TEST_CASE("a line is named by its text, in every version") {
  CHECK(Declared({"OPEN", "PAID"}).AddedStateField("NEW") == "state 4aa4d20cd9e48e8f NEW");
}
