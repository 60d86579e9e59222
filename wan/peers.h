#pragma once

// PeerTable: what is known of every other member from its beats: what it holds of whose log, when
// it was heard, how far away it is. Threads: a plain value, the engine's.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "conflict/cut.h"
#include "wan/message.h"

namespace hawser {

struct Peer {
  Report report;  // the latest heard, directly or relayed
  Cut applied;    // joined over all its reports of this incarnation
  Lifecycle lifecycle = Lifecycle::kActive;
  bool receiving_paused = false;
  std::string software;
  std::int64_t started_ms = 0;     // of its process, by its clock
  std::int64_t heard_wall_ms = 0;  // directly; 0: never
  std::int64_t heard_mono_ms = -1;
  double rtt_ms = -1;
  double rtt_min_ms = -1;  // of late; -1: no probe was answered yet
  double clock_offset_ms = 0;
  std::uint64_t probe_id = 0;        // of the last one sent
  std::uint64_t probe_answered = 0;  // no older one counts; of an earlier process none does
  bool compared = false;  // since our start it named what it holds of our log: what is here
};

class PeerTable {
 public:
  explicit PeerTable(const std::vector<RegionId>& others) {
    for (const RegionId region : others) peers_[region];
  }
  Peer* Find(RegionId region) {
    const auto at = peers_.find(region);
    return at == peers_.end() ? nullptr : &at->second;
  }
  const std::map<RegionId, Peer>& all() const { return peers_; }
  std::map<RegionId, Peer>& all() { return peers_; }

  // A report of a member, from itself or relayed.
  void OnReport(const Report& report);
  // The furthest seq of `origin` that anybody reports to have, and who can be asked for more than
  // `past`: heard within `patience_ms`, the origin itself first, then the nearest.
  // `gap`: later txns came in already, so the origin itself holds more, whatever its last beat
  // said.
  Seq Head(const Origin& origin) const;
  std::vector<RegionId> Sources(const Origin& origin, Seq past, bool gap, std::int64_t mono_ms,
                                std::int64_t patience_ms) const;
  // Every origin that any report names.
  std::vector<Origin> Origins() const;
  // How many other members have durably applied `dot`.
  int CountCovering(const Dot& dot) const;

 private:
  std::map<RegionId, Peer> peers_;
};

}  // namespace hawser
