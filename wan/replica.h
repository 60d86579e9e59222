#pragma once

// Replica: the replication protocol of one region as pure steps. Events and the time go in, effects
// come out; no thread, socket, file, clock or chance inside. What it needs to read, it reads from
// the store's interface.
//
// One turn of the driver (the daemon's engine, or the simulator):
//   Advance(now) · Receive(message)… · Run(job)… · Wait(…)…     gather
//   Prepare()                                                    what to commit with, if anything
//   TakeEarly()                                                  effects that speak of nothing
//   stored store.Commit(ceiling)                                        durable Finish(outcome)
//   effects: they speak only of what is durable
//
// Threads: a plain object, the engine's.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conflict/clock.h"
#include "conflict/schema.h"
#include "homing/claim_book.h"
#include "homing/escrow.h"
#include "homing/home.h"
#include "storage/store.h"
#include "wan/batcher.h"
#include "wan/conflict_counts.h"
#include "wan/counting.h"
#include "wan/fetcher.h"
#include "wan/inbound.h"
#include "wan/message.h"
#include "wan/peers.h"
#include "wan/session.h"
#include "wan/status.h"

namespace hawser {

struct ReplicaOptions {
  RegionId self{};
  std::vector<RegionId> members;               // the genesis list, self included
  std::uint64_t cluster_id = 0;                // hash of that list
  std::map<std::string, RegionId> region_ids;  // by name, for a table's default_home
  std::int64_t beat_interval_ms = 200;
  std::int64_t beat_gap_ms = 1;  // beats after applying come no closer than this
  std::int64_t probe_interval_ms = 1000;
  std::int64_t skew_ms_max = 500;
  std::int64_t stale_after_journal_ratio_percent =
      85;  // of journal_max: then who is away turns stale
  std::uint64_t pending_bytes_max = 32 * 1024 * 1024;  // received, not applied, per origin
  std::uint64_t step_bytes_max = 1024 * 1024;          // remote txns applied in one turn
  std::uint64_t txn_bytes_max = 8 * 1024 * 1024;
  std::uint64_t record_bytes_max = 1024 * 1024;
  bool compress = true;        // batches, where that pays
  double near_rtt_ms_max = 5;  // nearer than that nobody pays for bytes: nothing is compressed
  FetcherOptions fetcher;
  std::string software;
};

// A request for the fetch server.
struct Serve {
  Fetch fetch;
  bool near = false;  // see FetchServer::OnFetch
};

struct Effects {
  std::vector<Send> sends;
  std::vector<Serve> serve;
  std::vector<std::unique_ptr<Job>> finished;  // Done(outcome) is the driver's to call
  Outcome outcome = Outcome::kDurable;
  std::vector<std::pair<AckWait, int>> acked;  // with the number of regions reached
  std::vector<std::pair<CutWait, bool>> cut_reached;
  std::vector<std::pair<ClaimWait, Claim>> claims_settled;
  std::vector<RightsWish> rights_wishes;  // to be asked of other regions; holders that are heard
};

class Replica final : private Session {
 public:
  // `given`: the rules of what nobody has declared yet. What the store holds as declared, and what
  // arrives as such, stands in their place at once.
  Replica(ReplicaOptions options, Store& store, Schema given);

  // --- Gather ------------------------------------------------------------------------------------
  void Advance(Now now);
  void Receive(const Received& received);
  void Run(std::unique_ptr<Job> job);
  void Wait(AckWait wait) { ack_waits_.push_back(std::move(wait)); }
  void Wait(CutWait wait) { cut_waits_.push_back(std::move(wait)); }
  void Wait(ClaimWait wait) {
    claim_waits_.push_back(std::move(wait));
    claims_moved_ = true;
  }

