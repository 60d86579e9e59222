// Opening an LMDB store: whose it is, and recovery by replay.

#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "conflict/assert.h"
#include "storage/lmdb_rows.h"
#include "storage/lmdb_store.h"

namespace hawser {
namespace {

std::unexpected<OpenError> Refuse(StorageError error, std::string message) {
  return std::unexpected(OpenError{error, std::move(message)});
}

Incarnation RandomIncarnation() {
  std::uint64_t id = 0;
  while (id == 0) HW_ASSERT(::getrandom(&id, sizeof id, 0) == sizeof id);
  return Incarnation{id};
}

bool Exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

std::expected<std::unique_ptr<LmdbStore>, OpenError> LmdbStore::Open(
    const LmdbStoreOptions& options) {
  HW_ASSERT(options.region != RegionId{0});
  if (!options.create && !Exists(options.path + "/journal/data.mdb")) {
    return Refuse(StorageError::kNotFound, options.path + ": there is no store here");
  }
  if (!MakeDirectoryDurably(options.path)) {
    return Refuse(StorageError::kIo,
                  options.path + ": cannot make the directory: " + std::strerror(errno));
  }
  auto lock = FileLock::Take(options.path + "/lock");
  if (!lock) {
    if (errno == EWOULDBLOCK) {
      return Refuse(StorageError::kLocked, options.path + ": another process has this store open");
    }
    return Refuse(StorageError::kIo, options.path + "/lock: " + std::strerror(errno));
  }
  std::unique_ptr<LmdbStore> store(new LmdbStore(options, std::move(*lock)));
  if (auto opened = store->OpenEnvironments(); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  if (auto identified = store->Identify(); !identified) {
    return std::unexpected(std::move(identified.error()));
  }
  if (auto recovered = store->Recover(); !recovered) {
    return std::unexpected(std::move(recovered.error()));
  }
  return store;
}

std::expected<void, OpenError> LmdbStore::OpenEnvironments() {
  auto journal =
      Journal::Open({.directory = options_.path + "/journal",
                     .map_bytes = SpaceGuard::JournalMapBytes(options_.journal_bytes_max)});
  if (!journal) return std::unexpected(std::move(journal.error()));
  journal_ = std::move(*journal);
  auto tables = RecordTables::Open(
      {.directory = options_.path + "/records", .map_bytes = options_.map_bytes_max});
  if (!tables) return std::unexpected(std::move(tables.error()));
  tables_ = std::move(*tables);
  return {};
}

// The journal's identity is written last: a store without one was never finished, and is empty.
std::expected<void, OpenError> LmdbStore::Identify() {
  const auto& found = journal_->identity();
  if (found) {
    if (found->self.region != options_.region) {
      return Refuse(StorageError::kForeign, options_.path + ": this is the store of region id " +
                                                std::to_string(Raw(found->self.region)) +
                                                ", not of " + std::to_string(Raw(options_.region)));
    }
    if (found->cluster_id != options_.cluster_id) {
      return Refuse(StorageError::kForeign,
                    options_.path + ": this is the store of another cluster");
    }
    if (tables_->identity() != found) {
      return Refuse(StorageError::kCorrupt,
                    options_.path + ": journal and records do not belong together");
    }
    identity_ = *found;
    return {};
  }
  if (!options_.create) {
    return Refuse(StorageError::kNotFound, options_.path + ": there is no store here");
  }
  identity_ = tables_->identity().value_or(
      StoreIdentity{{options_.region, RandomIncarnation()}, options_.cluster_id});
  identity_.self.region = options_.region;
  identity_.cluster_id = options_.cluster_id;
  const auto failed = [&](StorageError error) {
    return Refuse(error, options_.path + ": cannot make a new store: " + Text(error));
  };
  if (const auto made = tables_->Create(identity_); !made) return failed(made.error());
  if (const auto made = journal_->WriteIdentity(identity_); !made) return failed(made.error());
  return {};
}

std::expected<void, OpenError> LmdbStore::Recover() {
  const auto failed = [&](StorageError error, const char* doing) {
    return Refuse(error, options_.path + ": " + doing + ": " + Text(error));
  };
  const std::uint64_t prealloc =
      std::min(options_.journal_prealloc_bytes, options_.journal_bytes_max);
  if (prealloc > 0 && space_.DiskHas(prealloc + options_.disk_reserve_bytes)) {
    journal_->Prealloc(prealloc);
  }
  mark_ = tables_->mark_at_open();
  logs_.Restore(mark_.ends);
  highest_ = mark_.highest;
  active_ = NewMemtable();
  if (const auto measured = Measure(); !measured) {
    return failed(measured.error(), "cannot read the record tables");
  }
  const bool fits = Raw(mark_.lsn) + 1 >= Raw(journal_->first()) && mark_.lsn <= journal_->last();
  if (!fits) {
    return failed(StorageError::kCorrupt,
                  "journal and record tables are of different times (was one restored alone?)");
  }
  if (const auto loaded = LoadIndexes(); !loaded) {
    return failed(loaded.error(), "cannot read what is declared");
  }
  if (const auto replayed = failed_ ? std::unexpected(*failed_) : ReplayJournal(); !replayed) {
    return failed(replayed.error(), "cannot replay the journal");
  }
  LetSnapshotGo();
  visible_ = 1;
  clock_floor_ = std::max(highest_, journal_->ceiling());
  last_commit_ = last_checkpoint_ = last_drop_pass_ = Clock::now();
  drop_dead_.due = drop_expiring_.due = true;
  Publish();
  CheckpointLimits limits;
  limits.pages_max = options_.checkpoint_pages_max;
  const std::uint64_t commit_bytes = 2 * LmdbEnv::kPageBytes * options_.checkpoint_pages_max;
  const std::uint64_t room = std::min(commit_bytes, options_.disk_reserve_bytes / 2);
  limits.room = [this, room] {
    if (options_.checkpoint_gate && !options_.checkpoint_gate()) return false;
    return space_.DiskHas(room);
  };
  checkpointer_ = std::make_unique<Checkpointer>(*tables_, std::move(limits));
  return {};
}

std::expected<void, StorageError> LmdbStore::ReplayJournal() {
  Txn txn;
  std::expected<void, StorageError> outcome;
  const auto read =
      journal_->Replay(Lsn{Raw(mark_.lsn) + 1}, [&](Lsn lsn, const JournalEntry& entry) {
        outcome = Replayed(lsn, entry, txn);
        return outcome.has_value();
      });
  if (!outcome) return outcome;
  return read;
}

std::expected<void, StorageError> LmdbStore::Replayed(Lsn lsn, const JournalEntry& entry,
                                                      Txn& txn) {
  const auto corrupt = std::unexpected(StorageError::kCorrupt);
  const LogEnd* end = logs_.Find(entry.origin);
  const std::uint64_t before = end ? end->hash : HashStart(entry.origin);
  if (entry.seq != Next(end ? end->seq : Seq{0})) return corrupt;
  if (entry.hash != HashNext(before, entry.bytes)) return corrupt;
  if (const auto decoded = DecodeTxn(entry.bytes, txn); !decoded) {
    return std::unexpected(decoded.error() == DecodeError::kNewer ? StorageError::kNewer
                                                                  : StorageError::kCorrupt);
  }
  logs_.Append(entry.origin, entry.seq, entry.hash);
  hashes_.Add(entry.origin, entry.seq, entry.hash);
  highest_ = std::max(highest_, txn.stamp);
  Rows rows(*this);
  std::vector<Discarded> discarded;
  if (!applier_.Apply(lsn, highest_, {entry.origin, entry.seq}, txn, rows, discarded)) {
    return corrupt;
  }
  if (failed_) return std::unexpected(*failed_);
  if (active_->bytes() < options_.memtable_bytes_max) return {};
  return FlushWhileReplaying(lsn);
}

// What is declared, as the tables have it; replay adds the rest. A damaged row that stands beside
// the declarations is left to whoever reads it.
std::expected<void, StorageError> LmdbStore::LoadIndexes() {
  const RecordSnapshot* snapshot = Snapshot();
  if (!snapshot) return std::unexpected(*failed_);
  auto cursor = RecordSnapshot::Cursor::Open(*snapshot);
  if (!cursor) return std::unexpected(cursor.error());
  std::expected<void, StorageError> outcome;
  applier_.indexes().Load([&](std::string_view start, const auto& visit) {
    auto at = cursor->Seek(start);
    while (at && cursor->Valid() && visit(cursor->key(), cursor->row().record)) at = cursor->Next();
    const bool beside =
        !at && at.error() == StorageError::kCorrupt && !cursor->key().starts_with(start);
    if (!beside) outcome = at;
  });
  return outcome;
}

// A journal longer than the memory for it: a checkpoint in between, here and now.
std::expected<void, StorageError> LmdbStore::FlushWhileReplaying(Lsn lsn) {
  const Mark mark{lsn, highest_, logs_.ends()};
  CheckpointLimits limits;
  limits.pages_max = options_.checkpoint_pages_max;
  const std::atomic<bool> never{false};
  if (const auto written = WriteCheckpoint(*tables_, *active_, mark, limits, never); !written) {
    return written;
  }
  mark_ = mark;
  active_ = NewMemtable();
  return Measure();
}

}  // namespace hawser
