#include "daemon/feed_wiring.h"

#include <algorithm>

#include "daemon/admin/change_stream.h"
#include "daemon/admin/conflict_stream.h"
#include "daemon/wiring.h"

namespace hawser {
namespace {

// Waiting to be sent on our own region's NATS: the log and beats go the same way, and first.
constexpr std::uint64_t kQueuedBytesMax = 512 * 1024;

bool TakesMessages(const Link& link, RegionId self) {
  if (link.QueuedBytes(self) > kQueuedBytesMax) return false;
  const auto stats = link.Stats();
  const auto own = std::ranges::find(stats, self, &LinkPeerStats::region);
  return own != stats.end() && own->connected;
}

}  // namespace

FeedOptions FeedOptionsOf(const Config& config, const Origin& self, Link& link) {
  const auto name_of = [names = RegionNames(config)](RegionId id) {
    const auto at = names.find(id);
    return at == names.end() ? std::to_string(Raw(id)) : at->second;
  };
  FeedOptions options;
  options.cluster = config.cluster;
  options.region = config.region;
  options.changes = config.feeds.changes;
  options.region_name = name_of;
  options.publish = [&link](std::string subject, std::string bytes) {
    link.PublishLocal(std::move(subject), std::move(bytes));
  };
  options.ready = [&link, region = self.region] { return TakesMessages(link, region); };
  options.conflict_event = [name_of](View& view, const std::string& order_key) {
    return admin::ConflictEventJson(view, order_key, name_of);
  };
  options.position_text = [store = self.incarnation](const ChangePlace& place) {
    return admin::ChangePositionText(store, place);
  };
  return options;
}

}  // namespace hawser
