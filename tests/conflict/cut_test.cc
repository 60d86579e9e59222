#include "conflict/cut.h"

#include <doctest/doctest.h>

#include "tests/conflict/values.h"

namespace hawser::test {
namespace {
Dot At(std::uint8_t region, std::uint64_t seq) {
  return {OriginOf(region), Seq{seq}};
}
}  // namespace

TEST_CASE("a cut covers what lies at or below it, per origin") {
  const Cut cut{At(1, 5), At(3, 2)};
  CHECK(cut.Covers(At(1, 5)));
  CHECK_FALSE(cut.Covers(At(1, 6)));
  CHECK_FALSE(cut.Covers(At(2, 1)));
  CHECK(cut.Get(OriginOf(2)) == Seq{0});
  CHECK(cut.Covers(Cut{At(3, 1)}));
  CHECK_FALSE(cut.Covers(Cut{At(1, 1), At(2, 1)}));
}

TEST_CASE("an incarnation is an origin of its own") {
  const Origin old_life = OriginOf(1);
  const Origin new_life{RegionId{1}, Incarnation{99}};
  const Cut cut{{old_life, Seq{7}}};
  CHECK_FALSE(cut.Covers({new_life, Seq{1}}));
}

TEST_CASE("a cut only rises, stays sorted and never lists a zero") {
  Cut cut;
  cut.Raise(At(3, 2));
  cut.Raise(At(1, 4));
  cut.Raise(At(3, 1));
  cut.Raise(At(2, 0));
  CHECK(cut == Cut{At(1, 4), At(3, 2)});
  CHECK(cut.dots().front().origin == OriginOf(1));
}

TEST_CASE("join keeps the larger, meet the smaller and drops who is missing") {
  Cut a{At(1, 4), At(2, 2)};
  const Cut b{At(1, 3), At(3, 9)};
  Cut joined = a;
  joined.Join(b);
  CHECK(joined == Cut{At(1, 4), At(2, 2), At(3, 9)});
  a.Meet(b);
  CHECK(a == Cut{At(1, 3)});
}

}  // namespace hawser::test
