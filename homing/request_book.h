#pragma once

// RequestBook: how many bytes of requests of one scope this region has noted that have not expired,
// so that they have a bound. What is full refuses: to forget a request early would let its retry be
// carried out again. Other regions' requests are not counted; they have bounds of their own.
// Threads: any.

#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>

#include "conflict/types.h"
#include "storage/store.h"

namespace hawser {

class RequestBook {
 public:
  // `kept_ms`: how long requests are kept; they are counted off in steps of a 64th of it.
  RequestBook(std::uint64_t bytes_max, std::int64_t kept_ms);

  // Counts what this region has noted before: once, before anything is noted.
  void Load(View& view, std::string_view scope, RegionId self, std::int64_t now_ms);
  // One was noted. `id_bytes`, `asked_bytes`: the lengths of its texts.
  void Note(std::size_t id_bytes, std::size_t asked_bytes, std::int64_t expires_ms);
  bool HasRoom(std::int64_t now_ms);
  // When the next ones expire, at `now_ms` or later.
  std::int64_t RoomAtMs(std::int64_t now_ms);

  struct Held {
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
  };
  Held HeldNow(std::int64_t now_ms);
  std::uint64_t bytes_max() const { return bytes_max_; }

 private:
  void Expire(std::int64_t now_ms);  // with the lock held

  const std::uint64_t bytes_max_;
  const std::int64_t step_ms_;
  std::mutex mutex_;
  std::map<std::int64_t, Held> by_end_ms_;  // the end of the step in which they expire
  Held held_;
};

}  // namespace hawser
