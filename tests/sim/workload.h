#pragma once

// Workload: what clients do, through the same doors as the Redis edge: jobs, local txns, edits.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tests/sim/mesh.h"
#include "tests/sim/random.h"
#include "tests/sim/rules.h"
#include "wan/session.h"

namespace hawser::sim {

class Workload {
 public:
  Workload(Mesh& mesh, Random random, const Rules& rules)
      : mesh_(mesh), random_(random), rules_(rules) {}
  // One client's request at a region, chosen by chance.
  void Write(int region);
  // Writes on and on, until Stop.
  void Run();
  void Stop() { stopped_ = true; }

 private:
  void Again(int region);
  std::function<void(LocalTxn&)> AnyRuleWrite(int region);
  std::function<void(LocalTxn&)> ResolveSomething(int region);

  Mesh& mesh_;
  Random random_;
  const Rules& rules_;
  std::uint64_t value_ = 0;
  bool stopped_ = false;
};

// A request whose work is `write`; checks what it is told afterwards.
std::unique_ptr<Job> MakeJob(Mesh& mesh, int region, std::function<void(LocalTxn&)> write,
                             std::function<void(Session&)> after = {},
                             std::function<void(Outcome, const std::vector<Dot>&)> done = {});

}  // namespace hawser::sim
