#include "conflict/declaration.h"

#include <doctest/doctest.h>

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
