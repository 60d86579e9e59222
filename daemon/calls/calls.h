#pragma once

// Calls: asking another region. Threads: Call from any; `done` is called once, on the call desk's
// thread: it must be quick and must not block.

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "wan/call_book.h"

namespace hawser {

class Calls {
 public:
  using Done = std::function<void(std::expected<std::string, CallFailure> answer)>;
  virtual ~Calls() = default;
  // To this region itself: its own handler, whatever it takes. Else it ends within `budget_ms`
  // (1..kCallBudgetMsMax), at once if the region has as much to do as it answers. REQUIRES: body of
  // at most kCallBytesMax bytes.
  virtual void Call(RegionId to, std::string verb, std::string body, std::int64_t budget_ms,
                    Done done) = 0;
  virtual std::vector<CallCounts> Counts() const = 0;  // of every peer; any thread
};

}  // namespace hawser
