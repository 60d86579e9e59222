#include "tests/storage/disk_recorder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstdarg>

namespace hawser::test {

DiskRecorder& DiskRecorder::Get() {
  static DiskRecorder recorder;
  return recorder;
}

int DiskRecorder::Watch(const std::string& path) {
  const std::lock_guard lock(mutex_);
  watched_.push_back(path);
  return static_cast<int>(watched_.size()) - 1;
}

void DiskRecorder::Note(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  events_.push_back({DiskEvent::Kind::kNote, -1, number, {}});
}

std::vector<DiskEvent> DiskRecorder::Stop() {
  const std::lock_guard lock(mutex_);
  watched_.clear();
  return std::move(events_);
}

void DiskRecorder::Opened(int fd, const char* path, int flags) {
  const std::lock_guard lock(mutex_);
  open_[fd] = {path, (flags & O_DSYNC) != 0};
}

void DiskRecorder::Closed(int fd) {
  const std::lock_guard lock(mutex_);
  open_.erase(fd);
}

void DiskRecorder::Wrote(int fd, std::uint64_t offset, const char* bytes, std::size_t size) {
  const std::lock_guard lock(mutex_);
  const auto open = open_.find(fd);
  if (open == open_.end()) return;
  const auto at = std::ranges::find(watched_, open->second.path);
  if (at == watched_.end()) return;
  events_.push_back(
      {open->second.durable ? DiskEvent::Kind::kDurableWrite : DiskEvent::Kind::kWrite,
       static_cast<int>(at - watched_.begin()), offset, std::string(bytes, size)});
}

void DiskRecorder::Synced(int fd) {
  const std::lock_guard lock(mutex_);
  const auto open = open_.find(fd);
  if (open == open_.end()) return;
  const auto at = std::ranges::find(watched_, open->second.path);
  if (at == watched_.end()) return;
  events_.push_back({DiskEvent::Kind::kSync, static_cast<int>(at - watched_.begin()), 0, {}});
}

namespace {
template <typename F>
F* Real(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}
}  // namespace
}  // namespace hawser::test

// A crash may come while a call runs: a write is recorded before it is done, a sync after.
extern "C" {

using hawser::test::DiskRecorder;
using hawser::test::Real;

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  static auto* const real = Real<int(const char*, int, ...)>("open");
  const int fd = real(path, flags, mode);
  if (fd >= 0) DiskRecorder::Get().Opened(fd, path, flags);
  return fd;
}

int close(int fd) {
  static auto* const real = Real<int(int)>("close");
  DiskRecorder::Get().Closed(fd);
  return real(fd);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  static auto* const real = Real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  DiskRecorder::Get().Wrote(fd, static_cast<std::uint64_t>(offset), static_cast<const char*>(bytes),
                            size);
  return real(fd, bytes, size, offset);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  static auto* const real = Real<ssize_t(int, const struct iovec*, int)>("writev");
  static auto* const real_seek = Real<off_t(int, off_t, int)>("lseek");
  auto offset = static_cast<std::uint64_t>(real_seek(fd, 0, SEEK_CUR));
  for (int i = 0; i < count; ++i) {
    DiskRecorder::Get().Wrote(fd, offset, static_cast<const char*>(parts[i].iov_base),
                              parts[i].iov_len);
    offset += parts[i].iov_len;
  }
  return real(fd, parts, count);
}

int fdatasync(int fd) {
  static auto* const real = Real<int(int)>("fdatasync");
  const int outcome = real(fd);
  if (outcome == 0) DiskRecorder::Get().Synced(fd);
  return outcome;
}

int fsync(int fd) {
  static auto* const real = Real<int(int)>("fsync");
  const int outcome = real(fd);
  if (outcome == 0) DiskRecorder::Get().Synced(fd);
  return outcome;
}

}  // extern "C"
