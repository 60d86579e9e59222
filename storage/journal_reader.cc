#include "storage/journal_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace hawser {

std::expected<void, StorageError> LmdbJournalReader::ReadLog(
    const Origin& origin, Seq from, const std::function<bool(const JournalEntry&)>& visit) {
  const auto missing = std::unexpected(StorageError::kNotFound);
  const Seq last = committed_(origin);
  if (from == Seq{0} || last == Seq{0} || from > Next(last)) return missing;
  auto txn = LmdbTxn::Begin(env_, LmdbTxn::Mode::kRead);
  if (!txn) return std::unexpected(txn.error());
  const auto trimmed = ReadTrimmed(*txn, table_);
  if (!trimmed) return std::unexpected(trimmed.error());
  if (trimmed->second.Covers({origin, from})) return missing;
  if (from > last) return {};

  auto cursor = LmdbCursor::Open(*txn, table_);
  if (!cursor) return std::unexpected(cursor.error());
  auto found = SeekBlock(*cursor, origin, from);
  Seq next = from;
  BlockHead head;
  while (found && *found && next <= last) {
    BlockPlace place;
    if (!ParseBlockKey(cursor->key(), place) || place.piece != 0 ||
        !ParseBlockHead(cursor->value(), head)) {
      return std::unexpected(StorageError::kCorrupt);
    }
    const Lsn first = place.first;
    const BlockOrigin* part = head.Find(origin);
    if (!part || part->last() < next) {
      found = cursor->Seek(BlockKey(Lsn{Raw(first) + head.entries}, 0));
      continue;
    }
    block_.clear();
    while (found && *found && ParseBlockKey(cursor->key(), place) && place.first == first) {
      block_.append(cursor->value());
      found = cursor->Next();
    }
    bool go_on = true;
    bool whole = true;
    const auto read = ReadBlock(first, block_, [&](Lsn, const JournalEntry& entry) {
      if (entry.origin != origin || entry.seq < next) return true;
      whole = entry.seq == next;
      if (!whole) return false;
      next = Next(next);
      go_on = visit(entry);
      return go_on;
    });
    if (!read) return read;
    if (!whole) return std::unexpected(StorageError::kCorrupt);
    if (!go_on) return {};
  }
  if (!found) return std::unexpected(found.error());
  // It was committed and not trimmed: it must have been here.
  if (next <= last) return std::unexpected(StorageError::kCorrupt);
  return {};
}

std::expected<void, StorageError> LmdbJournalReader::ReadApplied(
    Lsn from, const std::function<bool(Lsn, const JournalEntry&)>& visit) {
  const auto missing = std::unexpected(StorageError::kNotFound);
  auto txn = LmdbTxn::Begin(env_, LmdbTxn::Mode::kRead);
  if (!txn) return std::unexpected(txn.error());
  const auto trimmed = ReadTrimmed(*txn, table_);
  if (!trimmed) return std::unexpected(trimmed.error());
  if (from <= trimmed->first) return missing;

  auto cursor = LmdbCursor::Open(*txn, table_);
  if (!cursor) return std::unexpected(cursor.error());
  // The last block that begins at or before it.
  auto found = cursor->Seek(BlockKey(Lsn{Raw(from) + 1}, 0));
  if (found) found = *found ? cursor->Previous() : cursor->Last();
  if (!found) return std::unexpected(found.error());
  BlockPlace place;
  if (!*found || !ParseBlockKey(cursor->key(), place)) {  // no block
    if (from == Lsn{Raw(trimmed->first) + 1}) return {};
    return missing;
  }
  found = cursor->Seek(BlockKey(place.first, 0));
  // How far each origin can be read by others: what is durable may be a moment ahead of that.
  std::vector<std::pair<Origin, Seq>> readable;
  const auto can_be_read = [&](const JournalEntry& entry) {
    auto at = std::ranges::find(readable, entry.origin, &std::pair<Origin, Seq>::first);
    if (at == readable.end()) {
      at = readable.insert(readable.end(), {entry.origin, committed_(entry.origin)});
    }
    return entry.seq <= at->second;
  };
  Lsn next = place.first;
  while (found && *found) {
    if (!ParseBlockKey(cursor->key(), place) || place.first != next) {
      return std::unexpected(StorageError::kCorrupt);
    }
    const Lsn first = place.first;
    block_.clear();
    while (found && *found && ParseBlockKey(cursor->key(), place) && place.first == first) {
      block_.append(cursor->value());
      found = cursor->Next();
    }
    bool go_on = true;
    const auto read = ReadBlock(first, block_, [&](Lsn lsn, const JournalEntry& entry) {
      next = Lsn{Raw(lsn) + 1};
      if (lsn < from) return true;
      go_on = can_be_read(entry) && visit(lsn, entry);
      return go_on;
    });
    if (!read) return read;
    if (!go_on) return {};
  }
  if (!found) return std::unexpected(found.error());
  if (from > next) return missing;
  return {};
}

// The first block that can hold the entry: by the last index row at or before it, else the oldest.
std::expected<bool, StorageError> LmdbJournalReader::SeekBlock(LmdbCursor& cursor,
                                                               const Origin& origin, Seq from) {
  const std::string key = IndexKey(origin, from);
  auto found = cursor.Seek(key);
  if (!found) return found;
  if (!*found || cursor.key() != key) {
    found = *found ? cursor.Previous() : cursor.Last();
    if (!found) return found;
  }
  const std::string_view prefix = std::string_view(key).substr(0, key.size() - 8);
  if (*found && cursor.key().starts_with(prefix) && cursor.value().size() == 8) {
    std::uint64_t lsn;
    cursor.value().copy(reinterpret_cast<char*>(&lsn), sizeof lsn);
    return cursor.Seek(BlockKey(Lsn{lsn}, 0));
  }
  return cursor.Seek(std::string_view(&kBlockRows, 1));
}

}  // namespace hawser
