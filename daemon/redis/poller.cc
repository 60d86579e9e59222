#include "daemon/redis/poller.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace hawser::redis {
namespace {

epoll_event EventOf(std::uint64_t id, bool read, bool write) {
  epoll_event event{};
  event.events = (read ? static_cast<std::uint32_t>(EPOLLIN) : 0u) |
                 (write ? static_cast<std::uint32_t>(EPOLLOUT) : 0u);
  event.data.u64 = id;
  return event;
}

}  // namespace

Poller::Poller()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  // Edge-triggered: every Wake is one event, and nobody needs to read it away.
  epoll_event event{};
  event.events = static_cast<std::uint32_t>(EPOLLIN) | static_cast<std::uint32_t>(EPOLLET);
  if (ok()) epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event);
}

Poller::~Poller() {
  if (event_ >= 0) close(event_);
  if (epoll_ >= 0) close(epoll_);
}

bool Poller::Add(int fd, std::uint64_t id, bool read, bool write) {
  epoll_event event = EventOf(id, read, write);
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void Poller::Change(int fd, std::uint64_t id, bool read, bool write) {
  epoll_event event = EventOf(id, read, write);
  epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void Poller::Remove(int fd) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

std::span<const epoll_event> Poller::Wait(int timeout_ms) {
  const int count = epoll_wait(epoll_, events_, static_cast<int>(std::size(events_)), timeout_ms);
  return {events_, count > 0 ? static_cast<std::size_t>(count) : 0};
}

void Poller::Wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_, &one, sizeof one);  // full: awake already
}

}  // namespace hawser::redis
