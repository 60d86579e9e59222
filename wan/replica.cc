#include "wan/replica.h"

#include <algorithm>
#include <utility>

#include <xxhash.h>

#include "conflict/assert.h"
#include "conflict/bytes.h"
#include "conflict/declaration.h"
#include "conflict/record_codec.h"
#include "conflict/variant.h"

namespace hawser {
namespace {

// How long a start may wait for a first word of a peer before it writes anything by itself.
constexpr std::int64_t kFirstWordMs = 2000;
constexpr std::size_t kOwnHashesMax = 64 * 1024;
constexpr std::size_t kOwnMarksMax = 4096;

std::vector<RegionId> Others(const ReplicaOptions& options) {
  std::vector<RegionId> others = options.members;
  std::erase(others, options.self);
  return others;
}

// What the values of a change take; the bound holds per record.
std::size_t ValueBytes(const Change& change) {
  std::size_t bytes = change.key.size();
  for (const Op& op : change.ops) bytes += op.field.size() + op.value.size();
  return bytes;
}

}  // namespace

Replica::Replica(ReplicaOptions options, Store& store, Schema given)
    : options_(std::move(options)),
      store_(store),
      given_([&given] {
        AddInternalRules(given);
        return std::move(given);
      }()),
      clock_(options_.skew_ms_max, store.clock_floor()),
      ceiling_(store.clock_floor()),
      self_(store.self()),
      own_hash_(HashStart(self_)),
      durable_(store.applied()),
      outgoing_(self_),
      claim_book_(options_.self),
      peers_(Others(options_)),
      counting_(options_.members, options_.self),
      fetcher_([this] {
        FetcherOptions fetcher = options_.fetcher;
        fetcher.self = options_.self;
        return fetcher;
      }()) {
  for (const LogEnd& end : store_.log_ends()) {
    if (end.origin == self_) {
      own_seq_ = own_seq_durable_ = end.seq;
      own_hash_ = end.hash;
    } else {
      streams_.emplace(end.origin,
                       Stream{.inbound = Inbound(end.seq, end.hash, options_.pending_bytes_max),
                              .incarnation = end.origin.incarnation,
                              .held = {}});
    }
  }
  CountKnown();
  FollowDeclarations();
}

// Brings the rules for local writes to what is declared, in other regions too.
void Replica::FollowDeclarations() {
  ++declarations_;
  schema_ = given_;
  std::string start;
  AppendRowKey(kDeclarationTable, "", start);
  Record record;
  store_.ScanNewest(start, [&](std::string_view row_key, std::string_view bytes) {
    const RowKey parts = SplitRowKey(row_key);
    if (parts.table != kDeclarationTable) return false;
    HW_ASSERT(DecodeRecord(bytes, record));
    TakeDeclaration(parts.key, record, schema_);
    return true;
  });
  HomedTables homed = HomedTablesOf(schema_, options_.region_ids);
  ScarceFields scarce = ScarceFieldsOf(schema_);
  scarce_ = scarce.empty() ? std::nullopt : std::optional(std::move(scarce));
  homed_ = homed.empty() ? nullptr : std::make_shared<const HomedTables>(std::move(homed));
}

// What the members are known to have is forgotten by a restart, and a report counts only once the
// reporter's own log has arrived. The last txn of each log says what it had then: begin with that.
void Replica::CountKnown() {
  const auto journal = store_.NewJournalReader();
  for (const LogEnd& end : store_.log_ends()) {
    if (end.origin == self_) continue;
    // kNotFound: trimmed; then its next report counts.
    (void)journal->ReadLog(end.origin, end.seq, [&](const JournalEntry& entry) {
      if (DecodeTxn(entry.bytes, txn_)) {
        counting_.OnApplied({entry.origin, entry.seq}, txn_.deps, txn_.stamp);
      }
      return false;
    });
  }
}

void Replica::Advance(Now now) {
  now_ = now;
  if (started_mono_ms_ < 0) started_mono_ms_ = now.mono_ms;
  const std::int64_t stepped_before = clock_.stepped_ms();
  clock_.Observe(now);
  // What was read off the clock was told to others and judged expiries: no stamp may come before
  // it, even if the wall clock now goes back a little.
  clock_.Witness(clock_.Read());
  if (started_clock_ms_ == 0) {
    started_clock_ms_ = clock_.Read().ms();
    // Unlike any of an earlier process: an answer to one of its probes proves nothing of this one.
    probe_id_ = static_cast<std::uint64_t>(started_clock_ms_) << 16;
    for (auto& [region, peer] : peers_.all()) peer.probe_answered = probe_id_;
  }
  if (clock_.stepped_ms() != 0 && stepped_before == 0) ++counters_.clock_steps;
}

void Replica::Run(std::unique_ptr<Job> job) {
  job->Run(*this);
  jobs_.push_back(std::move(job));
}

Refusal Replica::gate() {
  if (!rolled_back_.empty()) return Refusal::kRolledBack;
  return store_.Reserve(0, true) ? Refusal::kNone : Refusal::kFull;
}

std::unique_ptr<LocalTxn> Replica::Begin() {
  return std::make_unique<LocalTxn>(store_, schema_, clock_.Read().ms());
}

std::expected<Dot, Refusal> Replica::CommitOwn(LocalTxn& local, bool own_bound) {
  if (!rolled_back_.empty()) return std::unexpected(Refusal::kRolledBack);
  txn_.type = local.type;
  txn_.attributes.clear();
  txn_.changes = local.Finish();
  if (txn_.changes.empty()) return Dot{};
  if (homed_ && !HW_VARIANT(kHomeNotAsked)) {
    const auto added = HomeHere(txn_.changes, *homed_, self_.region, local);
    const bool early = HW_VARIANT(kHomeStartsEarly) && HandOverWaits();
    if (!added && !early) return std::unexpected(Refusal::kNotHome);
    if (added && *added) txn_.changes = local.Finish();
  }
  if (scarce_) {
    const Refusal refused = TakeScarceFields(local);
    if (refused != Refusal::kNone) return std::unexpected(refused);
  }
  for (const Change& change : txn_.changes) {
    if (ValueBytes(change) > options_.record_bytes_max) return std::unexpected(Refusal::kTooBig);
    // What no row can hold must never enter a log: every region would have to store it.
    if (change.table.size() + change.key.size() + 1 > kRowKeyBytesMax) {
      return std::unexpected(Refusal::kTooBig);
    }
  }
  txn_.stamp = clock_.Tick();
  txn_.deps.Clear();
  const bool short_deps = HW_VARIANT(kDepsOffByOneInGroup) && store_.HasStaged();
  for (const Dot& dot : store_.applied().dots()) {
    if (dot.origin == self_) continue;
    txn_.deps.Raise(short_deps ? Dot{dot.origin, Before(dot.seq)} : dot);
  }
  txn_bytes_.clear();
  EncodeTxn(txn_, txn_bytes_);
  if (txn_bytes_.size() > options_.txn_bytes_max) return std::unexpected(Refusal::kTooBig);
  if (!store_.Reserve(txn_bytes_.size(), own_bound)) return std::unexpected(Refusal::kFull);

  const std::uint64_t hash_before = own_hash_;
  own_seq_ = Next(own_seq_);
  own_hash_ = HashNext(own_hash_, txn_bytes_);
  discarded_.clear();
  store_.Apply({.origin = self_,
                .seq = own_seq_,
                .hash = own_hash_,
                .bytes = txn_bytes_,
                .hash_before = hash_before,
                .applied_ms = now_.wall_ms},
               txn_, discarded_);
  NoteDiscards();
  if (txn_.type == TxnType::kDeclaration) FollowDeclarations();
  outgoing_.Add(own_seq_, hash_before, own_hash_, txn_bytes_, outgoing_full_);
  own_hashes_.push_back(own_hash_);
  if (own_hashes_.size() > kOwnHashesMax) own_hashes_.pop_front();
  own_bytes_ += txn_bytes_.size();
  if (own_marks_.empty() || now_.wall_ms > own_marks_.back().wall_ms + 50) {
    own_marks_.push_back({.seq = own_seq_, .wall_ms = now_.wall_ms, .bytes = own_bytes_});
    if (own_marks_.size() > kOwnMarksMax) own_marks_.pop_front();
  }
  ++counters_.local_txns;
  claim_book_.OnApplied({self_, own_seq_}, txn_, now_.mono_ms);
  return Dot{self_, own_seq_};
}

void Replica::NoteDiscards() {
  discards_ += discarded_.size();
  for (const Discarded& discarded : discarded_) {
    conflicts_.Add(discarded);
    claim_book_.OnDiscarded(discarded);
  }
}

std::optional<Stamp> Replica::Prepare() {
  if (!rolled_back_.empty()) return std::nullopt;
  ApplyPending();
  if (!rolled_back_.empty()) return std::nullopt;
  // The ceiling stays well inside what peers tolerate, because after a crash we go on from there.
  const std::int64_t now_ms = clock_.Read().ms();
  const bool low = ceiling_.ms() < now_ms + options_.skew_ms_max * 3 / 10;
  const bool only_ceiling = !store_.HasStaged();
  if (only_ceiling && (!low || AwaitsFirstWord() || !store_.Reserve(0, false))) return std::nullopt;
  if (HW_VARIANT(kSendBeforeCommit)) FlushOwn(early_.sends);
  if (HW_VARIANT(kAckBeforeCommit)) early_.finished = std::exchange(jobs_, {});
  if (HW_VARIANT(kCutReportedBeforeCommit)) SendBeat(early_.sends);
  ceiling_next_ = low ? Stamp::FromMs(now_ms + options_.skew_ms_max * 8 / 10) : ceiling_;
  HW_ASSERT(ceiling_next_ >= clock_.Read());
  return ceiling_next_;
}

bool Replica::AwaitsFirstWord() const {
  return !settled_ && !store_.HasStaged() && now_.mono_ms - started_mono_ms_ < kFirstWordMs;
}

Effects Replica::Finish(Outcome outcome) {
  Effects effects;
  effects.outcome = outcome;
  effects.finished = std::exchange(jobs_, {});
  if (outcome == Outcome::kUnknown || !rolled_back_.empty()) {
    effects.outcome = Outcome::kUnknown;
    return effects;
  }
  HW_ASSERT(!store_.HasStaged());
  if (ceiling_next_ > ceiling_) ceiling_ = ceiling_next_;
  own_seq_durable_ = own_seq_;
  if (durable_ != store_.applied()) settled_ = claims_moved_ = true;  // written to: no more waiting
  durable_ = store_.applied();
  counting_.OnProgress(durable_);
  FlushOwn(effects.sends);
  SendBeat(effects.sends);
  SendProbes(effects.sends);
  if (now_.mono_ms != upkeep_at_ms_) {
    upkeep_at_ms_ = now_.mono_ms;
    UpdateStable();
    claim_book_.OnProof(
        proof(), [this](std::string_view row_key) { return ClaimOf(store_.Read(row_key), {}); },
        now_.mono_ms);
    SendFetches(effects.sends);
  }
  effects.serve = std::exchange(serve_, {});
  AnswerWaits(effects);
  AnswerClaimWaits(effects);
  effects.rights_wishes = std::exchange(rights_wishes_, {});
  return effects;
}

Stable Replica::stable() const {
  return counting_.stable(durable_, std::min(clock_.Read(), ceiling_));
}

std::uint64_t ClusterId(std::string_view cluster, const std::map<RegionId, std::string>& members) {
  std::string text;
  PutText(text, cluster);
  for (const auto& [id, name] : members) {
    PutByte(text, Raw(id));
    PutText(text, name);
  }
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace hawser
