#include "tests/support/fake_engine.h"

#include <chrono>

#include "conflict/declaration.h"

namespace hawser {
namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

ReplicaOptions ToReplicaOptions(const FakeEngineOptions& options) {
  ReplicaOptions replica;
  replica.self = options.members.front();
  replica.members = options.members;
  replica.cluster_id = 1;
  replica.txn_bytes_max = options.txn_bytes_max;
  replica.record_bytes_max = options.record_bytes_max;
  replica.software = "fake";
  return replica;
}

std::int64_t Ms(auto time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Schema WithInternalRules(Schema schema) {
  AddInternalRules(schema);
  return schema;
}

// A session whose commits are refused, or to which the test proves something.
class LeveredSession : public Session {
 public:
  LeveredSession(Session& inner, std::optional<Refusal> refusal, std::optional<Proof> proof)
      : inner_(inner), refusal_(refusal), proof_(std::move(proof)) {}
  std::unique_ptr<LocalTxn> Begin() override { return inner_.Begin(); }
  std::expected<Dot, Refusal> Commit(LocalTxn& txn) override {
    if (refusal_) return std::unexpected(*refusal_);
    return inner_.Commit(txn);
  }
  std::optional<std::string_view> Get(std::string_view row_key) override {
    return inner_.Get(row_key);
  }
  void Scan(std::string_view start,
            const std::function<bool(std::string_view, std::string_view)>& visit) override {
    inner_.Scan(start, visit);
  }
  std::int64_t now_ms() const override { return inner_.now_ms(); }
  Stamp stamp_next() const override { return inner_.stamp_next(); }
  const Cut& applied() const override { return inner_.applied(); }
  const Schema& schema() const override { return inner_.schema(); }
  Proof proof() const override { return proof_ ? *proof_ : inner_.proof(); }

 private:
  Session& inner_;
  std::optional<Refusal> refusal_;
  std::optional<Proof> proof_;
};

}  // namespace

// A job with the levers pulled.
class FakeEngine::Wrapped : public Job {
 public:
  Wrapped(std::unique_ptr<Job> inner, bool unknown, std::optional<Refusal> refuse,
          std::optional<Proof> proof)
      : inner_(std::move(inner)), unknown_(unknown), refuse_(refuse), proof_(std::move(proof)) {}
  void Run(Session& session) override {
    LeveredSession levered(session, refuse_, proof_);
    inner_->Run(levered);
  }
  void Done(Outcome outcome) override { inner_->Done(unknown_ ? Outcome::kUnknown : outcome); }

 private:
  std::unique_ptr<Job> inner_;
  bool unknown_;
  std::optional<Refusal> refuse_;
  std::optional<Proof> proof_;
};

class FakeEngine::LockedView : public View {
 public:
  LockedView(std::recursive_mutex& mutex, std::unique_ptr<View> inner)
      : mutex_(mutex), inner_(std::move(inner)) {}
  ~LockedView() override {
    const Lock lock(mutex_);
    inner_.reset();
  }
  std::optional<std::string_view> Get(std::string_view row_key) override {
    const Lock lock(mutex_);
    return inner_->Get(row_key);
  }
  void Scan(std::string_view start,
            const std::function<bool(std::string_view, std::string_view)>& visit) override {
    const Lock lock(mutex_);
    inner_->Scan(start, visit);
  }
  const Cut& cut() const override { return inner_->cut(); }

 private:
  std::recursive_mutex& mutex_;
  std::unique_ptr<View> inner_;
};

class FakeEngine::LockedReader : public Reader {
 public:
  LockedReader(std::recursive_mutex& mutex, std::unique_ptr<Reader> inner)
      : mutex_(mutex), inner_(std::move(inner)) {}
  std::unique_ptr<View> Take() override {
    const Lock lock(mutex_);
    return std::make_unique<LockedView>(mutex_, inner_->Take());
  }

