#include "storage/key_order.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <utility>

namespace hawser {
namespace {

std::size_t CommonBytes(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t same = 0;
  while (same < most && a[same] == b[same]) ++same;
  return same;
}

// The eight bytes from `at` on as a number that orders as they do; what is not there counts as 0.
std::uint64_t EightBytes(std::string_view key, std::size_t at) {
  std::uint64_t bytes = 0;
  if (at < key.size())
    std::memcpy(&bytes, key.data() + at, std::min(key.size() - at, sizeof bytes));
  if constexpr (std::endian::native == std::endian::little) bytes = __builtin_bswap64(bytes);
  return bytes;
}

// Most comparisons are settled by eight bytes beside the pointer: no node is touched for them.
KeyOrder::Run Sorted(const MemtableNode* newest, const MemtableNode* covered, std::size_t count) {
  std::vector<std::pair<std::uint64_t, const MemtableNode*>> keyed;
  keyed.reserve(count);
  std::size_t shared = newest->key_bytes;
  for (const MemtableNode* node = newest; node != covered; node = node->before) {
    shared = std::min(shared, CommonBytes(node->key().substr(0, shared), newest->key()));
    keyed.emplace_back(0, node);
  }
  for (auto& [bytes, node] : keyed) bytes = EightBytes(node->key(), shared);
  std::ranges::sort(keyed, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->key() < b.second->key();
  });
  KeyOrder::Run run;
  run.reserve(keyed.size());
  for (const auto& [bytes, node] : keyed) run.push_back(node);
  return run;
}

}  // namespace

KeyOrder::Runs KeyOrder::Upto(const MemtableNode* newest) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t covered = covered_ ? covered_->number : 0;
  if (!newest || newest->number <= covered) return runs_;
  Run run = Sorted(newest, covered_, newest->number - covered);
  covered_ = newest;
  while (!runs_.empty() && runs_.back()->size() <= 2 * run.size()) {
    Run merged;
    merged.reserve(runs_.back()->size() + run.size());
    std::ranges::merge(*runs_.back(), run, std::back_inserter(merged), {}, &MemtableNode::key,
                       &MemtableNode::key);
    runs_.pop_back();
    run = std::move(merged);
  }
  runs_.push_back(std::make_shared<const Run>(std::move(run)));
  count_.store(covered_->number, std::memory_order_relaxed);
  return runs_;
}

}  // namespace hawser
