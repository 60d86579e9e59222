#include "tests/sim/run.h"

#include <stdexcept>

#include "tests/sim/check.h"
#include "tests/sim/knobs.h"
#include "tests/sim/mesh.h"
#include "tests/sim/storms.h"

namespace hawser::sim {

Result RunSeed(std::uint64_t seed) {
  Result result{.seed = seed};
  Mesh mesh(KnobsOf(seed));
  Storms storms(mesh, Random(seed ^ 0x73746f726dULL));
  try {
    storms.Run();
  } catch (const Failure& failure) {
    result.check = failure.check();
    result.detail = failure.what();
  } catch (const std::logic_error& broken) {  // HW_ASSERT in the variants' libraries
    result.check = "own invariant";
    result.detail = broken.what();
  }
  result.events = mesh.events();
  result.trace = mesh.trace_hash();
  result.virtual_ms = mesh.now_ms();
  result.coverage = mesh.coverage();
  return result;
}

}  // namespace hawser::sim
