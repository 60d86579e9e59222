#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>

#include "tests/conflict/history.h"

namespace hawser::test {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* wanted = std::getenv(name);
  return wanted ? std::strtoull(wanted, nullptr, 10) : otherwise;
}

}  // namespace

TEST_CASE(
    "random causal histories end the same everywhere, lose nothing silently, unseat no claim") {
  Coverage coverage;
  std::uint64_t bad = 0;
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t histories = FromEnvironment("HAWSER_HISTORIES", 2500);
  const std::uint64_t first = FromEnvironment("HAWSER_SEED", 1);
  for (std::uint64_t seed = first; seed < first + histories; ++seed) {
    const std::string problem = RunHistory(seed, coverage);
    if (problem.empty()) continue;
    if (++bad <= 10) MESSAGE("seed " << seed << ": " << problem);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  CHECK(bad == 0);
  MESSAGE(histories << " histories in " << took.count() << " s\n" << coverage.Print());
  for (std::size_t i = 0; i < static_cast<std::size_t>(Event::kCount); ++i) {
    INFO(std::string(Name(static_cast<Event>(i))));
    CHECK(coverage.Get(static_cast<Event>(i)) >=
          histories / 10);  // a law hardly tried proves little
  }
}

}  // namespace hawser::test
