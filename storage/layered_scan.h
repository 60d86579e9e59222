#pragma once

// One ordered walk over the layers of the LMDB store: the active memtable hides the frozen one,
// which hides the record tables; a row that is gone in an upper layer is absent.

#include <expected>
#include <functional>
#include <string_view>

#include "storage/memtable.h"
#include "storage/record_tables.h"

namespace hawser {

struct Layers {
  const Memtable& active;
  const Memtable* frozen;  // may be null
  ViewSeq visible;
};

// kCorrupt: a row's checksum is wrong; the walk ended there.
std::expected<void, StorageError> ScanLayers(
    const Layers& layers, RecordSnapshot::Cursor& tables, std::string_view start,
    const std::function<bool(std::string_view row_key, std::string_view record)>& visit);

}  // namespace hawser
