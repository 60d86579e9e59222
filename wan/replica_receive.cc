// Replica, the receiving half: batches into streams, streams into the store, beats into knowledge.

#include <algorithm>
#include <cstdio>
#include <string>
#include <variant>

#include "conflict/internal_tables.h"
#include "conflict/variant.h"
#include "wan/replica.h"
#include "wan/wire.h"

namespace hawser {
namespace {

std::string Hex(Incarnation incarnation) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(Raw(incarnation)));
  return text;
}

}  // namespace

void Replica::Receive(const Received& received) {
  auto message = Decode(received.bytes);
  if (!message) {
    ++counters_.malformed_messages;
    return;
  }
  if (auto* batch = std::get_if<Batch>(&*message)) return OnBatch(received, std::move(*batch));
  if (auto* beat = std::get_if<Beat>(&*message)) return OnBeat(received, *beat);
  if (auto* fetch = std::get_if<Fetch>(&*message)) {
    if (const Peer* peer = peers_.Find(fetch->from)) serve_.push_back({*fetch, IsNear(*peer)});
    return;
  }
  if (auto* probe = std::get_if<Probe>(&*message)) return OnProbe(*probe);
  if (auto* answer = std::get_if<ProbeAnswer>(&*message)) return OnProbeAnswer(*answer);
  ++counters_.foreign_messages;  // a call: the driver gives those to the call desk
}

// The stream of another member's origin; null for strangers and for ourselves.
Replica::Stream* Replica::StreamOf(const Origin& origin) {
  if (!peers_.Find(origin.region)) return nullptr;
  const auto at = streams_.find(origin);
  if (at != streams_.end()) return &at->second;
  Stream stream{.inbound = Inbound(Seq{0}, HashStart(origin), options_.pending_bytes_max),
                .incarnation = origin.incarnation,
                .held = {}};
  for (const auto& [other, known] : streams_) {
    if (other.region == origin.region && known.inbound.applied() > Seq{0}) {
      stream.held =
          "this region came back with a new store, and the old one's log was never closed";
    }
  }
  return &streams_.emplace(origin, std::move(stream)).first->second;
}

void Replica::OnBatch(const Received& received, Batch batch) {
  const bool live = received.kind == Address::Kind::kLog;
  if (live && (batch.origin.region != received.subject_region ||
               batch.origin.incarnation != received.subject_incarnation)) {
    ++counters_.foreign_messages;
    return;
  }
  fetcher_.OnAnswer(batch, now_.mono_ms);
  if (batch.origin == self_ || batch.count == 0) return;
  Stream* stream = StreamOf(batch.origin);
  if (!stream) {
    ++counters_.foreign_messages;
    return;
  }
  if (!stream->held.empty()) return;
  if (batch.fragments > 1) ++counters_.fragments_received;
  const Seq first = batch.first;
  const std::uint32_t count = batch.count;
  const std::uint64_t hash_after = batch.hash_after;
  if (first > Next(stream->inbound.contiguous())) ++counters_.gaps;
  switch (stream->inbound.Take(std::move(batch))) {
    case Inbound::Intake::kQueued:
      break;
    case Inbound::Intake::kDuplicate: {
      counters_.duplicate_txns += count;
      const Seq last{Raw(first) + count - 1};
      if (last > stream->inbound.applied()) break;
      const auto held =
          store_.HashAt({received.subject_region, received.subject_incarnation}, last);
      if (live && held && *held != hash_after && !HW_VARIANT(kHashNotChecked)) {
        NoteFork({received.subject_region, received.subject_incarnation}, *stream);
      }
      break;
    }
    case Inbound::Intake::kOverflow:
      ++counters_.pending_overflows;
      break;
    case Inbound::Intake::kMalformed:
      ++counters_.malformed_messages;
      break;
  }
}

void Replica::ApplyPending() {
  std::uint64_t bytes_left = options_.step_bytes_max;
  receiving_paused_ = false;
  has_more_ = false;
  if (!killed_claims_.empty()) Reclaim();
  // A txn applied from one stream may be what another waits for: go round until nothing moves.
  for (bool moved = true; moved && bytes_left > 0 && !receiving_paused_;) {
    moved = false;
    for (auto& [origin, stream] : streams_) moved |= ApplySome(origin, stream, bytes_left);
  }
  has_more_ = bytes_left == 0 && !store_.Congested();
}

