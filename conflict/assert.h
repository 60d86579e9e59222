#pragma once

// HW_ASSERT states what we know. It is on in every build, release too: a broken invariant is ours
// and ends the process (abort) with file, line and text on stderr, because absent is better than
// wrong. What comes from outside (peers, clients, disks) is checked and answered, never asserted.

namespace hawser {
[[noreturn]] void AssertFailed(const char* expression, const char* file, int line);
}  // namespace hawser

#define HW_ASSERT(expression) \
  ((expression) ? void(0) : ::hawser::AssertFailed(#expression, __FILE__, __LINE__))
