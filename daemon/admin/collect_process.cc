#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "daemon/admin/collect.h"

namespace hawser::admin {
namespace {

void Add(std::vector<MetricFamilyValues>& families, MetricKind kind, const char* name,
         const char* help, double value) {
  families.push_back({.name = name,
                      .help = help,
                      .kind = kind,
                      .bounds = {},
                      .points = {{.labels = {}, .value = value, .buckets = {}}}});
}

double CountDescriptors() {
  DIR* dir = opendir("/proc/self/fd");
  if (!dir) return 0;
  double count = -3;  // ".", ".." and the directory itself
  while (readdir(dir)) ++count;
  closedir(dir);
  return count;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Seconds since the epoch; 0 if /proc does not say.
double StartTime() {
  std::ifstream stat("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(text.substr(name_end + 1));
  std::string word;
  double ticks = 0;
  for (int field = 3; field < 22 && rest >> word; ++field) continue;
  if (!(rest >> ticks)) return 0;
  std::ifstream system("/proc/stat");
  double boot = 0;
  while (system >> word) {
    if (word == "btime" && system >> boot) break;
  }
  return boot + ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

void CollectProcess(std::vector<MetricFamilyValues>& families) {
  constexpr auto kGauge = MetricKind::kGauge;
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  statm >> pages >> resident;
  const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  Add(families, kGauge, "process_resident_memory_bytes", "resident memory", resident * page_bytes);
  Add(families, kGauge, "process_virtual_memory_bytes", "virtual memory", pages * page_bytes);
  Add(families, kGauge, "process_open_fds", "open file descriptors", CountDescriptors());
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    Add(families, kGauge, "process_max_fds", "most file descriptors allowed",
        static_cast<double>(limit.rlim_cur));
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  Add(families, MetricKind::kCounter, "process_cpu_seconds_total", "processor time used",
      Seconds(usage.ru_utime) + Seconds(usage.ru_stime));
  static const double kStart = StartTime();
  Add(families, kGauge, "process_start_time_seconds", "when the process started", kStart);
}

}  // namespace hawser::admin