// Applies what may be applied of one stream; true if anything was.
bool Replica::ApplySome(const Origin& origin, Stream& stream, std::uint64_t& bytes_left) {
  bool moved = false;
  while (bytes_left > 0 && stream.held.empty()) {
    if (store_.Congested()) break;
    const auto next = stream.inbound.Peek();
    if (stream.inbound.TakeForked()) NoteFork(origin, stream);
    if (!next) break;
    if (auto read = DecodeTxn(next->bytes, txn_); !read) {
      stream.held = read.error() == DecodeError::kNewer
                        ? "it sends something that only newer software reads: upgrade this region"
                        : "it sends a txn that is no txn; see the log";
      break;
    }
    if (txn_.type == TxnType::kMembership || txn_.type == TxnType::kClosing) {
      stream.held =
          "it sends a change of membership, which this version does not know: upgrade this region";
      break;
    }
    if (!store_.applied().Covers(txn_.deps) && !HW_VARIANT(kNoCausalWait)) {
      ++counters_.causal_waits;
      break;
    }
    const bool ahead = clock_.IsAhead(txn_.stamp) && !HW_VARIANT(kSkewNotHeld);
    if (ahead && !stream.skewed) ++counters_.skew_holds;
    stream.skewed = ahead;
    if (ahead) break;
    if (!store_.Reserve(next->bytes.size() + ReclaimRoom(txn_), false)) {
      receiving_paused_ = true;
      break;
    }
    if (HW_VARIANT(kHomeEpochIgnored)) {
      for (Change& change : txn_.changes) {
        for (Op& op : change.ops) op.generation = change.table == kHomeTable ? 0 : op.generation;
      }
    }
    clock_.Witness(txn_.stamp);
    discarded_.clear();
    store_.Apply({.origin = origin,
                  .seq = next->seq,
                  .hash = next->hash,
                  .bytes = next->bytes,
                  .hash_before = next->hash_before,
                  .applied_ms = now_.wall_ms},
                 txn_, discarded_);
    NoteDiscards();
    if (txn_.type == TxnType::kDeclaration && !HW_VARIANT(kDeclarationsNotFollowed)) {
      FollowDeclarations();
    }
    NoteKilledClaims();
    claim_book_.OnApplied({origin, next->seq}, txn_, now_.mono_ms);
    counting_.OnApplied({origin, next->seq}, txn_.deps, txn_.stamp);
    bytes_left -= std::min<std::uint64_t>(bytes_left, next->bytes.size());
    stream.inbound.Pop();
    stream.applied_stamp = txn_.stamp;
    ++counters_.applied_txns;
    applied_remote_ = moved = true;
    if (!killed_claims_.empty() && !HW_VARIANT(kClaimReclaimedLater)) Reclaim();
  }
  return moved;
}

// A unit that txn_ writes is moved to this region by a txn that is here and not applied.
bool Replica::HandOverWaits() {
  Txn waiting;
  const auto hands_over = [&](const Change& move) {
    return move.table == kHomeTable && std::ranges::any_of(txn_.changes, [&](const Change& change) {
             return HomeKey(change.table, UnitOf(change.key)) == move.key;
           });
  };
  for (auto& [origin, stream] : streams_) {
    const auto next = stream.inbound.Peek();
    if (!next || !DecodeTxn(next->bytes, waiting)) continue;
    for (const Change& move : waiting.changes) {
      if (!hands_over(move) || move.ops.empty()) continue;
      const auto word = ParseHomeWord(move.ops.front().value);
      if (word && word->region == self_.region) return true;
    }
  }
  return false;
}

std::optional<std::uint64_t> Replica::OwnHashAt(Seq seq) {
  if (seq == Seq{0} || seq > own_seq_) return std::nullopt;
  const std::uint64_t back = Raw(own_seq_) - Raw(seq);
  if (back < own_hashes_.size()) return own_hashes_[own_hashes_.size() - 1 - back];
  return store_.HashAt(self_, seq);
}

// What a peer holds of our own log must be what we wrote, and no more than we wrote.
void Replica::CheckBranch(const Report& report, RegionId teller) {
  if (HW_VARIANT(kRollbackNotDetected) || !rolled_back_.empty()) return;
  const auto say = [&](const std::string& what) {
    rolled_back_ =
        "region " + std::to_string(Raw(teller)) + " holds " + what +
        ": this store was rolled back to an older copy, or emptied. Nothing was changed; "
        "put back the newest copy of the store, or keep this region stopped until it can "
        "join anew";
  };
  for (const BeatLog& log : report.applied) {
    if (log.origin.region != self_.region) continue;
    const std::string seq = std::to_string(Raw(log.seq));
    if (log.origin.incarnation != self_.incarnation) {
      return say(seq + " txns of an earlier store of this region (incarnation " +
                 Hex(log.origin.incarnation) + ")");
    }
    if (log.seq > own_seq_durable_) {
      return say(seq + " txns of this region's log, of which " +
                 std::to_string(Raw(own_seq_durable_)) + " are here");
    }
    const auto hash = OwnHashAt(log.seq);
    if (hash && *hash != log.hash) return say("another txn " + seq + " of this region's log");
  }
}

void Replica::NoteFork(const Origin& origin, Stream& stream) {
  ++counters_.hash_mismatches;
  fetcher_.Distrust(origin, now_.mono_ms);
  stream.forked = true;
  stream.forked_at = std::max(stream.forked_at, stream.inbound.applied());
}