  // --- Commit ------------------------------------------------------------------------------------
  // The ceiling to commit with, or nothing if nothing needs a commit. After a rollback was detected
  // it gives nothing any more.
  std::optional<Stamp> Prepare();
  // Answers to probes: they need not wait for the disk.
  Effects TakeEarly() { return std::exchange(early_, {}); }
  // What follows from the commit, or from having needed none.
  Effects Finish(Outcome outcome);

  // --- State -------------------------------------------------------------------------------------
  // True if something is to be done at once even though no event comes in.
  bool HasMore() const { return has_more_; }
  // True if something waits for the next millisecond or two (a prompt beat, a wait, a pending
  // hole).
  bool WantsSoon() const {
    return applied_remote_ || !ack_waits_.empty() || !cut_waits_.empty() || !claim_waits_.empty();
  }
  // Just started, no peer heard, no write asked for: the store may yet turn out to be an older
  // copy, which is to be left as it is. Nothing is written meanwhile, no ceiling and no upkeep.
  bool AwaitsFirstWord() const;
  Refusal gate();
  // Not empty: this store was rolled back; the text says what proves it. The process must end.
  const std::string& rolled_back() const { return rolled_back_; }
  ReplicaStatus status() const;
  const Schema& schema() const override { return schema_; }
  // The homed tables of the rules in force; null: none. Another object when it changed.
  const std::shared_ptr<const HomedTables>& homed() const { return homed_; }
  std::int64_t now_ms() const override { return clock_.Read().ms(); }
  Stamp stamp_next() const override {
    HybridClock clock = clock_;
    return clock.Tick();
  }
  Stable stable() const;
  // What claims are judged by.
  Proof proof() const override;
  const ReplicaCounters& counters() const { return counters_; }
  // Values discarded since the start, staged txns included: the conflict log may have grown.
  std::uint64_t discards() const { return discards_; }

 private:
  struct Stream {
    Inbound inbound;
    Incarnation incarnation{};
    std::string held;  // why nothing more is taken of it; empty: it flows
    // The region itself is on another branch than the one applied here: what it says does not
    // count, but the rest of our branch is taken from whoever has it. Since this seq.
    bool forked = false;
    Seq forked_at{};
    bool skewed = false;  // the next txn is stamped too far ahead
    Stamp applied_stamp;  // of the last txn applied since the start
  };
  struct Mark {  // our own log at a moment, to tell how old a backlog is
    Seq seq{};
    std::int64_t wall_ms = 0;
    std::uint64_t bytes = 0;
  };

  // Session, for jobs
  std::unique_ptr<LocalTxn> Begin() override;
  std::expected<Dot, Refusal> Commit(LocalTxn& txn) override { return CommitOwn(txn, true); }
  std::optional<std::string_view> Get(std::string_view row_key) override {
    return store_.Read(row_key);
  }
  void Scan(std::string_view start,
            const std::function<bool(std::string_view, std::string_view)>& visit) override {
    store_.ScanNewest(start, visit);
  }
  const Cut& applied() const override { return store_.applied(); }

  // `own_bound`: journal_max holds; without it the room for received txns is used.
  std::expected<Dot, Refusal> CommitOwn(LocalTxn& txn, bool own_bound);

  bool HandOverWaits();  // asked by a broken variant only

  // Scarce fields (replica_scarce.cc). Judges txn_, which `local` made.
  Refusal TakeScarceFields(LocalTxn& local);
  bool IsHeard(const Origin& origin) const;
  void Wish(RightsWish wish);

  // Claims (replica_claims.cc)
  bool Compared(RegionId member) const;
  std::uint64_t ReclaimRoom(const Txn& txn) const;
  void NoteKilledClaims();
  void Reclaim();
  void AnswerClaimWaits(Effects& effects);

