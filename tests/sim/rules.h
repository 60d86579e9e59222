#pragma once

// Rules: what each region's configuration file declares, and how the files grow while clients
// write: states are added to a line by one region or by several at once, and one field is declared
// at odds. Also the check that no region ever sees a state go back (invariant 15).

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/mesh.h"
#include "tests/sim/random.h"

namespace hawser::sim {

// Where a state stands among those of the first line, whoever added it: those of the first line
// have even places; two states with one odd place were added to the same gap, and which of them is
// the earlier is settled by their ranks alone. 0: no state.
int PlaceOf(std::string_view state);
const std::vector<std::string>& FirstLine();

class Rules {
 public:
  Rules(Mesh& mesh, Random random);
  // Every region declares its file, again and again, and now and then the file grows.
  void Run();
  void Stop() { stopped_ = true; }
  // Every region that is up holds its file against the facts, as it does whenever they move.
  void DeclareAll();
  // Files differ from the first: the line that is declared first holds, and until then cells may
  // carry the ranks of another.
  bool loose() const { return loose_; }
  // The line of states that a region's file names and that is durably declared there.
  const std::vector<std::string>& Line(int region) const { return At(region).line; }
  // All regions that can have everything go by the same rules, and each file is within them.
  void CheckAgree(const std::vector<int>& regions);

 private:
  struct File {
    std::vector<std::string> line;    // declared
    std::vector<std::string> wanted;  // what the file says now
    Kind odd = Kind::kMax;            // of the field that is declared at odds
    bool declared = false;            // once at least
    bool overruled = false;
  };
  const File& At(int region) const { return files_[static_cast<std::size_t>(region - 1)]; }
  File& At(int region) { return files_[static_cast<std::size_t>(region - 1)]; }
  void Again(int region);
  void Grow(File& file);
  void Declare(int region);

  Mesh& mesh_;
  Random random_;
  std::vector<File> files_;
  bool loose_ = false;  // files differ before anything is declared
  bool stopped_ = false;
};

// After a commit: the states of these records against what was durable before.
void CheckStates(const std::set<std::string>& row_keys, MemoryStore& store, RegionFacts& facts,
                 Stamp stamp_highest, Coverage& coverage);

}  // namespace hawser::sim
