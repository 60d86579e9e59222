#include "daemon/engine/engine_loop.h"

#include <time.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "daemon/engine/fetch_thread.h"
#include "daemon/engine/inbox.h"
#include "daemon/engine/wakeup.h"
#include "daemon/latency.h"

namespace hawser {
namespace {

constexpr std::int64_t kStatusIntervalMs = 20;
constexpr long kIdleUs = 10'000;
constexpr long kSoonUs = 1'000;
constexpr std::size_t kJobsPerTurnMax = 4096;

std::int64_t ClockUs(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<std::int64_t>(at.tv_sec) * 1'000'000 + at.tv_nsec / 1000;
}

Now ReadClocks() {
  return {.wall_ms = ClockUs(CLOCK_REALTIME) / 1000, .mono_ms = ClockUs(CLOCK_MONOTONIC) / 1000};
}

class EngineLoop final : public Engine {
 public:
  EngineLoop(EngineOptions options, std::unique_ptr<Store> store)
      : options_(std::move(options)),
        store_(std::move(store)),
        replica_(options_.replica, *store_, options_.schema),
        received_inbox_(options_.inbox_bytes_max),
        fetches_(options_.fetch_server, store_->NewJournalReader(),
                 {.publish = options_.publish, .queued_bytes = options_.queued_bytes}) {
    usage_.commit_buckets.resize(kCommitBoundsSeconds.size() + 1);
    replica_.Advance(ReadClocks());
    PublishStatus(ReadClocks());
    thread_ = std::thread([this] { Loop(); });
  }

  ~EngineLoop() override {
    stopping_ = true;
    wakeup_.Notify();
    thread_.join();
    DropLateJobs();
  }

  void Submit(std::unique_ptr<Job> job) override {
    if (ended_) return job->Done(Outcome::kUnknown);
    job_inbox_.Push(std::move(job));
    wakeup_.Notify();
  }
  void Submit(AckWait wait) override {
    ack_inbox_.Push(std::move(wait));
    wakeup_.Notify();
  }
  void Submit(CutWait wait) override {
    cut_inbox_.Push(std::move(wait));
    wakeup_.Notify();
  }
  void Submit(ClaimWait wait) override {
    claim_inbox_.Push(std::move(wait));
    wakeup_.Notify();
  }
  void OnReceived(Received message) override {
    const std::uint64_t bytes = message.bytes.size();
    if (!received_inbox_.Push(std::move(message), bytes)) {
      inbox_dropped_.fetch_add(1, std::memory_order_relaxed);
    }
    wakeup_.Notify();
  }

  std::unique_ptr<Reader> NewReader() override { return store_->NewReader(); }
  std::unique_ptr<JournalReader> NewJournalReader() override { return store_->NewJournalReader(); }
  std::shared_ptr<const HomedTables> homed() const override {
    return has_homed_.load(std::memory_order_acquire) ? Locked(homed_) : nullptr;
  }
  ReplicaStatus status() const override { return Locked(status_); }
  StoreUsage storage() const override { return Locked(storage_); }
  EngineUsage usage() const override {
    EngineUsage usage = Locked(usage_published_);
    usage.jobs_waiting = job_inbox_.size();
    return usage;
  }
  std::uint64_t conflicts_logged() const override {
    return conflicts_logged_.load(std::memory_order_acquire);
  }
  Refusal gate() const override { return gate_.load(std::memory_order_relaxed); }
  std::int64_t clock_ms() const override {
    const std::int64_t elapsed_ms =
        ClockUs(CLOCK_MONOTONIC) / 1000 - mono_ms_.load(std::memory_order_relaxed);
    const std::int64_t read_ms =
        hybrid_ms_.load(std::memory_order_relaxed) + std::max<std::int64_t>(0, elapsed_ms);
    std::int64_t last_ms = clock_given_ms_.load(std::memory_order_relaxed);
    while (read_ms > last_ms && !clock_given_ms_.compare_exchange_weak(last_ms, read_ms)) {
    }
    return std::max(read_ms, last_ms);
  }

 private:
  template <typename T>
  T Locked(const T& value) const {
    const std::lock_guard lock(status_mutex_);
    return value;
  }

  void Loop() {
    while (!ended_) {
      const bool stopping = stopping_;
      if (!Turn() || (stopping && Idle() && jobs_.empty())) break;
      if (!replica_.HasMore() && Idle()) Sleep();
    }
    ended_ = true;
  }

  bool Idle() const {
    return job_inbox_.empty() && received_inbox_.empty() && ack_inbox_.empty() &&
           cut_inbox_.empty() && claim_inbox_.empty();
  }

  void Sleep() {
    const bool soon = !jobs_.empty() || store_->Congested() || replica_.WantsSoon();
    wakeup_.Sleep(soon ? kSoonUs : kIdleUs, [this] { return !Idle() || stopping_; });
  }

