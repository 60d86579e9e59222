#pragma once

// StoreIdentity: whose a store is. Both of its environments carry it.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "storage/store.h"

namespace hawser {

// Whose a store is. Written once, when it is made, into both environments.
struct StoreIdentity {
  Origin self;
  std::uint64_t cluster_id = 0;
  bool operator==(const StoreIdentity&) const = default;
};
inline constexpr std::uint64_t kStoreFormat = 1;
std::string EncodeIdentity(const StoreIdentity& identity);
// kCorrupt, or kNewer for a format above kStoreFormat.
std::expected<StoreIdentity, StorageError> DecodeIdentity(std::string_view bytes);

}  // namespace hawser
