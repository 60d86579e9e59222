#include "storage/journal.h"

#include <algorithm>
#include <cstring>

#include "conflict/assert.h"
#include "conflict/bytes.h"
#include "conflict/variant.h"
#include "storage/files.h"
#include "storage/sealed.h"

namespace hawser {
namespace {

constexpr std::string_view kIdentityKey = "Aidentity";
constexpr std::string_view kCeilingKey = "Aceiling";
constexpr std::string_view kTrimmedKey = "Atrimmed";
constexpr std::uint64_t kIndexEveryBytes = 32 << 10;

std::string EncodeTrimmed(Lsn lsn, const Cut& cut) {
  std::string out;
  PutFixed64(out, Raw(lsn));
  PutVarint(out, cut.dots().size());
  for (const Dot& dot : cut.dots()) {
    PutByte(out, Raw(dot.origin.region));
    PutFixed64(out, Raw(dot.origin.incarnation));
    PutVarint(out, Raw(dot.seq));
  }
  return Sealed(out);
}

std::expected<std::pair<Lsn, Cut>, StorageError> DecodeTrimmed(std::string_view sealed) {
  const auto bytes = Unseal(sealed);
  if (!bytes) return std::unexpected(bytes.error());
  ByteReader in(*bytes);
  const Lsn lsn{in.Fixed64()};
  Cut cut;
  for (std::uint64_t left = in.Varint(); left > 0 && in.ok(); --left) {
    Dot dot;
    dot.origin.region = RegionId{in.Byte()};
    dot.origin.incarnation = Incarnation{in.Fixed64()};
    dot.seq = Seq{in.Varint()};
    cut.Raise(dot);
  }
  if (!in.done()) return std::unexpected(StorageError::kCorrupt);
  return std::pair{lsn, cut};
}

}  // namespace

std::expected<std::pair<Lsn, Cut>, StorageError> ReadTrimmed(const LmdbTxn& txn, LmdbTable table) {
  const auto bytes = txn.Get(table, kTrimmedKey);
  if (bytes) return DecodeTrimmed(*bytes);
  if (bytes.error() == StorageError::kNotFound) return std::pair{Lsn{0}, Cut{}};
  return std::unexpected(bytes.error());
}

std::expected<std::unique_ptr<Journal>, OpenError> Journal::Open(const Options& options) {
  auto env = LmdbEnv::Open({.directory = options.directory, .map_bytes = options.map_bytes});
  if (!env) return std::unexpected(std::move(env.error()));
  std::unique_ptr<Journal> journal(new Journal(std::move(*env)));
  journal->data_file_ = options.directory + "/data.mdb";
  if (const auto loaded = journal->Load(); !loaded) {
    return std::unexpected(
        OpenError{loaded.error(), options.directory + ": journal: " + Text(loaded.error())});
  }
  return journal;
}

std::expected<void, StorageError> Journal::Load() {
  auto txn = LmdbTxn::Begin(env_, LmdbTxn::Mode::kRead);
  if (!txn) return std::unexpected(txn.error());
  const auto table = txn->Table("", false);
  if (!table) return std::unexpected(table.error());
  table_ = *table;
  if (const auto bytes = txn->Get(table_, kIdentityKey)) {
    const auto identity = DecodeIdentity(*bytes);
    if (!identity) return std::unexpected(identity.error());
    identity_ = *identity;
  } else if (bytes.error() != StorageError::kNotFound) {
    return std::unexpected(bytes.error());
  }
  if (const auto bytes = txn->Get(table_, kCeilingKey)) {
    const auto ceiling = Unseal(*bytes);
    if (!ceiling) return std::unexpected(ceiling.error());
    ceiling_ = Stamp{ByteReader(*ceiling).Fixed64()};
  }
  const auto trimmed = ReadTrimmed(*txn, table_);
  if (!trimmed) return std::unexpected(trimmed.error());
  const Lsn trimmed_lsn = trimmed->first;
  trimmed_ = trimmed->second;
  pages_ = txn->Stat(table_).pages;
  first_ = Lsn{Raw(trimmed_lsn) + 1};
  last_ = trimmed_lsn;

  auto cursor = LmdbCursor::Open(*txn, table_);
  if (!cursor) return std::unexpected(cursor.error());
  if (const auto front = LoadFront(*cursor); !front) return front;
  const auto at_last = cursor->Last();
  if (!at_last) return std::unexpected(at_last.error());
  BlockPlace place;
  if (!*at_last || !ParseBlockKey(cursor->key(), place)) return {};
  const auto head_row = txn->Get(table_, BlockKey(place.first, 0));
  if (!head_row) return std::unexpected(StorageError::kCorrupt);
  BlockHead head;
  if (!ParseBlockHead(*head_row, head)) return std::unexpected(StorageError::kCorrupt);
  last_ = Lsn{Raw(place.first) + head.entries - 1};
  return {};
}

// Finds the oldest block and remembers its head.
std::expected<void, StorageError> Journal::LoadFront(LmdbCursor& cursor) {
  front_ = {};
  const auto found = cursor.Seek(std::string_view(&kBlockRows, 1));
  if (!found) return std::unexpected(found.error());
  if (!*found) return {};
  BlockPlace place;
  if (!ParseBlockKey(cursor.key(), place) || place.piece != 0 || place.first != first_ ||
      !ParseBlockHead(cursor.value(), front_)) {
    return std::unexpected(StorageError::kCorrupt);
  }
  return {};
}

std::expected<void, StorageError> Journal::WriteIdentity(const StoreIdentity& identity) {
  auto txn = LmdbTxn::Begin(env_, LmdbTxn::Mode::kWrite);
  if (!txn) return std::unexpected(txn.error());
  if (const auto put = txn->Put(table_, kIdentityKey, EncodeIdentity(identity)); !put) return put;
  if (const auto done = txn->Commit(); !done) return done;
  identity_ = identity;
  return {};
}

void Journal::Prealloc(std::uint64_t bytes) {
  ZeroFill(data_file_, bytes);
}

// --- Writing -----------------------------------------------------------------------------------

Lsn Journal::Stage(const JournalEntry& entry) {
  if (staged_blocks_ == 0 || !staged_[staged_blocks_ - 1].Add(entry)) {
    if (staged_blocks_ == staged_.size()) staged_.emplace_back();
    staged_[staged_blocks_].Clear();
    HW_ASSERT(staged_[staged_blocks_].Add(entry));
    ++staged_blocks_;
  }
  staged_bytes_ += entry.bytes.size() + 12;
  return Lsn{Raw(last_) + ++staged_entries_};
}

std::expected<void, StorageError> Journal::Commit(Stamp ceiling, const TrimLimit& trim) {
  const bool ceiling_moved = ceiling > ceiling_;
  const bool trims = trim.pieces > 0 && MayTrim(trim);
  if (staged_blocks_ == 0 && !ceiling_moved && !trims) return {};

  auto txn = LmdbTxn::Begin(env_, LmdbTxn::Mode::kWrite);
  if (!txn) return std::unexpected(txn.error());
  Lsn last = last_;
  if (staged_blocks_ > 0) {
    auto cursor = LmdbCursor::Open(*txn, table_);
    if (!cursor) return std::unexpected(cursor.error());
    for (std::size_t i = 0; i < staged_blocks_; ++i) {
      const Lsn first{Raw(last) + 1};
      if (const auto written = WriteBlock(*txn, *cursor, first, staged_[i]); !written) {
        return written;
      }
      if (front_.entries == 0) {
        HW_ASSERT(first == first_);
        front_.entries = staged_[i].entries();
        front_.origins = staged_[i].origins();
      }
      last = Lsn{Raw(last) + staged_[i].entries()};
    }
  }
  if (ceiling_moved) {
    std::string bytes;
    PutFixed64(bytes, ceiling.raw);
    if (const auto put = txn->Put(table_, kCeilingKey, Sealed(bytes)); !put) return put;
  }
  if (trims) {
    if (const auto trimmed = TrimFront(*txn, trim); !trimmed) return trimmed;
  }
  const std::uint64_t pages = txn->Stat(table_).pages;
  if (const auto done = txn->Commit(); !done) return done;

  pages_ = pages;
  last_ = last;
  if (ceiling_moved) ceiling_ = ceiling;
  staged_blocks_ = 0;
  staged_entries_ = 0;
  staged_bytes_ = 0;
  return {};
}

std::expected<void, StorageError> Journal::WriteBlock(LmdbTxn& txn, LmdbCursor& cursor, Lsn first,
                                                      BlockBuilder& block) {
  block.Seal(first);
  const std::string_view parts[] = {block.head(), block.body()};
  std::string key = BlockKey(first, 0);
  std::size_t left = block.bytes();
  std::size_t part = 0, at = 0;
  for (std::uint32_t piece = 0; left > 0; ++piece) {
    const std::size_t size = std::min(left, kPieceBytesMax);
    for (std::size_t i = 0; i < 4; ++i) {
      key[9 + i] = static_cast<char>(piece >> (24 - 8 * i));
    }
    const auto room = cursor.Append(key, size);
    if (!room) return std::unexpected(room.error());
    for (std::size_t done = 0; done < size;) {
      const std::size_t n = std::min(size - done, parts[part].size() - at);
      std::memcpy(*room + done, parts[part].data() + at, n);
      done += n;
      at += n;
      if (at == parts[part].size() && part == 0) {
        part = 1;
        at = 0;
      }
    }
    left -= size;
  }
  written_bytes_ += block.bytes();
  return WriteIndex(txn, first, block);
}

std::expected<void, StorageError> Journal::WriteIndex(LmdbTxn& txn, Lsn first,
                                                      const BlockBuilder& block) {
  for (const BlockOrigin& origin : block.origins()) {
    auto at = std::ranges::find(indexed_, origin.origin, &Indexed::origin);
    const bool known = at != indexed_.end();
    if (known && written_bytes_ - at->at_bytes < kIndexEveryBytes) continue;
    if (!known) at = indexed_.insert(indexed_.end(), Indexed{origin.origin, 0});
    at->at_bytes = written_bytes_;
    std::string value;
    PutFixed64(value, Raw(first));
    const auto put = txn.Put(table_, IndexKey(origin.origin, origin.first), value);
    if (!put) return put;
  }
  return {};
}

// --- Trimming ----------------------------------------------------------------------------------

bool Journal::MayTrim(const TrimLimit& limit) const {
  if (front_.entries == 0) return false;
  if (Raw(first_) + front_.entries - 1 > Raw(limit.checkpointed)) return false;
  if (HW_VARIANT(kTrimBeforeStable)) return true;
  return limit.cut && std::ranges::all_of(front_.origins, [&](const BlockOrigin& origin) {
           return limit.cut->Covers(Dot{origin.origin, origin.last()});
         });
}

std::expected<void, StorageError> Journal::TrimFront(LmdbTxn& txn, const TrimLimit& limit) {
  auto cursor = LmdbCursor::Open(txn, table_);
  if (!cursor) return std::unexpected(cursor.error());
  auto found = cursor->Seek(std::string_view(&kBlockRows, 1));
  for (std::uint32_t pieces = 0; pieces < limit.pieces && MayTrim(limit);) {
    BlockPlace place;
    while (found && *found && ParseBlockKey(cursor->key(), place) && place.first == first_) {
      if (const auto gone = cursor->Delete(); !gone) return gone;
      ++pieces;
      found = cursor->Next();
    }
    if (!found) return std::unexpected(found.error());
    for (const BlockOrigin& origin : front_.origins) {
      trimmed_.Raise({origin.origin, origin.last()});
      const auto gone = txn.Delete(table_, IndexKey(origin.origin, origin.first));
      if (!gone && gone.error() != StorageError::kNotFound) return gone;
    }
    first_ = Lsn{Raw(first_) + front_.entries};
    // Other writes in this transaction moved pages: find the place anew.
    if (const auto front = LoadFront(*cursor); !front) return front;
    found = front_.entries > 0;
  }
  return txn.Put(table_, kTrimmedKey, EncodeTrimmed(Lsn{Raw(first_) - 1}, trimmed_));
}

// --- Replay ------------------------------------------------------------------------------------

std::expected<void, StorageError> Journal::Replay(
    Lsn from, const std::function<bool(Lsn lsn, const JournalEntry& entry)>& visit) {
  if (from > last_) return {};
  if (from < first_) return std::unexpected(StorageError::kCorrupt);
  auto txn = LmdbTxn::Begin(env_, LmdbTxn::Mode::kRead);
  if (!txn) return std::unexpected(txn.error());
  auto cursor = LmdbCursor::Open(*txn, table_);
  if (!cursor) return std::unexpected(cursor.error());
  // The block that holds `from` begins at or before it.
  auto found = cursor->Seek(BlockKey(Lsn{Raw(from) + 1}, 0));
  if (found) found = *found ? cursor->Previous() : cursor->Last();
  if (!found || !*found) return std::unexpected(StorageError::kCorrupt);
  BlockPlace place;
  if (!ParseBlockKey(cursor->key(), place)) return std::unexpected(StorageError::kCorrupt);
  found = cursor->Seek(BlockKey(place.first, 0));

  std::string block;
  Lsn expected = place.first;
  while (found && *found) {
    if (!ParseBlockKey(cursor->key(), place) || place.first != expected) {
      return std::unexpected(StorageError::kCorrupt);
    }
    block.clear();
    const Lsn first = place.first;
    for (std::uint32_t piece = 0; found && *found; ++piece) {
      if (!ParseBlockKey(cursor->key(), place)) return std::unexpected(StorageError::kCorrupt);
      if (place.first != first) break;
      if (place.piece != piece) return std::unexpected(StorageError::kCorrupt);
      block.append(cursor->value());
      found = cursor->Next();
    }
    if (!found) return std::unexpected(found.error());
    bool go_on = true;
    const auto read = ReadBlock(first, block, [&](Lsn lsn, const JournalEntry& entry) {
      expected = Lsn{Raw(lsn) + 1};
      go_on = lsn < from || visit(lsn, entry);
      return go_on;
    });
    if (!read) return read;
    if (!go_on) return {};
  }
  if (!found) return std::unexpected(found.error());
  if (expected != Lsn{Raw(last_) + 1}) return std::unexpected(StorageError::kCorrupt);
  return {};
}

}  // namespace hawser
