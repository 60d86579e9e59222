#pragma once

// Storms: a whole run of one seed. Writes and faults first, then everything that can heal does, and
// the regions must come to agree.

#include <cstdint>
#include <string>

#include "tests/sim/claims.h"
#include "tests/sim/homes.h"
#include "tests/sim/mesh.h"
#include "tests/sim/random.h"
#include "tests/sim/rules.h"
#include "tests/sim/stock.h"
#include "tests/sim/workload.h"

namespace hawser::sim {

class Storms {
 public:
  Storms(Mesh& mesh, Random random);
  // Throws Failure when a check breaks.
  void Run();

 private:
  // Faults
  void Next();
  void Fault();
  void CrashSomewhere(CrashPoint point);
  void Watch();
  void Swizzle();
  void Partition();
  std::int64_t HoldUs() { return random_.Pause(250'000); }
  int AnyRegion() { return static_cast<int>(random_.Below(regions_)) + 1; }
  int AnyOther(int than);

  // Scenarios
  void PlanRollback();
  void RollBack(StoreImage image);
  void PlanLostOrigin();
  void RunSteady();

  // The end
  void Heal();
  bool Converge();
  bool IsFullOfEachOther();
  bool IsBehindForGood(Region& region);
  void CheckTotals();
  void CheckRules();
  std::string TombstonesText();
  void CheckTombstonesGo();

  Mesh& mesh_;
  Random random_;
  Rules rules_;
  Workload workload_;
  Claims claims_;
  Stock stock_;
  Homes homes_;
  std::uint64_t regions_;
  bool over_ = false;  // faults have ended
  int spared_ = 0;     // a region that faults leave alone, for a scenario
  bool rollback_due_ = false;
  std::vector<std::int64_t> restart_at_us_;
  std::vector<std::int64_t> crash_since_us_;
};

}  // namespace hawser::sim
