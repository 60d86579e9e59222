// The upkeep of the in-memory store: checkpoints in steps, dropping, trimming.

#include "conflict/assert.h"
#include "conflict/record_codec.h"
#include "conflict/variant.h"
#include "storage/drop_rule.h"
#include "storage/index_table.h"
#include "storage/memory_store.h"

namespace hawser {

void MemoryStore::SetStable(const Stable& stable, const Cut& trim) {
  drop_pass_needed_ = true;
  stable_ = stable;
  trim_ = trim;
}

std::expected<void, StorageError> MemoryStore::Upkeep() {
  if (failed_) return std::unexpected(StorageError::kIo);
  if (HasStaged()) return {};
  ++idle_upkeeps_;
  DropSome();
  DropOldConflicts();
  BuildIndexes();
  if (!flushing_ && !full_) {
    const bool idle = idle_upkeeps_ >= options_.checkpoint_idle_upkeeps;
    if (active_writes_ >= options_.checkpoint_rows || drops_waiting_ ||
        (idle && !active_.empty())) {
      StartCheckpoint();
    }
  }
  for (std::uint32_t i = 0; i < options_.steps_per_upkeep && flushing_; ++i) CheckpointStep();
  Trim();
  return {};
}

// A droppable row is gone from here on for readers and writers; in the tables it goes in the last
// commit of the checkpoint that writes this memtable. A crash before that brings the dead row back,
// which is the same as having dropped it later.
void MemoryStore::DropSome() {
  if (!drop_pass_needed_) return;
  Record scratch;
  auto at = image_.fading.lower_bound(drop_from_);
  for (std::uint32_t i = 0; i < options_.drops_per_upkeep; ++i, ++at) {
    if (at == image_.fading.end()) {
      drop_from_.clear();
      drop_pass_needed_ = false;
      return;
    }
    const auto row = rows_.find(*at);
    if (row == rows_.end() || !RowMayDrop(*row->second.record, stable_, scratch)) continue;
    ForEachIndexEntry(applier_.indexes(), *at, *row->second.record,
                      [this](std::string_view entry) { Publish(entry, std::nullopt); });
    Publish(*at, std::nullopt);
    drops_waiting_ = true;
  }
  drop_from_ = at == image_.fading.end() ? std::string() : *at;
}

void MemoryStore::DropOldConflicts() {
  const std::int64_t now_ms = std::max(highest_, image_.ceiling).ms();
  if (!conflicts_.Due(now_ms)) return;
  const ConflictKeeper::Piece old = conflicts_.Walk(
      [this](std::string_view start, const auto& visit) { ScanNewest(start, visit); }, now_ms,
      options_.drops_per_upkeep);
  if (!old.floor_key.empty()) {
    Publish(old.floor_key,
            StoredRow{LastLsn(), std::make_shared<const std::string>(old.floor_row)});
  }
  for (const std::string& row_key : old.drop) Publish(row_key, std::nullopt);
  drops_waiting_ = drops_waiting_ || !old.drop.empty();
}

void MemoryStore::BuildIndexes() {
  if (!index_builder_.Due(applier_.indexes()) || full_) return;
  const IndexBuilder::Piece piece = index_builder_.Next(
      applier_.indexes(),
      [this](std::string_view start, const auto& visit) { ScanNewest(start, visit); },
      options_.indexed_per_upkeep);
  if (piece.state_key.empty()) return;
  const auto put = [this](std::string_view row_key, std::string_view bytes) {
    Publish(row_key, StoredRow{LastLsn(), std::make_shared<const std::string>(bytes)});
  };
  for (const std::string& entry : piece.entries) put(entry, IndexEntryBytes());
  put(piece.state_key, piece.state_row);
}

void MemoryStore::StartCheckpoint() {
  frozen_ = std::move(active_);
  active_.clear();
  active_writes_ = 0;
  drops_waiting_ = false;
  flush_next_ = frozen_.cbegin();
  flush_mark_ = LastLsn();
  flush_ends_ = logs_.ends();
  flush_highest_ = highest_;
  flushing_ = true;
  if (HW_VARIANT(kMarkMovedInFirstCommit)) MoveMark();
}

// One commit of the record tables. Rows are written in key order; rows are removed, and the mark
// moves, only in the last one.
void MemoryStore::CheckpointStep() {
  Record scratch;
  for (std::uint32_t i = 0; i < options_.rows_per_commit && flush_next_ != frozen_.cend();
       ++i, ++flush_next_) {
    const auto& [row_key, row] = *flush_next_;
    if (!row) {
      if (IsIndexEntry(row_key)) image_.rows.erase(row_key);  // see checkpoint.h
      continue;
    }
    HW_ASSERT(DecodeRecord(*row->record, scratch));
    if (FateOf(scratch).fading == Fading::kNo) {
      image_.fading.erase(row_key);
    } else {
      image_.fading.insert(row_key);
    }
    image_.rows.insert_or_assign(row_key, *row);
  }
  if (flush_next_ != frozen_.cend()) return;
  for (const auto& [row_key, row] : frozen_) {
    if (row) continue;
    image_.rows.erase(row_key);
    image_.fading.erase(row_key);
  }
  MoveMark();
  frozen_.clear();
  flushing_ = false;
  drop_pass_needed_ = true;
}

void MemoryStore::MoveMark() {
  image_.mark = flush_mark_;
  image_.mark_ends = flush_ends_;
  image_.mark_highest = flush_highest_;
}

void MemoryStore::Trim() {
  for (std::uint32_t i = 0; i < options_.trims_per_upkeep && !image_.journal.empty(); ++i) {
    const StoreImage::Entry& entry = image_.journal.front();
    if (image_.trimmed >= image_.mark) return;
    const bool may_go = trim_.Covers({entry.origin, entry.seq}) || HW_VARIANT(kTrimBeforeStable);
    if (!may_go) return;
    image_.journal_bytes -= entry.bytes->size();
    lsns_[entry.origin].pop_front();
    image_.journal.pop_front();
    image_.trimmed = Lsn{Raw(image_.trimmed) + 1};
  }
}

}  // namespace hawser
