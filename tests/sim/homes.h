#pragma once

// Homes: clients that write homed units from every region, forward what is refused, move units and
// take them over; and the checks of what regions say and hold of homes after every turn. What is
// true is home_truth.h's to know.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/home_truth.h"
#include "tests/sim/mesh.h"
#include "tests/sim/random.h"
#include "wan/session.h"

namespace hawser::sim {

class Homes {
 public:
  Homes(Mesh& mesh, Random random);
  // Writes and moves on and on, until Stop.
  void Run();
  void Stop() { stopped_ = true; }
  // One of them, at a region.
  void Act(int region);

  struct Place {
    std::string table, key;
  };
  // A txn over these records; where it is refused it is tried again at the home, `hops` times.
  void Write(int region, const std::vector<Place>& places, int hops = 2);
  void Move(int region, const std::string& table, const std::string& unit, int to, bool takeover,
            int hops = 2);

  // With all that can agree in agreement.
  void CheckEnd();

  Mesh& mesh() { return mesh_; }
  HomeTruth& truth() { return truth_; }

 private:
  // Of a home in a region, as it was last looked at.
  struct Look {
    std::size_t words = 0;  // said of it and applied here
    std::optional<HeldHome> held;
    bool confirmed = false;
  };
  struct Seen {
    Cut cut;
    std::size_t pending = 0;  // homes not reported confirmed here
    std::vector<Look> looks;  // in the order of HomeTruth's rows
  };
  void Again(int region);
  void Race(int region);
  Place AnyPlace();
  std::int64_t AwayUs() { return random_.Between(0, 2 * mesh_.knobs().latency_us_max); }
  void Check(Region& region);
  void CheckOne(Region& region, const std::string& row, const Cut& cut, const Proof& proof,
                Look& look);
  bool AllConfirmed();

  Mesh& mesh_;
  Random random_;
  HomeTruth truth_;
  std::map<RegionId, Seen> seen_;
  std::uint64_t units_, units_max_;
  bool stopped_ = false;
};

}  // namespace hawser::sim
