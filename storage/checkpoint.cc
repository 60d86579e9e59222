#include "storage/checkpoint.h"

#include <utility>
#include <vector>

#include "conflict/assert.h"
#include "storage/index_table.h"
#include "storage/record_writer.h"

namespace hawser {

std::expected<void, StorageError> WriteCheckpoint(const RecordTables& tables,
                                                  const Memtable& memtable, const Mark& mark,
                                                  const CheckpointLimits& limits,
                                                  const std::atomic<bool>& cancelled) {
  if (!limits.room()) return std::unexpected(StorageError::kFull);
  auto writer = RecordWriter::Begin(tables);
  if (!writer) return std::unexpected(writer.error());
  std::vector<std::string_view> gone;
  Memtable::Iterator it(memtable, kNewest);
  for (it.Seek(""); it.Valid(); it.Next()) {
    if (it.found().gone && !IsIndexEntry(it.key())) {
      gone.push_back(it.key());
      continue;
    }
    const auto put = it.found().gone ? writer->Delete(it.key())
                                     : writer->Put(it.key(), {it.found().lsn, it.found().record});
    if (!put) return put;
    if (writer->dirty_pages() < limits.pages_max) continue;
    if (const auto done = writer->Commit(); !done) return done;
    if (cancelled.load(std::memory_order_relaxed)) return std::unexpected(StorageError::kNotFound);
    if (!limits.room()) return std::unexpected(StorageError::kFull);
    writer = RecordWriter::Begin(tables);
    if (!writer) return std::unexpected(writer.error());
  }
  for (const std::string_view row_key : gone) {
    if (const auto deleted = writer->Delete(row_key); !deleted) return deleted;
  }
  if (const auto moved = writer->MoveMark(mark); !moved) return moved;
  return writer->Commit();
}

Checkpointer::Checkpointer(const RecordTables& tables, CheckpointLimits limits)
    : tables_(tables), limits_(std::move(limits)), thread_([this] { Run(); }) {}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Checkpointer::Start(std::shared_ptr<const Memtable> memtable, Mark mark) {
  HW_ASSERT(!running_);
  running_ = true;
  {
    const std::lock_guard lock(mutex_);
    job_ = std::move(memtable);
    job_mark_ = std::move(mark);
  }
  wake_.notify_one();
}

std::optional<std::expected<void, StorageError>> Checkpointer::Done() {
  if (!running_ || !finished_.load(std::memory_order_acquire)) return std::nullopt;
  finished_.store(false, std::memory_order_relaxed);
  running_ = false;
  return outcome_;
}

void Checkpointer::Dispose(std::shared_ptr<const Memtable> memtable) {
  {
    const std::lock_guard lock(mutex_);
    std::swap(garbage_, memtable);
  }
  wake_.notify_one();
}

void Checkpointer::Sort(std::shared_ptr<const Memtable> memtable) {
  {
    const std::lock_guard lock(mutex_);
    std::swap(unsorted_, memtable);
  }
  wake_.notify_one();
}

void Checkpointer::Run() {
  for (;;) {
    std::shared_ptr<const Memtable> job, garbage, unsorted;
    Mark mark;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || job_ || garbage_ || unsorted_; });
      if (stop_) return;
      job = std::move(job_);
      garbage = std::move(garbage_);
      unsorted = std::move(unsorted_);
      mark = std::move(job_mark_);
    }
    garbage.reset();
    if (unsorted) unsorted->Sort();
    unsorted.reset();
    if (!job) continue;
    outcome_ = WriteCheckpoint(tables_, *job, mark, limits_, stop_);
    job.reset();
    finished_.store(true, std::memory_order_release);
  }
}

}  // namespace hawser
