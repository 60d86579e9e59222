#include "daemon/status_line.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "wan/state_words.h"

namespace hawser {
namespace {

std::string TimeOfDay(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%SZ", &parts);
  return text.data();
}

std::string BacklogText(const Backlog& backlog) {
  if (backlog.txns == 0) return {};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), ", %llu txns (%.1f s) behind",
                static_cast<unsigned long long>(backlog.txns), backlog.seconds);
  return text.data();
}

}  // namespace

std::string GateText(Refusal gate) {
  switch (gate) {
    case Refusal::kNone:
      return "takes writes";
    case Refusal::kFull:
      return "refuses writes: full";
    case Refusal::kReadOnly:
      return "refuses writes: read-only";
    case Refusal::kRolledBack:
      return "refuses writes: the store is an older copy";
    case Refusal::kStopping:
      return "refuses writes: stopping";
    case Refusal::kTooBig:
    case Refusal::kNotHome:
    case Refusal::kNotEnough:
    case Refusal::kRightsElsewhere:
    case Refusal::kRightsLeft:
      break;
  }
  return "refuses writes";
}

std::string StatusLine(const ReplicaStatus& status, Refusal gate,
                       const std::map<RegionId, std::string>& names) {
  std::string line = GateText(gate);
  for (const PeerStatus& peer : status.peers) {
    const auto name = names.find(peer.region);
    line += "; ";
    line += name != names.end() ? name->second : "region " + std::to_string(Raw(peer.region));
    line += std::string(" ") + Text(peer.link);
    if (peer.link == LinkState::kDown) {
      line += peer.last_heard_at_ms == 0 ? ", never heard"
                                         : ", last heard " + TimeOfDay(peer.last_heard_at_ms);
    }
    line += BacklogText(peer.outgoing);
  }
  return line;
}

}  // namespace hawser
