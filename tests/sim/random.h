#pragma once

// Random: the simulator's only source of chance. The same seed gives the same numbers on every
// machine and with every library, which <random>'s distributions do not promise.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace hawser::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 0x1234567) {}

  // SplitMix64 (Steele, Lea, Flood, 2014).
  std::uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // 0 .. n-1. REQUIRES: n > 0.
  std::uint64_t Below(std::uint64_t n) { return Next() % n; }
  std::size_t Index(std::size_t n) { return static_cast<std::size_t>(Below(n)); }
  // Both ends included.
  std::int64_t Between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(Below(static_cast<std::uint64_t>(high - low) + 1));
  }
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  bool Chance(double probability) { return Unit() < probability; }
  // Of one event after the other at a steady mean rate; at most ten means.
  std::int64_t Pause(std::int64_t mean) {
    const double pause = -std::log1p(-Unit()) * static_cast<double>(mean);
    return 1 + static_cast<std::int64_t>(std::min(pause, 10.0 * static_cast<double>(mean)));
  }
  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[Index(from.size())];
  }
  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Index(i)]);
  }
  Random Fork() { return Random(Next()); }

 private:
  std::uint64_t state_;
};

}  // namespace hawser::sim
