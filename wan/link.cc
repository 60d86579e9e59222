#include "wan/link.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "wan/link_connection.h"
#include "wan/link_subject.h"
#include "wan/wire.h"

namespace hawser {

namespace {

constexpr std::chrono::seconds kStopTime{3};

// What is wrong with the options; empty: nothing.
std::string Problem(const LinkOptions& options) {
  if (!IsSubjectToken(options.cluster))
    return "the cluster's name cannot be part of a NATS subject";
  std::set<std::string> names;
  std::set<RegionId> ids;
  for (const LinkRegion& region : options.regions) {
    const std::string who = "region '" + region.name + "': ";
    if (!IsSubjectToken(region.name)) return who + "the name cannot be part of a NATS subject";
    if (!names.insert(region.name).second) return who + "the name comes twice";
    if (Raw(region.id) < 1 || Raw(region.id) > kRegionIdMax) return who + "the id is not in 1..63";
    if (!ids.insert(region.id).second) return who + "the id comes twice";
    if (region.nats_urls.empty()) return who + "no NATS URL";
    for (const std::string& url : region.nats_urls) {
      if (url.starts_with("tls://")) return who + "TLS from the daemon is not supported";
      if (!url.starts_with("nats://") || url.size() <= 7)
        return who + "a NATS URL begins with nats://";
    }
  }
  if (!ids.contains(options.self)) return "the own region is not among the regions";
  return {};
}

class LinkImpl final : public Link {
 public:
  LinkImpl(const LinkOptions& options, OnReceive on_receive)
      : self_(options.self),
        shared_(std::make_shared<LinkShared>(std::move(on_receive), options.log)),
        prefix_(SubjectPrefix(options.cluster)) {
    std::map<ConnectionKey, LinkConnectionOptions> wanted;
    std::map<RegionId, ConnectionKey> key_of;
    for (const LinkRegion& region : options.regions) {
      ConnectionKey key{region.nats_urls, region.credentials_file};
      std::ranges::sort(key.first);
      key.first.erase(std::unique(key.first.begin(), key.first.end()), key.first.end());
      LinkConnectionOptions& connection = wanted[key];
      if (connection.urls.empty()) {
        connection.name = "hawser " + options.cluster + " to";
        connection.urls = region.nats_urls;
        connection.credentials_file = region.credentials_file;
        connection.send_bytes_max = options.send_bytes_max;
        connection.receive_bytes_max = options.receive_bytes_max;
        connection.write_deadline_ms = options.write_deadline_ms;
        connection.ping_interval_ms = options.ping_interval_ms;
      }
      connection.name += " " + region.name;
      for (LinkSubscription& subscription : SubscriptionsAt(region)) {
        connection.subscriptions.push_back(std::move(subscription));
      }
      key_of.emplace(region.id, std::move(key));
      if (region.id == self_) {
        log_subject_ = LogSubject(prefix_, region.name, options.incarnation);
        beat_subject_ = prefix_ + "beat." + region.name;
      }
    }
    std::map<ConnectionKey, LinkConnection*> made;
    for (auto& [key, connection_options] : wanted) {
      connections_.push_back(
          std::make_shared<LinkConnection>(std::move(connection_options), shared_));
      made.emplace(key, connections_.back().get());
    }
    for (const LinkRegion& region : options.regions) {
      peers_.emplace(region.id, Peer{region.name, made.at(key_of.at(region.id))});
    }
    own_ = peers_.at(self_).connection;
    for (const auto& connection : connections_) connection->Start();
  }

  ~LinkImpl() override {
    for (const auto& connection : connections_) connection->Stop();
    const auto deadline = LinkConnection::Clock::now() + kStopTime;
    for (const auto& connection : connections_) {
      if (!connection->AwaitStopped(deadline)) {
        shared_->Log("warning", "a NATS connection did not close in time and is left behind");
      }
    }
    shared_->CloseGate();
    for (auto& connection : connections_) LinkConnection::Retire(std::move(connection));
  }

  void Publish(Send send) override {
    switch (send.to.kind) {
      case Address::Kind::kLog:
        return own_->Send(log_subject_, std::move(send.bytes), self_);
      case Address::Kind::kBeat:
        return own_->Send(beat_subject_, std::move(send.bytes), self_);
      case Address::Kind::kTo:
      case Address::Kind::kIn:
        break;
    }
    const auto peer = peers_.find(send.to.region);
    if (peer == peers_.end()) {  // a region that asked and that we have no address of
      shared_->counters(self_).dropped_messages.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    std::string subject = prefix_;
    subject.append(send.to.kind == Address::Kind::kTo ? "to." : "in.")
        .append(peer->second.name)
        .append(".")
        .append(VerbOf(send.bytes));
    peer->second.connection->Send(std::move(subject), std::move(send.bytes), send.to.region);
  }

  void PublishLocal(std::string subject, std::string bytes) override {
    own_->Send(std::move(subject), std::move(bytes), self_);
  }

  std::uint64_t QueuedBytes(RegionId region) const override {
    const auto peer = peers_.find(region);
    return peer == peers_.end() ? 0 : peer->second.connection->queued_bytes();
  }

  std::vector<LinkPeerStats> Stats() const override {
    std::vector<LinkPeerStats> all;
    for (const auto& [id, peer] : peers_) {
      const LinkCounters& counters = shared_->counters(id);
      LinkPeerStats& stats = all.emplace_back();
      stats.region = id;
      stats.connected = peer.connection->connected();
      stats.last_error = peer.connection->last_error();
      stats.sent_bytes = counters.sent_bytes.load(std::memory_order_relaxed);
      stats.sent_messages = counters.sent_messages.load(std::memory_order_relaxed);
      stats.dropped_messages = counters.dropped_messages.load(std::memory_order_relaxed);
      stats.received_bytes = counters.received_bytes.load(std::memory_order_relaxed);
      stats.received_messages = counters.received_messages.load(std::memory_order_relaxed);
      stats.receive_dropped_messages = peer.connection->receive_dropped(id);
      stats.reconnects = peer.connection->reconnects();
    }
    return all;
  }

 private:
  using ConnectionKey =
      std::pair<std::vector<std::string>, std::string>;  // URLs sorted, credentials
  struct Peer {
    std::string name;
    LinkConnection* connection = nullptr;
  };

  std::vector<LinkSubscription> SubscriptionsAt(const LinkRegion& region) const {
    using Kind = Address::Kind;
    if (region.id == self_) {
      return {{prefix_ + "to." + region.name + ".>", Kind::kTo, self_},
              {prefix_ + "in." + region.name + ".>", Kind::kIn, self_}};
    }
    return {{prefix_ + "log." + region.name + ".*", Kind::kLog, region.id},
            {prefix_ + "beat." + region.name, Kind::kBeat, region.id}};
  }

  const RegionId self_;
  const std::shared_ptr<LinkShared> shared_;
  const std::string prefix_;
  std::string log_subject_;
  std::string beat_subject_;
  std::vector<std::shared_ptr<LinkConnection>> connections_;
  std::map<RegionId, Peer> peers_;
  LinkConnection* own_ = nullptr;
};

}  // namespace

std::unique_ptr<Link> Link::Start(LinkOptions options, OnReceive on_receive) {
  if (const std::string problem = Problem(options); !problem.empty()) {
    if (options.log) options.log("error", problem);
    return nullptr;
  }
  return std::make_unique<LinkImpl>(options, std::move(on_receive));
}

}  // namespace hawser
