#include "daemon/run.h"

#include <csignal>
#include <ctime>

#include <string>

#include "daemon/exit_codes.h"
#include "daemon/log.h"
#include "daemon/log_codes.h"
#include "daemon/notify.h"
#include "daemon/reload.h"
#include "daemon/version.h"

namespace hawser {
namespace {

constexpr std::string_view kComponent = "main";

// Signals are taken by the main thread alone, by waiting for them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// The next signal, or 0 when the time is up.
int AwaitSignal(const sigset_t& signals, std::int64_t ms) {
  const timespec limit{.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1'000'000};
  const int signal = sigtimedwait(&signals, nullptr, &limit);
  return signal > 0 ? signal : 0;
}

}  // namespace

int Run(const config::LoadOptions& options, config::Loaded loaded) {
  const sigset_t signals = BlockSignals();
  StartLog(loaded.config.log, loaded.config.region);
  Log(LogLevel::kInfo, kComponent, code::kStarting, "starting",
      {{"version", std::string(kVersion)}});
  LogWarnings(loaded);
  NotifyReady();
  while (true) {
    const int signal = AwaitSignal(signals, 1000);
    if (signal == SIGTERM || signal == SIGINT) break;
    if (signal == SIGHUP) {
      NotifyReloading();
      ReloadConfig(options, loaded);
      NotifyReady();
    }
    FlushLog();
  }
  NotifyStopping();
  Log(LogLevel::kInfo, kComponent, code::kStopped, "stopped");
  StopLog();
  return kExitOk;
}

}  // namespace hawser
