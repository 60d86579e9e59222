#include "daemon/run.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/config/address.h"
#include "daemon/exit_codes.h"
#include "daemon/log.h"
#include "daemon/log_codes.h"
#include "daemon/node.h"
#include "daemon/notify.h"
#include "daemon/reload.h"
#include "daemon/status_line.h"
#include "daemon/version.h"
#include "daemon/watch.h"
#include "daemon/wiring.h"

namespace hawser {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kComponent = "main";
constexpr milliseconds kPeriod{1000};
constexpr milliseconds kExtension{30'000};

// Signals are taken by the main thread alone, by waiting for them. SIGRTMIN is our own: look up.
class Signals {
 public:
  Signals() : main_(pthread_self()) {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGRTMIN}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }
  // The next signal, or 0 when the time is up.
  int Await(milliseconds limit) const {
    const timespec time{.tv_sec = limit.count() / 1000,
                        .tv_nsec = limit.count() % 1000 * 1'000'000};
    const int signal = sigtimedwait(&set_, nullptr, &time);
    return signal > 0 ? signal : 0;
  }
  void WakeMain() const { pthread_kill(main_, SIGRTMIN); }

 private:
  sigset_t set_;
  pthread_t main_;
};

bool MeansStop(int signal) {
  return signal == SIGTERM || signal == SIGINT;
}

// What the engine's thread tells the main thread when it ends by itself.
class EngineEnding {
 public:
  void Set(EngineEnd end, const std::string& why) {
    const std::lock_guard lock(mutex_);
    end_ = end;
    why_ = why;
  }
  // The exit code, after a line to the log; nothing while the engine runs.
  std::optional<int> Told() {
    const std::lock_guard lock(mutex_);
    if (!end_) return std::nullopt;
    if (*end_ == EngineEnd::kRolledBack) {
      Log(LogLevel::kError, kComponent, code::kStoreRolledBack,
          "this store is an older copy of itself; its records and log are as they were",
          {{"reason", why_}});
      return kExitStorage;
    }
    Log(LogLevel::kError, kComponent, code::kStoreFailed,
        "the store failed; the next start opens and verifies it. Look at the disk and its free "
        "space",
        {{"reason", why_}});
    return kExitTryAgain;
  }

 private:
  std::mutex mutex_;
  std::optional<EngineEnd> end_;
  std::string why_;
};

class Daemon {
 public:
  Daemon(const config::LoadOptions& options, config::Loaded loaded)
      : options_(options), loaded_(std::move(loaded)), names_(RegionNames(loaded_.config)) {}

  int Run() {
    Log(LogLevel::kInfo, kComponent, code::kStarting, "starting",
        {{"version", std::string(kVersion)}});
    if (const int code = Start(); code != kExitOk) return code;
    const int code = Serve();
    NotifyStopping();
    NotifyStatus("stopping");
    Log(LogLevel::kInfo, kComponent, code::kStopping, "stopping");
    node_.reset();
    if (code == kExitOk) Log(LogLevel::kInfo, kComponent, code::kStopped, "stopped");
    return code;
  }

 private:
  // Recovery may take long: it runs beside, so that systemd hears of it and a stop is obeyed.
  int Start() {
    std::atomic<bool> done{false};
    std::expected<std::unique_ptr<Node>, StartFailure> started;
    std::thread starter([&] {
      started = Node::Start(
          loaded_.config, kVersion,
          [this](EngineEnd end, const std::string& why) {
            ending_.Set(end, why);
            signals_.WakeMain();
          },
          config_state_);
      done = true;
      signals_.WakeMain();
    });
    NotifyStatus("recovering the store");
    bool stop = false;
    while (!done) {
      const int signal = signals_.Await(kPeriod);
      stop = stop || MeansStop(signal);
      reload_ = reload_ || signal == SIGHUP;  // taken when the doors are open
      if (stop && !done) {
        // A crash is safe at any moment, so is this.
        Log(LogLevel::kInfo, kComponent, code::kStopped, "stopped while recovering");
        StopLog();
        _exit(kExitOk);
      }
      NotifyExtendTimeout(kExtension);
    }
    starter.join();
    if (!started) {
      const StartFailure& failure = started.error();
      Log(LogLevel::kError, kComponent, failure.code, "cannot start", {{"reason", failure.reason}});
      return failure.exit_code;
    }
    node_ = std::move(*started);
    stop_ = stop;
    Log(LogLevel::kInfo, kComponent, code::kReady, "ready",
        {{"redis", config::Format(loaded_.config.redis.listen)},
         {"admin", config::Format(loaded_.config.admin.listen)}});
    NotifyReady();
    return kExitOk;
  }

