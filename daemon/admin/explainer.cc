#include "daemon/admin/explainer.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "conflict/bytes.h"
#include "daemon/admin/explain_part.h"
#include "daemon/admin/json.h"
#include "daemon/admin/json_writer.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"
#include "wan/state_words.h"

namespace hawser::admin {
namespace {

std::string NameIn(const std::vector<AdminRegion>& regions, RegionId id) {
  const auto at = std::ranges::find(regions, id, &AdminRegion::id);
  return at == regions.end() ? std::to_string(Raw(id)) : at->name;
}

// One explanation under way. Touched on the call desk's thread only.
struct Asking {
  ExplainerOptions options;
  std::string table;
  std::string key;
  struct Peer {
    RegionId region{};
    bool asked = false;
    std::string part;  // JSON; empty: none
    std::string why;   // there is none
  };
  std::string own;
  std::vector<Peer> peers;
  std::size_t missing = 0;
  std::function<void(std::string)> done;
};

// A hash of what a region shows of the record, empty if that is nothing: the end of its version.
// (The stamp before it may be that of a deleted field, which another region has forgotten already.)
std::string Shows(std::string_view part) {
  const auto json = ParseJson(part);
  const auto* object = json ? json->As<JsonObject>() : nullptr;
  const Json* version = object == nullptr ? nullptr : Find(*object, "version");
  const auto* text = version == nullptr ? nullptr : version->As<std::string>();
  return text == nullptr ? std::string() : text->substr(text->rfind('-') + 1);
}

// The members of a JSON object, without its brackets.
std::string_view Members(std::string_view object) {
  return object.substr(1, object.size() - 2);
}

std::string Together(const Asking& asking) {
  JsonWriter json;
  json.BeginObject();
  json.Member("table", asking.table);
  json.Key("key");
  WriteValue(asking.key, json);
  json.RawMembers(Members(asking.own));
  const std::string here = Shows(asking.own);
  bool all = true;
  bool same = true;
  json.Key("peers");
  json.BeginArray();
  for (const Asking::Peer& peer : asking.peers) {
    json.BeginObject();
    json.Key("asked");
    json.Bool(peer.asked);
    json.Key("answered");
    json.Bool(!peer.part.empty());
    if (peer.part.empty()) {
      all = false;
      json.Member("region", NameIn(asking.options.regions, peer.region));
      json.Member("detail", peer.why);
    } else {
      const bool as_here = Shows(peer.part) == here;
      same = same && as_here;
      json.Key("same");
      json.Bool(as_here);
      json.RawMembers(Members(peer.part));
    }
    json.EndObject();
  }
  json.EndArray();
  json.Member("regions_agree", !same ? "no" : all ? "yes" : "as far as they answered");
  json.EndObject();
  return json.Take();
}

void Arrived(const std::shared_ptr<Asking>& asking) {
  if (--asking->missing == 0) asking->done(Together(*asking));
}

bool IsObject(std::string_view text) {
  const auto json = ParseJson(text);
  return json && json->As<JsonObject>() != nullptr && text.starts_with('{') && text.ends_with('}');
}

std::string Question(std::string_view table, std::string_view key) {
  std::string body;
  PutText(body, table);
  PutText(body, key);
  return body;
}

}  // namespace

CallHandler ExplainHandler(ExplainerOptions options, Engine& engine) {
  struct Side {
    std::optional<ExplainPart> part;  // made on the desk's thread
  };
  return [side = std::make_shared<Side>(), options = std::move(options), &engine](
             CallTask task, const CallAnswerer& answer) {
    if (!side->part) {
      side->part.emplace(engine, options.self,
                         [regions = options.regions](RegionId id) { return NameIn(regions, id); });
    }
    ByteReader in(task.body);
    const std::string_view table = in.Text();
    const std::string_view key = in.Text();
    if (!in.ok() || in.left() != 0) return answer("{}");
    answer(side->part->Of(table, key));
  };
}

ExplainRecord MakeExplainer(ExplainerOptions options, Engine& engine, Calls& calls) {
  return [options = std::move(options), &engine, &calls](std::string table, std::string key,
                                                         std::int64_t budget_ms,
                                                         std::function<void(std::string)> done) {
    const auto asking = std::make_shared<Asking>();
    asking->options = options;
    asking->table = std::move(table);
    asking->key = std::move(key);
    asking->done = std::move(done);
    for (const PeerStatus& peer : engine.status().peers) {
      const bool asked = peer.link != LinkState::kDown;
      asking->peers.push_back({.region = peer.region,
                               .asked = asked,
                               .part = {},
                               .why = asked ? "" : "this region does not hear it"});
      asking->missing += asked ? 1 : 0;
    }
    ++asking->missing;  // this region's own part
    const std::string question = Question(asking->table, asking->key);
    // The answers come on the desk's thread, not before this one is done with `asking`'s fields.
    std::vector<RegionId> to;
    for (const Asking::Peer& peer : asking->peers) {
      if (peer.asked) to.push_back(peer.region);
    }
    for (const RegionId region : to) {
      calls.Call(region, std::string(kExplainVerb), question, budget_ms,
                 [asking, region](std::expected<std::string, CallFailure> answer) {
                   Asking::Peer& peer =
                       *std::ranges::find(asking->peers, region, &Asking::Peer::region);
                   if (!answer) {
                     peer.why = Text(answer.error());
                   } else if (!IsObject(*answer)) {
                     peer.why = "its answer is not understood";
                   } else {
                     peer.part = std::move(*answer);
                   }
                   Arrived(asking);
                 });
    }
    calls.Call(options.self, std::string(kExplainVerb), question, budget_ms,
               [asking](std::expected<std::string, CallFailure> answer) {
                 asking->own = answer ? std::move(*answer) : std::string("{}");
                 Arrived(asking);
               });
  };
}

}  // namespace hawser::admin
