// Replica, the sending half: own txns, beats, probes, fetches, answers to who waits.

#include <algorithm>

#include "conflict/variant.h"
#include "wan/replica.h"
#include "wan/wire.h"

namespace hawser {

bool Replica::IsNear(const Peer& peer) const {
  return peer.rtt_min_ms >= 0 && peer.rtt_min_ms < options_.near_rtt_ms_max;
}

// The log goes to all alike: it is compressed for the furthest.
bool Replica::CompressesLog() const {
  return options_.compress && !std::ranges::all_of(peers_.all(), [this](const auto& entry) {
           return IsNear(entry.second);
         });
}

void Replica::FlushOwn(std::vector<Send>& out) {
  outgoing_.Flush(outgoing_full_);
  const bool compress = !outgoing_full_.empty() && CompressesLog();
  for (Batch& batch : outgoing_full_) {
    out.push_back({.to = {.kind = Address::Kind::kLog},
                   .bytes = Encode(Message(std::move(batch)), {.compress = compress})});
  }
  outgoing_full_.clear();
}

Beat Replica::MakeBeat(bool with_relayed) const {
  Beat beat;
  beat.report.own = {self_, own_seq_durable_};
  for (const LogEnd& end : store_.log_ends()) {
    beat.report.applied.push_back({.origin = end.origin, .seq = end.seq, .hash = end.hash});
  }
  beat.report.clock = std::min(clock_.Read(), ceiling_);
  beat.cluster_id = options_.cluster_id;
  beat.format = 1;
  beat.software = options_.software;
  beat.started_ms = started_clock_ms_;
  beat.receiving_paused = receiving_paused_;
  if (!with_relayed) return beat;
  for (const auto& [region, peer] : peers_.all()) {
    if (peer.report.own.origin.region == region) beat.relayed.push_back(peer.report);
  }
  return beat;
}

void Replica::SendBeat(std::vector<Send>& out) {
  const bool due =
      beat_full_at_ms_ < 0 || now_.mono_ms - beat_full_at_ms_ >= options_.beat_interval_ms;
  const bool prompt = applied_remote_ && now_.mono_ms - beat_at_ms_ >= options_.beat_gap_ms;
  if (!due && !prompt) return;
  out.push_back({.to = {.kind = Address::Kind::kBeat}, .bytes = Encode(Message(MakeBeat(due)))});
  ++counters_.beats_sent;
  applied_remote_ = false;
  beat_at_ms_ = now_.mono_ms;
  if (due) beat_full_at_ms_ = now_.mono_ms;
}

void Replica::SendProbes(std::vector<Send>& out) {
  if (probe_at_ms_ >= 0 && now_.mono_ms - probe_at_ms_ < options_.probe_interval_ms) return;
  probe_at_ms_ = now_.mono_ms;
  for (auto& [region, peer] : peers_.all()) {
    peer.probe_id = ++probe_id_;
    out.push_back({.to = {.kind = Address::Kind::kTo, .region = region},
                   .bytes = Encode(Message(Probe{
                       .from = self_.region, .id = peer.probe_id, .t1_us = now_.wall_ms * 1000}))});
  }
}

void Replica::SendFetches(std::vector<Send>& out) {
  const std::int64_t patience_ms = options_.beat_interval_ms * 10;
  for (const Origin& origin : peers_.Origins()) {
    if (origin.region == self_.region) continue;
    Stream* stream = StreamOf(origin);
    if (!stream || !stream->held.empty()) continue;
    const Inbound& inbound = stream->inbound;
    const LogProgress log{.origin = origin,
                          .contiguous = inbound.contiguous(),
                          .head = peers_.Head(origin),
                          .gap = inbound.HasGap(),
                          .room = inbound.Room()};
    auto send = fetcher_.Plan(
        log, peers_.Sources(origin, log.contiguous, log.gap, now_.mono_ms, patience_ms),
        now_.mono_ms);
    if (send) out.push_back(std::move(*send));
  }
  counters_.fetches = fetcher_.fetches();
  counters_.fetch_retries = fetcher_.retries();
}

void Replica::AnswerWaits(Effects& effects) {
  const int others = static_cast<int>(options_.members.size()) - 1;
  std::erase_if(ack_waits_, [&](AckWait& wait) {
    const int reached = wait.dot.seq == Seq{0} ? others : peers_.CountCovering(wait.dot);
    const int wanted = wait.regions < 0 ? others : std::min(wait.regions, others);
    if (reached < wanted && now_.mono_ms < wait.deadline_mono_ms) return false;
    effects.acked.emplace_back(std::move(wait), reached);
    return true;
  });
  std::erase_if(cut_waits_, [&](CutWait& wait) {
    const bool reached = durable_.Covers(wait.cut);
    if (!reached && now_.mono_ms < wait.deadline_mono_ms) return false;
    effects.cut_reached.emplace_back(std::move(wait), reached);
    return true;
  });
}

// What may leave the journal: what every member says it has. That is more than what is stable (a
// report need not wait for the reporter's own log to arrive here), and must be: with journals at
// their bound nobody could take the logs that would make anything stable. Past the bound, members
// that are away no longer hold it back; they turn stale. An own txn that nobody else has always
// stays.
Cut Replica::TrimCut() {
  const StoreUsage usage = store_.usage();
  const bool over = usage.journal_limit_bytes > 0 &&
                    usage.journal_bytes * 100 >
                        usage.journal_limit_bytes *
                            static_cast<std::uint64_t>(options_.stale_after_journal_ratio_percent);
  Cut held = durable_;        // by every member that is not stale
  Cut everywhere = durable_;  // by every member
  Cut elsewhere;              // by any other member
  bool anyone = false;
  for (auto& [region, peer] : peers_.all()) {
    const std::int64_t heard_ms = std::max(peer.heard_mono_ms, started_mono_ms_);
    const bool away = now_.mono_ms - heard_ms > options_.beat_interval_ms * 10;
    everywhere.Meet(peer.applied);
    elsewhere.Join(peer.applied);
    bool& stale = stale_[region];
    if (over && away && !durable_.empty()) stale = true;
    if (!away) stale = false;
    if (stale) continue;
    held.Meet(peer.applied);
    anyone = true;
  }
  Cut trim = everywhere;
  if (over) {
    if (!anyone) held.Meet(elsewhere);
    trim.Join(held);
  }
  return trim;
}

void Replica::UpdateStable() {
  const Stable now_stable = stable();
  store_.SetStable(now_stable, TrimCut());
}

Backlog Replica::OutgoingTo(const Peer& peer) const {
  Backlog backlog;
  const Seq has = peer.applied.Get(self_);
  if (has >= own_seq_durable_) return backlog;
  backlog.txns = Raw(own_seq_durable_) - Raw(has);
  const double mean = counters_.local_txns == 0 ? 0
                                                : static_cast<double>(own_bytes_) /
                                                      static_cast<double>(counters_.local_txns);
  backlog.bytes = static_cast<std::uint64_t>(mean * static_cast<double>(backlog.txns));
  const auto oldest =
      std::ranges::find_if(own_marks_, [&](const Mark& mark) { return mark.seq > has; });
  const auto before = oldest == own_marks_.begin() ? oldest : std::prev(oldest);
  if (before != own_marks_.end()) {
    backlog.oldest_at_ms = before->wall_ms;
    backlog.seconds = static_cast<double>(now_.wall_ms - before->wall_ms) / 1000;
  }
  return backlog;
}

ReplicaStatus Replica::status() const {
  ReplicaStatus status;
  status.self = self_;
  status.applied = durable_;
  status.declarations = declarations_;
  const Stable now_stable = stable();
  status.stable = now_stable.cut;
  status.stable_lag_seconds =
      static_cast<double>(std::max<std::int64_t>(0, clock_.Read().ms() - now_stable.clock_ms)) /
      1000;
  status.stable_clock_ms = now_stable.clock_ms;
  status.proved = proof().compared;
  status.claims = claim_book_.counts();
  for (const auto& [region, peer] : peers_.all()) {
    PeerStatus& out = status.peers.emplace_back();
    out.region = region;
    out.counted = counting_.counted(region);
    out.compared = Compared(region);
    const std::int64_t silent_ms = peer.heard_mono_ms < 0 ? -1 : now_.mono_ms - peer.heard_mono_ms;
    out.link = silent_ms < 0 || silent_ms > options_.beat_interval_ms * 10 ? LinkState::kDown
               : silent_ms > options_.beat_interval_ms * 3                 ? LinkState::kSlow
                                                                           : LinkState::kUp;
    out.lifecycle = peer.lifecycle;
    out.incarnation = peer.report.own.origin.incarnation;
    out.outgoing = OutgoingTo(peer);
    for (const auto& [origin, stream] : streams_) {
      if (origin.region != region) continue;
      const Seq head = std::max(peers_.Head(origin), stream.inbound.contiguous());
      const Seq applied = durable_.Get(origin);
      if (head > applied) {
        out.incoming.txns += Raw(head) - Raw(applied);
        out.incoming.oldest_at_ms = stream.applied_stamp.ms();  // the oldest behind is not older
        out.incoming.seconds = stream.applied_stamp.raw == 0
                                   ? 0
                                   : static_cast<double>(std::max<std::int64_t>(
                                         0, now_.wall_ms - stream.applied_stamp.ms())) /
                                         1000;
      }
      out.incoming.bytes += stream.inbound.bytes();
      if (stream.skewed) out.held_txns += 1;
      if (stream.forked) {
        out.link = LinkState::kHeld;
        out.held_reason =
            "its log has another branch than the one applied here: that region was rolled back";
      }
      if (!stream.held.empty()) {
        out.link = LinkState::kHeld;
        out.held_reason = stream.held;
      }
      status.pending_bytes += stream.inbound.bytes();
    }
    const auto stale = stale_.find(region);
    if (stale != stale_.end() && stale->second) out.link = LinkState::kStale;
    out.rtt_ms = peer.rtt_ms;
    out.clock_offset_ms = peer.clock_offset_ms;
    out.last_heard_at_ms = peer.heard_wall_ms;
    out.receiving_paused = peer.receiving_paused;
    out.software = peer.software;
  }
  status.counters = counters_;
  status.conflicts = conflicts_.Share();
  status.clock_stepped_ms = clock_.stepped_ms();
  status.receiving_paused = receiving_paused_;
  status.rolled_back = rolled_back_;
  return status;
}

}  // namespace hawser