  // One turn: gather, commit, follow up. False when the engine must end.
  bool Turn() {
    const Now now = ReadClocks();
    replica_.Advance(now);
    PublishClock(now);
    Gather();
    if (replica_.homed() != homed_) PublishHomed();
    const auto ceiling = replica_.Prepare();
    PublishEffects(replica_.TakeEarly());
    if (!replica_.rolled_back().empty()) return End(EngineEnd::kRolledBack, replica_.rolled_back());
    if (ceiling && !Commit(*ceiling)) return false;
    PublishEffects(replica_.Finish(Outcome::kDurable));
    if (committed_txns_ != rung_txns_) {
      rung_txns_ = committed_txns_;
      conflicts_logged_.store(replica_.discards(), std::memory_order_release);
      commit_bell().Ring();
    }
    if (!replica_.AwaitsFirstWord()) {
      if (auto kept = store_->Upkeep(); !kept) return End(EngineEnd::kStorage, Text(kept.error()));
    }
    ++usage_.ticks;
    if (now.mono_ms - status_at_ms_ >= kStatusIntervalMs) PublishStatus(now);
    return true;
  }

  void Gather() {
    received_inbox_.TakeAll(received_);
    for (const Received& message : received_) replica_.Receive(message);
    ack_inbox_.TakeAll(acks_);
    for (AckWait& wait : acks_) replica_.Wait(std::move(wait));
    cut_inbox_.TakeAll(cuts_);
    for (CutWait& wait : cuts_) replica_.Wait(std::move(wait));
    claim_inbox_.TakeAll(claims_);
    for (ClaimWait& wait : claims_) replica_.Wait(std::move(wait));
    if (store_->Congested()) return;  // the memtable is full: writers wait for the checkpoint
    if (jobs_.empty()) {
      job_inbox_.TakeAll(jobs_taken_);
      jobs_.assign(std::make_move_iterator(jobs_taken_.begin()),
                   std::make_move_iterator(jobs_taken_.end()));
    }
    const std::size_t count = std::min(jobs_.size(), kJobsPerTurnMax);
    for (std::size_t i = 0; i < count; ++i) replica_.Run(std::move(jobs_[i]));
    jobs_.erase(jobs_.begin(), jobs_.begin() + static_cast<std::ptrdiff_t>(count));
  }

  bool Commit(Stamp ceiling) {
    const std::int64_t began_us = ClockUs(CLOCK_MONOTONIC);
    const std::uint64_t txns_before = committed_txns_;
    const auto& counters = replica_.counters();
    committed_txns_ = counters.local_txns + counters.applied_txns;
    if (auto committed = store_->Commit(ceiling); !committed) {
      PublishEffects(replica_.Finish(Outcome::kUnknown));
      return End(EngineEnd::kStorage, std::string("a commit failed: ") + Text(committed.error()));
    }
    if (committed_txns_ == txns_before) return true;  // only the clock's ceiling
    const double seconds = static_cast<double>(ClockUs(CLOCK_MONOTONIC) - began_us) / 1e6;
    const auto bucket =
        std::ranges::lower_bound(kCommitBoundsSeconds, seconds) - kCommitBoundsSeconds.begin();
    ++usage_.commit_buckets[static_cast<std::size_t>(bucket)];
    usage_.commit_seconds_sum += seconds;
    ++usage_.commits;
    usage_.committed_txns = committed_txns_;
    return true;
  }

  void PublishEffects(Effects effects) {
    for (Send& send : effects.sends) options_.publish(std::move(send));
    for (const Serve& request : effects.serve) fetches_.Submit(request);
    for (auto& job : effects.finished) job->Done(effects.outcome);
    for (auto& [wait, reached] : effects.acked) wait.done(reached);
    for (auto& [wait, reached] : effects.cut_reached) wait.done(reached);
    for (auto& [wait, claim] : effects.claims_settled) wait.done(claim);
    if (!options_.wish_rights) return;
    for (RightsWish& wish : effects.rights_wishes) options_.wish_rights(std::move(wish));
  }

  bool End(EngineEnd end, const std::string& why) {
    PublishStatus(ReadClocks());
    gate_ = end == EngineEnd::kRolledBack ? Refusal::kRolledBack : Refusal::kReadOnly;
    ended_ = true;
    PublishEffects(replica_.Finish(Outcome::kUnknown));
    DropLateJobs();
    options_.on_end(end, why);
    return false;
  }

  // Jobs that came too late to run.
  void DropLateJobs() {
    for (auto& job : jobs_) job->Done(Outcome::kUnknown);
    jobs_.clear();
    job_inbox_.TakeAll(jobs_taken_);
    for (auto& job : jobs_taken_) job->Done(Outcome::kUnknown);
    ack_inbox_.TakeAll(acks_);
    for (AckWait& wait : acks_) wait.done(0);
    cut_inbox_.TakeAll(cuts_);
    for (CutWait& wait : cuts_) wait.done(false);
    claim_inbox_.TakeAll(claims_);
    for (ClaimWait& wait : claims_) {
      wait.done({.state = ClaimState::kPending, .owner = wait.owner, .version = {}, .dot = {}});
    }
  }

