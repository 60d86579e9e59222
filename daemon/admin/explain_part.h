#pragma once

// ExplainPart: one region's part of an explanation: what it holds of a record, when that arrived,
// and what gave way to it. Threads: one owner; it reads through views and a journal reader of its
// own.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/engine.h"

namespace hawser::admin {

class ExplainPart {
 public:
  ExplainPart(Engine& engine, RegionId self, std::function<std::string(RegionId)> region_name);

  // A JSON object: region, state (absent, alive, dead), version, cells, conflicts.
  std::string Of(std::string_view table, std::string_view key);

 private:
  Engine& engine_;
  const RegionId self_;
  const std::function<std::string(RegionId)> region_name_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<JournalReader> journal_;
};

}  // namespace hawser::admin
