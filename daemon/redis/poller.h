#pragma once

// Poller: epoll and an eventfd to wake it. Level-triggered, so that nothing must be re-armed: a
// request and its reply cost epoll_wait, recv and send, and nothing else. (Boost.Asio's reactor is
// edge-triggered and pays one more system call per request: a recv that says EAGAIN, or an
// epoll_ctl.) Threads: one owner; Wake from any thread.

#include <sys/epoll.h>

#include <cstdint>
#include <span>

namespace hawser::redis {

class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  bool ok() const { return epoll_ >= 0 && event_ >= 0; }
  // `id` comes back with the events; 0 is kept for the wake-up.
  bool Add(int fd, std::uint64_t id, bool read, bool write);
  void Change(int fd, std::uint64_t id, bool read, bool write);
  void Remove(int fd);
  // Waits at most `timeout_ms` (-1: for ever). The events are valid until the next call.
  std::span<const epoll_event> Wait(int timeout_ms);
  void Wake();

 private:
  int epoll_ = -1;
  int event_ = -1;
  epoll_event events_[256];
};

}  // namespace hawser::redis
