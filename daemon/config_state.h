#pragma once

// ConfigState: what of the configuration is not in effect, for metrics.
// Threads: written by the main thread, read by any.

#include <atomic>
#include <cstdint>

namespace hawser {

struct ConfigState {
  std::atomic<bool> reload_ok{true};
  std::atomic<std::uint64_t> contradictions{0};  // what other regions declared otherwise
};

}  // namespace hawser