// True if nothing speaks against a region being on the branch of its log that is applied here. One
// that was not is believed again when it names our hash at or past the place where it differed (its
// newest copy was put back).
bool Replica::IsOnOurBranch(const Report& report) {
  const Origin& origin = report.own.origin;
  Stream* stream = StreamOf(origin);
  if (!stream || HW_VARIANT(kHashNotChecked)) return true;
  const auto own = std::ranges::find(report.applied, origin, &BeatLog::origin);
  const bool here = own != report.applied.end() && own->seq == stream->inbound.applied();
  if (here && own->hash != stream->inbound.hash()) NoteFork(origin, *stream);
  if (here && own->hash == stream->inbound.hash() && own->seq >= stream->forked_at) {
    stream->forked = false;
  }
  return !stream->forked;
}

void Replica::OnReport(const Report& report) {
  if (!IsOnOurBranch(report)) return;
  claims_moved_ = true;
  peers_.OnReport(report);
  counting_.OnReport(report, durable_);
}

void Replica::OnBeat(const Received& received, const Beat& beat) {
  const RegionId region = beat.report.own.origin.region;
  Peer* peer = peers_.Find(region);
  if (!peer || region != received.subject_region || beat.cluster_id != options_.cluster_id) {
    ++counters_.foreign_messages;
    return;
  }
  ++counters_.beats_received;
  CheckBranch(beat.report, region);
  if (!rolled_back_.empty()) return;
  settled_ = true;
  Stream* stream = StreamOf(beat.report.own.origin);
  if (stream && (!stream->held.empty() || !IsOnOurBranch(beat.report))) {
    peer->heard_wall_ms = now_.wall_ms;  // alive, but nothing it says counts
    return;
  }
  const bool was_away = peer->heard_mono_ms < 0 || peer->started_ms != beat.started_ms ||
                        now_.mono_ms - peer->heard_mono_ms > options_.beat_interval_ms * 3;
  if (was_away) fetcher_.OnReturn(region);
  peer->started_ms = beat.started_ms;
  peer->heard_wall_ms = now_.wall_ms;
  peer->heard_mono_ms = now_.mono_ms;
  peer->lifecycle = beat.lifecycle;
  peer->receiving_paused = beat.receiving_paused;
  peer->software = beat.software;
  OnReport(beat.report);
  for (const Report& relayed : beat.relayed) {
    CheckBranch(relayed, region);
    OnReport(relayed);
  }
}

void Replica::OnProbe(const Probe& probe) {
  if (!peers_.Find(probe.from)) return;
  const std::int64_t now_us = now_.wall_ms * 1000;
  std::vector<BeatLog> held;
  for (const LogEnd& end : store_.log_ends()) {
    if (end.origin.region == probe.from) held.push_back({end.origin, end.seq, end.hash});
  }
  early_.sends.push_back({.to = {.kind = Address::Kind::kIn, .region = probe.from},
                          .bytes = Encode(Message(ProbeAnswer{.from = self_.region,
                                                              .id = probe.id,
                                                              .t1_us = probe.t1_us,
                                                              .t2_us = now_us,
                                                              .t3_us = now_us,
                                                              .held = std::move(held),
                                                              .compared = true}))});
}

void Replica::OnProbeAnswer(const ProbeAnswer& answer) {
  Peer* peer = peers_.Find(answer.from);
  if (!peer || answer.id <= peer->probe_answered || answer.id > peer->probe_id) return;
  peer->probe_answered = answer.id;
  CheckBranch({.own = {}, .applied = answer.held, .clock = {}}, answer.from);
  if (!rolled_back_.empty()) return;
  if (answer.compared) peer->compared = claims_moved_ = true;
  const std::int64_t t4_us = now_.wall_ms * 1000;
  const auto rtt_us = static_cast<double>((t4_us - answer.t1_us) - (answer.t3_us - answer.t2_us));
  const auto offset_us =
      static_cast<double>((answer.t2_us - answer.t1_us) + (answer.t3_us - t4_us)) / 2;
  if (rtt_us < 0) return;
  // The least of late: it creeps up, so that a path that became longer is noticed in a minute.
  constexpr double kCreepMs = 0.05;
  const double least_ms = peer->rtt_min_ms < 0 ? rtt_us / 1000 : peer->rtt_min_ms + kCreepMs;
  peer->rtt_min_ms = std::min(least_ms, rtt_us / 1000);
  // A quarter of what is new: one slow answer does not make a slow peer.
  const bool first = peer->rtt_ms < 0;
  peer->rtt_ms = first ? rtt_us / 1000 : peer->rtt_ms * 0.75 + rtt_us / 1000 * 0.25;
  peer->clock_offset_ms =
      first ? offset_us / 1000 : peer->clock_offset_ms * 0.75 + offset_us / 1000 * 0.25;
}

}  // namespace hawser
