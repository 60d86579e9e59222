#include <chrono>

#include "daemon/admin/api.h"
#include "daemon/admin/json_writer.h"
#include "daemon/admin/text.h"
#include "daemon/token.h"
#include "wan/state_words.h"

namespace hawser::admin {
namespace {

void WriteTimeOrNull(std::int64_t unix_ms, JsonWriter& json) {
  if (unix_ms <= 0) return json.Null();
  json.String(FormatTime(unix_ms));
}

void WriteBacklog(const Backlog& backlog, JsonWriter& json) {
  json.Key("behind_txns");
  json.Uint64Text(backlog.txns);
  json.Key("behind_bytes");
  json.Uint64Text(backlog.bytes);
  json.Key("behind_seconds");
  json.Double(backlog.seconds);
  json.Key("oldest_unacked_at");
  WriteTimeOrNull(backlog.oldest_at_ms, json);
}

// What is measured of the way to a peer; the same in both directions.
void WriteWay(const PeerStatus& peer, JsonWriter& json) {
  json.Member("link", Text(peer.link));
  json.Member("lifecycle", Text(peer.lifecycle));
  json.Key("rtt_ms");
  if (peer.rtt_ms < 0) {
    json.Null();
  } else {
    json.Double(peer.rtt_ms);
  }
  json.Key("clock_offset_ms");
  json.Double(peer.clock_offset_ms);
  json.Key("last_heard_at");
  WriteTimeOrNull(peer.last_heard_at_ms, json);
}

void WriteDirection(const char* direction, const std::string& name, const PeerStatus& peer,
                    const Backlog& backlog, JsonWriter& json) {
  json.BeginObject();
  json.Member("peer", name);
  json.Member("direction", direction);
  WriteBacklog(backlog, json);
  WriteWay(peer, json);
  json.EndObject();
}

void WriteCut(const char* name, const Cut& cut, const std::function<std::string(RegionId)>& region,
              JsonWriter& json) {
  json.Key(name);
  json.BeginArray();
  for (const Dot& dot : cut.dots()) {
    json.BeginObject();
    json.Member("region", region(dot.origin.region));
    json.Key("incarnation");
    json.Uint64Text(Raw(dot.origin.incarnation));
    json.Key("seq");
    json.Uint64Text(Raw(dot.seq));
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

std::string Api::RegionName(RegionId id) const {
  for (const AdminRegion& region : options_.regions) {
    if (region.id == id) return region.name;
  }
  return "region-" + std::to_string(Raw(id));
}

std::string Api::NowText() const {
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return FormatTime(std::chrono::duration_cast<milliseconds>(now).count());
}

void Api::Regions(Call call) {
  const ReplicaStatus status = engine_.status();
  const auto links = options_.link_stats ? options_.link_stats() : std::vector<LinkPeerStats>{};
  JsonWriter json;
  json.BeginObject();
  json.Member("cluster", options_.cluster);
  json.Member("self", RegionName(options_.self));
  json.Member("at", NowText());
  json.Key("regions");
  json.BeginArray();
  json.BeginObject();
  json.Member("name", RegionName(options_.self));
  json.Key("id");
  json.Int(Raw(options_.self));
  json.Key("self");
  json.Bool(true);
  json.Key("incarnation");
  json.Uint64Text(Raw(status.self.incarnation));
  json.Member("lifecycle", Text(Lifecycle::kActive));
  json.Member("software", options_.software);
  json.Member("writes", Text(engine_.gate()));
  json.Key("receiving_paused");
  json.Bool(status.receiving_paused);
  json.Key("clock_stepped_ms");
  json.Int(status.clock_stepped_ms);
  json.EndObject();
  for (const PeerStatus& peer : status.peers) {
    json.BeginObject();
    json.Member("name", RegionName(peer.region));
    json.Key("id");
    json.Int(Raw(peer.region));
    json.Key("self");
    json.Bool(false);
    json.Key("incarnation");
    if (Raw(peer.incarnation) == 0) {
      json.Null();
    } else {
      json.Uint64Text(Raw(peer.incarnation));
    }
    WriteWay(peer, json);
    json.Key("outgoing");
    json.BeginObject();
    WriteBacklog(peer.outgoing, json);
    json.EndObject();
    json.Key("incoming");
    json.BeginObject();
    WriteBacklog(peer.incoming, json);
    json.EndObject();
    json.Key("held_txns");
    json.Uint64Text(peer.held_txns);
    if (!peer.held_reason.empty()) json.Member("held_reason", peer.held_reason);
    json.Key("receiving_paused");
    json.Bool(peer.receiving_paused);
    json.Member("software", peer.software);
    for (const LinkPeerStats& link : links) {
      if (link.region != peer.region) continue;
      json.Key("nats_connected");
      json.Bool(link.connected);
      if (!link.last_error.empty()) json.Member("nats_error", link.last_error);
    }
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  call.Send({.body = json.Take()});
}

void Api::Lag(Call call) {
  const ReplicaStatus status = engine_.status();
  const std::string* wanted = call.target.Query("peer");
  JsonWriter json;
  json.BeginObject();
  json.Member("region", RegionName(options_.self));
  json.Member("at", NowText());
  json.Key("lag");
  json.BeginArray();
  bool found = false;
  for (const PeerStatus& peer : status.peers) {
    const std::string name = RegionName(peer.region);
    if (wanted && *wanted != name) continue;
    found = true;
    WriteDirection("outgoing", name, peer, peer.outgoing, json);
    WriteDirection("incoming", name, peer, peer.incoming, json);
  }
  json.EndArray();
  json.EndObject();
  if (wanted && !found) {
    return call.Fail(
        {.status = 404, .code = "NOTFOUND", .detail = "no other region has that name"});
  }
  call.Send({.body = json.Take()});
}

void Api::CutNow(Call call) {
  const ReplicaStatus status = engine_.status();
  const Cut cut = reader_->Take()->cut();
  const auto name = [this](RegionId id) { return RegionName(id); };
  const std::string token = EncodeToken(cut);
  JsonWriter json;
  json.BeginObject();
  json.Member("region", RegionName(options_.self));
  json.Member("token", token);
  WriteCut("applied", cut, name, json);
  WriteCut("stable", status.stable, name, json);
  json.Key("stable_lag_seconds");
  json.Double(status.stable_lag_seconds);
  json.EndObject();
  HttpResponse response{.body = json.Take()};
  response.With("Hawser-Token", token);
  call.Send(std::move(response));
}

}  // namespace hawser::admin
