#include "storage/space.h"

#include <limits>

#include "storage/files.h"

namespace hawser {
namespace {
constexpr std::chrono::milliseconds kLookEvery{100};
constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kCopiesPerByte = 2;  // pages are filled in part, and copied to be changed

std::uint64_t DiskFree(const std::string& path) {
  const auto space = SpaceAt(path);
  return space ? space->free_bytes : kUnknown;
}
}  // namespace

SpaceGuard::SpaceGuard(SpaceLimits limits) : limits_(std::move(limits)) {}

std::expected<void, StorageError> SpaceGuard::Check(const SpaceUse& use, std::uint64_t txn_bytes,
                                                    bool own) {
  const auto full = std::unexpected(StorageError::kFull);
  const std::uint64_t journal_max =
      limits_.journal_bytes_max + (own ? 0 : limits_.journal_bytes_max / 8);
  if (use.journal_bytes + txn_bytes > journal_max) return full;
  if (use.table_bytes + use.memtable_bytes + txn_bytes > limits_.map_bytes_max / 5 * 4) {
    return full;
  }
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_at_ >= kLookEvery || looked_at_ == decltype(looked_at_){}) {
    looked_at_ = now;
    disk_free_bytes_ = DiskFree(limits_.path);
    taken_since_ = 0;
  }
  const std::uint64_t needed =
      limits_.disk_reserve_bytes + use.memtable_bytes + kCopiesPerByte * (taken_since_ + txn_bytes);
  if (disk_free_bytes_ < needed) return full;
  taken_since_ += txn_bytes;
  return {};
}

bool SpaceGuard::DiskHas(std::uint64_t bytes) const {
  return DiskFree(limits_.path) >= bytes;
}

std::uint64_t SpaceGuard::JournalMapBytes(std::uint64_t journal_bytes_max) {
  return journal_bytes_max + journal_bytes_max / 2 + (std::uint64_t{256} << 20);
}

}  // namespace hawser
