#pragma once

// LmdbJournalReader: reads one origin's log, or all in the order applied, out of the journal,
// through a read transaction of its own per call. Finds its place by the sparse index, then walks
// blocks. Threads: one per thread.

#include <functional>
#include <string>

#include "storage/journal.h"

namespace hawser {

class LmdbJournalReader final : public JournalReader {
 public:
  // `committed` says how far an origin's log is committed here; any thread may ask it.
  LmdbJournalReader(const LmdbEnv& env, LmdbTable table,
                    std::function<Seq(const Origin&)> committed)
      : env_(env), table_(table), committed_(std::move(committed)) {}

  std::expected<void, StorageError> ReadLog(
      const Origin& origin, Seq from,
      const std::function<bool(const JournalEntry&)>& visit) override;
  std::expected<void, StorageError> ReadApplied(
      Lsn from, const std::function<bool(Lsn lsn, const JournalEntry&)>& visit) override;

 private:
  std::expected<bool, StorageError> SeekBlock(LmdbCursor& cursor, const Origin& origin, Seq from);

  const LmdbEnv& env_;
  LmdbTable table_;
  std::function<Seq(const Origin&)> committed_;
  std::string block_;
};

}  // namespace hawser
