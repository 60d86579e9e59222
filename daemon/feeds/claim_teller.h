#pragma once

// ClaimTeller: tells the losers. Follows this region's conflict log for claims of its own that a
// rival won over: each becomes an event on the region's NATS and, if there is one, a call of the
// webhook. Its place in the log is kept in a file and moves only once the webhook has answered, so
// each loser is told at least once, over restarts too; nothing is queued but the log itself.
// Threads: one of its own; `publish` and `remark` are called there.

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "daemon/feeds/webhook.h"
#include "storage/store.h"

namespace hawser {

struct ClaimTellerOptions {
  RegionId self{};
  std::map<RegionId, std::string> regions;
  std::string position_path;  // the file; beside the store
  WebhookOptions webhook;
  std::function<void(const std::string& kind, std::string json)> publish;
  // Engine::conflicts_logged.
  std::function<std::uint64_t()> conflicts_logged;
  // When the webhook begins to fail, and when it works again.
  std::function<void(bool failing, const std::string& why)> remark;
};

class ClaimTeller {
 public:
  ClaimTeller(ClaimTellerOptions options, std::unique_ptr<Reader> reader);
  ~ClaimTeller();  // stops and joins

 private:
  void Loop();
  // False: the webhook did not take it; try again later.
  bool Tell(const std::string& order_key);
  // The event about the conflict there; empty: it is no claim that this region lost.
  std::string EventAt(const std::string& order_key);
  bool Sleep(std::int64_t ms);  // false: stopping

  const ClaimTellerOptions options_;
  std::unique_ptr<Reader> reader_;
  std::string published_;  // the order key whose event went out, while the webhook is retried
  bool failing_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hawser
