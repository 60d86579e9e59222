#pragma once

// Buffer: bytes received and not yet done with; and a pool of those of the usual size.
// Threads: one owner.

#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace hawser::redis {

struct Buffer {
  static constexpr std::size_t kUsual = 16 * 1024;

  std::unique_ptr<char[]> bytes;
  std::size_t capacity = 0;
  std::size_t begin = 0;  // first byte not done with
  std::size_t end = 0;    // past the last byte received

  char* data() { return bytes.get() + begin; }
  std::size_t size() const { return end - begin; }
  std::size_t room() const { return capacity - end; }
};

class BufferPool {
 public:
  Buffer Get(std::size_t capacity = Buffer::kUsual) {
    if (capacity <= Buffer::kUsual && !free_.empty()) {
      Buffer buffer = std::move(free_.back());
      free_.pop_back();
      return buffer;
    }
    Buffer buffer;
    buffer.capacity = capacity < Buffer::kUsual ? Buffer::kUsual : capacity;
    buffer.bytes = std::make_unique_for_overwrite<char[]>(buffer.capacity);
    return buffer;
  }
  // Takes the storage back; big ones are freed.
  void Put(Buffer&& buffer) {
    Buffer mine = std::move(buffer);
    buffer = Buffer{};
    if (mine.capacity != Buffer::kUsual || free_.size() >= kKept) return;
    mine.begin = mine.end = 0;
    free_.push_back(std::move(mine));
  }
  // Makes room for at least `room` more bytes behind what is held.
  void Grow(Buffer& buffer, std::size_t room) {
    if (buffer.begin == buffer.end) buffer.begin = buffer.end = 0;
    if (buffer.room() >= room) return;
    const std::size_t size = buffer.size();
    if (buffer.begin > 0 && buffer.capacity - size >= room) {
      std::memmove(buffer.bytes.get(), buffer.data(), size);
      buffer.begin = 0;
      buffer.end = size;
      return;
    }
    std::size_t capacity = buffer.capacity == 0 ? Buffer::kUsual : buffer.capacity;
    while (capacity - size < room) capacity *= 2;
    Buffer larger = Get(capacity);
    if (size > 0) std::memcpy(larger.bytes.get(), buffer.data(), size);
    larger.end = size;
    Put(std::move(buffer));
    buffer = std::move(larger);
  }

 private:
  static constexpr std::size_t kKept = 1024;
  std::vector<Buffer> free_;
};

}  // namespace hawser::redis
