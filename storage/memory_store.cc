#include "storage/memory_store.h"

#include "conflict/assert.h"
#include "conflict/variant.h"
#include "storage/memory_view.h"

namespace hawser {

// What the applier sees: staged rows over committed ones.
class MemoryStore::Rows final : public RowTable {
 public:
  explicit Rows(MemoryStore& store) : store_(store) {}

  std::optional<Row> Newest(std::string_view row_key) override {
    if (const auto at = store_.staged_.find(row_key); at != store_.staged_.end()) {
      if (!at->second) return std::nullopt;
      return Row{at->second->lsn, *at->second->record};
    }
    if (const auto at = store_.rows_.find(row_key); at != store_.rows_.end()) {
      return Row{at->second.lsn, *at->second.record};
    }
    return std::nullopt;
  }

  void Stage(std::string_view row_key, Lsn lsn, std::string_view record) override {
    Put(row_key, lsn, record);
  }
  void Put(std::string_view row_key, Lsn lsn, std::string_view record) override {
    Change(row_key, StoredRow{lsn, std::make_shared<const std::string>(record)});
  }
  void Remove(std::string_view row_key, Lsn) override { Change(row_key, std::nullopt); }

 private:
  void Change(std::string_view row_key, std::optional<StoredRow> row) {
    const auto at = store_.staged_.find(row_key);
    if (at == store_.staged_.end()) {
      store_.staged_.emplace(row_key, std::move(row));
      return;
    }
    if (at->second) store_.outlived_.push_back(std::move(at->second->record));
    at->second = std::move(row);
  }

