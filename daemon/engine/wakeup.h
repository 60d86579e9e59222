#pragma once

// Wakeup: lets many threads wake one sleeper, for the price of a system call only when it sleeps.
// Threads: Notify from any thread; Sleep from one.

#include <atomic>

namespace hawser {

class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  // Call after the work is visible to the sleeper.
  void Notify();
  // Sleeps until Notify or for `timeout_us`. `has_work` is asked once more after the sleeper is
  // known as such, so that a Notify in between is not missed.
  template <typename HasWork>
  void Sleep(long timeout_us, const HasWork& has_work) {
    sleeping_.store(true, std::memory_order_seq_cst);
    if (!has_work()) Wait(timeout_us);
    sleeping_.store(false, std::memory_order_relaxed);
  }

 private:
  void Wait(long timeout_us);

  int fd_ = -1;  // an eventfd
  std::atomic<bool> sleeping_{false};
};

}  // namespace hawser
