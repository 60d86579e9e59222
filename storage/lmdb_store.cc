#include "storage/lmdb_store.h"

#include "conflict/assert.h"
#include "storage/journal_reader.h"
#include "storage/layered_scan.h"
#include "storage/lmdb_rows.h"

namespace hawser {

LmdbStore::~LmdbStore() = default;

std::unexpected<StorageError> LmdbStore::Fail(StorageError error) {
  if (!failed_) failed_ = error;
  return std::unexpected(*failed_);
}

std::expected<void, StorageError> LmdbStore::Healthy() {
  if (failed_) return std::unexpected(*failed_);
  if (const auto damage = board_.damage()) return Fail(*damage);
  return {};
}

std::unique_ptr<Memtable> LmdbStore::NewMemtable() const {
  return std::make_unique<Memtable>(options_.memtable_bytes_max / 2, pool_);
}

void LmdbStore::Publish() {
  board_.Publish({active_, frozen_, visible_, generation_, logs_.cut()});
}

Mark LmdbStore::MarkHere() const {
  return {journal_->last(), highest_, logs_.ends()};
}

const RecordSnapshot* LmdbStore::Snapshot() {
  if (!snapshot_live_) {
    if (!snapshot_) {
      auto taken = RecordSnapshot::Take(*tables_);
      if (taken) {
        snapshot_.emplace(std::move(*taken));
      } else {
        Fail(taken.error());
        return nullptr;
      }
    } else if (const auto renewed = snapshot_->Renew(); !renewed) {
      Fail(renewed.error());
      return nullptr;
    }
    snapshot_live_ = true;
  }
  return &*snapshot_;
}

void LmdbStore::LetSnapshotGo() {
  if (snapshot_live_) snapshot_->Reset();
  snapshot_live_ = recalled_.live = false;
}

// What the record tables hold now.
std::expected<void, StorageError> LmdbStore::Measure() {
  LetSnapshotGo();
  const RecordSnapshot* snapshot = Snapshot();
  if (!snapshot) return std::unexpected(*failed_);
  table_pages_ = snapshot->pages();
  tombstones_ = snapshot->Stat(tables_->handles().dead).entries;
  return {};
}

// --- Reading -----------------------------------------------------------------------------------

std::optional<Row> LmdbStore::Newest(std::string_view row_key, std::uint64_t hash) {
  auto found = active_->Get(row_key, hash, kNewest);
  if (!found && frozen_) found = frozen_->Get(row_key, hash, kNewest);
  if (!found && written_) found = written_->Get(row_key, hash, kNewest);
  if (found) return found->gone ? std::nullopt : std::optional(Row{found->lsn, found->record});
  if (recalled_.live && recalled_.row_key == row_key) return recalled_.row;
  const RecordSnapshot* snapshot = Snapshot();
  if (!snapshot) return std::nullopt;
  const auto row = snapshot->Get(row_key, hash);
  if (!row) {
    Fail(row.error());  // the commit will say so
    return std::nullopt;
  }
  recalled_.live = true;
  recalled_.row_key = row_key;
  recalled_.row = *row ? std::optional(Row{(*row)->lsn, (*row)->record}) : std::nullopt;
  return recalled_.row;
}

std::optional<std::string_view> LmdbStore::Read(std::string_view row_key) {
  const auto row = Newest(row_key, HashRowKey(row_key));
  return row ? std::optional(row->record) : std::nullopt;
}

void LmdbStore::ScanNewest(
    std::string_view start,
    const std::function<bool(std::string_view row_key, std::string_view record)>& visit) {
  const RecordSnapshot* snapshot = Snapshot();
  if (!snapshot) return;
  auto cursor = RecordSnapshot::Cursor::Open(*snapshot);
  if (!cursor) {
    Fail(cursor.error());
    return;
  }
  const Layers layers{*active_, frozen_.get(), kNewest};
  if (const auto scanned = ScanLayers(layers, *cursor, start, visit); !scanned) {
    Fail(scanned.error());
  }
}

std::optional<std::uint64_t> LmdbStore::HashAt(const Origin& origin, Seq seq) {
  if (seq == Seq{0}) return HashStart(origin);
  const LogEnd* end = logs_.Find(origin);
  if (!end || seq > end->seq) return std::nullopt;
  if (seq == end->seq) return end->hash;
  if (const auto hash = hashes_.Find(origin, seq)) return hash;
  LmdbJournalReader reader(journal_->env(), journal_->table(),
                           [this](const Origin& asked) { return logs_.cut().Get(asked); });
  std::optional<std::uint64_t> hash;
  const auto read = reader.ReadLog(origin, seq, [&](const JournalEntry& entry) {
    hash = entry.hash;
    return false;
  });
  if (!read && read.error() != StorageError::kNotFound) Fail(read.error());
  return hash;
}

std::unique_ptr<Reader> LmdbStore::NewReader() {
  return std::make_unique<LmdbReader>(board_, *tables_);
}

std::unique_ptr<JournalReader> LmdbStore::NewJournalReader() {
  return std::make_unique<LmdbJournalReader>(
      journal_->env(), journal_->table(),
      [this](const Origin& origin) { return board_.Load()->cut.Get(origin); });
}

// --- Writing -----------------------------------------------------------------------------------

void LmdbStore::Apply(const JournalEntry& entry, const Txn& txn,
                      std::vector<Discarded>& discarded) {
  HW_ASSERT(logs_.cut().Covers(txn.deps));
  logs_.Append(entry.origin, entry.seq, entry.hash);
  hashes_.Add(entry.origin, entry.seq, entry.hash);
  const Lsn lsn = journal_->Stage(entry);
  highest_ = std::max(highest_, txn.stamp);
  Rows rows(*this);
  const std::size_t before = discarded.size();
  if (!applier_.Apply(lsn, highest_, {entry.origin, entry.seq}, txn, rows, discarded)) {
    Fail(StorageError::kCorrupt);
  }
  conflicts_.NoteLogged(discarded.size() - before);
}

std::expected<void, StorageError> LmdbStore::Commit(Stamp ceiling) {
  LetSnapshotGo();
  if (const auto healthy = Healthy(); !healthy) return healthy;
  // Trimming dirties a few pages at the other end of the tree: not with every commit.
  constexpr std::uint64_t kTrimEveryBytes = 64 * kPieceBytesMax;
  trim_credit_bytes_ += journal_->staged_bytes();
  const bool trims = trim_waited_ || trim_credit_bytes_ >= kTrimEveryBytes;
  const auto pieces = static_cast<std::uint32_t>(2 * trim_credit_bytes_ / kPieceBytesMax + 64);
  const bool had_staged = HasStaged();
  if (const auto done = journal_->Commit(ceiling, TrimLimit(trims ? pieces : 0)); !done) {
    return Fail(done.error());
  }
  if (trims) {
    trim_credit_bytes_ = 0;
    trim_waited_ = false;
  }
  if (!had_staged) return {};
  last_commit_ = Clock::now();
  ++visible_;
  Publish();
  return {};
}

std::expected<void, StorageError> LmdbStore::Reserve(std::uint64_t txn_bytes, bool own) {
  if (const auto healthy = Healthy(); !healthy) return healthy;
  const SpaceUse use{.journal_bytes = journal_->bytes() + journal_->staged_bytes(),
                     .table_bytes = table_pages_ * LmdbEnv::kPageBytes,
                     .memtable_bytes = unwritten_bytes()};
  return space_.Check(use, txn_bytes, own);
}

std::uint64_t LmdbStore::unwritten_bytes() const {
  return active_->used_bytes() + (frozen_ ? frozen_->used_bytes() : 0);
}

bool LmdbStore::Congested() const {
  return frozen_ && active_->bytes() >= options_.memtable_bytes_max / 2;
}

StoreUsage LmdbStore::usage() const {
  StoreUsage usage;
  usage.journal_bytes = journal_->bytes();
  usage.journal_limit_bytes = options_.journal_bytes_max;
  usage.memtable_bytes = unwritten_bytes();
  const auto ratio = [](std::uint64_t bytes, std::uint64_t of) {
    return static_cast<double>(bytes) / static_cast<double>(of);
  };
  usage.map_used_ratio =
      std::max(ratio(journal_->bytes(), journal_->env().map_bytes()),
               ratio(table_pages_ * LmdbEnv::kPageBytes, tables_->env().map_bytes()));
  usage.tombstones = tombstones_;
  usage.oldest_view_age_seconds = board_.OldestViewSeconds();
  usage.lsn_last = journal_->last();
  usage.lsn_first = journal_->first();
  usage.lsn_checkpointed = mark_.lsn;
  return usage;
}

}  // namespace hawser
