// Stories: single faults, told with the simulator's mesh. Every event passes the same safety checks
// as in the storms.

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conflict/record_codec.h"
#include "storage/conflict_log.h"
#include "tests/sim/mesh.h"
#include "tests/sim/reference.h"
#include "tests/sim/workload.h"

namespace hawser::sim {
namespace {

Knobs Calm(int regions) {
  Knobs knobs;
  knobs.seed = 7;
  knobs.regions = regions;
  knobs.latency_us_min = knobs.latency_us_max = 5000;
  knobs.jitter_us = 1000;
  knobs.tick_ms = 10;
  knobs.drift_ppm_max = 0;
  return knobs;
}

struct Story {
  explicit Story(int regions) : mesh(Calm(regions)) { mesh.RunFor(300); }
  explicit Story(const Knobs& knobs) : mesh(knobs) { mesh.RunFor(300); }

  void Write(int region, std::function<void(LocalTxn&)> write) {
    mesh.Submit(region, MakeJob(mesh, region, std::move(write)));
    mesh.RunFor(2);
  }
  void Set(int region, const std::string& key, const std::string& value) {
    Write(region, [=](LocalTxn& txn) { (void)txn.Edit("t", key).ReplaceWith("", value); });
  }
  void Delete(int region, const std::string& key) {
    Write(region, [=](LocalTxn& txn) { txn.Edit("t", key).DeleteAll(); });
  }
  void Increment(int region, const std::string& key, std::int64_t delta) {
    Write(region, [=](LocalTxn& txn) { (void)txn.Edit("t", key).Add("", delta); });
  }
  std::optional<std::string> Read(int region, const std::string& key) {
    std::string row_key;
    AppendRowKey("t", key, row_key);
    const Seen seen =
        Held(mesh.region(region).store().Read(row_key), mesh.region(region).replica().now_ms());
    const auto at = seen.find("");
    return at == seen.end() ? std::nullopt : std::optional(at->second);
  }
  bool Settles(std::int64_t ms_max = 5000) {
    for (std::int64_t ms = 0; ms < ms_max; ms += 20) {
      if (mesh.Converged()) {
        mesh.CheckAllRecords();
        return true;
      }
      mesh.RunFor(20);
    }
    return false;
  }
  int Conflicts(int region) {
    int rows = 0;
    std::string start;
    AppendRowKey(kConflictTable, "", start);
    mesh.region(region).store().ScanNewest(start, [&](std::string_view row_key, std::string_view) {
      if (SplitRowKey(row_key).table != kConflictTable) return false;
      ++rows;
      return true;
    });
    return rows;
  }
  std::string HeldReason(int region, int peer) {
    for (const PeerStatus& status : mesh.region(region).replica().status().peers) {
      if (Raw(status.region) == peer) return status.held_reason;
    }
    return "?";
  }

