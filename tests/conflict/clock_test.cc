#include "conflict/clock.h"

#include <doctest/doctest.h>

namespace hawser {

TEST_CASE("stamps rise, and carry the wall's milliseconds") {
  HybridClock clock(500, Stamp{});
  clock.Observe({1'000, 0});
  const Stamp first = clock.Tick();
  CHECK(first.ms() == 1'000);
  CHECK(clock.Tick() > first);
  clock.Observe({1'001, 1});
  CHECK(clock.Tick().ms() == 1'001);
}

TEST_CASE("more stamps than fit a millisecond carry over into the next") {
  HybridClock clock(500, Stamp{});
  clock.Observe({1'000, 0});
  Stamp last = clock.Tick();
  for (int i = 0; i < 70'000; ++i) {
    const Stamp next = clock.Tick();
    REQUIRE(next > last);
    last = next;
  }
  CHECK(last.ms() == 1'001);
}

TEST_CASE("a wall clock that jumps is not followed, and the jump is known") {
  HybridClock clock(500, Stamp{});
  clock.Observe({10'000, 0});
  SUBCASE("forward") {
    clock.Observe({90'000, 10});
    CHECK(clock.stepped_ms() == 79'990);
    CHECK(clock.Tick().ms() == 10'010);
    clock.Observe({90'010, 20});
    CHECK(clock.Tick().ms() == 10'020);
  }
  SUBCASE("back") {
    clock.Observe({2'000, 10});
    CHECK(clock.stepped_ms() == -8'010);
    CHECK(clock.Tick().ms() == 10'010);
  }
  clock.Observe({10'100, 100});  // put right: followed again
  CHECK(clock.stepped_ms() == 0);
  CHECK(clock.Tick().ms() == 10'100);
}

TEST_CASE("a slow drift is followed") {
  HybridClock clock(500, Stamp{});
  std::int64_t wall_ms = 10'000;
  clock.Observe({wall_ms, 0});
  for (int second = 1; second <= 100; ++second) {
    wall_ms += 1'100;
    clock.Observe({wall_ms, second * 1'000});
    CHECK(clock.stepped_ms() == 0);
  }
  CHECK(clock.Tick().ms() == wall_ms);
}

TEST_CASE("what the clock was read as it never goes below, however little the wall steps back") {
  HybridClock clock(500, Stamp{});
  clock.Observe({10'000, 0});
  const Stamp read = clock.Read();
  clock.Observe({9'700, 1});
  CHECK(clock.Read() >= read);
  CHECK(clock.Tick() > read);
}

TEST_CASE("after a restart stamps go on above the floor kept, even under a wall far behind") {
  HybridClock before(500, Stamp{});
  before.Observe({50'000, 0});
  const Stamp last = before.Tick();
  HybridClock after(500, last);
  after.Observe({1'000, 0});
  CHECK(after.Tick() > last);
}

TEST_CASE("what is applied is earlier than what is written next") {
  HybridClock clock(500, Stamp{});
  clock.Observe({1'000, 0});
  const Stamp received = Stamp::FromMs(1'400);
  CHECK_FALSE(clock.IsAhead(received));
  clock.Witness(received);
  CHECK(clock.Tick() > received);
  CHECK(clock.IsAhead(Stamp::FromMs(1'501)));
  CHECK_FALSE(clock.IsAhead(Stamp::FromMs(1'500)));
}

}  // namespace hawser
