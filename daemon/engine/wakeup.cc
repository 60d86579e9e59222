#include "daemon/engine/wakeup.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

#include "conflict/assert.h"

namespace hawser {

Wakeup::Wakeup() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  HW_ASSERT(fd_ >= 0);
}

Wakeup::~Wakeup() {
  close(fd_);
}

void Wakeup::Notify() {
  // Pairs with the store in Sleep: either the sleeper sees the work, or we see it sleep.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!sleeping_.exchange(false, std::memory_order_seq_cst)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
}

void Wakeup::Wait(long timeout_us) {
  pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
  const timespec timeout{.tv_sec = timeout_us / 1'000'000,
                         .tv_nsec = timeout_us % 1'000'000 * 1000};
  if (ppoll(&waiting, 1, &timeout, nullptr) > 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = read(fd_, &count, sizeof count);
  }
}

}  // namespace hawser