  Mesh mesh;
};

}  // namespace

TEST_CASE("a region back from a partition does not undo newer writes") {
  Story story(3);
  story.mesh.Isolate(1);
  story.Set(1, "user:42", "old");
  story.mesh.RunFor(50);
  story.Set(2, "user:42", "new");
  story.mesh.RunFor(500);
  CHECK(story.Read(1, "user:42") == "old");  // each side goes on with what it has
  CHECK(story.Read(3, "user:42") == "new");

  story.mesh.HealNetwork();

  REQUIRE(story.Settles());
  for (int region = 1; region <= 3; ++region) {
    CHECK(story.Read(region, "user:42") == "new");
    CHECK(story.Conflicts(region) == 1);  // the old value is not lost silently
  }
}

TEST_CASE("a region that hears but is not heard is caught up with once the link is back") {
  Story story(2);
  story.mesh.Cut(1, 2);
  for (int i = 0; i < 20; ++i) story.Set(1, "k" + std::to_string(i), "v");
  story.Set(2, "other", "w");
  story.mesh.RunFor(1000);
  CHECK(story.Read(1, "other") == "w");
  CHECK_FALSE(story.Read(2, "k0"));

  story.mesh.HealNetwork();

  REQUIRE(story.Settles());
  CHECK(story.Read(2, "k19") == "v");
}

TEST_CASE("what reached one region outlives its origin, after its causes") {
  Story story(3);
  story.Set(2, "cause", "1");
  story.mesh.RunFor(200);
  story.mesh.Cut(1, 3);
  story.mesh.Cut(2, 3);
  story.Set(2, "cause", "2");
  story.mesh.RunFor(100);
  story.Set(1, "effect", "2");  // made knowing what region 3 has not heard of
  story.mesh.RunFor(50);
  REQUIRE(story.Read(2, "effect") == "2");
  story.mesh.Destroy(1);
  CHECK_FALSE(story.Read(3, "effect"));

  story.mesh.HealNetwork();

  REQUIRE(story.Settles());
  CHECK(story.Read(3, "effect") == "2");
  CHECK(story.Read(3, "cause") == "2");
}

TEST_CASE("two regions that cannot reach each other hear by way of a third") {
  Story story(3);
  story.mesh.CutPair(1, 2);
  story.Set(1, "a", "from 1");
  story.Set(2, "b", "from 2");
  REQUIRE(story.Settles());
  CHECK(story.Read(2, "a") == "from 1");
  CHECK(story.Read(1, "b") == "from 2");

  // Their beats travel too: what all have is found stable, and the dead go.
  story.Delete(1, "a");
  REQUIRE(story.Settles());
  story.mesh.RunFor(3000);
  for (int region = 1; region <= 3; ++region) {
    CHECK(story.mesh.region(region).store().usage().tombstones == 0);
    CHECK(story.mesh.region(region).replica().stable().cut ==
          story.mesh.region(region).watched().committed());
  }
}

TEST_CASE("a large txn travels in pieces and arrives whole, though pieces are lost") {
  Knobs knobs = Calm(2);
  knobs.loss = 0.2;
  Story story(knobs);
  story.Set(1, "large", std::string(900'000, 'x') + "end");
  story.Set(1, "after", "it");
  for (int i = 0; i < 500 && !story.Read(2, "after"); ++i) story.mesh.RunFor(20);
  CHECK(story.Read(2, "large").value_or("").size() == 900'003);
  CHECK(story.mesh.region(2).replica().counters().fragments_received >= 5);
}

TEST_CASE("a txn from a clock far ahead waits until its time has come") {
  Story story(2);
  story.mesh.Kill(1);
  story.mesh.StepClock(1, 3000);
  story.mesh.Start(1);
  story.mesh.RunFor(200);
  story.Set(1, "k", "from the future");
  story.mesh.RunFor(1500);
  CHECK_FALSE(story.Read(2, "k"));
  CHECK(story.mesh.region(2).replica().counters().skew_holds == 1);

  story.mesh.RunFor(2500);

  CHECK(story.Read(2, "k") == "from the future");
}

TEST_CASE("increments on both sides of a partition add up") {
  Story story(2);
  story.Increment(1, "n", 5);
  REQUIRE(story.Settles());
  story.mesh.CutPair(1, 2);
  story.Increment(1, "n", 10);
  story.Increment(2, "n", 100);
  story.Increment(2, "n", 100);
  CHECK(story.Read(1, "n") == "15");
  CHECK(story.Read(2, "n") == "205");

  story.mesh.HealNetwork();

  REQUIRE(story.Settles());
  CHECK(story.Read(1, "n") == "215");
  CHECK(story.Read(2, "n") == "215");
  CHECK(story.Conflicts(1) + story.Conflicts(2) == 0);
}

TEST_CASE("a store rolled back to an older copy finds out from a peer and stops") {
  Story story(3);
  story.Set(1, "k", "1");
  REQUIRE(story.Settles());
  StoreImage copy = story.mesh.region(1).store().CloneDurable();
  story.Set(1, "k", "2");
  story.Set(1, "k", "3");
  REQUIRE(story.Settles());

  story.mesh.Kill(1);
  story.mesh.region(1).PutBack(std::move(copy));
  story.mesh.Start(1);
  story.mesh.RunFor(1000);

  CHECK(story.mesh.region(1).stopped());
  CHECK(story.mesh.region(1).rolled_back().find("rolled back") != std::string::npos);
  CHECK(story.Read(2, "k") == "3");  // the others keep their branch
  CHECK(story.Read(3, "k") == "3");
}

TEST_CASE("a rolled back store that writes on in a partition convinces nobody") {
  Story story(3);
  story.Set(1, "k", "1");
  REQUIRE(story.Settles());
  StoreImage copy = story.mesh.region(1).store().CloneDurable();
  story.Set(1, "k", "2");
  REQUIRE(story.Settles());

  story.mesh.Kill(1);
  story.mesh.region(1).PutBack(std::move(copy));
  for (int other = 2; other <= 3; ++other) story.mesh.Cut(other, 1);  // it hears nothing
  story.mesh.Start(1);
  story.mesh.RunFor(200);
  story.Set(1, "k", "forked");
  story.Set(1, "k", "forked again");
  story.mesh.RunFor(500);

  CHECK(story.Read(2, "k") == "2");
  CHECK(story.Read(3, "k") == "2");
  CHECK(story.HeldReason(2, 1).find("another branch") != std::string::npos);
  story.mesh.HealNetwork();
  story.mesh.RunFor(1000);
  CHECK(story.mesh.region(1).stopped());
}

TEST_CASE("a region whose store was emptied finds out and stops") {
  Story story(2);
  story.Set(1, "k", "1");
  REQUIRE(story.Settles());
  story.mesh.Kill(1);
  story.mesh.region(1).Wipe();
  story.mesh.Start(1);
  story.mesh.RunFor(1000);
  CHECK(story.mesh.region(1).stopped());
  CHECK(story.Read(2, "k") == "1");
}

TEST_CASE("a full disk refuses writes and receives nothing, reads go on, and it heals by itself") {
  Story story(2);
  story.Set(1, "k", "1");
  REQUIRE(story.Settles());
  story.mesh.region(1).store().SetFull(true);
  story.Set(1, "k", "refused");
  story.Set(2, "k", "elsewhere");
  story.mesh.RunFor(500);
  CHECK(story.Read(1, "k") == "1");
  CHECK(story.mesh.region(1).replica().gate() == Refusal::kFull);
  CHECK(story.mesh.region(2).replica().status().peers.front().receiving_paused);

  story.mesh.region(1).store().SetFull(false);

  REQUIRE(story.Settles());
  CHECK(story.Read(1, "k") == "elsewhere");
}

TEST_CASE("an acked write survives a crash at any boundary; one without an answer may or may not") {
  for (const CrashPoint point :
       {CrashPoint::kBeforeCommit, CrashPoint::kAfterCommit, CrashPoint::kWhileSending,
        CrashPoint::kMidCheckpoint, CrashPoint::kCommitFails, CrashPoint::kIdle}) {
    Story story(2);
    story.Set(1, "acked", "1");
    story.mesh.region(1).CrashAt(point);
    for (int i = 0; i < 40; ++i) story.Set(1, "k" + std::to_string(i), "v");
    story.mesh.RunFor(100);
    REQUIRE_FALSE(story.mesh.region(1).up());
    story.mesh.Start(1);
    REQUIRE(story.Settles());
    CHECK(story.Read(1, "acked") == "1");
    CHECK(story.Read(2, "acked") == "1");
  }
}

TEST_CASE("a deleted value stays dead, and the key may be born again after its tombstone is gone") {
  Story story(3);
  story.Set(1, "k", "first life");
  REQUIRE(story.Settles());
  story.Delete(2, "k");
  REQUIRE(story.Settles());
  story.mesh.RunFor(3000);
  for (int region = 1; region <= 3; ++region) {
    CHECK(story.mesh.region(region).store().usage().tombstones == 0);
  }
  story.Set(3, "k", "second life");
  REQUIRE(story.Settles());
  CHECK(story.Read(1, "k") == "second life");
}

TEST_CASE("a tombstone waits for the member that is away") {
  Story story(3);
  story.Set(1, "k", "v");
  REQUIRE(story.Settles());
  story.mesh.Isolate(3);
  story.Delete(1, "k");
  story.mesh.RunFor(3000);
  CHECK(story.mesh.region(1).store().usage().tombstones == 1);
  story.mesh.HealNetwork();
  REQUIRE(story.Settles());
  story.mesh.RunFor(3000);
  CHECK(story.mesh.region(1).store().usage().tombstones == 0);
  CHECK_FALSE(story.Read(3, "k"));
}

TEST_CASE("what lies past a hole gives way to what fills it, however small the bound") {
  Knobs knobs = Calm(2);
  knobs.pending_bytes_max = 200;
  knobs.window_bytes = 150;
  knobs.loss = 0.3;
  Story story(knobs);
  for (int i = 0; i < 60; ++i) story.Set(1, "k" + std::to_string(i), "some value");
  CHECK(story.Settles(20000));
}

TEST_CASE("a clock that was told is never gone below, though the wall clock goes back a little") {
  Story story(2);
  story.mesh.RunFor(100);
  story.mesh.StepClock(1, -200);  // less than max_clock_skew: followed
  story.mesh.RunFor(20);
  story.Set(1, "k", "v");  // the mesh compares its stamp with every clock told
  REQUIRE(story.Settles());
  CHECK(story.Read(2, "k") == "v");
}

TEST_CASE("the same seed ends on the same number") {
  const auto run = [] {
    Story story(3);
    story.mesh.Isolate(2);
    for (int i = 0; i < 30; ++i) story.Set(i % 3 + 1, "k" + std::to_string(i % 4), "v");
    story.mesh.HealNetwork();
    CHECK(story.Settles());
    return story.mesh.trace_hash();
  };
  CHECK(run() == run());
}

}  // namespace hawser::sim
