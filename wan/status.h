#pragma once

// Status: what the replica knows of itself and of every peer, as plain values for REST, metrics,
// the control tool and systemd. Published by the engine once per tick; a copy is safe to keep.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conflict/cut.h"
#include "conflict/types.h"
#include "homing/claim_book.h"
#include "wan/message.h"

namespace hawser {

enum class LinkState : std::uint8_t { kUp, kSlow, kDown, kHeld, kStale };

struct Backlog {
  std::uint64_t txns = 0;
  std::uint64_t bytes = 0;        // estimated from the origin's mean txn size
  double seconds = 0;             // age of the oldest txn behind
  std::int64_t oldest_at_ms = 0;  // Unix ms of that txn's stamp; 0: nothing behind
};

struct PeerStatus {
  RegionId region{};
  LinkState link = LinkState::kDown;
  Lifecycle lifecycle = Lifecycle::kActive;
  Incarnation incarnation{};          // 0: never heard
  Backlog outgoing;                   // our txns that the peer has not reported applied
  Backlog incoming;                   // the peer's txns that we know of and have not applied
  double rtt_ms = -1;                 // -1: not measured
  double clock_offset_ms = 0;         // the peer's wall clock minus ours
  std::int64_t last_heard_at_ms = 0;  // Unix ms; 0: never
  std::uint64_t held_txns = 0;        // received, stamped too far ahead, waiting
  std::uint64_t received_txns = 0;
  std::string held_reason;        // empty unless link is kHeld
  bool receiving_paused = false;  // the peer says it is full
  std::string software;
  Cut counted;            // what it is known to have applied, by the counting rule
  bool compared = false;  // since our start it named what it holds of our log (or is stale)
};

struct ReplicaCounters {
  std::uint64_t local_txns = 0, applied_txns = 0, duplicate_txns = 0, gaps = 0, fetches = 0,
                fetch_retries = 0, relayed_txns = 0, malformed_messages = 0, foreign_messages = 0,
                beats_sent = 0, beats_received = 0, fragments_received = 0, causal_waits = 0,
                skew_holds = 0, clock_steps = 0, pending_overflows = 0, hash_mismatches = 0,
                scarce_refused = 0;
};

// Values discarded here since the start, by table and kind of conflict.
struct ConflictCount {
  std::string table;  // "other": tables past a bound on their number
  std::string kind;
  std::uint64_t count = 0;
};

struct ReplicaStatus {
  Origin self;
  Cut applied;  // durable and visible here
  Cut stable;
  double stable_lag_seconds = 0;
  std::uint64_t declarations = 0;  // moves whenever declared rules may have changed here
  std::vector<PeerStatus> peers;   // every other member, by region id
  ReplicaCounters counters;
  std::shared_ptr<const std::vector<ConflictCount>> conflicts;  // null: none yet
  std::int64_t clock_stepped_ms = 0;  // not 0: our wall clock jumped and is not followed
  std::uint64_t pending_bytes = 0;    // received and not yet applied
  bool receiving_paused = false;
  ClaimCounts claims;
  // Every member compared its copy of our log with ours since this process began: claims may be
  // confirmed. PeerStatus::compared says who is awaited.
  bool proved = false;
  std::int64_t stable_clock_ms = 0;
  Proof proof() const { return {{stable, stable_clock_ms}, proved}; }
  std::string rolled_back;  // not empty: what proves it; the process is about to end
};

// True while the region itself, or a peer that is heard: what is asked of it may be answered.
inline bool IsHeard(const ReplicaStatus& status, RegionId region) {
  if (region == status.self.region) return true;
  for (const PeerStatus& peer : status.peers) {
    if (peer.region == region) return peer.link != LinkState::kDown;
  }
  return false;
}

}  // namespace hawser
