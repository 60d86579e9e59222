#include "tests/sim/storms.h"

#include <algorithm>

#include "tests/sim/audit_check.h"
#include "tests/sim/check.h"
#include "tests/sim/conflict_check.h"
#include "tests/sim/reference.h"

namespace hawser::sim {
namespace {

constexpr std::uint64_t kEventsMin = 3000;  // before everything heals

}  // namespace

Storms::Storms(Mesh& mesh, Random random)
    : mesh_(mesh),
      random_(random),
      rules_(mesh, random_.Fork()),
      workload_(mesh, random_.Fork(), rules_),
      claims_(mesh, Random(mesh.knobs().seed ^ 0x636c61696dULL)),
      stock_(mesh, Random(mesh.knobs().seed ^ 0x73746f636bULL)),
      homes_(mesh, Random(mesh.knobs().seed ^ 0x686f6d6573ULL)),
      regions_(static_cast<std::uint64_t>(mesh.size())),
      restart_at_us_(static_cast<std::size_t>(mesh.size()), -1),
      crash_since_us_(static_cast<std::size_t>(mesh.size()), -1) {}

void Storms::Run() {
  const Knobs& knobs = mesh_.knobs();
  workload_.Run();
  claims_.Run();
  stock_.Run();
  homes_.Run();
  rules_.Run();
  if (knobs.scenario == Scenario::kSteady) RunSteady();
  const std::int64_t start_us = mesh_.now_us();
  const std::int64_t end_us = start_us + knobs.faults_ms * 1000;
  Next();
  Watch();
  // Every seed has a crash that loses something, and a cut.
  mesh_.At(start_us + random_.Between(100, knobs.faults_ms - 500) * 1000,
           [this] { CrashSomewhere(CrashPoint::kBeforeCommit); });
  mesh_.At(start_us + random_.Between(0, knobs.faults_ms - 500) * 1000, [this] {
    const int a = AnyRegion(), b = AnyOther(a);
    mesh_.coverage().Add(Branch::kLinkCut);
    mesh_.CutPair(a, b);
    mesh_.In(HoldUs(), [this, a, b] {
      if (!over_) mesh_.CutPair(a, b, false);  // in the end a pair may be cut on purpose
    });
  });
  if (knobs.scenario == Scenario::kRollback) PlanRollback();
  if (knobs.scenario == Scenario::kLostOrigin) PlanLostOrigin();
  mesh_.RunFor((end_us - mesh_.now_us()) / 1000);
  while (mesh_.events() < kEventsMin || mesh_.coverage().Get(Branch::kCrashLostTxns) == 0) {
    if (mesh_.coverage().Get(Branch::kCrashLostTxns) == 0)
      CrashSomewhere(CrashPoint::kBeforeCommit);
    mesh_.RunFor(50);
  }
  Heal();
  const bool agreed = Converge();
  mesh_.CheckAllRecords();
  CheckTotals();
  for (int id = 1; id <= mesh_.size(); ++id) {
    Region& region = mesh_.region(id);
    if (!region.alive()) continue;
    CheckConflicts(region, mesh_.truth(), mesh_.coverage());
    CheckAudit(region, mesh_.truth(), mesh_.coverage());
  }
  if (!agreed) return;
  claims_.CheckEnd();
  homes_.CheckEnd();
  if (mesh_.knobs().scenario != Scenario::kTightJournal) {
    rules_.DeclareAll();
    mesh_.RunFor(100);
    if (!Converge()) return;
    CheckRules();
  }
  CheckTombstonesGo();
  mesh_.CheckAllRecords();
}

int Storms::AnyOther(int than) {
  int other = static_cast<int>(random_.Below(regions_ - 1)) + 1;
  return other >= than ? other + 1 : other;
}

// --- Faults --------------------------------------------------------------------------------------

void Storms::Next() {
  mesh_.In(random_.Pause(mesh_.knobs().fault_interval_ms * 1000), [this] {
    if (over_) return;
    Fault();
    Next();
  });
}

// Who died starts again after a while; a crash that waits for its moment in vain comes anyway.
void Storms::Watch() {
  for (int id = 1; id <= mesh_.size(); ++id) {
    Region& region = mesh_.region(id);
    const auto i = static_cast<std::size_t>(id - 1);
    if (region.up()) {
      if (region.crash_waiting() == CrashPoint::kNone) {
        crash_since_us_[i] = -1;
      } else if (crash_since_us_[i] < 0) {
        crash_since_us_[i] = mesh_.now_us();
      } else if (mesh_.now_us() - crash_since_us_[i] > 400'000 &&
                 region.crash_waiting() != CrashPoint::kBeforeCommit) {
        region.CrashAt(CrashPoint::kIdle);
      }
      restart_at_us_[i] = -1;
      continue;
    }
    if (restart_at_us_[i] < 0) restart_at_us_[i] = mesh_.now_us() + random_.Pause(150'000);
    if (mesh_.now_us() >= restart_at_us_[i]) mesh_.Start(id);
  }
  if (!over_) mesh_.In(10'000, [this] { Watch(); });
}

void Storms::CrashSomewhere(CrashPoint point) {
  Region& region = mesh_.region(AnyRegion());
  if (static_cast<int>(Raw(region.id())) == spared_) return;
  if (region.up()) region.CrashAt(point);
}

void Storms::Partition() {
  std::vector<int> side(static_cast<std::size_t>(mesh_.size()) + 1);
  for (int& one : side) one = static_cast<int>(random_.Below(2));
  const auto all = [this, side](bool cut) {
    for (int a = 1; a <= mesh_.size(); ++a) {
      for (int b = a + 1; b <= mesh_.size(); ++b) {
        if (side[static_cast<std::size_t>(a)] != side[static_cast<std::size_t>(b)]) {
          mesh_.CutPair(a, b, cut);
        }
      }
    }
  };
  all(true);
  mesh_.In(HoldUs(), [this, all] {
    if (!over_) all(false);
  });
}

// Links stop one by one and come back in another order.
void Storms::Swizzle() {
  std::vector<std::pair<int, int>> links;
  for (int a = 1; a <= mesh_.size(); ++a) {
    for (int b = 1; b <= mesh_.size(); ++b) {
      if (a != b && random_.Chance(0.7)) links.emplace_back(a, b);
    }
  }
  random_.Shuffle(links);
  std::int64_t at_us = mesh_.now_us();
  for (const auto& [a, b] : links) {
    at_us += random_.Between(1000, 40'000);
    mesh_.At(at_us, [this, a, b] {
      if (!over_) mesh_.Clog(a, b);
    });
  }
  random_.Shuffle(links);
  for (const auto& [a, b] : links) {
    at_us += random_.Between(1000, 40'000);
    mesh_.At(at_us, [this, a, b] {
      if (!over_) mesh_.Clog(a, b, false);
    });
  }
}

void Storms::Fault() {
  Coverage& coverage = mesh_.coverage();
  const int a = AnyRegion(), b = AnyOther(a);
  const auto later = [this](std::function<void()> heal) {
    mesh_.In(HoldUs(), [this, heal = std::move(heal)] {
      if (!over_) heal();
    });
  };
  switch (random_.Below(16)) {
    case 0:
    case 1:
      coverage.Add(Branch::kLinkCutOneWay);
      mesh_.Cut(a, b);
      return later([this, a, b] { mesh_.Cut(a, b, false); });
    case 2:
      coverage.Add(Branch::kLinkCut);
      mesh_.CutPair(a, b);
      return later([this, a, b] { mesh_.CutPair(a, b, false); });
    case 3:
      coverage.Add(Branch::kIsolated);
      mesh_.Isolate(a);
      return later([this, a] { mesh_.Isolate(a, false); });
    case 4:
      coverage.Add(Branch::kPartition);
      return Partition();
    case 5:
      coverage.Add(Branch::kSwizzle);
      return Swizzle();
    case 6:
      mesh_.Clog(a, b);
      return later([this, a, b] { mesh_.Clog(a, b, false); });
    case 7:
      return CrashSomewhere(CrashPoint::kBeforeCommit);
    case 8:
      return CrashSomewhere(CrashPoint::kAfterCommit);
    case 9:
      return CrashSomewhere(CrashPoint::kWhileSending);
    case 10:
      return CrashSomewhere(CrashPoint::kMidCheckpoint);
    case 11:
      return CrashSomewhere(random_.Chance(0.5) ? CrashPoint::kCommitFails : CrashPoint::kIdle);
    case 12:
      coverage.Add(Branch::kPaused);
      return mesh_.Pause(a, random_.Between(10, 400));
    case 13:
    case 14:
      coverage.Add(Branch::kClockStepped);
      return mesh_.StepClock(a, random_.Chance(0.3)
                                    ? 0
                                    : random_.Between(-mesh_.knobs().clock_step_ms_max,
                                                      mesh_.knobs().clock_step_ms_max));
    case 15:
      coverage.Add(Branch::kDiskFull);
      mesh_.region(a).store().SetFull(true);
      return later([this, a] { mesh_.region(a).store().SetFull(false); });
    default:
      return;
  }
}

// --- Scenarios -----------------------------------------------------------------------------------

// Without faults the stable cut follows what everybody has, however much is written.
void Storms::RunSteady() {
  const Knobs& knobs = mesh_.knobs();
  mesh_.coverage().Add(Branch::kSteadySeed);
  mesh_.RunFor(300);
  mesh_.ExpectStableWithin(3 * (knobs.latency_us_max + knobs.jitter_us + knobs.bulk_delay_us +
                                knobs.turn_delay_us_max + 200'000 * (knobs.reorder > 0 ? 1 : 0)) +
                           3 * (knobs.beat_interval_ms + knobs.tick_ms) * 1000 + 50'000);
  mesh_.RunFor(1500);
  mesh_.ExpectStableWithin(0);
}

// A copy of a store is kept; later, when every peer has heard more than it holds, the region starts
// again on it. It must find out, say so and stop; the others keep what they have.
void Storms::PlanRollback() {
  mesh_.In(random_.Between(300, 1200) * 1000, [this] {
    const int victim = AnyRegion();
    spared_ = victim;
    rollback_due_ = true;
    auto image = std::make_shared<StoreImage>(mesh_.region(victim).store().CloneDurable());
    if (random_.Chance(0.25)) image.reset();  // an empty store instead
    const Origin origin = mesh_.region(victim).origin();
    Seq copied{0};
    if (image) {
      for (const StoreImage::Entry& entry : image->journal) {
        if (entry.origin == origin) copied = entry.seq;
      }
      for (const LogEnd& end : image->mark_ends) {
        if (end.origin == origin) copied = std::max(copied, end.seq);
      }
    }
    auto attempt = std::make_shared<std::function<void()>>();
    *attempt = [this, victim, image, origin, copied, weak = std::weak_ptr(attempt)] {
      bool all_know = true;
      for (int id = 1; id <= mesh_.size(); ++id) {
        const Cut& durable = mesh_.truth().durable(mesh_.region(id).id());
        all_know &= durable.Get(origin) > copied;
      }
      if (!all_know) {
        mesh_.In(20'000, [again = weak.lock()] { (*again)(); });
        return;
      }
      mesh_.Kill(victim);
      mesh_.coverage().Add(image ? Branch::kRollback : Branch::kWiped);
      if (image) {
        mesh_.region(victim).PutBack(*image);
      } else {
        mesh_.region(victim).Wipe();
      }
      rollback_due_ = false;
      if (!image || over_ || !random_.Chance(0.5)) return;
      // It is heard and hears nobody for a while: it cannot notice, so the others must.
      const auto deafen = [this, victim](bool deaf) {
        for (int id = 1; id <= mesh_.size(); ++id) {
          if (id != victim) mesh_.Cut(id, victim, deaf);
        }
      };
      deafen(true);
      mesh_.In(random_.Between(300, 1500) * 1000, [this, deafen] {
        if (!over_) deafen(false);
      });
    };
    mesh_.In(random_.Between(100, 800) * 1000, [attempt] { (*attempt)(); });
  });
}

// The last txns of a region reach one other, then it is gone for ever.
void Storms::PlanLostOrigin() {
  mesh_.In(random_.Between(800, 2000) * 1000, [this] {
    const int victim = AnyRegion();
    const int witness = AnyOther(victim);
    spared_ = victim;
    for (int id = 1; id <= mesh_.size(); ++id) {
      if (id != victim && id != witness) mesh_.Cut(victim, id);
    }
    mesh_.In(random_.Between(20, 300) * 1000, [this, victim] {
      mesh_.coverage().Add(Branch::kOriginDestroyed);
      mesh_.Destroy(victim);
    });
  });
}

// --- The end -------------------------------------------------------------------------------------

void Storms::Heal() {
  over_ = true;
  workload_.Stop();
  claims_.Stop();
  stock_.Stop();
  homes_.Stop();
  rules_.Stop();
  mesh_.HealNetwork();
  mesh_.SetQuiet();
  spared_ = 0;
  if (mesh_.knobs().scenario == Scenario::kPairCut) {
    mesh_.coverage().Add(Branch::kPairLeftCut);
    const int a = AnyRegion(), b = AnyOther(a);
    mesh_.Cut(a, b);
    if (random_.Chance(0.7)) mesh_.Cut(b, a);
  }
  for (int id = 1; id <= mesh_.size(); ++id) {
    Region& region = mesh_.region(id);
    region.CrashAt(CrashPoint::kNone);
    region.store().SetFull(false);
    mesh_.StepClock(id, 0);
    mesh_.Pause(id, 0);
    mesh_.Start(id);
  }
  if (rollback_due_) {  // it needs one more txn of its own that the others hear of
    for (int id = 1; id <= mesh_.size(); ++id) workload_.Write(id);
  }
}

// True if what a region lacks has left every journal: it was away past the bound.
bool Storms::IsBehindForGood(Region& region) {
  if (mesh_.knobs().scenario != Scenario::kTightJournal) return false;
  for (const auto& [origin, log] : mesh_.truth().logs()) {
    const Seq next = hawser::Next(region.watched().committed().Get(origin));
    if (!mesh_.truth().Find({origin, next})) continue;
    bool held = false;
    for (int id = 1; id <= mesh_.size(); ++id) {
      Region& other = mesh_.region(id);
      held |= other.alive() && other.store().HashAt(origin, next).has_value() &&
              std::ranges::find(other.facts().journal, Dot{origin, next}) !=
                  other.facts().journal.end();
    }
    if (!held) return true;
  }
  return false;
}

// Journals at their bound in three regions or more can wait for each other: each holds what another
// lacks and has no room for what it lacks itself. Known, see docs/simulator.md.
bool Storms::IsFullOfEachOther() {
  if (mesh_.knobs().scenario != Scenario::kTightJournal || mesh_.size() < 3) return false;
  int paused = 0;
  for (int id = 1; id <= mesh_.size(); ++id) {
    Region& region = mesh_.region(id);
    if (region.up() && region.replica().status().receiving_paused) ++paused;
  }
  if (paused < 2) return false;
  mesh_.coverage().Add(Branch::kFullOfEachOther);
  return true;
}

bool Storms::Converge() {
  const std::int64_t until_ms = mesh_.now_ms() + mesh_.knobs().converge_ms_max;
  const auto done = [this] {
    if (rollback_due_) return false;
    bool stuck = false;
    for (int id = 1; id <= mesh_.size(); ++id) {
      Region& region = mesh_.region(id);
      if (region.facts().forked && !region.stopped() && !region.destroyed()) {
        mesh_.Start(id);
        return false;
      }
      if (region.alive() && region.up()) stuck |= IsBehindForGood(region);
    }
    return stuck || mesh_.Converged();
  };
  while (!done()) {
    if (mesh_.now_ms() >= until_ms) {
      if (IsFullOfEachOther()) return false;
      std::string text;
      for (int id = 1; id <= mesh_.size(); ++id) {
        Region& region = mesh_.region(id);
        text += "\n  region " + std::to_string(id) + (region.up() ? " up" : " down") +
                (region.facts().forked ? " rolled back " : " ") +
                (region.up() ? Text(region.watched().committed()) : std::string());
        if (!region.up()) continue;
        const StoreUsage usage = region.store().usage();
        text += ", journal " + std::to_string(usage.journal_bytes) + " bytes" +
                (region.replica().status().receiving_paused ? ", paused" : "") +
                (region.store().Congested() ? ", congested" : "") + ", checkpoint at " +
                std::to_string(Raw(usage.lsn_checkpointed)) + " of " +
                std::to_string(Raw(usage.lsn_first)) + ".." + std::to_string(Raw(usage.lsn_last)) +
                ", stable " + Text(region.replica().stable().cut);
        for (const PeerStatus& peer : region.replica().status().peers) {
          text += "\n    of " + std::to_string(Raw(peer.region)) + ": incoming " +
                  std::to_string(peer.incoming.txns) + ", pending bytes " +
                  std::to_string(peer.incoming.bytes) + ", skewed " +
                  std::to_string(peer.held_txns);
          if (!peer.held_reason.empty()) {
            text += "\n    holds " + std::to_string(Raw(peer.region)) + ": " + peer.held_reason;
          }
        }
      }
      throw Failure("healed regions come to agree",
                    "after " + std::to_string(mesh_.knobs().converge_ms_max) + " ms:" + text);
    }
    mesh_.RunFor(20);
  }
  for (int id = 1; id <= mesh_.size(); ++id) {
    Region& region = mesh_.region(id);
    if (!region.alive() || IsBehindForGood(region)) continue;
    for (const auto& [origin, log] : mesh_.truth().logs()) {
      Seq wanted = mesh_.truth().LastOf(origin);
      if (!mesh_.region(Raw(origin.region)).alive()) {  // what any survivor has
        wanted = Seq{0};
        for (int other = 1; other <= mesh_.size(); ++other) {
          if (!mesh_.region(other).alive()) continue;
          wanted = std::max(wanted, mesh_.truth().durable(mesh_.region(other).id()).Get(origin));
        }
      }
      if (mesh_.knobs().scenario == Scenario::kTightJournal) continue;
      HW_CHECK(region.watched().committed().Get(origin) == wanted, "nothing durable is left out",
               "region " + std::to_string(id) + " ends without " + Text({origin, wanted}));
    }
  }
  return true;
}

// Regions that have everything go by the same rules for local writes.
void Storms::CheckRules() {
  std::vector<int> regions;
  for (int id = 1; id <= mesh_.size(); ++id) {
    Region& region = mesh_.region(id);
    if (region.alive() && region.up() && !IsBehindForGood(region)) regions.push_back(id);
  }
  rules_.CheckAgree(regions);
}

// Counters that were only ever added to show the sum of what was added (B13).
void Storms::CheckTotals() {
  for (const auto& [row_key, writes] : mesh_.truth().rows()) {
    if (!row_key.starts_with(std::string("d\0n", 3))) continue;
    for (int id = 1; id <= mesh_.size(); ++id) {
      Region& region = mesh_.region(id);
      if (!region.alive()) continue;
      std::int64_t sum = 0;
      bool any = false;
      for (const Written& written : writes) {
        if (!region.watched().committed().Covers(written.by->dot)) continue;
        for (const Op& op : written.change->ops) sum += op.delta;
        any = true;
      }
      const Seen held = Held(region.store().Read(row_key), region.replica().now_ms());
      mesh_.coverage().Add(Branch::kCounterChecked);
      HW_CHECK(
          !any || (held.contains("n") && held.at("n") == std::to_string(sum)),
          "counters are the sum of what was added",
          "region " + std::to_string(id) + " shows " + Text(held) + ", sum " + std::to_string(sum));
    }
  }
}

std::string Storms::TombstonesText() {
  std::string text;
  for (int id = 1; id <= mesh_.size(); ++id) {
    Region& region = mesh_.region(id);
    for (const std::string& row_key : region.store().durable().fading) {
      text += "region " + std::to_string(id) + " keeps " + RowText(row_key) + " " +
              Text(Held(region.store().Read(row_key), region.replica().now_ms())) + ", stands on";
      const Cut& cut = region.watched().committed();
      for (const Dot& dot : Standing(mesh_.truth().WrittenTo(row_key), cut)) {
        text += " " + Text(dot) + (region.watched().stable().cut.Covers(dot) ? "" : " (unstable)");
      }
      text += "; ";
    }
  }
  return text;
}

// With everybody there and nothing written, the dead rows go (G9).
void Storms::CheckTombstonesGo() {
  for (int id = 1; id <= mesh_.size(); ++id) {
    Region& region = mesh_.region(id);
    if (!region.alive() || IsBehindForGood(region)) return;
  }
  const std::int64_t until_ms = mesh_.now_ms() + mesh_.knobs().converge_ms_max;
  const auto left = [this] {
    std::uint64_t rows = 0;
    for (int id = 1; id <= mesh_.size(); ++id) {
      rows += mesh_.region(id).store().usage().tombstones;
    }
    return rows;
  };
  while (left() > 0) {
    HW_CHECK(mesh_.now_ms() < until_ms, "tombstones go when stable", TombstonesText());
    mesh_.RunFor(50);
  }
  mesh_.coverage().Add(Branch::kTombstonesGone);
}

}  // namespace hawser::sim
