#include "storage/record_tables.h"

#include <xxhash.h>

#include <cstring>

#include "conflict/assert.h"
#include "conflict/bytes.h"
#include "storage/journal_format.h"
#include "storage/memtable.h"
#include "storage/sealed.h"

namespace hawser {
namespace {
constexpr std::string_view kIdentityKey = "identity";
constexpr std::string_view kMarkKey = "mark";
}  // namespace

std::string EncodeMark(const Mark& mark) {
  std::string out;
  PutFixed64(out, Raw(mark.lsn));
  PutFixed64(out, mark.highest.raw);
  PutVarint(out, mark.ends.size());
  for (const LogEnd& end : mark.ends) {
    PutByte(out, Raw(end.origin.region));
    PutFixed64(out, Raw(end.origin.incarnation));
    PutVarint(out, Raw(end.seq));
    PutFixed64(out, end.hash);
  }
  return Sealed(out);
}

std::expected<Mark, StorageError> DecodeMark(std::string_view sealed) {
  const auto bytes = Unseal(sealed);
  if (!bytes) return std::unexpected(bytes.error());
  ByteReader in(*bytes);
  Mark mark;
  mark.lsn = Lsn{in.Fixed64()};
  mark.highest = Stamp{in.Fixed64()};
  for (std::size_t left = in.Count(); left > 0 && in.ok(); --left) {
    LogEnd& end = mark.ends.emplace_back();
    end.origin.region = RegionId{in.Byte()};
    end.origin.incarnation = Incarnation{in.Fixed64()};
    end.seq = Seq{in.Varint()};
    end.hash = in.Fixed64();
  }
  if (!in.done()) return std::unexpected(StorageError::kCorrupt);
  return mark;
}

// --- Rows --------------------------------------------------------------------------------------

std::size_t RowHeadBytes(const Fate& fate) {
  return fate.fading == Fading::kExpiring ? kRowHeadBytesMax : kRowHeadBytesMax - 8;
}

void EncodeRow(std::uint64_t hash, const StoredRow& row, char* out) {
  const std::uint64_t lsn = Raw(row.lsn);
  std::memcpy(out + 8, &lsn, 8);
  out[16] = static_cast<char>(row.fate.fading);
  if (row.fate.fading == Fading::kExpiring) std::memcpy(out + 17, &row.fate.due_ms, 8);
  const std::size_t head = RowHeadBytes(row.fate);
  std::memcpy(out + head, row.record.data(), row.record.size());
  const std::uint64_t checksum = XXH3_64bits_withSeed(out + 8, head - 8 + row.record.size(), hash);
  std::memcpy(out, &checksum, 8);
}

std::expected<StoredRow, StorageError> DecodeRow(std::uint64_t hash, std::string_view bytes) {
  const auto corrupt = std::unexpected(StorageError::kCorrupt);
  ByteReader in(bytes);
  const std::uint64_t checksum = in.Fixed64();
  if (!in.ok() || XXH3_64bits_withSeed(bytes.data() + 8, bytes.size() - 8, hash) != checksum) {
    return corrupt;
  }
  StoredRow row;
  row.lsn = Lsn{in.Fixed64()};
  row.fate.fading = static_cast<Fading>(in.Byte());
  if (row.fate.fading > Fading::kExpiring) return corrupt;
  if (row.fate.fading == Fading::kExpiring) {
    row.fate.due_ms = static_cast<std::int64_t>(in.Fixed64());
  }
  row.record = in.Bytes(in.left());
  if (!in.ok()) return corrupt;
  return row;
}

// Signed times are kept in order by turning the sign bit.
std::string ExpiringKey(std::int64_t due_ms, std::string_view row_key) {
  std::string key;
  key.reserve(8 + row_key.size());
  PutBigEndian64(key, static_cast<std::uint64_t>(due_ms) ^ (std::uint64_t{1} << 63));
  key.append(row_key);
  return key;
}

// --- Opening -----------------------------------------------------------------------------------

std::expected<std::unique_ptr<RecordTables>, OpenError> RecordTables::Open(const Options& options) {
  auto env = LmdbEnv::Open({.directory = options.directory,
                            .map_bytes = options.map_bytes,
                            .tables_max = 8,
                            .random_access = true});
  if (!env) return std::unexpected(std::move(env.error()));
  std::unique_ptr<RecordTables> tables(new RecordTables(std::move(*env)));
  if (const auto loaded = tables->Load(); !loaded) {
    return std::unexpected(
        OpenError{loaded.error(), options.directory + ": record tables: " + Text(loaded.error())});
  }
  return tables;
}

std::expected<void, StorageError> RecordTables::OpenHandles(LmdbTxn& txn, bool create) {
  const std::pair<const char*, LmdbTable*> tables[] = {{"rows", &handles_.rows},
                                                       {"dead", &handles_.dead},
                                                       {"expiring", &handles_.expiring},
                                                       {"meta", &handles_.meta}};
  for (const auto& [name, table] : tables) {
    const auto opened = txn.Table(name, create);
    if (!opened) return std::unexpected(opened.error());
    *table = *opened;
  }
  return {};
}

std::expected<void, StorageError> RecordTables::Load() {
  auto txn = LmdbTxn::Begin(env_, LmdbTxn::Mode::kRead);
  if (!txn) return std::unexpected(txn.error());
  if (const auto opened = OpenHandles(*txn, false); !opened) {
    if (opened.error() == StorageError::kNotFound) return {};
    return opened;
  }
  const auto identity_bytes = txn->Get(handles_.meta, kIdentityKey);
  if (!identity_bytes) return std::unexpected(StorageError::kCorrupt);
  const auto identity = DecodeIdentity(*identity_bytes);
  if (!identity) return std::unexpected(identity.error());
  const auto mark_bytes = txn->Get(handles_.meta, kMarkKey);
  if (!mark_bytes) return std::unexpected(StorageError::kCorrupt);
  auto mark = DecodeMark(*mark_bytes);
  if (!mark) return std::unexpected(mark.error());
  identity_ = *identity;
  mark_ = std::move(*mark);
  return txn->Commit();  // of a read transaction: keeps the handles
}

std::expected<void, StorageError> RecordTables::Create(const StoreIdentity& identity) {
  auto txn = LmdbTxn::Begin(env_, LmdbTxn::Mode::kWrite);
  if (!txn) return std::unexpected(txn.error());
  if (const auto opened = OpenHandles(*txn, true); !opened) return opened;
  HW_ASSERT(txn->Stat(handles_.rows).entries == 0);
  if (const auto put = txn->Put(handles_.meta, kIdentityKey, EncodeIdentity(identity)); !put) {
    return put;
  }
  if (const auto put = txn->Put(handles_.meta, kMarkKey, EncodeMark({})); !put) return put;
  if (const auto done = txn->Commit(); !done) return done;
  identity_ = identity;
  mark_ = {};
  return {};
}

// --- Snapshots ---------------------------------------------------------------------------------

std::expected<RecordSnapshot, StorageError> RecordSnapshot::Take(const RecordTables& tables) {
  auto txn = LmdbTxn::Begin(tables.env(), LmdbTxn::Mode::kRead);
  if (!txn) return std::unexpected(txn.error());
  return RecordSnapshot(std::move(*txn), tables.handles());
}

std::expected<std::optional<StoredRow>, StorageError> RecordSnapshot::Get(
    std::string_view row_key, std::uint64_t hash) const {
  const auto bytes = txn_.Get(handles_->rows, row_key);
  if (!bytes) {
    if (bytes.error() == StorageError::kNotFound) return std::nullopt;
    return std::unexpected(bytes.error());
  }
  const auto row = DecodeRow(hash, *bytes);
  if (!row) return std::unexpected(row.error());
  return *row;
}

std::uint64_t RecordSnapshot::pages() const {
  return Stat(handles_->rows).pages + Stat(handles_->dead).pages + Stat(handles_->expiring).pages +
         Stat(handles_->meta).pages;
}

std::expected<RecordSnapshot::Cursor, StorageError> RecordSnapshot::Cursor::Open(
    const RecordSnapshot& snapshot) {
  auto opened = LmdbCursor::Open(snapshot.txn_, snapshot.handles_->rows);
  if (!opened) return std::unexpected(opened.error());
  Cursor cursor;
  cursor.cursor_ = std::move(*opened);
  return cursor;
}

std::expected<void, StorageError> RecordSnapshot::Cursor::Settle(
    std::expected<bool, StorageError> found) {
  valid_ = false;
  if (!found) return std::unexpected(found.error());
  if (!*found) return {};
  const auto row = DecodeRow(HashRowKey(cursor_.key()), cursor_.value());
  if (!row) return std::unexpected(row.error());
  row_ = *row;
  valid_ = true;
  return {};
}

std::expected<void, StorageError> RecordSnapshot::Cursor::Seek(std::string_view start) {
  return Settle(cursor_.Seek(start));
}
std::expected<void, StorageError> RecordSnapshot::Cursor::Next() {
  return Settle(cursor_.Next());
}

}  // namespace hawser
