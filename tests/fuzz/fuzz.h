#pragma once

// A fuzz target is one file that defines the two functions below. With clang, NAME_fuzz is built on
// libFuzzer (coverage-guided, runs as long as one likes: `NAME_fuzz -max_total_time=600
// CORPUS_DIR`); with every compiler, NAME_fuzz_test feeds it some ten thousand mutations of its
// seeds, always the same ones, as an ordinary test.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace hawser::test {
std::vector<std::string> FuzzSeeds();  // inputs worth starting from
}
