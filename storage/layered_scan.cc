#include "storage/layered_scan.h"

#include <optional>

namespace hawser {

std::expected<void, StorageError> ScanLayers(
    const Layers& layers, RecordSnapshot::Cursor& tables, std::string_view start,
    const std::function<bool(std::string_view row_key, std::string_view record)>& visit) {
  Memtable::Iterator active(layers.active, layers.visible);
  active.Seek(start);
  std::optional<Memtable::Iterator> frozen;
  if (layers.frozen) {
    frozen.emplace(*layers.frozen, layers.visible);
    frozen->Seek(start);
  }
  if (const auto sought = tables.Seek(start); !sought) return sought;

  for (;;) {
    const bool in_active = active.Valid();
    const bool in_frozen = frozen && frozen->Valid();
    if (!in_active && !in_frozen && !tables.Valid()) return {};
    std::string_view key;
    bool any = false;
    const auto offer = [&](std::string_view candidate) {
      if (!any || candidate < key) key = candidate;
      any = true;
    };
    if (in_active) offer(active.key());
    if (in_frozen) offer(frozen->key());
    if (tables.Valid()) offer(tables.key());

    const bool from_active = in_active && active.key() == key;
    const bool from_frozen = in_frozen && frozen->key() == key;
    const bool from_tables = tables.Valid() && tables.key() == key;
    bool go_on = true;
    if (from_active || from_frozen) {
      const Memtable::Found& found = from_active ? active.found() : frozen->found();
      if (!found.gone) go_on = visit(key, found.record);
    } else {
      go_on = visit(key, tables.row().record);
    }
    if (!go_on) return {};
    // The key may belong to any of them: nothing may look at it any more.
    if (from_active) active.Next();
    if (from_frozen) frozen->Next();
    if (from_tables) {
      if (const auto moved = tables.Next(); !moved) return moved;
    }
  }
}

}  // namespace hawser
