#include "conflict/assert.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace hawser {

void AssertFailed(const char* expression, const char* file, int line) {
#ifdef HAWSER_VARIANTS  // the simulator counts a broken invariant as one more way of catching a
                        // mistake
  throw std::logic_error(expression);
#endif
  std::fprintf(stderr, "hawser: broken invariant: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace hawser