  // Receiving (replica_receive.cc)
  void OnBatch(const Received& received, Batch batch);
  void OnBeat(const Received& received, const Beat& beat);
  void OnReport(const Report& report);
  void NoteFork(const Origin& origin, Stream& stream);
  bool IsOnOurBranch(const Report& report);
  void CheckBranch(const Report& report, RegionId teller);
  void OnProbe(const Probe& probe);
  void OnProbeAnswer(const ProbeAnswer& answer);
  Stream* StreamOf(const Origin& origin);
  void ApplyPending();
  bool ApplySome(const Origin& origin, Stream& stream, std::uint64_t& bytes_left);
  void CountKnown();
  std::optional<std::uint64_t> OwnHashAt(Seq seq);
  void NoteDiscards();
  void FollowDeclarations();

  // Sending (replica_send.cc)
  void FlushOwn(std::vector<Send>& out);
  Beat MakeBeat(bool with_relayed) const;
  void SendBeat(std::vector<Send>& out);
  void SendProbes(std::vector<Send>& out);
  void SendFetches(std::vector<Send>& out);
  void AnswerWaits(Effects& effects);
  void UpdateStable();
  Cut TrimCut();
  Backlog OutgoingTo(const Peer& peer) const;
  bool IsNear(const Peer& peer) const;
  bool CompressesLog() const;

  const ReplicaOptions options_;
  Store& store_;
  const Schema given_;  // holds where nothing is declared
  std::shared_ptr<const HomedTables> homed_;
  std::optional<ScarceFields> scarce_;  // nullopt: there are none
  Schema schema_;                       // what is declared, and `given_` elsewhere
  std::uint64_t declarations_ = 0;
  HybridClock clock_;
  Now now_;
  Stamp ceiling_;       // durable: no stamp or clock above it leaves
  Stamp ceiling_next_;  // of the commit under way

  Origin self_;
  Seq own_seq_{};  // staged included
  std::uint64_t own_hash_ = 0;
  Seq own_seq_durable_{};
  Cut durable_;                           // our applied cut as of the last commit
  std::deque<std::uint64_t> own_hashes_;  // of our last txns, newest at the back
  std::deque<Mark> own_marks_;
  std::uint64_t own_bytes_ = 0;

  Batcher outgoing_;
  std::vector<Batch> outgoing_full_;
  Effects early_;
  std::vector<Serve> serve_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::vector<AckWait> ack_waits_;
  std::vector<CutWait> cut_waits_;
  std::vector<ClaimWait> claim_waits_;
  bool claims_moved_ = false;  // something was applied or heard since the waits were looked at
  struct Killed {
    std::string key, owner;
  };
  std::vector<Killed> killed_claims_;  // own ones, by a release: to be made again at once
  ClaimBook claim_book_;
  std::vector<RightsWish> rights_wishes_;

  std::map<Origin, Stream> streams_;
  PeerTable peers_;
  Counting counting_;
  Fetcher fetcher_;
  std::map<RegionId, bool> stale_;

  std::int64_t beat_at_ms_ = -1;       // monotonic, last sent
  std::int64_t beat_full_at_ms_ = -1;  // with relayed reports
  std::int64_t probe_at_ms_ = -1;
  std::int64_t started_mono_ms_ = -1;  // nobody is away who was not given time to be heard
  std::int64_t upkeep_at_ms_ = -1;     // stable cut and fetches are looked at once a millisecond
  std::int64_t started_clock_ms_ = 0;
  std::uint64_t probe_id_ = 0;
  bool settled_ = false;         // heard a peer not against our log, or committed
  bool applied_remote_ = false;  // since the last beat
  bool receiving_paused_ = false;
  bool has_more_ = false;
  std::string rolled_back_;
  ReplicaCounters counters_;
  ConflictCounts conflicts_;
  std::uint64_t discards_ = 0;

  // Scratch, reused so that the hot path allocates nothing
  Txn txn_;
  std::string txn_bytes_;
  std::vector<Discarded> discarded_;
};

// The hash of the genesis list: cluster name, and every member's id and name, sorted by id.
std::uint64_t ClusterId(std::string_view cluster, const std::map<RegionId, std::string>& members);

}  // namespace hawser
