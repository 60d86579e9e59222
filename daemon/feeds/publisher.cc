#include "daemon/feeds/publisher.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace hawser {
namespace {

constexpr std::size_t kMessageBytes = 32 * 1024;  // NATS moves most bytes in such messages
constexpr std::size_t kBatchBytes = 128 * 1024;   // of all messages under way
constexpr std::uint32_t kTxnsPerBatch = 4096;
constexpr std::size_t kConflictsPerBatch = 64;
constexpr std::size_t kTablesMax = 1000;
constexpr int kNice = 10;                       // local writes and replication first
constexpr std::chrono::milliseconds kPause{2};  // gathers changes, and spares the engine's bell
constexpr std::chrono::milliseconds kAwayPause{50};  // NATS is away or behind
constexpr long kIdleUs = 1'000'000;

std::string NewestConflict(Reader& reader) {
  const std::unique_ptr<View> view = reader.Take();
  return ConflictFollower::Newest(*view);
}

}  // namespace

FeedPublisher::FeedPublisher(FeedOptions options, Engine& engine)
    : options_(std::move(options)),
      engine_(engine),
      reader_(engine.NewReader()),
      journal_(engine.NewJournalReader()),
      conflicts_(NewestConflict(*reader_)),
      changes_({Lsn{Raw(engine.storage().lsn_last) + 1}, 0}),
      ear_(engine.commit_bell().Listen([this] {
        const bool logged = engine_.conflicts_logged() != conflicts_seen_;
        if (!options_.changes && !logged) return;
        rung_.store(true, std::memory_order_release);
        wakeup_.Notify();
      })),
      thread_([this] { Loop(); }) {
  pthread_setname_np(thread_.native_handle(), "hawser-feeds");
}

FeedPublisher::~FeedPublisher() {
  ear_.reset();
  stopping_ = true;
  wakeup_.Notify();
  thread_.join();
}

FeedStats FeedPublisher::stats() const {
  return {
      .changes = changes_told_, .conflicts = conflicts_told_, .messages = messages_, .gaps = gaps_};
}

void FeedPublisher::Loop() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  while (!stopping_) {
    if (!options_.ready()) {
      std::this_thread::sleep_for(kAwayPause);
      continue;
    }
    rung_.store(false, std::memory_order_relaxed);
    const bool more_conflicts = TellConflicts();
    const bool more = (options_.changes && TellChanges()) || more_conflicts;
    std::this_thread::sleep_for(kPause);
    if (more) continue;
    wakeup_.Sleep(kIdleUs, [this] { return rung_.load(std::memory_order_acquire) || stopping_; });
  }
}

bool FeedPublisher::TellConflicts() {
  const std::uint64_t logged = engine_.conflicts_logged();  // before the view: none is missed
  if (logged == conflicts_seen_) return false;
  const std::unique_ptr<View> view = reader_->Take();
  const auto piece = conflicts_.Next(*view, kConflictsPerBatch);
  const std::string subject = EventSubject(options_.cluster, options_.region, "conflict");
  if (piece.gap) ++gaps_;
  for (const std::string& order_key : piece.order_keys) {
    std::string event = options_.conflict_event(*view, order_key);
    conflicts_.MoveTo(order_key);
    if (event.empty()) continue;
    options_.publish(subject, std::move(event));
    ++messages_;
    ++conflicts_told_;
  }
  if (!piece.more) conflicts_seen_ = logged;
  return piece.more;
}

bool FeedPublisher::TellChanges() {
  std::size_t bytes = 0;
  const auto end = changes_.Read(*journal_, kTxnsPerBatch, [&](const AppliedChange& applied) {
    bytes += 64 + applied.change.key.size() + ValueBytes(applied.change);
    Add(applied);
    return bytes < kBatchBytes;
  });
  SendAll();
  if (end == ChangeFollower::End::kTrimmed) {
    ++gaps_;
    ++change_gaps_;
    changes_.MoveTo({engine_.storage().lsn_first, 0});
    std::this_thread::sleep_for(kAwayPause);  // that figure is a moment old
    return true;
  }
  if (end == ChangeFollower::End::kFailed) std::this_thread::sleep_for(kAwayPause);
  return end == ChangeFollower::End::kMore;
}

void FeedPublisher::Add(const AppliedChange& applied) {
  const std::string table(applied.change.table);
  auto at = under_way_.find(table);
  if (at == under_way_.end()) {
    const auto told = told_.find(table);
    const bool known = told != told_.end();
    const bool gap = change_gaps_ > (known ? told->second.gaps_known : 0);
    at = under_way_
             .emplace(table, ChangesMessage(options_.region, table,
                                            known ? told->second.position : std::string(), gap))
             .first;
  }
  at->second.Add(applied, options_.region_name);
  ++changes_told_;
  if (at->second.bytes() >= kMessageBytes) Send(table);
}

void FeedPublisher::Send(const std::string& table) {
  const auto at = under_way_.find(table);
  const std::string position = options_.position_text(changes_.place());
  options_.publish(ChangesSubject(options_.cluster, options_.region, table),
                   at->second.Finish(position));
  ++messages_;
  under_way_.erase(at);
  if (told_.size() >= kTablesMax && !told_.contains(table)) told_.clear();
  told_[table] = {position, change_gaps_};
}

void FeedPublisher::SendAll() {
  while (!under_way_.empty()) Send(std::string(under_way_.begin()->first));
}

}  // namespace hawser
