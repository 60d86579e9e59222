// Stories of homes, in virtual time. Every event passes the same checks as in the storms.

#include "tests/sim/homes.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace hawser::sim {
namespace {

Knobs Calm() {
  Knobs knobs;
  knobs.seed = 12;
  knobs.regions = 3;
  knobs.latency_us_min = knobs.latency_us_max = 20'000;
  knobs.jitter_us = 100;
  knobs.tick_ms = 10;
  knobs.turn_delay_us_max = 500;
  knobs.drift_ppm_max = 0;
  return knobs;
}

struct Story {
  Story() : mesh(Calm()), homes(mesh, Random(3)) { mesh.RunFor(1500); }

  // A client that does not try again elsewhere. True: its write was taken.
  bool Write(int region, const std::string& key = "{u0}:a", const std::string& table = "h") {
    const std::uint64_t before = mesh.coverage().Get(Branch::kHomeWrite);
    homes.Write(region, {{table, key}}, 0);
    mesh.RunFor(3);
    return mesh.coverage().Get(Branch::kHomeWrite) == before + 1;
  }
  void Move(int region, int to, bool takeover = false) {
    homes.Move(region, "h", "u0", to, takeover, 0);
    mesh.RunFor(3);
  }
  Home Shown(int region, const std::string& unit = "u0", const std::string& table = "h") {
    return HomeOf(mesh.region(region).store().Read(HomeRow(table, unit)),
                  mesh.region(region).replica().proof());
  }
  void End() {
    mesh.HealNetwork();
    mesh.RunFor(3000);
    REQUIRE(mesh.Converged());
    homes.CheckEnd();
  }

  Mesh mesh;
  Homes homes;
};

}  // namespace

TEST_CASE("during a planned move nobody writes the unit, and then the new home alone") {
  Story story;
  CHECK(story.Write(1));
  story.mesh.RunFor(500);
  REQUIRE(story.Shown(1).state == HomeState::kConfirmed);
  CHECK(story.Write(1));
  CHECK_FALSE(story.Write(2));
  story.Move(1, 2);
  CHECK_FALSE(story.Write(1));
  CHECK_FALSE(story.Write(2));  // it has not heard of it yet
  story.mesh.RunFor(30);
  CHECK(story.Write(2));
  CHECK_FALSE(story.Write(1));
  CHECK_FALSE(story.Write(3));
  CHECK(story.Shown(3).epoch == 1);
  story.End();
  CHECK(story.mesh.coverage().Get(Branch::kHomeOverlap) == 0);
  CHECK(story.mesh.coverage().Get(Branch::kHomeKept) ==
        6);  // one before the move, one after it, in three regions
}

TEST_CASE("a move that a crash swallowed has not happened: the old home writes on") {
  Story story;
  CHECK(story.Write(1));
  story.mesh.RunFor(500);
  story.mesh.region(1).CrashAt(CrashPoint::kBeforeCommit);
  story.Move(1, 2);
  CHECK_FALSE(story.mesh.region(1).up());
  story.mesh.Start(1);
  story.mesh.RunFor(1500);
  CHECK(story.Shown(2).region == RegionId{1});
  CHECK(story.Write(1));
  CHECK_FALSE(story.Write(2));
  story.End();
}

TEST_CASE("a move that was durable when the old home died is carried out") {
  Story story;
  CHECK(story.Write(1));
  story.mesh.RunFor(500);
  story.mesh.region(1).CrashAt(CrashPoint::kAfterCommit);
  story.Move(1, 2);
  CHECK_FALSE(story.mesh.region(1).up());
  CHECK_FALSE(story.Write(2));
  story.mesh.Start(1);
  story.mesh.RunFor(1500);
  CHECK_FALSE(story.Write(1));
  CHECK(story.Write(2));
  story.End();
}

TEST_CASE("a home cut off writes on beside a takeover, which says that it is pending") {
  Story story;
  CHECK(story.Write(1));
  story.mesh.RunFor(500);
  story.mesh.Isolate(1);
  story.Move(2, 2, true);
  CHECK(story.Write(1));
  CHECK(story.Write(2));
  story.mesh.RunFor(500);
  CHECK(story.Shown(2).state == HomeState::kPending);
  CHECK(story.Shown(1).state == HomeState::kConfirmed);  // it cannot know
  story.End();
  CHECK(story.mesh.coverage().Get(Branch::kHomeOverlap) == 1);
  CHECK(story.Shown(1).region == RegionId{2});
  CHECK(story.Shown(1).taken_over);
  CHECK_FALSE(story.Write(1));
}

TEST_CASE("of two first writes at once one homes the unit, and neither was told confirmed") {
  Story story;
  CHECK(story.Write(1));
  CHECK(story.Write(2));
  CHECK(story.Shown(1).state == HomeState::kPending);
  CHECK(story.Shown(2).state == HomeState::kPending);
  story.End();
  CHECK(story.mesh.coverage().Get(Branch::kHomeRaced) == 1);
  CHECK(story.Shown(2).region == RegionId{1});
  CHECK_FALSE(story.Write(2));
}

TEST_CASE("a unit of a table with a default home is homed there and nowhere else") {
  Story story;
  CHECK_FALSE(story.Write(2, "u3", "g"));
  CHECK(story.Write(1, "u3", "g"));
  CHECK(story.Shown(1, "u3", "g").region == RegionId{1});
  story.End();
}

}  // namespace hawser::sim
