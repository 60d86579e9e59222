#pragma once

// Metrics as plain values, as other parts of the daemon hand them to the scrape.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace hawser {

enum class MetricKind { kCounter, kGauge, kHistogram, kSummary };

struct MetricPoint {
  std::vector<std::pair<std::string, std::string>>
      labels;        // bounded: never a key, a value, an error text
  double value = 0;  // kCounter, kGauge
  std::vector<std::uint64_t>
      buckets;              // kHistogram: per bucket, not cumulative, one more than bounds
  double sum = 0;           // kHistogram, kSummary
  std::uint64_t count = 0;  // kSummary
};

struct MetricFamilyValues {
  std::string name;  // without "hawser_"; base units, counters end in _total
  std::string help;
  MetricKind kind = MetricKind::kGauge;
  std::vector<double> bounds;  // kHistogram
  std::vector<MetricPoint> points;
};

// The text of a scrape (Prometheus format 0.0.4). Families of one name are put together.
std::string MetricsText(const std::vector<MetricFamilyValues>& families);

}  // namespace hawser
