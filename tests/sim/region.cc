#include "tests/sim/region.h"

#include <algorithm>

#include "conflict/declaration.h"
#include "conflict/record_codec.h"
#include "storage/conflict_log.h"
#include "tests/sim/check.h"
#include "tests/sim/reference.h"
#include "tests/sim/rules.h"
#include "tests/sim/said.h"
#include "wan/wire.h"

namespace hawser::sim {
namespace {

constexpr std::uint64_t kCluster = 0x5157;

std::vector<RegionId> Members(int regions) {
  std::vector<RegionId> members;
  for (int i = 1; i <= regions; ++i) members.push_back(RegionId{static_cast<std::uint8_t>(i)});
  return members;
}

std::map<std::string, RegionId> Names(int regions) {
  std::map<std::string, RegionId> names;
  for (const RegionId id : Members(regions)) names["r" + std::to_string(Raw(id))] = id;
  return names;
}

}  // namespace

Schema SimSchema() {
  Schema schema;
  TableRule& table = schema.tables["d"];
  table.fields["state"] = StatesRule(FirstLine());
  table.fields["born"].kind = Kind::kFirst;
  table.fields["high"].kind = Kind::kMax;
  table.fields["low"].kind = Kind::kMin;
  table.fields["n"].counter = true;
  FieldRule& stock = schema.tables["s"].fields["stock"];
  stock.counter = true;
  stock.min = 0;
  schema.tables["h"].placement = "homed";
  schema.tables["g"].placement = "homed";
  schema.tables["g"].default_home = "r1";
  AddInternalRules(schema);
  return schema;
}

Region::Region(RegionId id, const Knobs& knobs, Truth& truth, Coverage& coverage, Carrier& carrier,
               Random random)
    : knobs_(knobs),
      truth_(truth),
      coverage_(coverage),
      carrier_(carrier),
      random_(random),
      followed_(knobs.skew_ms_max) {
  facts_.region = id;
  facts_.journal_bounded = knobs.scenario == Scenario::kTightJournal;
  const double ppm = knobs.drift_ppm_max;
  clock_ = MachineClock((random_.Unit() * 2 - 1) * ppm, (random_.Unit() * 2 - 1) * ppm / 10);
  store_options_ = {.region = id,
                    .cluster_id = kCluster,
                    .incarnation = Incarnation{random_.Next()},
                    .checkpoint_rows = knobs.checkpoint_rows,
                    .checkpoint_idle_upkeeps = knobs.checkpoint_idle_upkeeps,
                    .rows_per_commit = knobs.rows_per_commit,
                    .journal_bytes_max = knobs.journal_bytes_max};
  store_ = std::make_unique<MemoryStore>(store_options_);
  truth_.durable(id);
}

Region::~Region() {
  server_.reset();
  replica_.reset();
}

void Region::Start(std::int64_t true_us) {
  followed_ = FollowedClock(knobs_.skew_ms_max);
  watched_ = std::make_unique<WatchedStore>(*store_, facts_, truth_, coverage_, followed_,
                                            knobs_.skew_ms_max);
  watched_->SetMoment(true_us);
  ReplicaOptions options{
      .self = facts_.region,
      .members = Members(knobs_.regions),
      .cluster_id = kCluster,
      .region_ids = Names(knobs_.regions),
      .beat_interval_ms = knobs_.beat_interval_ms,
      .beat_gap_ms = knobs_.beat_gap_ms,
      .skew_ms_max = knobs_.skew_ms_max,
      .pending_bytes_max = knobs_.pending_bytes_max,
      .step_bytes_max = knobs_.step_bytes_max,
      .fetcher = {.window_bytes = knobs_.window_bytes, .timeout_ms = knobs_.fetch_timeout_ms},
      .software = "sim"};
  replica_ = std::make_unique<Replica>(std::move(options), *watched_, SimSchema());
  server_ = std::make_unique<FetchServer>(
      FetchServerOptions{.bytes_per_second = knobs_.serve_bytes_per_second},
      store_->NewJournalReader());
}

void Region::CountCounters() {
  const ReplicaCounters& counters = replica_->counters();
  coverage_.Add(Branch::kDuplicateTxns, counters.duplicate_txns);
  coverage_.Add(Branch::kGap, counters.gaps);
  coverage_.Add(Branch::kFetch, counters.fetches);
  coverage_.Add(Branch::kFetchRetry, counters.fetch_retries);
  coverage_.Add(Branch::kMalformed, counters.malformed_messages);
  coverage_.Add(Branch::kForeign, counters.foreign_messages);
  coverage_.Add(Branch::kFragment, counters.fragments_received);
  coverage_.Add(Branch::kCausalWait, counters.causal_waits);
  coverage_.Add(Branch::kSkewHold, counters.skew_holds);
  coverage_.Add(Branch::kClockStepSeen, counters.clock_steps);
  coverage_.Add(Branch::kOverflow, counters.pending_overflows);
  coverage_.Add(Branch::kHashMismatch, counters.hash_mismatches);
  coverage_.Add(Branch::kClaimReclaimed, replica_->status().claims.reclaimed_total);
  for (const PeerStatus& peer : replica_->status().peers) {
    if (peer.link == LinkState::kStale) coverage_.Add(Branch::kStale);
  }
}

void Region::Kill() {
  if (!up()) return;
  CountCounters();
  if (watched_->staged() > 0) coverage_.Add(Branch::kCrashLostTxns);
  server_.reset();
  replica_.reset();
  watched_.reset();
  inbox_.clear();
  jobs_.clear();
  crash_ = CrashPoint::kNone;
  const Cut cut = truth_.durable(facts_.region);
  auto recovered = store_->Crash();
  store_ = std::move(recovered);
  coverage_.Add(Branch::kRecovery);
  coverage_.Add(Branch::kReplayedTxns,
                Raw(store_->usage().lsn_last) - Raw(store_->usage().lsn_checkpointed));
  if (!facts_.forked) {
    HW_CHECK(store_->applied() == cut, "what was committed is there after a crash",
             "region " + std::to_string(Raw(facts_.region)) + " stands at " +
                 Text(store_->applied()) + ", had " + Text(cut));
    CheckRecovered();
  }
}

// Everything held after a recovery is what the applied writes say.
void Region::CheckRecovered() {
  const std::int64_t now_ms = std::max(followed_.ms(), store_->clock_floor().ms());
  for (const auto& [row_key, writes] : truth_.rows()) {
    const Seen expected = Expected(writes, store_->applied(), now_ms);
    const Seen held = Held(store_->Read(row_key), now_ms);
    HW_CHECK(held == expected, "recovery brings back the records",
             "region " + std::to_string(Raw(facts_.region)) + ", " + RowText(row_key) + ": " +
                 Text(held) + ", expected " + Text(expected));
    coverage_.Add(Branch::kRecordChecked);
  }
}

void Region::Destroy() {
  Kill();
  destroyed_ = true;
}

void Region::PutBack(StoreImage image) {
  HW_CHECK(!up(), "scenario", "put back under a running process");
  facts_.forked = true;
  truth_.forked.insert(facts_.region);
  facts_.journal.clear();
  for (const StoreImage::Entry& entry : image.journal) {
    facts_.journal.push_back({entry.origin, entry.seq});
  }
  store_ = std::make_unique<MemoryStore>(store_options_, std::move(image));
}

void Region::Wipe() {
  HW_CHECK(!up(), "scenario", "wiped under a running process");
  facts_.forked = true;
  truth_.forked.insert(facts_.region);
  facts_.journal.clear();
  store_options_.incarnation = Incarnation{random_.Next()};
  store_ = std::make_unique<MemoryStore>(store_options_);
}

void Region::Take(std::shared_ptr<const Received> received) {
  if (inbox_.size() >= knobs_.inbox_messages_max) {
    inbox_.pop_front();
    coverage_.Add(Branch::kInboxOverflow);
  }
  inbox_.push_back(std::move(received));
}

bool Region::Die(CrashPoint point, Branch branch) {
  if (crash_ != point) return false;
  coverage_.Add(branch);
  Kill();
  return true;
}

void Region::Say(const std::vector<Send>& sends) {
  for (const Send& send : sends) {
    CheckSaid(send, *this, truth_, coverage_);
    carrier_.Carry(facts_.region, send);
  }
}

bool Region::Turn(std::int64_t true_us) {
  wants_turn_ = false;
  ++turns_;
  if (Die(CrashPoint::kIdle, Branch::kCrashIdle)) return false;
  const Now now = clock_.At(true_us);
  followed_.Observe(now);
  watched_->SetMoment(true_us);
  replica_->Advance(now);
  while (!inbox_.empty()) {
    const auto received = std::move(inbox_.front());
    inbox_.pop_front();
    replica_->Receive(*received);
  }
  for (auto& job : std::exchange(jobs_, {})) replica_->Run(std::move(job));
  const std::optional<Stamp> ceiling = replica_->Prepare();
  Effects early = replica_->TakeEarly();
  Say(early.sends);
  for (auto& job : early.finished) job->Done(early.outcome);
  Outcome outcome = Outcome::kDurable;
  if (ceiling) {
    const bool own = watched_->staged_own();
    if (own && Die(CrashPoint::kBeforeCommit, Branch::kCrashBeforeCommit)) return false;
    if (own && crash_ == CrashPoint::kCommitFails) {
      store_->FailNextCommit();
      coverage_.Add(Branch::kCommitFailed);
    }
    if (!watched_->Commit(*ceiling)) outcome = Outcome::kUnknown;
    if (own && Die(CrashPoint::kAfterCommit, Branch::kCrashAfterCommit)) return false;
  }
  Effects effects = replica_->Finish(outcome);
  if (outcome == Outcome::kUnknown) {
    HW_CHECK(effects.sends.empty(), "nothing is said after a failed commit", "it sends");
    for (auto& job : effects.finished) job->Done(effects.outcome);
    Kill();
    return false;
  }
  if (!effects.sends.empty() && crash_ == CrashPoint::kWhileSending) {
    effects.sends.resize(random_.Index(effects.sends.size()) + 1);
    Say(effects.sends);
    Die(CrashPoint::kWhileSending, Branch::kCrashWhileSending);
    return false;
  }
  Say(effects.sends);
  for (auto& job : effects.finished) job->Done(effects.outcome);
  for (auto& [wait, reached] : effects.acked) wait.done(reached);
  for (auto& [wait, reached] : effects.cut_reached) wait.done(reached);
  for (auto& [wait, claim] : effects.claims_settled) wait.done(claim);
  if (!replica_->rolled_back().empty()) {
    coverage_.Add(Branch::kRollbackDetected);
    rolled_back_ = replica_->rolled_back();
    HW_CHECK(facts_.forked, "only what was rolled back says so",
             "region " + std::to_string(Raw(facts_.region)) + ": " + rolled_back_);
    Kill();
    stopped_ = true;
    return false;
  }
  for (const Serve& request : effects.serve) server_->OnFetch(request.fetch, request.near);
  if (server_->HasWork()) {
    const std::vector<Send> answers = server_->Serve(knobs_.serve_bytes_aim, now.mono_ms);
    if (answers.empty()) coverage_.Add(Branch::kBudgetHeld);
    Say(answers);
  }
  HW_CHECK(replica_->AwaitsFirstWord() || watched_->Upkeep().has_value(), "upkeep works",
           "an error without a fault");
  if (store_->checkpoint_running() &&
      Die(CrashPoint::kMidCheckpoint, Branch::kCrashMidCheckpoint)) {
    return false;
  }
  CheckBounds();
  if (replica_->HasMore()) coverage_.Add(Branch::kStepLimited);
  wants_turn_ = replica_->HasMore() || server_->HasWork();
  return true;
}

void Region::CheckBounds() {
  if (turns_ % 8 != 0) return;
  const ReplicaStatus status = replica_->status();
  // One whole message per log may stand above the bound: what is next in line is always taken.
  const std::uint64_t limit =
      (knobs_.pending_bytes_max + kBodyBytesMax) * static_cast<std::uint64_t>(knobs_.regions);
  HW_CHECK(status.pending_bytes <= limit, "memory stays in bounds",
           std::to_string(status.pending_bytes) + " bytes pending, limit " + std::to_string(limit));
}

void Region::CheckRecord(std::string_view row_key) {
  coverage_.Add(Branch::kRecordChecked);
  const std::int64_t now_ms = std::max(replica_->now_ms(), store_->clock_floor().ms());
  const std::vector<Written>& writes = truth_.WrittenTo(row_key);
  const auto bytes = store_->Read(row_key);
  const Seen held = Held(bytes, now_ms);
  const Seen expected = Expected(writes, watched_->committed(), now_ms);
  const std::string who = "region " + std::to_string(Raw(facts_.region)) + ", " + RowText(row_key) +
                          ": " + Text(held) + ", expected " + Text(expected);
  if (held.empty() && bytes && !Held(bytes, 0).empty()) coverage_.Add(Branch::kExpired);
  HW_CHECK(held == expected, "records are what the writes say", who);
  if (bytes) return;
  for (const Dot& dot : Standing(writes, watched_->committed())) {
    HW_CHECK(truth_.IsEverywhere(dot), "the dead are dropped when stable",
             who + "; " + Text(dot) + " is not everywhere");
    coverage_.Add(Branch::kRowDropped);
  }
}

}  // namespace hawser::sim
