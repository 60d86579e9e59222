#pragma once

// Bundle: the commands between MULTI and EXEC, in bytes of their own. WatchList: what WATCH noted.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/redis/command.h"
#include "wan/session.h"

namespace hawser::redis {

class Bundle {
 public:
  void Add(const Command& command, std::span<const std::string_view> args);
  std::size_t bytes() const { return bytes_.size() + slices_.size() * sizeof(Slice); }
  std::size_t size() const { return queued_.size(); }
  const Command& command(std::size_t i) const { return *queued_[i].command; }
  // Valid until the next call.
  std::span<const std::string_view> args(std::size_t i);

 private:
  struct Slice {
    std::size_t begin = 0, size = 0;
  };
  struct Queued {
    const Command* command = nullptr;
    std::size_t first = 0, count = 0;
  };
  std::string bytes_;
  std::vector<Slice> slices_;
  std::vector<Queued> queued_;
  std::vector<std::string_view> views_;
};

// Threads: the engine's, or the I/O thread's while nothing of the connection is in the engine.
class WatchList {
 public:
  void Watch(std::string_view table, std::string_view key, Session& session);
  void Clear() { watched_.clear(); }
  // True if a watched record was written, deleted or has expired since. Whatever changed counts, a
  // region's share of a counter too, so the bytes of the row are compared, not one version.
  bool Changed(Session& session) const;

 private:
  struct State {
    bool alive = false;
    bool present = false;
    std::uint64_t hash = 0;
  };
  struct Watched {
    std::string row_key;
    State state;
  };
  static State Look(std::string_view row_key, Session& session);
  std::vector<Watched> watched_;
};

}  // namespace hawser::redis