  void PublishClock(Now now) {
    hybrid_ms_.store(replica_.now_ms(), std::memory_order_relaxed);
    mono_ms_.store(now.mono_ms, std::memory_order_relaxed);
  }

  void PublishHomed() {
    const std::lock_guard lock(status_mutex_);
    homed_ = replica_.homed();
    has_homed_.store(homed_ != nullptr, std::memory_order_release);
  }

  void PublishStatus(Now now) {
    status_at_ms_ = now.mono_ms;
    gate_.store(stopping_ ? Refusal::kStopping : replica_.gate(), std::memory_order_relaxed);
    ReplicaStatus status = replica_.status();
    status.counters.relayed_txns = fetches_.relayed_txns();
    status.counters.pending_overflows += inbox_dropped_.load(std::memory_order_relaxed);
    Remark(status);
    StoreUsage storage = store_->usage();
    const std::lock_guard lock(status_mutex_);
    status_ = std::move(status);
    storage_ = storage;
    usage_published_ = usage_;
  }

  // What an operator should read when it begins and when it ends.
  void Remark(const ReplicaStatus& status) {
    if ((status.clock_stepped_ms != 0) != (status_.clock_stepped_ms != 0)) {
      options_.remark(
          status.clock_stepped_ms != 0 ? "clock_stepped" : "clock_steady",
          status.clock_stepped_ms != 0
              ? "the wall clock is off by " + std::to_string(status.clock_stepped_ms) +
                    " ms against the steady clock and is not followed: check time synchronisation"
              : "the wall clock agrees with the steady clock again");
    }
    for (const PeerStatus& peer : status.peers) {
      const auto before = std::ranges::find(status_.peers, peer.region, &PeerStatus::region);
      const LinkState was = before == status_.peers.end() ? LinkState::kDown : before->link;
      if (was == peer.link || was == LinkState::kSlow || peer.link == LinkState::kSlow) continue;
      const std::string region = "region " + std::to_string(Raw(peer.region));
      switch (peer.link) {
        case LinkState::kUp:
          options_.remark("peer_up", region + " is heard");
          break;
        case LinkState::kDown:
          options_.remark("peer_down", region + " is not heard; writes go on here");
          break;
        case LinkState::kHeld:
          options_.remark("peer_held",
                          region + ": nothing is taken of its log: " + peer.held_reason);
          break;
        case LinkState::kStale:
          options_.remark("peer_stale",
                          region + " was away past the journal's bound: it must join anew");
          break;
        case LinkState::kSlow:
          break;
      }
    }
    if (status.receiving_paused != status_.receiving_paused) {
      options_.remark(status.receiving_paused ? "receiving_paused" : "receiving_resumed",
                      status.receiving_paused
                          ? "no room: nothing is taken from other regions until there is"
                          : "there is room again");
    }
  }

  const EngineOptions options_;
  std::unique_ptr<Store> store_;
  Replica replica_;

  Wakeup wakeup_;
  Inbox<std::unique_ptr<Job>> job_inbox_;
  Inbox<Received> received_inbox_;
  Inbox<AckWait> ack_inbox_;
  Inbox<CutWait> cut_inbox_;
  Inbox<ClaimWait> claim_inbox_;
  std::atomic<std::uint64_t> inbox_dropped_{0};
  FetchThread fetches_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> ended_{false};

  // The loop's own
  std::vector<Received> received_;
  std::vector<AckWait> acks_;
  std::vector<CutWait> cuts_;
  std::vector<ClaimWait> claims_;
  std::vector<std::unique_ptr<Job>> jobs_taken_;
  std::vector<std::unique_ptr<Job>> jobs_;  // taken and not yet run
  EngineUsage usage_;
  std::uint64_t committed_txns_ = 0;
  std::uint64_t rung_txns_ = 0;  // told of by the commit bell
  std::int64_t status_at_ms_ = 0;

  // Published
  std::atomic<Refusal> gate_{Refusal::kNone};
  std::atomic<std::int64_t> hybrid_ms_{0}, mono_ms_{0};
  mutable std::atomic<std::int64_t> clock_given_ms_{0};
  mutable std::mutex status_mutex_;
  std::atomic<std::uint64_t> conflicts_logged_{0};
  std::atomic<bool> has_homed_{false};
  std::shared_ptr<const HomedTables> homed_;  // written by the loop alone
  ReplicaStatus status_;
  StoreUsage storage_;
  EngineUsage usage_published_;

  std::thread thread_;
};

}  // namespace

std::unique_ptr<Engine> StartEngine(EngineOptions options, std::unique_ptr<Store> store) {
  return std::make_unique<EngineLoop>(std::move(options), std::move(store));
}

}  // namespace hawser
