#pragma once

// Bounds of the histograms of times that metrics show (commits, operations), in seconds.
// A histogram is kept as one count per bucket, NOT cumulative, with one more bucket at the end for
// what is above the last bound; the scrape adds them up.

#include <array>

namespace hawser {

inline constexpr std::array<double, 16> kLatencyBoundsSeconds = {
    0.00005, 0.0001, 0.0002, 0.0004, 0.0007, 0.001, 0.002, 0.004,
    0.007,   0.01,   0.02,   0.05,   0.1,    0.25,  1.0,   5.0};

// EngineUsage::commit_buckets: kCommitBoundsSeconds.size() + 1 counts.
inline constexpr auto& kCommitBoundsSeconds = kLatencyBoundsSeconds;

}  // namespace hawser
