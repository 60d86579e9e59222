#include "daemon/notify.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <ctime>
#include <string>

namespace hawser {
namespace {

void Send(const std::string& state) {
  sd_notify(0, state.c_str());
}

}  // namespace

void NotifyReady() {
  Send("READY=1");
}

void NotifyReloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t us = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  Send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(us));
}

void NotifyStopping() {
  Send("STOPPING=1");
}

void NotifyStatus(std::string_view line) {
  std::string text(line);
  std::ranges::replace(text, '\n', ' ');  // a line break would begin another variable
  Send("STATUS=" + text);
}

void NotifyExtendTimeout(std::chrono::milliseconds more) {
  Send("EXTEND_TIMEOUT_USEC=" +
       std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(more).count()));
}

void NotifyWatchdog() {
  Send("WATCHDOG=1");
}

std::optional<std::chrono::milliseconds> WatchdogLimit() {
  std::uint64_t us = 0;
  if (sd_watchdog_enabled(0, &us) <= 0) return std::nullopt;
  return std::chrono::milliseconds(us / 1000);
}

}  // namespace hawser