  MemoryStore& store_;
};

MemoryStore::MemoryStore(const MemoryStoreOptions& options) : options_(options) {
  HW_ASSERT(options.region != RegionId{0});
  image_.self = {options.region, options.incarnation};
  image_.cluster_id = options.cluster_id;
}

MemoryStore::MemoryStore(const MemoryStoreOptions& options, StoreImage image)
    : options_(options), image_(std::move(image)) {
  HW_ASSERT(image_.self.region == options_.region);
  Recover();
}

MemoryStore::~MemoryStore() {
  HW_ASSERT(views_.empty());
}

std::unique_ptr<MemoryStore> MemoryStore::Crash() {
  failed_ = true;
  return std::make_unique<MemoryStore>(options_, std::move(image_));
}

void MemoryStore::Recover() {
  rows_ = image_.rows;
  logs_.Restore(image_.mark_ends);
  highest_ = image_.mark_highest;
  Txn txn;
  std::vector<Discarded> discarded;
  Lsn lsn = image_.trimmed;
  HW_ASSERT(Raw(image_.mark) >= Raw(image_.trimmed));
  applier_.indexes().Load(
      [this](std::string_view start, const auto& visit) { ScanNewest(start, visit); });
  for (const StoreImage::Entry& entry : image_.journal) {
    lsn = Lsn{Raw(lsn) + 1};
    lsns_[entry.origin].push_back(lsn);
    if (lsn <= image_.mark) continue;
    HW_ASSERT(DecodeTxn(*entry.bytes, txn));
    logs_.Append(entry.origin, entry.seq, entry.hash);
    discarded.clear();
    ApplyRows(lsn, {entry.origin, entry.seq}, txn, discarded);
    PublishStaged();
  }
  committed_cut_ = logs_.cut();
  clock_floor_ = std::max(highest_, HW_VARIANT(kCeilingNotKept) ? Stamp{} : image_.ceiling);
}

Lsn MemoryStore::LastLsn() const {
  return Lsn{Raw(image_.trimmed) + image_.journal.size()};
}

// --- Writing -----------------------------------------------------------------------------------

void MemoryStore::ApplyRows(Lsn lsn, const Dot& dot, const Txn& txn,
                            std::vector<Discarded>& discarded) {
  highest_ = std::max(highest_, txn.stamp);
  Rows rows(*this);
  const std::size_t before = discarded.size();
  HW_ASSERT(applier_.Apply(lsn, highest_, dot, txn, rows, discarded));
  conflicts_.NoteLogged(discarded.size() - before);
}

void MemoryStore::Apply(const JournalEntry& entry, const Txn& txn,
                        std::vector<Discarded>& discarded) {
  HW_ASSERT(logs_.cut().Covers(txn.deps));
  logs_.Append(entry.origin, entry.seq, entry.hash);
  staged_entries_.push_back({entry.origin, entry.seq, entry.hash,
                             std::make_shared<const std::string>(entry.bytes), entry.hash_before,
                             entry.applied_ms});
  const Lsn lsn{Raw(LastLsn()) + staged_entries_.size()};
  ApplyRows(lsn, {entry.origin, entry.seq}, txn, discarded);
}

std::expected<void, StorageError> MemoryStore::Commit(Stamp ceiling) {
  if (failed_) return std::unexpected(StorageError::kIo);
  if (fail_next_commit_) {
    failed_ = true;
    return std::unexpected(StorageError::kIo);
  }
  if (!staged_entries_.empty()) idle_upkeeps_ = 0;  // a higher ceiling alone writes no rows
  for (StoreImage::Entry& entry : staged_entries_) {
    image_.journal_bytes += entry.bytes->size();
    image_.journal.push_back(std::move(entry));
    lsns_[image_.journal.back().origin].push_back(LastLsn());
  }
  staged_entries_.clear();
  image_.ceiling = std::max(image_.ceiling, ceiling);
  PublishStaged();
  outlived_.clear();
  committed_cut_ = logs_.cut();
  return {};
}

void MemoryStore::PublishStaged() {
  for (const auto& [row_key, row] : staged_) Publish(row_key, row);
  staged_.clear();
}

void MemoryStore::Publish(std::string_view row_key, const std::optional<StoredRow>& row) {
  auto at = rows_.find(row_key);
  for (MemoryView* view : views_) {
    view->Keep(row_key, at == rows_.end() ? nullptr : at->second.record);
  }
  if (!row) {
    if (at != rows_.end()) rows_.erase(at);
  } else if (at == rows_.end()) {
    rows_.emplace(row_key, *row);
  } else {
    at->second = *row;
  }
  const auto changed = active_.find(row_key);
  if (changed == active_.end()) {
    active_.emplace(row_key, row);
  } else {
    changed->second = row;
  }
  ++active_writes_;
}

std::expected<void, StorageError> MemoryStore::Reserve(std::uint64_t txn_bytes, bool own) {
  if (failed_) return std::unexpected(StorageError::kIo);
  // Received txns get a little more: without them the journal could never be trimmed.
  const std::uint64_t limit =
      options_.journal_bytes_max + (own ? 0 : options_.journal_bytes_max / 8);
  std::uint64_t used = image_.journal_bytes + txn_bytes;
  for (const StoreImage::Entry& entry : staged_entries_) used += entry.bytes->size();
  if (full_ || used > limit) return std::unexpected(StorageError::kFull);
  return {};
}

bool MemoryStore::Congested() const {
  return flushing_ && active_writes_ >= options_.checkpoint_rows;
}

// --- Reading -----------------------------------------------------------------------------------

std::optional<std::string_view> MemoryStore::Read(std::string_view row_key) {
  if (const auto at = staged_.find(row_key); at != staged_.end()) {
    return at->second ? std::optional<std::string_view>(*at->second->record) : std::nullopt;
  }
  if (const auto at = rows_.find(row_key); at != rows_.end()) return *at->second.record;
  return std::nullopt;
}

void MemoryStore::ScanNewest(
    std::string_view start,
    const std::function<bool(std::string_view row_key, std::string_view record)>& visit) {
  auto row = rows_.lower_bound(start);
  auto staged = staged_.lower_bound(start);
  while (row != rows_.end() || staged != staged_.end()) {
    const bool take_staged =
        row == rows_.end() || (staged != staged_.end() && staged->first <= row->first);
    if (take_staged) {
      if (row != rows_.end() && row->first == staged->first) ++row;
      if (staged->second && !visit(staged->first, *staged->second->record)) return;
      ++staged;
    } else {
      if (!visit(row->first, *row->second.record)) return;
      ++row;
    }
  }
}

std::optional<std::uint64_t> MemoryStore::HashAt(const Origin& origin, Seq seq) {
  if (seq == Seq{0}) return HashStart(origin);
  const LogEnd* end = logs_.Find(origin);
  if (!end || seq > end->seq) return std::nullopt;
  if (seq == end->seq) return end->hash;
  for (const StoreImage::Entry& entry : staged_entries_) {
    if (entry.origin == origin && entry.seq == seq) return entry.hash;
  }
  const StoreImage::Entry* entry = FindEntry(origin, seq);
  return entry ? std::optional(entry->hash) : std::nullopt;
}

const StoreImage::Entry* MemoryStore::FindEntry(const Origin& origin, Seq seq) const {
  const auto at = lsns_.find(origin);
  if (at == lsns_.end() || at->second.empty()) return nullptr;
  const std::deque<Lsn>& lsns = at->second;
  const std::uint64_t first = Raw(EntryAt(lsns.front()).seq);
  if (Raw(seq) < first || Raw(seq) - first >= lsns.size()) return nullptr;
  return &EntryAt(lsns[Raw(seq) - first]);
}

const StoreImage::Entry& MemoryStore::EntryAt(Lsn lsn) const {
  return image_.journal[Raw(lsn) - Raw(image_.trimmed) - 1];
}

StoreUsage MemoryStore::usage() const {
  StoreUsage usage;
  usage.journal_bytes = image_.journal_bytes;
  usage.journal_limit_bytes = options_.journal_bytes_max;
  for (const auto& [row_key, row] : active_) {
    usage.memtable_bytes += row_key.size() + (row ? row->record->size() : 0);
  }
  usage.tombstones = image_.fading.size();
  usage.lsn_last = LastLsn();
  usage.lsn_first = Lsn{Raw(image_.trimmed) + 1};
  usage.lsn_checkpointed = image_.mark;
  return usage;
}

std::unique_ptr<Reader> MemoryStore::NewReader() {
  return std::make_unique<MemoryReader>(*this);
}

std::unique_ptr<JournalReader> MemoryStore::NewJournalReader() {
  return std::make_unique<MemoryJournalReader>(*this);
}

}  // namespace hawser
