// Stories of claims, in virtual time.

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "conflict/record_codec.h"
#include "storage/conflict_log.h"
#include "tests/sim/claims.h"
#include "tests/sim/workload.h"

namespace hawser::sim {
namespace {

Knobs Calm(std::int64_t latency_us) {
  Knobs knobs;
  knobs.seed = 11;
  knobs.regions = 3;
  knobs.latency_us_min = knobs.latency_us_max = latency_us;
  knobs.jitter_us = 100;
  knobs.tick_ms = 10;
  knobs.turn_delay_us_max = 500;
  knobs.drift_ppm_max = 0;
  knobs.beat_interval_ms = 60'000;  // whatever comes sooner does not wait for an idle beat
  return knobs;
}

struct Story {
  explicit Story(std::int64_t latency_us = 5000) : mesh(Calm(latency_us)), claims(mesh, Random(3)) {
    mesh.RunFor(1500);
  }
  hawser::Claim Shown(int region, const std::string& value = "v0") {
    return ClaimOf(mesh.region(region).store().Read(ClaimRowKey("login", value)),
                   mesh.region(region).replica().proof());
  }
  struct Told {
    std::optional<hawser::Claim> claim;
    std::int64_t at_us = 0;
  };
  // Waits for the claim from the moment it is durable.
  std::shared_ptr<Told> Await(int region, const std::string& owner, std::int64_t patience_ms) {
    auto told = std::make_shared<Told>();
    Region& at = mesh.region(region);
    at.replica().Wait(
        ClaimWait{.row_key = ClaimRowKey("login", "v0"),
                  .owner = owner,
                  .deadline_mono_ms = at.clock().At(mesh.now_us()).mono_ms + patience_ms,
                  .done = [this, told](const hawser::Claim& claim) {
                    told->claim = claim;
                    told->at_us = mesh.now_us();
                  }});
    return told;
  }
  int LostClaims(int region) {
    int rows = 0;
    std::string start;
    AppendRowKey(kConflictTable, "", start);
    Record record;
    mesh.region(region).store().ScanNewest(start,
                                           [&](std::string_view row_key, std::string_view bytes) {
                                             if (SplitRowKey(row_key).table != kConflictTable)
                                               return false;
                                             REQUIRE(DecodeRecord(bytes, record));
                                             rows += ParseConflict(record)->kind == "claim" ? 1 : 0;
                                             return true;
                                           });
    return rows;
  }

  Mesh mesh;
  Claims claims;
};

}  // namespace

TEST_CASE("a round trip longer than the pause between probes still lets claims be confirmed") {
  Story story(900'000);
  story.claims.Claim(1, "v0", "anna");
  const auto told = story.Await(1, "anna", 30'000);
  story.mesh.RunFor(10'000);
  REQUIRE(told->claim);
  CHECK(told->claim->state == ClaimState::kConfirmed);
}

TEST_CASE("a claim is confirmed after one round trip, not at the next idle beat") {
  Story story(40'000);
  const std::int64_t asked_us = story.mesh.now_us();
  story.claims.Claim(1, "v0", "anna");
  story.mesh.RunFor(2);
  const auto told = story.Await(1, "anna", 30'000);
  CHECK(story.Shown(1).state == ClaimState::kPending);
  story.mesh.RunFor(1000);
  REQUIRE(told->claim);
  CHECK(told->claim->state == ClaimState::kConfirmed);
  CHECK(told->at_us - asked_us >= 80'000);
  CHECK(told->at_us - asked_us <= 90'000);
}

TEST_CASE("of two claims at once one is confirmed and the other told that it lost") {
  Story story(40'000);
  story.claims.Claim(1, "v0", "anna");
  story.mesh.RunFor(3);
  story.claims.Claim(2, "v0", "berta");
  story.mesh.RunFor(3);
  const auto first = story.Await(1, "anna", 5000);
  const auto second = story.Await(2, "berta", 5000);
  story.mesh.RunFor(1000);
  REQUIRE(first->claim);
  REQUIRE(second->claim);
  CHECK(first->claim->state == ClaimState::kConfirmed);
  CHECK(second->claim->owner == "anna");
  for (int region = 1; region <= 3; ++region) {
    CHECK(story.Shown(region).owner == "anna");
    CHECK(story.Shown(region).state == ClaimState::kConfirmed);
  }
  CHECK(story.LostClaims(2) == 1);  // at the loser's region at least
}

TEST_CASE("while a region is silent a claim stays pending, and a lost one is told all the same") {
  Story story;
  story.mesh.Isolate(3);
  story.claims.Claim(1, "v0", "anna");
  story.mesh.RunFor(1);
  story.claims.Claim(2, "v0", "berta");
  story.mesh.RunFor(1);
  const auto second = story.Await(2, "berta", 60'000);
  story.mesh.RunFor(2000);
  CHECK(story.Shown(1).state == ClaimState::kPending);
  const ReplicaStatus status = story.mesh.region(1).replica().status();
  for (const PeerStatus& peer : status.peers) {
    CHECK(peer.counted.Covers(story.Shown(1).dot) == (peer.region == RegionId{2}));
  }
  REQUIRE(second->claim);
  CHECK(second->claim->owner == "anna");

  story.mesh.HealNetwork();
  story.claims.Claim(3, "v1", "clara");  // something to say
  story.mesh.RunFor(62'000);
  CHECK(story.Shown(1).state == ClaimState::kConfirmed);
  CHECK(story.Shown(3).state == ClaimState::kConfirmed);
}

TEST_CASE("a claim killed by a release that had not seen it is made again by its own region") {
  Story story;
  story.mesh.CutPair(1, 2);
  story.mesh.CutPair(1, 3);
  story.mesh.CutPair(2, 3);
  story.claims.Claim(2, "v0", "berta");  // the first, and so the winner over anna
  story.mesh.RunFor(5);
  story.claims.Claim(1, "v0", "anna");
  story.mesh.RunFor(5);
  story.claims.Release(1, "v0", "anna");
  story.mesh.RunFor(5);
  story.mesh.HealNetwork();
  story.claims.Claim(1, "v1", "x");
  story.claims.Claim(2, "v2", "y");
  story.mesh.RunFor(62'000);
  for (int region = 1; region <= 3; ++region) {
    CHECK(story.Shown(region).owner == "berta");
    CHECK(story.Shown(region).state == ClaimState::kConfirmed);
  }
  CHECK(story.mesh.region(2).replica().status().claims.reclaimed_total == 1);
}

TEST_CASE(
    "after a start nothing is confirmed until every member has compared its copy of our log") {
  Story story;
  story.claims.Claim(1, "v0", "anna");
  story.mesh.RunFor(1000);
  REQUIRE(story.Shown(1).state == ClaimState::kConfirmed);
  story.mesh.Isolate(3);
  story.mesh.Kill(1);
  story.mesh.Start(1);
  story.mesh.RunFor(3000);
  CHECK(story.Shown(1).owner == "anna");
  CHECK(story.Shown(1).state == ClaimState::kPending);
  for (const PeerStatus& peer : story.mesh.region(1).replica().status().peers) {
    CHECK(peer.compared == (peer.region == RegionId{2}));
  }
  story.mesh.HealNetwork();
  story.mesh.RunFor(62'000);
  CHECK(story.Shown(1).state == ClaimState::kConfirmed);
}

}  // namespace hawser::sim
