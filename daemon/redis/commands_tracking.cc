// CLIENT TRACKING, CACHING, TRACKINGINFO, GETREDIR: what a client wants to hear of.

#include <algorithm>

#include "daemon/redis/client_call.h"
#include "daemon/redis/handlers.h"

namespace hawser::redis {
namespace {

constexpr std::size_t kPrefixesMax = 64;

// Two prefixes of which one begins with the other would announce a key twice.
bool Overlap(const std::vector<std::string>& prefixes) {
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    for (std::size_t j = 0; j < prefixes.size(); ++j) {
      if (i != j && prefixes[i].starts_with(prefixes[j])) return true;
    }
  }
  return false;
}

// What the options ask for; nullopt: an error was answered.
std::optional<TrackingState> ReadOptions(ClientCall& call) {
  TrackingState wish;
  wish.on = true;
  for (std::size_t i = 3; i < call.args.size(); ++i) {
    if (call.Is(i, "BCAST")) {
      wish.broadcast = true;
    } else if (call.Is(i, "NOLOOP")) {
      wish.noloop = true;
    } else if (call.Is(i, "OPTIN")) {
      wish.optin = true;
    } else if (call.Is(i, "OPTOUT")) {
      wish.optout = true;
    } else if (call.Is(i, "PREFIX") && i + 1 < call.args.size()) {
      wish.prefixes.emplace_back(call.args[++i].substr(0, kKeyBytesMax));
    } else if (call.Is(i, "REDIRECT")) {
      call.reply.Error(
          "ERR hawser does not redirect invalidations to another connection; use RESP3 (HELLO 3)");
      return std::nullopt;
    } else {
      call.reply.Error(kSyntaxError);
      return std::nullopt;
    }
  }
  const auto refuse = [&](std::string_view text) {
    call.reply.Error(text);
    return std::nullopt;
  };
  if (!wish.prefixes.empty() && !wish.broadcast) {
    return refuse("ERR PREFIX option requires BCAST mode to be enabled");
  }
  if (wish.optin && wish.optout) return refuse("ERR You can't use both OPTIN and OPTOUT");
  if (wish.broadcast && (wish.optin || wish.optout)) {
    return refuse("ERR OPTIN and OPTOUT are not compatible with BCAST");
  }
  return wish;
}

void Tracking(ClientCall& call) {
  TrackingState& tracking = call.client.state.tracking;
  if (call.Is(2, "OFF")) {
    if (call.args.size() > 3) return call.reply.Error(kSyntaxError);
    tracking = {};
    call.service.announcer().Follow(call.client);
    return call.reply.Ok();
  }
  if (!call.Is(2, "ON")) return call.reply.Error(kSyntaxError);
  auto wish = ReadOptions(call);
  if (!wish) return;
  if (call.client.state.protocol != 3) {
    return call.reply.Error("ERR CLIENT TRACKING needs RESP3: say HELLO 3 first");
  }
  const bool switches = wish->broadcast != tracking.broadcast || wish->optin != tracking.optin ||
                        wish->optout != tracking.optout;
  if (tracking.on && switches) {
    return call.reply.Error(
        "ERR You can't switch BCAST mode, OPTIN or OPTOUT before disabling tracking for this "
        "client");
  }
  if (tracking.on && wish->broadcast) {  // more prefixes
    for (const std::string& prefix : tracking.prefixes) {
      if (std::ranges::find(wish->prefixes, prefix) == wish->prefixes.end()) {
        wish->prefixes.push_back(prefix);
      }
    }
  }
  if (wish->prefixes.size() > kPrefixesMax) return call.reply.Error("ERR too many prefixes");
  if (Overlap(wish->prefixes)) {
    return call.reply.Error(
        "ERR one of these prefixes begins with another: a key would be announced twice");
  }
  tracking = std::move(*wish);
  call.service.announcer().Follow(call.client);
  call.reply.Ok();
}

void Caching(ClientCall& call) {
  TrackingState& tracking = call.client.state.tracking;
  const bool yes = call.Is(2, "YES");
  if (!yes && !call.Is(2, "NO")) return call.reply.Error(kSyntaxError);
  if (yes ? !tracking.optin : !tracking.optout) {
    return call.reply.Error(yes ? "ERR CLIENT CACHING YES is only valid with tracking in OPTIN mode"
                                : "ERR CLIENT CACHING NO is only valid with tracking in OPTOUT "
                                  "mode");
  }
  tracking.caching = true;
  call.reply.Ok();
}

void TrackingInfo(ClientCall& call) {
  const TrackingState& tracking = call.client.state.tracking;
  std::vector<std::string_view> flags;
  flags.emplace_back(tracking.on ? "on" : "off");
  if (tracking.broadcast) flags.emplace_back("bcast");
  if (tracking.optin) flags.emplace_back("optin");
  if (tracking.optout) flags.emplace_back("optout");
  if (tracking.caching) flags.emplace_back(tracking.optin ? "caching-yes" : "caching-no");
  if (tracking.noloop) flags.emplace_back("noloop");
  call.reply.Map(3);
  call.reply.Bulk("flags");
  call.reply.Set(flags.size());
  for (const std::string_view flag : flags) call.reply.Bulk(flag);
  call.reply.Bulk("redirect");
  call.reply.Int(tracking.on ? 0 : -1);
  call.reply.Bulk("prefixes");
  call.reply.Array(tracking.prefixes.size());
  for (const std::string& prefix : tracking.prefixes) call.reply.Bulk(prefix);
}

}  // namespace

bool TrackingCommand(ClientCall& call) {
  const std::size_t count = call.args.size();
  if (call.Is(1, "TRACKING") && count >= 3) {
    Tracking(call);
  } else if (call.Is(1, "CACHING") && count == 3) {
    Caching(call);
  } else if (call.Is(1, "TRACKINGINFO") && count == 2) {
    TrackingInfo(call);
  } else if (call.Is(1, "GETREDIR") && count == 2) {
    call.reply.Int(call.client.state.tracking.on ? 0 : -1);
  } else {
    return false;
  }
  return true;
}

}  // namespace hawser::redis
