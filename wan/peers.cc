#include "wan/peers.h"

#include <algorithm>
#include <set>

namespace hawser {

void PeerTable::OnReport(const Report& report) {
  Peer* peer = Find(report.own.origin.region);
  if (!peer) return;
  if (peer->report.own.origin != report.own.origin) {
    peer->report = report;
    peer->applied.Clear();
  } else if (peer->report.clock <= report.clock) {
    peer->report = report;
  }
  peer->applied.Join(report.cut());
  peer->applied.Raise(report.own);
}

Seq PeerTable::Head(const Origin& origin) const {
  Seq head{0};
  for (const auto& [region, peer] : peers_) head = std::max(head, peer.applied.Get(origin));
  return head;
}

std::vector<RegionId> PeerTable::Sources(const Origin& origin, Seq past, bool gap,
                                         std::int64_t mono_ms, std::int64_t patience_ms) const {
  std::vector<std::pair<double, RegionId>> ranked;
  for (const auto& [region, peer] : peers_) {
    const bool holds = peer.applied.Get(origin) > past || (gap && region == origin.region);
    if (!holds) continue;
    if (peer.heard_mono_ms < 0 || mono_ms - peer.heard_mono_ms > patience_ms) continue;
    ranked.emplace_back(region == origin.region ? -1 : std::max(peer.rtt_ms, 0.0), region);
  }
  std::ranges::sort(ranked);
  std::vector<RegionId> sources;
  for (const auto& [rank, region] : ranked) sources.push_back(region);
  return sources;
}

std::vector<Origin> PeerTable::Origins() const {
  std::set<Origin> origins;
  for (const auto& [region, peer] : peers_) {
    for (const Dot& dot : peer.applied.dots()) origins.insert(dot.origin);
  }
  return {origins.begin(), origins.end()};
}

int PeerTable::CountCovering(const Dot& dot) const {
  return static_cast<int>(std::ranges::count_if(
      peers_, [&](const auto& entry) { return entry.second.applied.Covers(dot); }));
}

}  // namespace hawser
