#include "tests/daemon/redis_fake_engine.h"

#include <algorithm>
#include <utility>

#include "conflict/assert.h"

namespace hawser::test {
namespace {

MemoryStoreOptions StoreOptions() {
  MemoryStoreOptions options;
  options.region = RegionId{1};
  options.cluster_id = 77;
  options.incarnation = Incarnation{0xabcdef};
  return options;
}

class LockedView final : public View {
 public:
  LockedView(std::mutex& mutex, Reader& reader) : lock_(mutex), view_(reader.Take()) {}
  std::optional<std::string_view> Get(std::string_view row_key) override {
    return view_->Get(row_key);
  }
  void Scan(std::string_view start,
            const std::function<bool(std::string_view, std::string_view)>& visit) override {
    view_->Scan(start, visit);
  }
  const Cut& cut() const override { return view_->cut(); }

 private:
  std::unique_lock<std::mutex> lock_;
  std::unique_ptr<View> view_;
};

class LockedReader final : public Reader {
 public:
  LockedReader(std::mutex& mutex, std::unique_ptr<Reader> reader)
      : mutex_(mutex), reader_(std::move(reader)) {}
  std::unique_ptr<View> Take() override { return std::make_unique<LockedView>(mutex_, *reader_); }

 private:
  std::mutex& mutex_;
  std::unique_ptr<Reader> reader_;
};

}  // namespace

class FakeSession final : public Session {
 public:
  explicit FakeSession(FakeEngine& engine) : engine_(engine) {}
  std::unique_ptr<LocalTxn> Begin() override {
    return std::make_unique<LocalTxn>(engine_.store_, engine_.schema_, now_ms());
  }
  std::expected<Dot, Refusal> Commit(LocalTxn& txn) override { return engine_.Stage(txn); }
  std::optional<std::string_view> Get(std::string_view row_key) override {
    return engine_.store_.Read(row_key);
  }
  void Scan(std::string_view start,
            const std::function<bool(std::string_view, std::string_view)>& visit) override {
    engine_.store_.ScanNewest(start, visit);
  }
  std::int64_t now_ms() const override { return engine_.now_ms; }
  Stamp stamp_next() const override { return engine_.StampNext(); }
  const Cut& applied() const override { return engine_.store_.applied(); }
  const Schema& schema() const override { return engine_.schema_; }
  Proof proof() const override { return engine_.ProofNow(); }

 private:
  FakeEngine& engine_;
};

FakeEngine::FakeEngine(Schema schema)
    : schema_(std::move(schema)), store_(StoreOptions()), thread_([this] { Loop(); }) {}

FakeEngine::~FakeEngine() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  for (const auto& job : jobs_) job->Done(Outcome::kUnknown);
}

void FakeEngine::Submit(std::unique_ptr<Job> job) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

Proof FakeEngine::ProofNow() const {
  if (!all_have_it) return {};
  return {.stable = {.cut = store_.applied(), .clock_ms = 0}, .compared = true};
}

// Nothing comes from elsewhere while it waits: it is what it is.
void FakeEngine::Submit(ClaimWait wait) {
  const std::lock_guard lock(mutex_);
  calls_.push_back([this, wait = std::move(wait)] {
    Claim claim;
    {
      const std::lock_guard store_lock(store_mutex_);
      claim = ClaimOf(store_.Read(wait.row_key), ProofNow());
    }
    wait.done(claim);
  });
  changed_.notify_all();
}

void FakeEngine::Submit(AckWait wait) {
  const std::lock_guard lock(mutex_);
  calls_.push_back([this, wait = std::move(wait)] { wait.done(regions_acking); });
  changed_.notify_all();
}

void FakeEngine::Submit(CutWait wait) {
  const std::lock_guard lock(mutex_);
  calls_.push_back(
      [this, wait = std::move(wait)] { wait.done(store_.applied().Covers(wait.cut)); });
  changed_.notify_all();
}

