#pragma once

// Stock: clients that sell scarce things in every region, and rights that travel. After every turn
// of every region (invariant 14): what it shows is what was added less what was taken, as far as it
// knows; rights add up to that; nobody's are below nothing.

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "tests/sim/mesh.h"
#include "tests/sim/random.h"

namespace hawser::sim {

class Stock {
 public:
  Stock(Mesh& mesh, Random random);
  // Adds, sells and gives on and on, until Stop.
  void Run();
  void Stop() { stopped_ = true; }
  void Act(int region);

  void Add(int region, const std::string& key, std::int64_t amount);  // below 0: sells
  void Give(int region, const std::string& key, const Origin& to, std::int64_t amount);
  void Delete(int region, const std::string& key);
  void Expire(int region, const std::string& key);  // refused, always

 private:
  void Again(int region);
  std::int64_t OwnRights(int region, const std::string& key);
  void Check(Region& region);
  void CheckOne(Region& region, const std::string& key);

  Mesh& mesh_;
  Random random_;
  std::map<std::pair<RegionId, std::string>, std::string> looked_at_;  // the rows' bytes
  bool stopped_ = false;
};

}  // namespace hawser::sim
