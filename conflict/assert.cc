#include "conflict/assert.h"

#include <cstdio>
#include <cstdlib>

namespace hawser {

void AssertFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "hawser: broken invariant: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace hawser