  int Serve() {
    const auto limit = WatchdogLimit();
    const milliseconds period = limit ? std::min(kPeriod, *limit / 4) : kPeriod;
    while (!stop_) {
      const int signal = reload_ ? 0 : signals_.Await(period);
      if (const auto code = ending_.Told()) return *code;
      if (MeansStop(signal)) break;
      if (signal == SIGHUP || std::exchange(reload_, false)) Reload();
      const Engine& engine = node_->engine();
      const ReplicaStatus status = engine.status();
      FollowDeclarations(status);
      NotifyStatus(StatusLine(status, engine.gate(), names_));
      if (watch_.Look(engine.usage().ticks, engine.gate(), Clock::now())) NotifyWatchdog();
      FlushLog();
    }
    return kExitOk;
  }

  void Reload() {
    NotifyReloading();
    config_state_.reload_ok = ReloadConfig(options_, loaded_, [this](const Config& next) {
                                return Declare(next);
                              }).accepted;
    declare_again_ = declare_again_ || config_state_.reload_ok;  // an alarm may be over
    NotifyReady();
  }

  // A reload's tables. False, with the reason in the log: nothing was declared.
  bool Declare(const Config& next) {
    const Declared declared = node_->Declare(next.schema);
    LogContradictions(declared.contradictions, next, LogLevel::kError, code::kSchemaContradicts,
                      "contradicts what is declared; the old configuration stays");
    if (declared.refused) {
      Log(LogLevel::kWarning, "config", code::kSchemaNotDeclared,
          "the rules of [[tables]] could not be declared; the old configuration stays",
          {{"reason", GateText(*declared.refused)}});
    }
    return declared.contradictions.empty() && !declared.refused;
  }

  // Facts of other regions may have come: what does the configuration make of them? An extension
  // that lost its line to another's is declared anew on that one.
  void FollowDeclarations(const ReplicaStatus& status) {
    if (status.declarations == declarations_seen_ && !declare_again_) return;
    declarations_seen_ = status.declarations;
    Declared declared = node_->Declare(loaded_.config.schema);
    declare_again_ = declared.refused.has_value();
    if (declare_again_) return;
    if (declared.contradictions != overruled_) {
      LogContradictions(declared.contradictions, loaded_.config, LogLevel::kError,
                        code::kSchemaOverruled, "another region declared this otherwise");
      if (declared.contradictions.empty()) {
        Log(LogLevel::kInfo, "config", code::kSchemaAgrees, "nothing contradicts any more");
      }
    }
    if (declared.older != older_) {
      LogContradictions(declared.older, loaded_.config, LogLevel::kWarning, code::kSchemaOlder,
                        "states were added elsewhere");
    }
    overruled_ = std::move(declared.contradictions);
    older_ = std::move(declared.older);
    config_state_.contradictions = overruled_.size();
  }

  const config::LoadOptions& options_;
  config::Loaded loaded_;
  const std::map<RegionId, std::string> names_;
  Signals signals_;
  EngineEnding ending_;
  Watch watch_;
  ConfigState config_state_;
  std::uint64_t declarations_seen_ = 0;
  bool declare_again_ = false;
  std::vector<Contradiction> overruled_, older_;
  bool stop_ = false;
  bool reload_ = false;  // asked for while starting
  std::unique_ptr<Node> node_;
};

}  // namespace

int Run(const config::LoadOptions& options, config::Loaded loaded) {
  StartLog(loaded.config.log, loaded.config.region);
  const int code = Daemon(options, std::move(loaded)).Run();
  StopLog();
  return code;
}

}  // namespace hawser
