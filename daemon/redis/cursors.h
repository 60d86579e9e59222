#pragma once

// Cursors: the numbers that SCAN hands out, each standing for the row to go on from. The last
// kCursors given are kept, 16 MiB at most; an older one, or one from before a restart, is answered
// as an error and the client starts again at 0. Threads: one owner.

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::redis {

class Cursors {
 public:
  static constexpr std::size_t kCursors = 32'768;

  // Below 2^53: clients that keep numbers as doubles (JavaScript) must be able to say them back.
  Cursors() : next_((std::uint64_t{std::random_device{}()} << 20) + 1) {}

  std::uint64_t Put(std::string row_key) {
    if (slots_.empty()) slots_.resize(kCursors);
    const std::uint64_t id = next_++;
    slots_[id % kCursors] = {id, std::move(row_key)};
    return id;
  }
  std::optional<std::string_view> Get(std::uint64_t id) const {
    if (id == 0 || slots_.empty() || slots_[id % kCursors].id != id) return std::nullopt;
    return slots_[id % kCursors].row_key;
  }

 private:
  struct Slot {
    std::uint64_t id = 0;
    std::string row_key;
  };
  std::uint64_t next_;
  std::vector<Slot> slots_;
};

}  // namespace hawser::redis
