#pragma once

// Messages between regions, as plain values, and their bytes (wire.h encodes and decodes them; the
// schema is wan/wire.proto, every envelope carries a wire version).
// docs/formats.md, section 4, says which subject carries which.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "conflict/cut.h"
#include "conflict/types.h"
#include "conflict/version.h"

namespace hawser {

// Consecutive txns of one origin, or one fragment of a large one.
struct Batch {
  Origin origin;
  Seq first{};
  std::uint32_t count = 0;        // txns in `body`; 1 for a fragment
  std::uint64_t hash_before = 0;  // running hash before `first`
  std::uint64_t hash_after = 0;   // running hash after the last txn of this batch
  std::uint32_t fragment = 0;     // 0-based; fragments 0..fragments-1 of txn `first`
  std::uint32_t fragments = 1;
  // Txns, each preceded by its length (varint); of a fragment, its piece of one txn, bare.
  std::string body;
  // In answer to a fetch:
  std::uint64_t fetch_id = 0;  // 0: the live log
  bool fetch_end = false;      // the last batch of that fetch (may be empty: count 0)
  bool fetch_missing = false;  // the asked region does not hold the log from there on
  bool operator==(const Batch&) const = default;
};

// What a region says of an origin's log as applied there.
struct BeatLog {
  Origin origin;
  Seq seq{};
  std::uint64_t hash = 0;
  bool operator==(const BeatLog&) const = default;
};

// A region's report: what it had durably applied when its own log stood at `own`.
struct Report {
  Dot own;  // the reporter's own origin and last own seq
  std::vector<BeatLog> applied;
  Stamp clock;
  Cut cut() const;
  bool operator==(const Report&) const = default;
};

enum class Lifecycle : std::uint8_t {
  kJoining = 0,
  kSnapshot = 1,
  kCatchingUp = 2,
  kActive = 3,
  kDraining = 4,
  kRemoved = 5,
  kStale = 6,
};

struct Beat {
  Report report;
  std::vector<Report> relayed;  // the latest report heard of each other region, whole
  Lifecycle lifecycle = Lifecycle::kActive;
  std::uint64_t cluster_id = 0;  // hash of the genesis list
  std::uint64_t schema_hash = 0;
  std::uint64_t member_hash = 0;
  std::uint32_t format = 0;  // the newest txn format this region may emit and read
  std::string software;
  bool receiving_paused = false;  // full: it does not apply at the moment
  // Its clock (ms) when its process began: another one means that what was asked before is lost.
  std::int64_t started_ms = 0;
  bool operator==(const Beat&) const = default;
};

struct Fetch {
  RegionId from{};       // who asks; the answer goes to its inbox
  std::uint64_t id = 0;  // echoed
  Origin origin;
  Seq first{};
  std::uint64_t bytes_max = 0;
  bool operator==(const Fetch&) const = default;
};

// Times are the sender's wall clock in microseconds: t1 sent, t2 received, t3 answered.
struct Probe {
  RegionId from{};
  std::uint64_t id = 0;
  std::int64_t t1_us = 0;
  bool operator==(const Probe&) const = default;
};
struct ProbeAnswer {
  RegionId from{};
  std::uint64_t id = 0;
  std::int64_t t1_us = 0, t2_us = 0, t3_us = 0;
  // What the answerer holds of the logs of the asker's region, for the asker to compare: an answer
  // to this very question is no older than it. False: older software, which does not say.
  std::vector<BeatLog> held;
  bool compared = false;
  bool operator==(const ProbeAnswer&) const = default;
};

// A request to another region, or one piece of it: "carry this out, and answer within the budget".
struct CallRequest {
  RegionId from{};              // who asks; the answer goes to its inbox
  std::uint64_t id = 0;         // of the caller's, never used twice
  std::int64_t sent_ms = 0;     // the caller's hybrid clock: an old repeat is told by it
  std::uint32_t budget_ms = 0;  // of the caller's patience, what is left when this is sent
  std::uint32_t piece = 0;      // 0-based; pieces 0..pieces-1 make the body
  std::uint32_t pieces = 1;
  std::string verb;  // what is asked for: "explain", …
  std::string body;
  bool operator==(const CallRequest&) const = default;
};
enum class CallStatus : std::uint8_t {
  kDone = 0,     // carried out; the body is the answer
  kBusy = 1,     // not carried out: more is under way there than it admits
  kLate = 2,     // not carried out: the budget was used up, or it is an old repeat
  kUnknown = 3,  // not carried out: no such verb in that software
};
struct CallAnswer {
  RegionId from{};  // who answers
  std::uint64_t id = 0;
  CallStatus status = CallStatus::kDone;
  std::uint32_t piece = 0;
  std::uint32_t pieces = 1;
  std::string body;
  bool operator==(const CallAnswer&) const = default;
};

using Message = std::variant<Batch, Beat, Fetch, Probe, ProbeAnswer, CallRequest, CallAnswer>;

// Where a message goes; link.h turns this into a subject on the right server.
struct Address {
  enum class Kind : std::uint8_t {
    kLog,   // P.log.<self>.<incarnation>  to all, on the own region's NATS
    kBeat,  // P.beat.<self>               to all, on the own region's NATS
    kTo,    // P.to.<region>.<verb>        a request, on that region's NATS
    kIn,    // P.in.<region>.<verb>        an answer, on that region's NATS
  };
  Kind kind = Kind::kBeat;
  RegionId region{};  // kTo, kIn: whose
};

struct Send {
  Address to;
  std::string bytes;  // encoded, see wire.h
};

// A message as it came in. `subject_*` is what the subject said: a batch of the live log, or a
// beat, must name the same origin inside.
struct Received {
  Address::Kind kind = Address::Kind::kBeat;
  RegionId subject_region{};          // kLog, kBeat: the publisher's
  Incarnation subject_incarnation{};  // kLog only
  std::string bytes;
};

}  // namespace hawser
