#include "storage/memory_view.h"

#include <algorithm>

namespace hawser {

MemoryView::MemoryView(MemoryStore& store) : store_(store), cut_(store.committed_cut_) {
  store_.views_.push_back(this);
}

MemoryView::~MemoryView() {
  std::erase(store_.views_, this);
}

void MemoryView::Keep(std::string_view row_key, const SharedBytes& record) {
  if (!kept_.contains(row_key)) kept_.emplace(row_key, record);
}

std::optional<std::string_view> MemoryView::Get(std::string_view row_key) {
  if (const auto at = kept_.find(row_key); at != kept_.end()) {
    return at->second ? std::optional<std::string_view>(*at->second) : std::nullopt;
  }
  const auto at = store_.rows_.find(row_key);
  if (at == store_.rows_.end()) return std::nullopt;
  return *at->second.record;
}

void MemoryView::Scan(
    std::string_view start,
    const std::function<bool(std::string_view row_key, std::string_view record)>& visit) {
  auto row = store_.rows_.lower_bound(start);
  auto kept = kept_.lower_bound(start);
  while (row != store_.rows_.end() || kept != kept_.end()) {
    const bool take_kept =
        row == store_.rows_.end() || (kept != kept_.end() && kept->first <= row->first);
    if (take_kept) {
      if (row != store_.rows_.end() && row->first == kept->first) ++row;
      if (kept->second && !visit(kept->first, *kept->second)) return;
      ++kept;
    } else {
      if (!visit(row->first, *row->second.record)) return;
      ++row;
    }
  }
}

std::expected<void, StorageError> MemoryJournalReader::ReadLog(
    const Origin& origin, Seq from, const std::function<bool(const JournalEntry&)>& visit) {
  const Seq last = store_.committed_cut_.Get(origin);
  if (from == Seq{0} || last == Seq{0} || from > Next(last)) {
    return std::unexpected(StorageError::kNotFound);
  }
  for (Seq seq = from; seq <= last; seq = Next(seq)) {
    const StoreImage::Entry* entry = store_.FindEntry(origin, seq);
    if (!entry) return std::unexpected(StorageError::kNotFound);
    if (!visit({.origin = entry->origin,
                .seq = entry->seq,
                .hash = entry->hash,
                .bytes = *entry->bytes,
                .hash_before = entry->hash_before,
                .applied_ms = entry->applied_ms})) {
      break;
    }
  }
  return {};
}

std::expected<void, StorageError> MemoryJournalReader::ReadApplied(
    Lsn from, const std::function<bool(Lsn lsn, const JournalEntry&)>& visit) {
  const Lsn last = store_.LastLsn();
  if (from <= store_.image_.trimmed || Raw(from) > Raw(last) + 1) {
    return std::unexpected(StorageError::kNotFound);
  }
  for (Lsn lsn = from; lsn <= last; lsn = Lsn{Raw(lsn) + 1}) {
    const StoreImage::Entry& entry = store_.EntryAt(lsn);
    if (!visit(lsn, {.origin = entry.origin,
                     .seq = entry.seq,
                     .hash = entry.hash,
                     .bytes = *entry.bytes,
                     .hash_before = entry.hash_before,
                     .applied_ms = entry.applied_ms})) {
      break;
    }
  }
  return {};
}

}  // namespace hawser
