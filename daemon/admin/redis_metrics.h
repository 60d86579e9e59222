#pragma once

// The Redis server's counts as metrics, for AdminOptions::more_metrics.

#include <vector>

#include "daemon/admin/metric.h"
#include "daemon/redis/stats.h"

namespace hawser {

std::vector<MetricFamilyValues> RedisMetrics(const RedisStats& stats);

}  // namespace hawser