 private:
  std::recursive_mutex& mutex_;
  std::unique_ptr<Reader> inner_;
};

FakeEngine::FakeEngine(FakeEngineOptions options)
    : store_(MemoryStoreOptions{
          .region = options.members.front(), .cluster_id = 1, .incarnation = Incarnation{77}}),
      replica_(ToReplicaOptions(options), store_, WithInternalRules(options.schema)) {
  replica_.Advance(ReadClocks());
}

FakeEngine::~FakeEngine() {
  DropHeld();
}

void FakeEngine::DropHeld() {
  std::vector<std::unique_ptr<Job>> jobs;
  {
    const Lock lock(mutex_);
    hold_jobs = false;
    jobs.swap(held_jobs_);
  }
  for (const auto& job : jobs) job->Done(Outcome::kUnknown);
}

Now FakeEngine::ReadClocks() const {
  return {.wall_ms = Ms(std::chrono::system_clock::now()) + clock_ahead_ms,
          .mono_ms = Ms(std::chrono::steady_clock::now()) + clock_ahead_ms};
}

void FakeEngine::RunJob(std::unique_ptr<Job> job) {
  Effects effects;
  {
    const Lock lock(mutex_);
    replica_.Advance(ReadClocks());
    replica_.Run(std::make_unique<Wrapped>(std::move(job), commits_unknown, refuse, proof));
    if (const auto ceiling = replica_.Prepare()) {
      ++commits_;
      if (!store_.Commit(*ceiling)) std::abort();
    }
    effects = replica_.Finish(Outcome::kDurable);
    if (!store_.Upkeep()) std::abort();
  }
  for (const auto& finished : effects.finished) finished->Done(effects.outcome);
  ++rings_;
  commit_bell().Ring();
}

void FakeEngine::WriteElsewhere(RegionId region, const std::function<void(LocalTxn&)>& write,
                                std::int64_t ahead_ms) {
  const Lock lock(mutex_);
  auto& store = elsewhere_[region];
  if (!store) {
    store = std::make_unique<MemoryStore>(MemoryStoreOptions{
        .region = region, .cluster_id = 1, .incarnation = Incarnation{Raw(region)}});
  }
  const Origin self = store->self();
  const std::int64_t now_ms = ReadClocks().wall_ms + ahead_ms;
  static const Schema kNothingDeclared = WithInternalRules({});
  LocalTxn local(*store, kNothingDeclared, now_ms);
  write(local);
  const Seq seq = Next(store->applied().Get(self));
  Txn txn;
  txn.stamp = Stamp{Stamp::FromMs(now_ms).raw + Raw(seq)};
  txn.changes = local.Finish();
  std::string bytes;
  EncodeTxn(txn, bytes);
  const std::uint64_t before = *store->HashAt(self, Before(seq));
  const JournalEntry entry{self, seq, HashNext(before, bytes), bytes, before};
  std::vector<Discarded> discarded;
  for (Store* each : {static_cast<Store*>(store.get()), static_cast<Store*>(&store_)}) {
    each->Apply(entry, txn, discarded);
    if (!each->Commit(txn.stamp)) std::abort();
  }
  ++rings_;
  commit_bell().Ring();
}

void FakeEngine::Submit(std::unique_ptr<Job> job) {
  {
    const Lock lock(mutex_);
    if (hold_jobs) return held_jobs_.push_back(std::move(job));
  }
  RunJob(std::move(job));
}

void FakeEngine::Release() {
  std::vector<std::unique_ptr<Job>> jobs;
  {
    const Lock lock(mutex_);
    hold_jobs = false;
    jobs.swap(held_jobs_);
  }
  for (auto& job : jobs) RunJob(std::move(job));
}

std::size_t FakeEngine::jobs_held() const {
  const Lock lock(mutex_);
  return held_jobs_.size();
}

void FakeEngine::Submit(AckWait wait) {
  const int all = static_cast<int>(status().peers.size());
  wait.done(acks ? acks(wait) : wait.regions < 0 ? all : wait.regions);
}

void FakeEngine::Submit(CutWait wait) {
  bool reached = false;
  {
    const Lock lock(mutex_);
    reached = store_.applied().Covers(wait.cut);
    if (!reached && hold_cut_waits) return cut_waits_.push_back(std::move(wait));
  }
  wait.done(reached);
}

void FakeEngine::FinishCutWaits(bool reached) {
  std::vector<CutWait> waits;
  {
    const Lock lock(mutex_);
    waits.swap(cut_waits_);
  }
  for (const CutWait& wait : waits) wait.done(reached);
}

Cut FakeEngine::applied() const {
  const Lock lock(mutex_);
  return store_.applied();
}

class FakeEngine::LockedJournalReader : public JournalReader {
 public:
  LockedJournalReader(std::recursive_mutex& mutex, std::unique_ptr<JournalReader> inner)
      : mutex_(mutex), inner_(std::move(inner)) {}
  std::expected<void, StorageError> ReadLog(
      const Origin& origin, Seq from,
      const std::function<bool(const JournalEntry&)>& visit) override {
    const Lock lock(mutex_);
    return inner_->ReadLog(origin, from, visit);
  }
  std::expected<void, StorageError> ReadApplied(
      Lsn from, const std::function<bool(Lsn, const JournalEntry&)>& visit) override {
    const Lock lock(mutex_);
    return inner_->ReadApplied(from, visit);
  }

 private:
  std::recursive_mutex& mutex_;
  std::unique_ptr<JournalReader> inner_;
};

std::unique_ptr<JournalReader> FakeEngine::NewJournalReader() {
  const Lock lock(mutex_);
  return std::make_unique<LockedJournalReader>(mutex_, store_.NewJournalReader());
}

void FakeEngine::Submit(ClaimWait wait) {
  Claim claim;
  {
    const Lock lock(mutex_);
    claim = ClaimOf(store_.Read(wait.row_key), proof ? *proof : replica_.proof());
    const bool settled = claim.owner != wait.owner || claim.state == ClaimState::kConfirmed;
    if (!settled && hold_claim_waits) return claim_waits_.push_back(std::move(wait));
  }
  wait.done(claim);
}

void FakeEngine::FinishClaimWaits() {
  std::vector<ClaimWait> waits;
  {
    const Lock lock(mutex_);
    waits.swap(claim_waits_);
    hold_claim_waits = false;
  }
  for (ClaimWait& wait : waits) Submit(std::move(wait));
}

std::unique_ptr<Reader> FakeEngine::NewReader() {
  const Lock lock(mutex_);
  return std::make_unique<LockedReader>(mutex_, store_.NewReader());
}

std::shared_ptr<const HomedTables> FakeEngine::homed() const {
  const Lock lock(mutex_);
  return replica_.homed();
}

ReplicaStatus FakeEngine::status() const {
  const Lock lock(mutex_);
  return status_says ? *status_says : replica_.status();
}

StoreUsage FakeEngine::storage() const {
  const Lock lock(mutex_);
  return storage_says ? *storage_says : store_.usage();
}

EngineUsage FakeEngine::usage() const {
  const Lock lock(mutex_);
  if (usage_says) return *usage_says;
  EngineUsage usage;
  usage.ticks = ++ticks_;
  usage.commits = usage.committed_txns = commits_;
  return usage;
}

Refusal FakeEngine::gate() const {
  const Lock lock(mutex_);
  if (gate_says) return *gate_says;
  return refuse.value_or(Refusal::kNone);
}

std::int64_t FakeEngine::clock_ms() const {
  const Lock lock(mutex_);
  return ReadClocks().wall_ms;
}

}  // namespace hawser
