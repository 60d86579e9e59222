#pragma once

// ExplainRecord: asks every region for what it holds of one record, and why. From any thread;
// `done` is called once, on another thread, with a JSON object (docs/rest.md), within about
// `budget_ms`. REQUIRES: a table and a key that records may have.

#include <cstdint>
#include <functional>
#include <string>

namespace hawser {

using ExplainRecord = std::function<void(std::string table, std::string key, std::int64_t budget_ms,
                                         std::function<void(std::string json)> done)>;

}  // namespace hawser
