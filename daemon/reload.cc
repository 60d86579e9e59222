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

// Of the sections that are declared as facts.
bool IsDeclared(std::string_view section) {
  return section.starts_with("tables") || section == "unique";
}

config::Element* FieldOf(config::Settings& settings, const std::string& table,
                         const std::string& field) {
  for (config::Element& element : settings.elements) {
    if (element.section->name != "tables" || element.Find("name")->value.text != table) continue;
    for (config::Element& child : element.children) {
      if (child.name == field) return &child;
    }
  }
  return nullptr;
}

// The one key of a table that is read at a start only: what is in effect stays on record, so that
// the next reload tells again that it waits.
void KeepConflictLog(config::Settings& before, config::Settings& after) {
  for (config::Element& element : after.elements) {
    if (element.section->name != "tables") continue;
    for (config::Element& child : element.children) {
      const config::Element* was = FieldOf(before, element.Find("name")->value.text, child.name);
      for (config::Setting& setting : child.settings) {
        if (setting.key->name != "conflict_log") continue;
        setting.value.number = was == nullptr ? 1 : was->Find("conflict_log")->value.number;
      }
    }
  }
}

// The live keys: all of [log], [[tables]] (but conflict_log) and [[unique]].
void TakeLive(config::Loaded& loaded, config::Loaded& current) {
  const auto is_live = [](const config::Element& element) {
    return element.section->name == "log" || IsDeclared(element.section->name);
  };
  KeepConflictLog(current.settings, loaded.settings);
  std::erase_if(current.settings.elements, is_live);
  for (config::Element& element : loaded.settings.elements) {
    if (is_live(element)) current.settings.elements.push_back(std::move(element));
  }
  current.config.log = loaded.config.log;
  current.config.tables = std::move(loaded.config.tables);
  current.config.unique = std::move(loaded.config.unique);
  current.config.schema = std::move(loaded.config.schema);
}

}  // namespace

Reloaded ReloadConfig(const config::LoadOptions& options, config::Loaded& current,
                      const DeclareTables& declare) {
  auto loaded = config::Load(options);
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) {
      Log(LogLevel::kError, kComponent, code::kConfigBad,
          "bad setting; the old configuration stays",
          {{"where", Text(problem.source)}, {"key", problem.key}, {"reason", problem.text}});
    }
    return {};
  }
  std::string live, waiting;
  bool tables_changed = false;
  for (const config::Key* key : config::ChangedKeys(current.settings, loaded->settings)) {
    const bool is_live = key->reload == config::Reload::kLive;
    std::string& list = is_live ? live : waiting;
    list += (list.empty() ? "" : ", ") + Path(*key);
    tables_changed = tables_changed || (is_live && IsDeclared(key->section));
  }
  if (tables_changed && !declare(loaded->config)) return {};
  const Reloaded reloaded{.accepted = true, .needs_restart = !waiting.empty()};
  TakeLive(*loaded, current);
  SetLog(current.config.log);
  if (!waiting.empty()) {
    Log(LogLevel::kWarning, kComponent, code::kConfigNeedsRestart,
        "changed settings wait for a restart", {{"keys", waiting}});
  }
  Log(LogLevel::kInfo, kComponent, code::kConfigReloaded, "configuration reloaded",
      {{"changed", live.empty() ? "nothing" : live}});
  return reloaded;
}

}  // namespace hawser
