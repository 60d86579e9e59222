#pragma once

// DiskRecorder: everything written and synced to files of interest, in order, by this process,
// LMDB's library included: the test program defines the system's write calls itself
// (disk_recorder.cc), and a program's own definitions come before libc's. Threads: any.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace hawser::test {

struct DiskEvent {
  enum class Kind {
    kWrite,         // in the cache: lost, kept or torn by a power loss until the file is synced
    kDurableWrite,  // to a descriptor opened with O_DSYNC: durable when it returns
    kSync,          // everything written to the file before is durable
    kNote,          // the test's own, `offset` is its number
  };
  Kind kind = Kind::kNote;
  int file = -1;
  std::uint64_t offset = 0;
  std::string bytes;
};

class DiskRecorder {
 public:
  static DiskRecorder& Get();
  // Records files with that path from now on; what they hold now is taken as durable.
  int Watch(const std::string& path);
  void Note(std::uint64_t number);
  std::vector<DiskEvent> Stop();

  // Called by the wrappers.
  void Opened(int fd, const char* path, int flags);
  void Closed(int fd);
  void Wrote(int fd, std::uint64_t offset, const char* bytes, std::size_t size);
  void Synced(int fd);

 private:
  struct Open {
    std::string path;
    bool durable = false;
  };
  std::mutex mutex_;
  std::map<int, Open> open_;
  std::vector<std::string> watched_;
  std::vector<DiskEvent> events_;
};

}  // namespace hawser::test
