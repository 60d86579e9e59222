#include "daemon/admin/readiness.h"

#include <algorithm>
#include "wan/state_words.h"

namespace hawser::admin {
namespace {

// How far reads here may be behind, in milliseconds; nullopt: nobody was ever heard.
std::optional<std::int64_t> LagMs(const ReplicaStatus& status, std::int64_t now_ms) {
  if (status.peers.empty()) return 0;
  std::int64_t behind_ms = 0;
  std::int64_t heard_at_ms = 0;
  bool all_silent = true;
  for (const PeerStatus& peer : status.peers) {
    behind_ms = std::max(behind_ms, static_cast<std::int64_t>(peer.incoming.seconds * 1000));
    heard_at_ms = std::max(heard_at_ms, peer.last_heard_at_ms);
    all_silent = all_silent && peer.link == LinkState::kDown;
  }
  if (!all_silent) return behind_ms;
  if (heard_at_ms == 0) return std::nullopt;
  return std::max(behind_ms, now_ms - heard_at_ms);
}

}  // namespace

std::vector<ReadyCheck> CheckReady(Refusal gate, const ReplicaStatus& status, std::int64_t now_ms,
                                   std::optional<std::uint64_t> lag_ms_max) {
  std::vector<ReadyCheck> checks;
  checks.push_back({.name = "writes", .ok = gate == Refusal::kNone, .detail = {}});
  if (gate != Refusal::kNone) {
    checks.back().detail = std::string("writes are refused: ") + Text(gate);
  }
  checks.push_back(
      {.name = "store", .ok = status.rolled_back.empty(), .detail = status.rolled_back});
  if (!lag_ms_max) return checks;
  const auto lag_ms = LagMs(status, now_ms);
  ReadyCheck lag{.name = "lag", .ok = false, .detail = "no other region was heard since the start"};
  if (lag_ms) {
    lag.ok = *lag_ms <= 0 || static_cast<std::uint64_t>(*lag_ms) <= *lag_ms_max;
    lag.detail = "reads may be " + std::to_string(*lag_ms) + " ms behind";
  }
  checks.push_back(std::move(lag));
  return checks;
}

}  // namespace hawser::admin
