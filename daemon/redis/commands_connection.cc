#include <chrono>

#include "daemon/redis/client_call.h"
#include "daemon/redis/handlers.h"

namespace hawser::redis {

// --- Without the connection
// ------------------------------------------------------------------------

void Ping(Call& call) {
  if (call.args.size() > 2) {
    return call.Error("ERR wrong number of arguments for 'ping' command");
  }
  call.args.size() == 2 ? call.reply.Bulk(call.args[1]) : call.reply.Simple("PONG");
}

void Echo(Call& call) {
  call.reply.Bulk(call.args[1]);
}

// The hybrid clock: what judges expiry here.
void Time(Call& call) {
  call.reply.Array(2);
  call.reply.Bulk(std::to_string(call.now_ms / 1000));
  call.reply.Bulk(std::to_string(call.now_ms % 1000 * 1000));
}

void Select(Call& call) {
  const auto db = call.Int(1, "ERR invalid DB index");
  if (!db) return;
  *db == 0 ? call.reply.Ok() : call.Error("ERR DB index is out of range");
}

// --- Who speaks and how
// ------------------------------------------------------------------------------

namespace {

bool Login(ClientCall& call, std::string_view user, std::string_view token) {
  const auto& authenticate = call.service.options().authenticate;
  if (!authenticate) {
    call.reply.Error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
    return false;
  }
  const RedisRole role = authenticate(user, token);
  if (role == RedisRole::kNone) {
    call.reply.Error("WRONGPASS invalid username-password pair or user is disabled.");
    return false;
  }
  call.client.state.role = role;
  call.client.SetLimits();
  return true;
}

bool IsClientName(std::string_view name) {
  for (const char c : name) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

constexpr std::string_view kBadName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

}  // namespace

void Auth(ClientCall& call) {
  if (call.args.size() > 3) return call.reply.Error(kSyntaxError);
  const bool named = call.args.size() == 3;
  if (Login(call, named ? call.args[1] : "", call.args.back())) call.reply.Ok();
}

void Hello(ClientCall& call) {
  int protocol = call.client.state.protocol;
  std::size_t i = 1;
  if (call.args.size() > 1) {
    const auto version = ParseInt(call.args[1]);
    if (!version) return call.reply.Error("ERR Protocol version is not an integer or out of range");
    if (*version != 2 && *version != 3) {
      return call.reply.Error("NOPROTO unsupported protocol version");
    }
    protocol = static_cast<int>(*version);
    i = 2;
  }
  std::optional<std::string_view> name;
  bool logged_in = call.client.state.role != RedisRole::kNone;
  for (; i < call.args.size(); ++i) {
    if (call.Is(i, "AUTH") && i + 2 < call.args.size()) {
      if (!Login(call, call.args[i + 1], call.args[i + 2])) return;
      logged_in = true;
      i += 2;
    } else if (call.Is(i, "SETNAME") && i + 1 < call.args.size()) {
      name = call.args[++i];
      if (!IsClientName(*name)) return call.reply.Error(kBadName);
    } else {
      return call.reply.Error("ERR Syntax error in HELLO option '" +
                              std::string(call.args[i].substr(0, 64)) + "'");
    }
  }
  if (!logged_in) {
    return call.reply.Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the "
        "RESP protocol version at the same time");
  }
  if (name) call.client.state.name = *name;
  call.client.state.protocol = protocol;
  if (protocol != 3 && call.client.state.tracking.on) {
    call.client.state.tracking = {};
    call.service.announcer().Follow(call.client);
  }
  call.reply.SetProtocol(protocol);
  call.reply.Map(7);
  const auto pair = [&](std::string_view key, std::string_view value) {
    call.reply.Bulk(key);
    call.reply.Bulk(value);
  };
  pair("server", "redis");
  pair("version", "7.0.15");
  call.reply.Bulk("proto");
  call.reply.Int(protocol);
  call.reply.Bulk("id");
  call.reply.Int(static_cast<std::int64_t>(call.client.id()));
  pair("mode", "standalone");
  pair("role", "master");
  call.reply.Bulk("modules");
  call.reply.Array(0);
}

void Quit(ClientCall& call) {
  call.reply.Ok();
  call.client.CloseAfterReply();
}

void Reset(ClientCall& call) {
  ClientState& state = call.client.state;
  call.client.DropBundle();
  state.protocol = 2;
  call.reply.SetProtocol(2);
  state.name.clear();
  state.reply_off = state.reads_at_home = false;
  state.channels.clear();
  state.patterns.clear();
  state.tracking = {};
  call.service.announcer().Follow(call.client);
  state.role = call.service.options().authenticate ? RedisRole::kNone : RedisRole::kOperator;
  call.client.SetLimits();
  call.reply.Simple("RESET");
}

// --- CLIENT
// --------------------------------------------------------------------------------------------

namespace {

std::string Describe(Connection& client) {
  const ClientState& state = client.state;
  const std::int64_t now_ns = MonoNs();
  std::string text = "id=" + std::to_string(client.id()) + " addr=" + state.peer +
                     " laddr=" + state.local + " fd=" + std::to_string(client.fd()) +
                     " name=" + state.name;
  const auto add = [&](std::string_view key, std::uint64_t value) {
    text.append(" ").append(key).append("=").append(std::to_string(value));
  };
  add("age", static_cast<std::uint64_t>((now_ns - state.connected_at_ns) / 1'000'000'000));
  add("idle", static_cast<std::uint64_t>((now_ns - state.active_at_ns) / 1'000'000'000));
  std::string flags = client.bundle ? "x" : state.subscriptions() > 0 ? "P" : "";
  if (state.tracking.on) flags += state.tracking.broadcast ? "tB" : "t";
  text.append(" flags=").append(flags.empty() ? "N" : flags);
  add("db", 0);
  add("sub", state.channels.size());
  add("psub", state.patterns.size());
  text.append(" multi=").append(client.bundle ? std::to_string(client.bundle->size()) : "-1");
  add("qbuf", client.input_bytes());
  add("omem", client.output_bytes());
  text.append(" cmd=").append(state.last_command.empty() ? "NULL" : state.last_command);
  text.append(" user=default lib-name=").append(state.library);
  text.append(" lib-ver=").append(state.library_version);
  add("resp", static_cast<std::uint64_t>(state.protocol));
  text.push_back('\n');
  return text;
}

// CLIENT KILL addr | ID id | ADDR addr | LADDR addr | SKIPME yes|no …
void KillClients(ClientCall& call) {
  std::optional<std::int64_t> id;
  std::optional<std::string_view> peer, local;
  const bool old_form = call.args.size() == 3;
  bool skip_me = !old_form;
  if (old_form) {
    peer = call.args[2];
  } else {
    for (std::size_t i = 2; i < call.args.size(); i += 2) {
      if (i + 1 >= call.args.size()) return call.reply.Error(kSyntaxError);
      if (call.Is(i, "ID")) {
        id = call.Int(i + 1, "ERR client-id should be greater than 0");
        if (!id) return;
      } else if (call.Is(i, "ADDR")) {
        peer = call.args[i + 1];
      } else if (call.Is(i, "LADDR")) {
        local = call.args[i + 1];
      } else if (call.Is(i, "SKIPME")) {
        skip_me = call.Is(i + 1, "YES");
      } else if (!call.Is(i, "USER") && !call.Is(i, "TYPE")) {
        return call.reply.Error(kSyntaxError);
      }
    }
  }
  std::int64_t killed = 0;
  call.service.ForEachConnection([&](Connection& other) {
    if (id && static_cast<std::uint64_t>(*id) != other.id()) return;
    if (peer && *peer != other.state.peer) return;
    if (local && *local != other.state.local) return;
    if (&other == &call.client) {
      if (skip_me) return;
      call.client.CloseAfterReply();
    } else {
      other.Close();
    }
    ++killed;
  });
  if (!old_form) return call.reply.Int(killed);
  killed > 0 ? call.reply.Ok() : call.reply.Error("ERR No such client");
}

void ReplyMode(ClientCall& call) {
  ClientState& state = call.client.state;
  if (call.Is(2, "ON")) {
    state.reply_off = false;
    call.reply.Ok();
  } else if (call.Is(2, "OFF")) {
    state.reply_off = true;
  } else if (call.Is(2, "SKIP")) {
    if (!state.reply_off) state.skip_next = true;
  } else {
    call.reply.Error(kSyntaxError);
  }
}

void SetInfo(ClientCall& call) {
  if (!IsClientName(call.args[3])) return call.reply.Error(kBadName);
  if (call.Is(2, "LIB-NAME")) {
    call.client.state.library = call.args[3].substr(0, 128);
  } else if (call.Is(2, "LIB-VER")) {
    call.client.state.library_version = call.args[3].substr(0, 128);
  } else {
    return call.reply.Error("ERR Unrecognized option '" + std::string(call.args[2].substr(0, 64)) +
                            "'");
  }
  call.reply.Ok();
}

}  // namespace

void ClientCommand(ClientCall& call) {
  const std::size_t count = call.args.size();
  if (call.Is(1, "ID") && count == 2) {
    call.reply.Int(static_cast<std::int64_t>(call.client.id()));
  } else if (call.Is(1, "GETNAME") && count == 2) {
    const std::string& name = call.client.state.name;
    name.empty() ? call.reply.Null() : call.reply.Bulk(name);
  } else if (call.Is(1, "SETNAME") && count == 3) {
    if (!IsClientName(call.args[2])) return call.reply.Error(kBadName);
    call.client.state.name = call.args[2];
    call.reply.Ok();
  } else if (call.Is(1, "SETINFO") && count == 4) {
    SetInfo(call);
  } else if (call.Is(1, "INFO") && count == 2) {
    call.reply.Verbatim(Describe(call.client));
  } else if (call.Is(1, "LIST")) {
    std::string text;
    call.service.ForEachConnection([&](Connection& other) { text += Describe(other); });
    call.reply.Verbatim(text);
  } else if (call.Is(1, "KILL") && count >= 3) {
    KillClients(call);
  } else if (call.Is(1, "REPLY") && count == 3) {
    ReplyMode(call);
  } else if ((call.Is(1, "NO-EVICT") || call.Is(1, "NO-TOUCH")) && count == 3) {
    call.Is(2, "ON") || call.Is(2, "OFF") ? call.reply.Ok() : call.reply.Error(kSyntaxError);
  } else if (!TrackingCommand(call)) {
    call.UnknownSubcommand();
  }
}

// --- Channels
// ------------------------------------------------------------------------------------------

namespace {

using Names = std::set<std::string, std::less<>>;
constexpr std::string_view kChannels = "hawser.";
constexpr std::size_t kSubscriptionsMax = 1024;

void Confirm(ClientCall& call, std::string_view kind, std::optional<std::string_view> channel) {
  call.reply.Push(3);
  call.reply.Bulk(kind);
  channel ? call.reply.Bulk(*channel) : call.reply.Null();
  call.reply.Int(static_cast<std::int64_t>(call.client.state.subscriptions()));
}

void SubscribeTo(ClientCall& call, Names& names, std::string_view kind) {
  for (const std::string_view channel : call.args.subspan(1)) {
    if (!channel.starts_with(kChannels)) {
      return call.reply.Error("ERR there are only the channels hawser.*, which hawser publishes");
    }
  }
  for (const std::string_view channel : call.args.subspan(1)) {
    if (call.client.state.subscriptions() >= kSubscriptionsMax) {
      call.reply.Error("ERR too many subscriptions");
      break;  // those before it stand
    }
    names.emplace(channel.substr(0, 512));
    Confirm(call, kind, channel);
  }
  call.service.announcer().Follow(call.client);
}

void UnsubscribeFrom(ClientCall& call, Names& names, std::string_view kind) {
  std::vector<std::string> channels(call.args.begin() + 1, call.args.end());
  if (channels.empty()) channels.assign(names.begin(), names.end());
  if (channels.empty()) return Confirm(call, kind, std::nullopt);
  for (const std::string& channel : channels) {
    names.erase(channel);
    Confirm(call, kind, channel);
  }
  call.service.announcer().Follow(call.client);
}

}  // namespace

void Subscribe(ClientCall& call) {
  SubscribeTo(call, call.client.state.channels, "subscribe");
}
void PSubscribe(ClientCall& call) {
  SubscribeTo(call, call.client.state.patterns, "psubscribe");
}
void Unsubscribe(ClientCall& call) {
  UnsubscribeFrom(call, call.client.state.channels, "unsubscribe");
}
void PUnsubscribe(ClientCall& call) {
  UnsubscribeFrom(call, call.client.state.patterns, "punsubscribe");
}

}  // namespace hawser::redis
