#include "storage/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

namespace hawser {
namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) {
      const int kept = errno;
      ::close(fd_);
      errno = kept;
    }
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

bool SyncDirectory(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && ::fsync(fd.get()) == 0;
}

bool MakeDirectoryDurably(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return true;
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string above = parent.empty() ? "." : parent;
  if (!parent.empty() && parent != path && !MakeDirectoryDurably(parent)) return false;
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return false;
  return SyncDirectory(above);
}

bool WriteFileDurably(const std::string& path, std::string_view bytes) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  return fd && WriteAll(fd.get(), bytes) && ::fsync(fd.get()) == 0;
}

void ZeroFill(const std::string& path, std::uint64_t bytes) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return;
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return;
  auto at = static_cast<std::uint64_t>(info.st_size);
  if (at >= bytes) return;
  const std::string zeros(1 << 20, '\0');
  while (at < bytes) {
    const std::size_t piece = std::min<std::uint64_t>(bytes - at, zeros.size());
    const ssize_t n = ::pwrite(fd.get(), zeros.data(), piece, static_cast<off_t>(at));
    if (n <= 0) break;
    at += static_cast<std::uint64_t>(n);
  }
  ::fsync(fd.get());
}

std::optional<DiskSpace> SpaceAt(const std::string& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) return std::nullopt;
  return DiskSpace{info.f_bavail * info.f_frsize, info.f_blocks * info.f_frsize};
}

std::optional<FileLock> FileLock::Take(const std::string& path) {
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.fd_ < 0) return std::nullopt;
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) {
    const int kept = errno;
    ::close(fd_);
    errno = kept;
  }
}

}  // namespace hawser
