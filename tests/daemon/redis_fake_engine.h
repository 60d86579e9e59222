#pragma once

// FakeEngine: an engine for tests of the Redis protocol, over a MemoryStore, with its own thread,
// group commits and a clock that a test sets. It can be held, so that a test sees what happens
// while writes are under way, and told to refuse or to fail.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "conflict/schema.h"
#include "daemon/engine.h"
#include "storage/memory_store.h"

namespace hawser::test {

class FakeEngine final : public Engine {
 public:
  explicit FakeEngine(Schema schema = {});
  ~FakeEngine() override;

  void Submit(std::unique_ptr<Job> job) override;
  void Submit(AckWait wait) override;
  void Submit(CutWait wait) override;
  void Submit(ClaimWait wait) override;
  void OnReceived(Received) override {}
  std::unique_ptr<Reader> NewReader() override;
  std::unique_ptr<JournalReader> NewJournalReader() override;
  std::shared_ptr<const HomedTables> homed() const override { return homed_tables; }
  ReplicaStatus status() const override;
  StoreUsage storage() const override {
    const std::lock_guard lock(store_mutex_);
    return store_.usage();
  }
  EngineUsage usage() const override { return {}; }
  Refusal gate() const override { return refusal; }
  std::uint64_t conflicts_logged() const override { return 0; }
  std::int64_t clock_ms() const override { return now_ms; }

  void Hold();  // jobs wait from now on
  void LetGo();
  void FailNext();  // the next group commit ends in kUnknown
  std::size_t waiting() const;
  // Writes as another region would, behind the clients' backs: committed at once.
  void WriteElsewhere(const std::function<void(LocalTxn&)>& write);
  void Upkeep();  // one piece of the store's; it does none by itself

  std::shared_ptr<const HomedTables> homed_tables;  // set before clients come
  std::atomic<std::int64_t> now_ms{1'000'000};
  std::atomic<Refusal> refusal{Refusal::kNone};
  std::atomic<int> regions_acking{1};  // what an AckWait reaches, at once
  std::atomic<std::uint64_t> commits{0};
  std::atomic<bool> all_have_it{false};  // every other region has whatever is here: claims confirm

 private:
  friend class FakeSession;
  void Loop();
  Stamp StampNext() const;  // of the next Stage
  std::expected<Dot, Refusal> Stage(LocalTxn& txn);
  Proof ProofNow() const;

  Schema schema_;
  mutable std::mutex mutex_;  // of the queue
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Job>> jobs_;
  std::deque<std::function<void()>> calls_;
  bool held_ = false, stopping_ = false, fail_next_ = false;
  mutable std::mutex store_mutex_;  // the MemoryStore is for one thread: views hold it
  MemoryStore store_;
  std::uint64_t stamp_ = 0;
  std::thread thread_;
};

}  // namespace hawser::test
