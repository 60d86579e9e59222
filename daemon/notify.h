#pragma once

// Notify: what systemd is told (sd_notify(3)). Does nothing when nobody listens ($NOTIFY_SOCKET).
// Threads: one caller (main).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hawser {

void NotifyReady();
void NotifyReloading();
void NotifyStopping();
void NotifyStatus(std::string_view line);
// Start or stop takes longer: do not time out for so long.
void NotifyExtendTimeout(std::chrono::milliseconds more);
// To be called only when there was progress.
void NotifyWatchdog();
// How long systemd waits for a sign of life; nothing if the unit asks for none.
std::optional<std::chrono::milliseconds> WatchdogLimit();

}  // namespace hawser
