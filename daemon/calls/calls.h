#pragma once

// Calls: asking another region. Threads: Call from any; `done` is called once, on the call desk's
// thread: it must be quick and must not block.

#include <cstdint>
#include <expected>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
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

// Calls that may outlive who carries them out: from Close on they end with kStopping.
class CallsDoor final : public Calls {
 public:
  void Open(Calls* calls) {
    const std::lock_guard lock(mutex_);
    calls_ = calls;
  }
  void Close() { Open(nullptr); }
  void Call(RegionId to, std::string verb, std::string body, std::int64_t budget_ms,
            Done done) override {
    {
      const std::lock_guard lock(mutex_);
      if (calls_ != nullptr) {
        return calls_->Call(to, std::move(verb), std::move(body), budget_ms, std::move(done));
      }
    }
    done(std::unexpected(CallFailure::kStopping));
  }
  std::vector<CallCounts> Counts() const override {
    const std::lock_guard lock(mutex_);
    return calls_ == nullptr ? std::vector<CallCounts>{} : calls_->Counts();
  }

 private:
  mutable std::mutex mutex_;
  Calls* calls_ = nullptr;
};

}  // namespace hawser
