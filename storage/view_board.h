#pragma once

// ViewBoard: what readers may see now, published by the engine after each commit, taken by any
// thread. A view pins the memtables and an LMDB snapshot. They fit together if no checkpoint began
// in between, which is what the generation says: it moves when the active memtable is frozen,
// before any of it can reach the record tables.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "conflict/cut.h"
#include "storage/memtable.h"
#include "storage/record_tables.h"
#include "storage/store.h"

namespace hawser {

struct Published {
  std::shared_ptr<const Memtable> active;
  std::shared_ptr<const Memtable> frozen;
  ViewSeq visible = 0;
  std::uint64_t generation = 0;
  Cut cut;
};

class LmdbReader;

class ViewBoard {
 public:
  void Publish(Published published);
  std::shared_ptr<const Published> Load() const;
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  // A row or page that cannot be trusted was met by some reader; sticky, the first one counts.
  void ReportDamage(StorageError error);
  std::optional<StorageError> damage() const;

  void Enter(LmdbReader* reader);
  void Leave(LmdbReader* reader);
  double OldestViewSeconds() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Published> current_;  // guarded by mutex_
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<int> damage_{-1};
  mutable std::mutex readers_mutex_;
  std::vector<LmdbReader*> readers_;  // guarded by readers_mutex_
};

// Keeps one LMDB read slot and renews it for each view. A second view at the same time takes a slot
// of its own. REQUIRES: outlived by the store, outlives its views.
class LmdbReader final : public Reader {
 public:
  LmdbReader(ViewBoard& board, const RecordTables& tables);
  ~LmdbReader() override;
  std::unique_ptr<View> Take() override;

 private:
  friend class LmdbView;
  friend class ViewBoard;
  std::expected<RecordSnapshot, StorageError> Renewed();
  void GiveBack(RecordSnapshot snapshot);

  ViewBoard& board_;
  const RecordTables& tables_;
  std::optional<RecordSnapshot> spare_;
  int views_ = 0;
  std::atomic<std::int64_t> since_ns_{0};  // when the oldest living view began; 0: none
};

class LmdbView final : public View {
 public:
  LmdbView(LmdbReader& reader, std::shared_ptr<const Published> published,
           std::optional<RecordSnapshot> snapshot);
  ~LmdbView() override;
  LmdbView(const LmdbView&) = delete;
  LmdbView& operator=(const LmdbView&) = delete;

  std::optional<std::string_view> Get(std::string_view row_key) override;
  void Scan(
      std::string_view start,
      const std::function<bool(std::string_view row_key, std::string_view record)>& visit) override;
  const Cut& cut() const override { return published_->cut; }
  bool damaged() const override { return damaged_; }

 private:
  void Damage(StorageError error);

  LmdbReader& reader_;
  std::shared_ptr<const Published> published_;
  std::optional<RecordSnapshot> snapshot_;
  bool damaged_ = false;
};

}  // namespace hawser
