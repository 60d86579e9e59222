#pragma once

// Small facts kept in a store's environments, each preceded by its checksum (fixed64, XXH3-64).

#include <expected>
#include <string>
#include <string_view>

#include "storage/store.h"

namespace hawser {

std::string Sealed(std::string_view bytes);
// kCorrupt if the checksum is wrong. Borrows from `sealed`.
std::expected<std::string_view, StorageError> Unseal(std::string_view sealed);

}  // namespace hawser
