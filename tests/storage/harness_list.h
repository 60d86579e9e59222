#pragma once

// The stores that the conformance suite runs on.
#define HARNESSES MemoryHarness, LmdbHarness
