#pragma once

// Claims: clients that race for unique values, and the checks of what regions say of them. After
// every turn of every region: a value that any region reported confirmed never shows another owner
// anywhere, unless its owner has released it. In the end: one owner, and every loser told.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "homing/claim.h"
#include "tests/sim/mesh.h"
#include "tests/sim/random.h"

namespace hawser::sim {

class Claims {
 public:
  Claims(Mesh& mesh, Random random);
  // Claims, releases and hand-overs on and on, until Stop.
  void Run();
  void Stop() { stopped_ = true; }
  // One of them, at a region.
  void Act(int region);

  void Claim(int region, const std::string& value, const std::string& owner);
  // By whoever asks: a rival is refused.
  void Release(int region, const std::string& value, const std::string& owner);

  // With all that can agree in agreement.
  void CheckEnd();

 private:
  struct Confirmed {
    std::string owner;
    Dot dot;
    std::uint64_t generation = 0;
  };
  void Again(int region);
  void HandOver(int region, const std::string& value, const std::string& owner,
                const std::string& next);
  void Await(int region, const std::string& value, const std::string& owner);
  void Check(Region& region);
  // Of a value in a region, as it was last looked at.
  struct Look {
    std::string bytes;
    std::uint64_t reported = 0;
    bool pending = true;
  };
  void CheckOne(Region& region, const Proof& proof, const std::string& value, Look& look);
  bool Released(const std::string& value, const Confirmed& confirmed, const Cut& by) const;
  bool IsExcused(const std::string& value, const std::string& owner) const;

  Mesh& mesh_;
  Random random_;
  std::uint64_t values_;
  std::map<std::string, Confirmed> confirmed_;  // by value: the last that any region reported
  std::uint64_t reported_ = 0;                  // how often that changed
  std::map<RegionId, std::vector<Look>> looks_;
  std::uint64_t next_owner_ = 0;
  bool stopped_ = false;
};

}  // namespace hawser::sim
