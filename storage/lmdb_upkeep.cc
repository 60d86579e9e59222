// The upkeep of the LMDB store: checkpoints, dropping, trimming.

#include <thread>

#include "conflict/assert.h"
#include "storage/drop_rule.h"
#include "storage/index_table.h"
#include "storage/lmdb_store.h"

namespace hawser {
namespace {
constexpr std::chrono::seconds kRetryCheckpoint{1};
constexpr std::chrono::seconds kDropCheckpointEvery{1};
constexpr std::uint32_t kDropsLookedAt = 256;        // per Upkeep: about 0.3 ms
constexpr std::uint64_t kDropsPerCheckpoint = 4096;  // all in its last commit
constexpr std::uint32_t kTrimPiecesIdle = 4096;
constexpr std::uint32_t kConflictsLookedAt = 256;  // per Upkeep
constexpr std::uint32_t kIndexedAtOnce = 256;      // records, per Upkeep
constexpr std::uint64_t kUnsortedMax = 4096;       // more is not for the engine to sort: 1 ms
// Checkpoints may follow each other for as long as the load lasts, and their thread sorts nothing
// else meanwhile: then the engine sorts up to 20 ms' worth, once, rather than never.
constexpr std::uint64_t kUnsortedWhileWritingMax = 65'536;
}  // namespace

void LmdbStore::SetStable(const Stable& stable, const Cut& trim) {
  if (stable.cut != stable_.cut) drop_dead_.due = drop_expiring_.due = true;
  if (stable.clock_ms != stable_.clock_ms) drop_expiring_.due = true;
  stable_ = stable;
  trim_ = trim;
}

Journal::TrimLimit LmdbStore::TrimLimit(std::uint32_t pieces) const {
  return {.checkpointed = mark_.lsn, .cut = &trim_, .pieces = pieces};
}

std::expected<void, StorageError> LmdbStore::Upkeep() {
  if (const auto healthy = Healthy(); !healthy) return healthy;
  if (HasStaged()) return {};
  LetSnapshotGo();
  if (const auto taken = TakeInCheckpoint(); !taken) return taken;
  if (const auto dropped = DropSome(); !dropped) return dropped;
  if (const auto dropped = DropOldConflicts(); !dropped) return dropped;
  if (const auto built = BuildIndexes(); !built) return built;
  LetSnapshotGo();
  if (WantsCheckpoint()) StartCheckpoint();

  // Trimming waits for a commit to go along with; when none comes, it goes alone.
  if (trim_waited_) {
    if (const auto done = journal_->Commit(Stamp{}, TrimLimit(kTrimPiecesIdle)); !done) {
      return Fail(done.error());
    }
    trim_waited_ = false;
  }
  if (journal_->MayTrim(TrimLimit(1))) trim_waited_ = true;
  return {};
}

// --- Checkpoints -------------------------------------------------------------------------------

std::expected<void, StorageError> LmdbStore::TakeInCheckpoint() {
  if (!checkpointer_->running()) {
    // One that found no room is tried again.
    if (frozen_ && Clock::now() >= retry_checkpoint_at_) {
      checkpointer_->Start(frozen_, mark_coming_);
    }
    return {};
  }
  const auto outcome = checkpointer_->Done();
  if (!outcome) return {};
  if (!*outcome) {
    if (outcome->error() != StorageError::kFull) return Fail(outcome->error());
    if (const auto measured = Measure(); !measured) return measured;
    retry_checkpoint_at_ = Clock::now() + kRetryCheckpoint;
    return {};
  }
  if (const auto measured = Measure(); !measured) return measured;
  mark_ = std::move(mark_coming_);
  written_ = std::move(frozen_);
  Publish();
  last_checkpoint_ = Clock::now();
  drop_dead_.due = drop_expiring_.due = true;
  return {};
}

bool LmdbStore::WantsCheckpoint() const {
  if (frozen_ || active_->versions() == 0) return false;
  if (active_->bytes() >= options_.memtable_bytes_max / 2) return true;
  const auto now = Clock::now();
  const auto idle = now - last_commit_, age = now - last_checkpoint_;
  if (idle >= std::chrono::milliseconds(options_.checkpoint_idle_ms)) return true;
  if (age >= std::chrono::milliseconds(options_.checkpoint_age_ms)) return true;
  if (age < kDropCheckpointEvery) return dropped_ >= kDropsPerCheckpoint;
  // Half full, and only a checkpoint could let it be trimmed.
  return dropped_ > 0 || journal_->bytes() > options_.journal_bytes_max / 2;
}

void LmdbStore::StartCheckpoint() {
  HW_ASSERT(!frozen_ && !HasStaged());
  if (written_) checkpointer_->Dispose(std::move(written_));
  frozen_ = std::move(active_);
  active_ = NewMemtable();
  dropped_ = 0;
  mark_coming_ = MarkHere();
  ++generation_;
  Publish();  // before any of it can reach the tables
  checkpointer_->Start(frozen_, mark_coming_);
}

std::expected<void, StorageError> LmdbStore::CheckpointNow() {
  if (const auto healthy = Healthy(); !healthy) return healthy;
  HW_ASSERT(!HasStaged());
  for (int round = 0; round < 2; ++round) {
    if (!frozen_ && active_->versions() > 0) StartCheckpoint();
    if (frozen_ && !checkpointer_->running()) checkpointer_->Start(frozen_, mark_coming_);
    while (checkpointer_->running()) {
      if (const auto taken = TakeInCheckpoint(); !taken) return taken;
      if (checkpointer_->running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (frozen_) return std::unexpected(StorageError::kFull);
  }
  return {};
}

// --- Dropping ----------------------------------------------------------------------------------

// A row that may be dropped is hidden at once, for readers and for writers, by a version that says
// "gone"; it leaves the tables in the last commit of the checkpoint that writes this memtable. A
// crash before that brings the dead row back, which is the same as having dropped it later.
std::expected<void, StorageError> LmdbStore::DropSome() {
  if (dropped_ >= kDropsPerCheckpoint || (!drop_dead_.due && !drop_expiring_.due)) return {};
  if (drop_dead_.resume.empty() && drop_expiring_.resume.empty()) {
    const auto now = Clock::now();
    if (now - last_drop_pass_ < std::chrono::milliseconds(options_.drop_every_ms)) return {};
    last_drop_pass_ = now;
  }
  const std::uint64_t before = dropped_;
  std::uint32_t budget = kDropsLookedAt;
  const RecordTables::Handles& handles = tables_->handles();
  if (const auto done = DropFrom(handles.dead, drop_dead_, budget); !done) {
    return Fail(done.error());
  }
  if (const auto done = DropFrom(handles.expiring, drop_expiring_, budget); !done) {
    return Fail(done.error());
  }
  if (dropped_ == before) return {};
  ++visible_;
  Publish();
  return {};
}

// What the conflict log need not keep any more; hidden and removed as dead rows are.
std::expected<void, StorageError> LmdbStore::DropOldConflicts() {
  const std::int64_t now_ms = std::max(highest_, journal_->ceiling()).ms();
  if (dropped_ >= kDropsPerCheckpoint || !conflicts_.Due(now_ms) || WalkWouldSort()) return {};
  const ConflictKeeper::Piece old = conflicts_.Walk(
      [this](std::string_view start, const auto& visit) { ScanNewest(start, visit); }, now_ms,
      kConflictsLookedAt);
  if (failed_) return std::unexpected(*failed_);
  if (old.drop.empty()) return {};
  // A checkpoint removes rows in its last commit, so the floor is durable no later.
  if (!old.floor_key.empty()) {
    active_->Put(old.floor_key, HashRowKey(old.floor_key), visible_ + 1, journal_->last(),
                 old.floor_row);
  }
  for (const std::string& row_key : old.drop) {
    active_->Put(row_key, HashRowKey(row_key), visible_ + 1, journal_->last(), {}, /*gone=*/true);
    ++dropped_;
  }
  ++visible_;
  Publish();
  return {};
}

// True if a walk over the newest rows would have the engine sort too many: the checkpointer is
// about to, or has been told to.
bool LmdbStore::WalkWouldSort() {
  if (frozen_ && frozen_->unsorted() > kUnsortedMax) return true;
  const bool writes = checkpointer_->running();
  if (active_->unsorted() <= (writes ? kUnsortedWhileWritingMax : kUnsortedMax)) return false;
  if (!writes) checkpointer_->Sort(active_);
  return true;
}

std::expected<void, StorageError> LmdbStore::BuildIndexes() {
  if (!index_builder_.Due(applier_.indexes()) || Congested() || WalkWouldSort()) return {};
  if (!Reserve(IndexBuilder::kPieceBytes, /*own=*/false)) return {};  // later, when there is room
  const IndexBuilder::Piece piece = index_builder_.Next(
      applier_.indexes(),
      [this](std::string_view start, const auto& visit) { ScanNewest(start, visit); },
      kIndexedAtOnce);
  if (failed_) return std::unexpected(*failed_);
  if (piece.state_key.empty()) return {};
  const auto put = [this](std::string_view row_key, std::string_view bytes) {
    active_->Put(row_key, HashRowKey(row_key), visible_ + 1, journal_->last(), bytes);
  };
  for (const std::string& entry : piece.entries) put(entry, IndexEntryBytes());
  put(piece.state_key, piece.state_row);
  ++visible_;
  Publish();
  return {};
}

// A row that goes takes its entries along.
void LmdbStore::HideRow(std::string_view row_key, std::uint64_t hash, std::string_view record) {
  ForEachIndexEntry(applier_.indexes(), row_key, record, [this](std::string_view entry) {
    active_->Put(entry, HashRowKey(entry), visible_ + 1, journal_->last(), {}, /*gone=*/true);
  });
  active_->Put(row_key, hash, visible_ + 1, journal_->last(), {}, /*gone=*/true);
  ++dropped_;
}

// Goes on with one walk; rows that expire later than every member's clock end it.
std::expected<void, StorageError> LmdbStore::DropFrom(LmdbTable table, DropPass& pass,
                                                      std::uint32_t& budget) {
  if (!pass.due) return {};
  const RecordSnapshot* snapshot = Snapshot();
  if (!snapshot) return std::unexpected(*failed_);
  auto cursor = LmdbCursor::Open(snapshot->txn(), table);
  if (!cursor) return std::unexpected(cursor.error());
  const std::string not_due = ExpiringKey(stable_.clock_ms + 1, "");
  Record scratch;
  auto found = cursor->Seek(pass.resume);
  for (; found && *found; found = cursor->Next(), --budget) {
    if (pass.prefix_bytes > 0 && cursor->key() >= not_due) break;
    if (budget == 0) {
      pass.resume = cursor->key();
      return {};
    }
    const std::string_view row_key = cursor->key().substr(pass.prefix_bytes);
    const std::uint64_t hash = HashRowKey(row_key);
    const auto row = Newest(row_key, hash);
    if (!row || !RowMayDrop(row->record, stable_, scratch)) continue;
    HideRow(row_key, hash, row->record);
  }
  if (!found) return std::unexpected(found.error());
  pass.due = false;
  pass.resume.clear();
  return {};
}

}  // namespace hawser
