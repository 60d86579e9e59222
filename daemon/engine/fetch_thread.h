#pragma once

// FetchThread: runs the fetch server beside the engine, so that a peer that catches up takes no
// time from local writes. It paces itself by what the link still has to send.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "daemon/engine/inbox.h"
#include "daemon/engine/wakeup.h"
#include "wan/fetch_server.h"
#include "wan/replica.h"

namespace hawser {

struct FetchOutlet {
  std::function<void(Send)> publish;                    // any thread
  std::function<std::uint64_t(RegionId)> queued_bytes;  // waiting in the link to be sent there
  std::uint64_t queued_bytes_max = 2 * 1024 * 1024;     // above it the thread waits
};

class FetchThread {
 public:
  FetchThread(FetchServerOptions options, std::unique_ptr<JournalReader> journal,
              FetchOutlet outlet);
  ~FetchThread();  // stops and joins

  void Submit(Serve request);  // any thread
  std::uint64_t relayed_txns() const { return relayed_txns_.load(std::memory_order_relaxed); }

 private:
  void Loop();

  FetchServer server_;
  FetchOutlet outlet_;
  Inbox<Serve> inbox_;
  Wakeup wakeup_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> relayed_txns_{0};
  std::thread thread_;
};

}  // namespace hawser
