#pragma once

// Inbox: a bounded queue from many threads to one, emptied in one swap.
// Threads: Push from any thread, TakeAll from one.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace hawser {

template <typename T>
class Inbox {
 public:
  explicit Inbox(std::uint64_t bytes_max = UINT64_MAX) : bytes_max_(bytes_max) {}

  // False, and the item is gone, if `bytes` more would pass the bound.
  bool Push(T item, std::uint64_t bytes = 0) {
    const std::lock_guard lock(mutex_);
    if (bytes_ + bytes > bytes_max_) return false;
    bytes_ += bytes;
    items_.push_back(std::move(item));
    empty_.store(false, std::memory_order_release);
    return true;
  }
  // Swaps the content into `out`, whose storage is reused.
  void TakeAll(std::vector<T>& out) {
    out.clear();
    if (empty()) return;
    const std::lock_guard lock(mutex_);
    out.swap(items_);
    bytes_ = 0;
    empty_.store(true, std::memory_order_relaxed);
  }
  bool empty() const { return empty_.load(std::memory_order_acquire); }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::vector<T> items_;
  std::uint64_t bytes_ = 0;
  std::atomic<bool> empty_{true};
};

}  // namespace hawser
