#pragma once

// What a scrape shows of the engine, the store, the peers and the process (INTERFACE "Metrics").

#include <vector>

#include "daemon/admin/metric.h"
#include "daemon/admin/server.h"

namespace hawser::admin {

std::vector<MetricFamilyValues> CollectMetrics(const AdminOptions& options, const Engine& engine,
                                               std::int64_t now_ms);
// process_*: memory, descriptors, processor time, start; the names every Prometheus client uses.
void CollectProcess(std::vector<MetricFamilyValues>& families);

}  // namespace hawser::admin