void FakeEngine::Loop() {
  FakeSession session(*this);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock,
                  [this] { return stopping_ || (!held_ && (!jobs_.empty() || !calls_.empty())); });
    if (stopping_) return;
    const std::deque<std::unique_ptr<Job>> jobs = std::exchange(jobs_, {});
    const std::deque<std::function<void()>> calls = std::exchange(calls_, {});
    const bool fail = std::exchange(fail_next_, false);
    lock.unlock();
    {
      const std::lock_guard store_lock(store_mutex_);
      for (const auto& job : jobs) job->Run(session);
      if (store_.HasStaged()) {
        HW_ASSERT(store_.Commit(Stamp{}));
        ++commits;
      }
    }
    for (const auto& job : jobs) job->Done(fail ? Outcome::kUnknown : Outcome::kDurable);
    for (const auto& call : calls) call();
    commit_bell().Ring();
    lock.lock();
  }
}

Stamp FakeEngine::StampNext() const {
  return {std::max(stamp_ + 1, Stamp::FromMs(now_ms).raw)};
}

std::expected<Dot, Refusal> FakeEngine::Stage(LocalTxn& local) {
  Txn txn;
  txn.changes = local.Finish();
  if (txn.changes.empty()) return Dot{};
  if (refusal != Refusal::kNone) return std::unexpected(refusal.load());
  txn.stamp = StampNext();
  stamp_ = txn.stamp.raw;
  const Origin self = store_.self();
  const Dot dot{self, Next(store_.applied().Get(self))};
  std::string bytes;
  EncodeTxn(txn, bytes);
  if (bytes.size() > 1024 * 1024) return std::unexpected(Refusal::kTooBig);
  const auto before = store_.HashAt(self, Before(dot.seq));
  HW_ASSERT(before);
  std::vector<Discarded> discarded;
  store_.Apply({self, dot.seq, HashNext(*before, bytes), bytes}, txn, discarded);
  return dot;
}

void FakeEngine::WriteElsewhere(const std::function<void(LocalTxn&)>& write) {
  {
    const std::lock_guard lock(store_mutex_);
    LocalTxn txn(store_, schema_, now_ms);
    write(txn);
    HW_ASSERT(Stage(txn));
    HW_ASSERT(store_.Commit(Stamp{}));
  }
  commit_bell().Ring();
}

void FakeEngine::Upkeep() {
  const std::lock_guard lock(store_mutex_);
  HW_ASSERT(store_.Upkeep());
}

namespace {

class LockedJournalReader final : public JournalReader {
 public:
  LockedJournalReader(std::mutex& mutex, std::unique_ptr<JournalReader> reader)
      : mutex_(mutex), reader_(std::move(reader)) {}
  std::expected<void, StorageError> ReadLog(
      const Origin& origin, Seq from,
      const std::function<bool(const JournalEntry&)>& visit) override {
    const std::lock_guard lock(mutex_);
    return reader_->ReadLog(origin, from, visit);
  }
  std::expected<void, StorageError> ReadApplied(
      Lsn from, const std::function<bool(Lsn lsn, const JournalEntry&)>& visit) override {
    const std::lock_guard lock(mutex_);
    return reader_->ReadApplied(from, visit);
  }

 private:
  std::mutex& mutex_;
  std::unique_ptr<JournalReader> reader_;
};

}  // namespace

std::unique_ptr<JournalReader> FakeEngine::NewJournalReader() {
  const std::lock_guard lock(store_mutex_);
  return std::make_unique<LockedJournalReader>(store_mutex_, store_.NewJournalReader());
}

std::unique_ptr<Reader> FakeEngine::NewReader() {
  const std::lock_guard lock(store_mutex_);
  return std::make_unique<LockedReader>(store_mutex_, store_.NewReader());
}

ReplicaStatus FakeEngine::status() const {
  ReplicaStatus status;
  status.self = Origin{RegionId{1}, Incarnation{0xabcdef}};
  for (const int region : {2, 3}) {
    PeerStatus peer;
    peer.region = RegionId{static_cast<std::uint8_t>(region)};
    peer.link = LinkState::kUp;
    status.peers.push_back(peer);
  }
  return status;
}

void FakeEngine::Hold() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}
void FakeEngine::LetGo() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  changed_.notify_all();
}
void FakeEngine::FailNext() {
  const std::lock_guard lock(mutex_);
  fail_next_ = true;
}
std::size_t FakeEngine::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size() + calls_.size();
}

}  // namespace hawser::test
