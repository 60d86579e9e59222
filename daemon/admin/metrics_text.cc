#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

#include "daemon/admin/metric.h"

namespace hawser {
namespace {

prometheus::MetricType TypeOf(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return prometheus::MetricType::Counter;
    case MetricKind::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::kHistogram:
      return prometheus::MetricType::Histogram;
    case MetricKind::kSummary:
      return prometheus::MetricType::Summary;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric::Histogram ToHistogram(const std::vector<double>& bounds,
                                                const MetricPoint& point) {
  prometheus::ClientMetric::Histogram histogram;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    if (i < point.buckets.size()) count += point.buckets[i];
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({.cumulative_count = count, .upper_bound = bound});
  }
  histogram.sample_count = count;
  histogram.sample_sum = point.sum;
  return histogram;
}

prometheus::ClientMetric ToMetric(const MetricFamilyValues& family, const MetricPoint& point) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : point.labels) metric.label.push_back({name, value});
  metric.counter.value = point.value;
  metric.gauge.value = point.value;
  metric.summary.sample_count = point.count;
  metric.summary.sample_sum = point.sum;
  if (family.kind == MetricKind::kHistogram) metric.histogram = ToHistogram(family.bounds, point);
  return metric;
}

// One scrape's values as the library's families.
class Snapshot : public prometheus::Collectable {
 public:
  explicit Snapshot(const std::vector<MetricFamilyValues>& families) : families_(families) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> collected;
    for (const MetricFamilyValues& values : families_) {
      prometheus::MetricFamily& family = FamilyOf(values, collected);
      for (const MetricPoint& point : values.points) {
        family.metric.push_back(ToMetric(values, point));
      }
    }
    return collected;
  }

 private:
  static prometheus::MetricFamily& FamilyOf(const MetricFamilyValues& values,
                                            std::vector<prometheus::MetricFamily>& collected) {
    const bool own = !values.name.starts_with("process_");
    const std::string name = own ? "hawser_" + values.name : values.name;
    for (prometheus::MetricFamily& family : collected) {
      if (family.name == name) return family;
    }
    return collected.emplace_back(prometheus::MetricFamily{
        .name = name, .help = values.help, .type = TypeOf(values.kind), .metric = {}});
  }

  const std::vector<MetricFamilyValues>& families_;
};

}  // namespace

std::string MetricsText(const std::vector<MetricFamilyValues>& families) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, Snapshot(families).Collect());
  return text.str();
}

}  // namespace hawser
