#include "daemon/reload.h"

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/log.h"
#include "daemon/log_codes.h"

namespace hawser {
namespace {

constexpr std::string_view kComponent = "config";

std::string Path(const config::Key& key) {
  return std::string(key.section) + '.' + std::string(key.name);
}

}  // namespace

void LogWarnings(const config::Loaded& loaded) {
  for (const config::Problem& warning : loaded.warnings) {
    Log(LogLevel::kWarning, kComponent, code::kConfigWarning, "check this setting",
        {{"where", Text(warning.source)}, {"key", warning.key}, {"reason", warning.text}});
  }
}

Reloaded ReloadConfig(const config::LoadOptions& options, config::Loaded& current) {
  auto loaded = config::Load(options);
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) {
      Log(LogLevel::kError, kComponent, code::kConfigBad,
          "bad setting; the old configuration stays",
          {{"where", Text(problem.source)}, {"key", problem.key}, {"reason", problem.text}});
    }
    return {};
  }
  Reloaded reloaded{.accepted = true};
  std::string live, waiting;
  for (const config::Key* key : config::ChangedKeys(current.settings, loaded->settings)) {
    std::string& list = key->reload == config::Reload::kLive ? live : waiting;
    list += (list.empty() ? "" : ", ") + Path(*key);
  }
  reloaded.needs_restart = !waiting.empty();
  // Live keys are whole sections of their own ([log]); the others keep what is in effect.
  current.config.log = loaded->config.log;
  for (const config::Element* after : loaded->settings.All("log")) {
    for (config::Element& before : current.settings.elements) {
      if (before.section == after->section) before = *after;
    }
  }
  SetLog(current.config.log);
  if (!waiting.empty()) {
    Log(LogLevel::kWarning, kComponent, code::kConfigNeedsRestart,
        "changed settings wait for a restart", {{"keys", waiting}});
  }
  Log(LogLevel::kInfo, kComponent, code::kConfigReloaded, "configuration reloaded",
      {{"changed", live.empty() ? "nothing" : live}});
  LogWarnings(*loaded);
  return reloaded;
}

}  // namespace hawser
