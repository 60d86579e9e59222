#pragma once

// Counts of the Redis protocol's server. Written by the I/O thread only, read by any: each number
// is true by itself, not all of one moment.

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/latency.h"
#include "daemon/redis/command.h"

namespace hawser {

struct RedisOpStats {
  std::string op;
  std::uint64_t count = 0;
  double seconds_sum = 0;
  std::vector<std::uint64_t> buckets;  // of kLatencyBoundsSeconds and one above, not cumulative
};

struct RedisStats {
  std::uint64_t clients = 0, accepted = 0, rejected = 0, closed_slow = 0, protocol_errors = 0,
                commands = 0, error_replies_unknown = 0, input_bytes = 0, output_bytes = 0;
  bool accept_paused = false;  // out of file descriptors
  std::vector<RedisOpStats> ops;
};

namespace redis {

// A number that one thread writes and others read.
class Counter {
 public:
  void Add(std::uint64_t more) { value_.store(get() + more, std::memory_order_relaxed); }
  void Set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Counters {
  Counter clients, accepted, rejected, closed_slow, protocol_errors, commands, unknown, input_bytes,
      output_bytes, accept_paused;
  struct Op {
    Counter count, nanoseconds;
    std::array<Counter, kLatencyBoundsSeconds.size() + 1> buckets;
  };
  std::array<Op, kFamilies> ops;

  // `count` commands of one family were answered `ns` after they were read.
  void Book(Family family, std::uint64_t count, std::int64_t ns);
  RedisStats Read() const;
};

}  // namespace redis
}  // namespace hawser
