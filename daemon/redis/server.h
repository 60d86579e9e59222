#pragma once

// RedisServer: Redis clients (RESP2 and RESP3) at the door of the engine, served by one thread.
// A reply to a write means that the write is durable (G1).
// Threads: Start, Stop and the destructor on one thread; stats() and port() on any.
// The engine must outlive the server.

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "daemon/engine.h"
#include "daemon/redis/options.h"
#include "daemon/redis/stats.h"

namespace hawser {

namespace redis {
class Service;
}

class RedisServer {
 public:
  // Listens and serves at once. The error says what is wrong with the options or the address.
  static std::expected<std::unique_ptr<RedisServer>, std::string> Start(RedisOptions options,
                                                                        Engine& engine);
  ~RedisServer();  // stops
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::uint16_t port() const;
  RedisStats stats() const;
  // No new clients, no new commands; what is in the engine is answered (10 s at most), then all
  // connections are closed. Returns when the thread has ended.
  void Stop();

 private:
  struct Impl;
  explicit RedisServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hawser
