#pragma once

// The few things the store does with files itself: what LMDB leaves undone (syncing directories),
// its own lock, disk space. Errors leave errno set.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hawser {

// Creates the directory and its missing parents, mode 0700, and syncs each parent.
bool MakeDirectoryDurably(const std::string& path);
bool SyncDirectory(const std::string& path);
// A new file (replaced if there), written and synced; its directory is not.
bool WriteFileDurably(const std::string& path, std::string_view bytes);
// Fills a file with zeros from its end up to `bytes`, synced. Stops quietly when the disk is full.
void ZeroFill(const std::string& path, std::uint64_t bytes);

struct DiskSpace {
  std::uint64_t free_bytes = 0;  // to an ordinary user
  std::uint64_t total_bytes = 0;
};
std::optional<DiskSpace> SpaceAt(const std::string& path);

// An flock held while this object lives: one process per store. LMDB does not refuse a second
// opener.
class FileLock {
 public:
  // nullopt with errno EWOULDBLOCK: another holder.
  static std::optional<FileLock> Take(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace hawser
