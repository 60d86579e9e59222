#include <doctest/doctest.h>

#include "conflict/variant.h"
#include "tests/conflict/history.h"

namespace hawser::test {
namespace {

// The first seed whose history shows the mistake; 0 if none of `seeds` does.
std::uint64_t CaughtAt(Variant variant, std::uint64_t seeds) {
  g_variant = variant;
  std::uint64_t caught = 0;
  Coverage coverage;
  for (std::uint64_t seed = 1; seed <= seeds && caught == 0; ++seed) {
    if (!RunHistory(seed, coverage).empty()) caught = seed;
  }
  g_variant = Variant::kNone;
  return caught;
}

}  // namespace

TEST_CASE("the seeds that prove the laws catch every deliberate mistake in them") {
  for (const Variant variant :
       {Variant::kTieFlipped, Variant::kCreatedMarkIgnored, Variant::kAbsentMarkIgnored,
        Variant::kGenerationIgnored, Variant::kSeenSharesIgnored, Variant::kDropBeforeStable}) {
    const std::uint64_t seed = CaughtAt(variant, 2500);
    INFO(std::string(Name(variant)));
    CHECK(seed != 0);
    MESSAGE(std::string(Name(variant)) << ": caught by seed " << seed);
  }
}

TEST_CASE("without a mistake the twin passes the same seeds") {
  CHECK(CaughtAt(Variant::kNone, 100) == 0);
}

}  // namespace hawser::test
