#include "daemon/admin/collect.h"

#include "daemon/latency.h"
#include "wan/state_words.h"

namespace hawser::admin {
namespace {

using Families = std::vector<MetricFamilyValues>;
using Labels = std::vector<std::pair<std::string, std::string>>;

double Number(std::uint64_t value) {
  return static_cast<double>(value);
}

MetricFamilyValues& Add(Families& families, MetricKind kind, const char* name, const char* help) {
  return families.emplace_back(
      MetricFamilyValues{.name = name, .help = help, .kind = kind, .bounds = {}, .points = {}});
}

void Point(MetricFamilyValues& family, double value, Labels labels = {}) {
  family.points.push_back({.labels = std::move(labels), .value = value, .buckets = {}});
}

void Gauge(Families& families, const char* name, const char* help, double value) {
  Point(Add(families, MetricKind::kGauge, name, help), value);
}

void Counter(Families& families, const char* name, const char* help, std::uint64_t value) {
  Point(Add(families, MetricKind::kCounter, name, help), Number(value));
}

using PeerNames = std::function<std::string(RegionId)>;

// One family with a point per peer.
template <class Read>
void PerPeer(Families& families, MetricKind kind, const char* name, const char* help,
             const ReplicaStatus& status, const PeerNames& peer_name, Read read) {
  MetricFamilyValues& family = Add(families, kind, name, help);
  for (const PeerStatus& peer : status.peers) {
    Point(family, read(peer), {{"peer", peer_name(peer.region)}});
  }
}

// One family with a point per peer and direction.
template <class Read>
void PerWay(Families& families, const char* name, const char* help, const ReplicaStatus& status,
            const PeerNames& peer_name, Read read) {
  MetricFamilyValues& family = Add(families, MetricKind::kGauge, name, help);
  for (const PeerStatus& peer : status.peers) {
    const std::string peer_text = peer_name(peer.region);
    Point(family, read(peer.outgoing), {{"peer", peer_text}, {"direction", "outgoing"}});
    Point(family, read(peer.incoming), {{"peer", peer_text}, {"direction", "incoming"}});
  }
}

void CollectPeers(const ReplicaStatus& status, const PeerNames& peer_name, std::int64_t now_ms,
                  Families& families) {
  constexpr auto kGauge = MetricKind::kGauge;
  PerPeer(families, kGauge, "peer_up", "1 while the peer is heard", status, peer_name,
          [](const PeerStatus& peer) {
            return peer.link == LinkState::kDown || peer.link == LinkState::kStale ? 0.0 : 1.0;
          });
  auto& links = Add(families, kGauge, "peer_link", "1 for the state the link is in");
  for (const PeerStatus& peer : status.peers) {
    for (const LinkState state : {LinkState::kUp, LinkState::kSlow, LinkState::kDown,
                                  LinkState::kHeld, LinkState::kStale}) {
      Point(links, peer.link == state ? 1 : 0,
            {{"peer", peer_name(peer.region)}, {"state", Text(state)}});
    }
  }
  PerWay(families, "peer_lag_seconds", "age of the oldest txn not yet applied at the other end",
         status, peer_name, [](const Backlog& backlog) { return backlog.seconds; });
  PerWay(families, "peer_backlog_txns", "txns not yet applied at the other end", status, peer_name,
         [](const Backlog& backlog) { return Number(backlog.txns); });
  PerWay(families, "peer_backlog_bytes", "estimated size of the txns not yet applied", status,
         peer_name, [](const Backlog& backlog) { return Number(backlog.bytes); });
  PerPeer(families, kGauge, "peer_oldest_unacked_timestamp_seconds",
          "when the oldest own txn the peer has not applied was written; now, if there is none",
          status, peer_name, [now_ms](const PeerStatus& peer) {
            const std::int64_t at_ms = peer.outgoing.oldest_at_ms;
            return static_cast<double>(at_ms > 0 ? at_ms : now_ms) / 1000;
          });
  PerPeer(families, MetricKind::kCounter, "peer_received_txns_total",
          "txns received from the peer's log", status, peer_name,
          [](const PeerStatus& peer) { return Number(peer.received_txns); });
  PerPeer(families, kGauge, "clock_offset_seconds", "the peer's wall clock minus ours", status,
          peer_name, [](const PeerStatus& peer) { return peer.clock_offset_ms / 1000; });
  PerPeer(families, kGauge, "held_txns", "received txns that wait because they are stamped ahead",
          status, peer_name, [](const PeerStatus& peer) { return Number(peer.held_txns); });
  auto& rtt = Add(families, kGauge, "peer_rtt_seconds", "round trip to the peer, where measured");
  for (const PeerStatus& peer : status.peers) {
    if (peer.rtt_ms >= 0) Point(rtt, peer.rtt_ms / 1000, {{"peer", peer_name(peer.region)}});
  }
}

void CollectLinks(const std::vector<LinkPeerStats>& links, const PeerNames& peer_name,
                  Families& families) {
  struct Column {
    const char* name;
    const char* help;
    MetricKind kind;
    std::uint64_t (*read)(const LinkPeerStats&);
  };
  constexpr auto kCounter = MetricKind::kCounter;
  static constexpr Column kColumns[] = {
      {"peer_connected", "1 while the connection to the peer's NATS is up", MetricKind::kGauge,
       [](const LinkPeerStats& link) { return std::uint64_t{link.connected ? 1U : 0U}; }},
      {"peer_sent_bytes_total", "bytes sent to the peer's NATS", kCounter,
       [](const LinkPeerStats& link) { return link.sent_bytes; }},
      {"peer_received_bytes_total", "bytes received from the peer's NATS", kCounter,
       [](const LinkPeerStats& link) { return link.received_bytes; }},
      {"peer_sent_dropped_messages_total", "messages dropped because the send queue was full",
       kCounter, [](const LinkPeerStats& link) { return link.dropped_messages; }},
      {"peer_received_dropped_messages_total", "messages dropped because the inbox was full",
       kCounter, [](const LinkPeerStats& link) { return link.receive_dropped_messages; }},
      {"peer_reconnects_total", "connections to the peer's NATS made anew", kCounter,
       [](const LinkPeerStats& link) { return link.reconnects; }},
  };
  for (const Column& column : kColumns) {
    MetricFamilyValues& family = Add(families, column.kind, column.name, column.help);
    for (const LinkPeerStats& link : links) {
      Point(family, Number(column.read(link)), {{"peer", peer_name(link.region)}});
    }
  }
}

void CollectEngine(const EngineUsage& usage, Families& families) {
  MetricFamilyValues& commits =
      Add(families, MetricKind::kHistogram, "commit_seconds", "time of a durable group commit");
  commits.bounds.assign(kCommitBoundsSeconds.begin(), kCommitBoundsSeconds.end());
  commits.points.push_back(
      {.labels = {}, .buckets = usage.commit_buckets, .sum = usage.commit_seconds_sum});
  MetricFamilyValues& groups =
      Add(families, MetricKind::kSummary, "group_commit_txns", "txns made durable by one commit");
  groups.points.push_back(
      {.labels = {}, .buckets = {}, .sum = Number(usage.committed_txns), .count = usage.commits});
  Gauge(families, "engine_jobs_waiting", "local jobs that wait for the engine",
        Number(usage.jobs_waiting));
}

void CollectClaims(const ClaimCounts& claims, Families& families) {
  MetricFamilyValues& states =
      Add(families, MetricKind::kGauge, "claims",
          "claims that this process saw made: pending now, or confirmed since the start");
  Point(states, Number(claims.pending), {{"state", "pending"}});
  Point(states, Number(claims.confirmed_total), {{"state", "confirmed"}});
  Counter(families, "claims_lost_total", "claims of this region that a rival's won over",
          claims.lost_total);
  Counter(families, "claims_reclaimed_total",
          "claims of this region killed by a release that had not seen them, and made again",
          claims.reclaimed_total);
  MetricFamilyValues& seconds = Add(families, MetricKind::kHistogram, "claim_confirm_seconds",
                                    "from a claim of this region to its proof");
  seconds.bounds.assign(std::begin(kClaimBoundsSeconds), std::end(kClaimBoundsSeconds));
  seconds.points.push_back(
      {.labels = {}, .buckets = claims.confirm_buckets, .sum = claims.confirm_seconds_sum});
}

void CollectReplica(const ReplicaStatus& status, Families& families) {
  const ReplicaCounters& counters = status.counters;
  Counter(families, "applied_txns_total", "txns of other regions applied here",
          counters.applied_txns);
  Counter(families, "local_txns_total", "txns written here", counters.local_txns);
  Gauge(families, "stable_lag_seconds", "age of the oldest txn that not every region has",
        status.stable_lag_seconds);
  Gauge(families, "pending_bytes", "received and not yet applied", Number(status.pending_bytes));
  Gauge(families, "receiving_paused", "1 while nothing is applied for lack of room",
        status.receiving_paused ? 1 : 0);
  Gauge(families, "clock_stepped_seconds", "by how much the wall clock jumped and is not followed",
        static_cast<double>(status.clock_stepped_ms) / 1000);
  MetricFamilyValues& conflicts =
      Add(families, MetricKind::kCounter, "conflicts_total",
          "values that gave way to a write which had not seen them, since the start");
  if (status.conflicts) {
    for (const ConflictCount& count : *status.conflicts) {
      Point(conflicts, Number(count.count), {{"table", count.table}, {"kind", count.kind}});
    }
  }
  CollectClaims(status.claims, families);
  Counter(families, "scarce_refused_total",
          "writes that would have taken of a scarce field what this region may not",
          counters.scarce_refused);
  MetricFamilyValues& events = Add(families, MetricKind::kCounter, "protocol_events_total",
                                   "what the replication protocol met");
  const std::pair<const char*, std::uint64_t> kinds[] = {
      {"duplicate_txn", counters.duplicate_txns},
      {"gap", counters.gaps},
      {"fetch", counters.fetches},
      {"fetch_retry", counters.fetch_retries},
      {"relayed_txn", counters.relayed_txns},
      {"malformed_message", counters.malformed_messages},
      {"foreign_message", counters.foreign_messages},
      {"beat_sent", counters.beats_sent},
      {"beat_received", counters.beats_received},
      {"fragment_received", counters.fragments_received},
      {"causal_wait", counters.causal_waits},
      {"skew_hold", counters.skew_holds},
      {"clock_step", counters.clock_steps},
      {"pending_overflow", counters.pending_overflows},
      {"hash_mismatch", counters.hash_mismatches},
  };
  for (const auto& [kind, value] : kinds) Point(events, Number(value), {{"kind", kind}});
}

void CollectStore(const StoreUsage& usage, Refusal gate, Families& families) {
  Gauge(families, "journal_bytes", "size of the journal", Number(usage.journal_bytes));
  Gauge(families, "journal_limit_bytes", "its bound: past it writes get FULL",
        Number(usage.journal_limit_bytes));
  Gauge(families, "memtable_bytes", "applied since the last checkpoint",
        Number(usage.memtable_bytes));
  Gauge(families, "map_used_ratio", "of the fuller LMDB environment, 0 to 1", usage.map_used_ratio);
  Gauge(families, "tombstones", "dead rows in the record tables", Number(usage.tombstones));
  Gauge(families, "oldest_reader_age_seconds", "of the oldest view of the store in use",
        usage.oldest_view_age_seconds);
  auto& gates = Add(families, MetricKind::kGauge, "write_gate", "1 for what the write gate says");
  for (const Refusal state : {Refusal::kNone, Refusal::kFull, Refusal::kReadOnly,
                              Refusal::kRolledBack, Refusal::kStopping}) {
    Point(gates, gate == state ? 1 : 0, {{"state", Text(state)}});
  }
}

}  // namespace

Families CollectMetrics(const AdminOptions& options, const Engine& engine, std::int64_t now_ms) {
  const PeerNames peer_name = [&options](RegionId id) {
    for (const AdminRegion& region : options.regions) {
      if (region.id == id) return region.name;
    }
    return std::to_string(Raw(id));
  };
  Families families;
  Point(Add(families, MetricKind::kGauge, "build_info", "what runs here; always 1"), 1,
        {{"version", options.software},
         {"commit", options.commit},
         {"cluster", options.cluster},
         {"region", peer_name(options.self)}});
  const ReplicaStatus status = engine.status();
  CollectPeers(status, peer_name, now_ms, families);
  if (options.link_stats) CollectLinks(options.link_stats(), peer_name, families);
  CollectReplica(status, families);
  CollectEngine(engine.usage(), families);
  CollectStore(engine.storage(), engine.gate(), families);
  Gauge(families, "config_last_reload_successful", "1 if the configuration on disk is in use",
        !options.config_reload_ok || options.config_reload_ok() ? 1 : 0);
  CollectProcess(families);
  return families;
}

}  // namespace hawser::admin
