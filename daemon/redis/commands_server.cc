// COMMAND, CONFIG, INFO: what tools ask a Redis server about itself.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "daemon/redis/client_call.h"
#include "daemon/redis/glob.h"
#include "daemon/redis/handlers.h"
#include "wan/state_words.h"

namespace hawser::redis {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return lower;
}

void ReplyCommand(Reply& reply, const Command& command) {
  reply.Array(10);
  reply.Bulk(Lower(command.name));
  reply.Int(command.arity);
  const bool keyed = command.first_key != 0;
  if (keyed) {
    reply.Set(1);
    reply.Simple(command.place == Place::kWrite ? "write" : "readonly");
  } else {
    reply.Set(0);
  }
  reply.Int(command.first_key);
  reply.Int(command.last_key);
  reply.Int(command.key_step);
  for (int i = 0; i < 4; ++i) reply.Array(0);  // ACL categories, tips, key specs, subcommands
}

}  // namespace

void CommandCommand(ClientCall& call) {
  const auto all = AllCommands();
  if (call.args.size() == 1) {
    call.reply.Array(all.size());
    for (const Command& command : all) ReplyCommand(call.reply, command);
  } else if (call.Is(1, "COUNT")) {
    call.reply.Int(static_cast<std::int64_t>(all.size()));
  } else if (call.Is(1, "LIST") && call.args.size() == 2) {
    call.reply.Array(all.size());
    for (const Command& command : all) call.reply.Bulk(Lower(command.name));
  } else if (call.Is(1, "DOCS")) {
    call.reply.Map(0);
  } else if (call.Is(1, "INFO") && call.args.size() > 2) {
    call.reply.Array(call.args.size() - 2);
    for (const std::string_view name : call.args.subspan(2)) {
      const Command* command = FindCommand(name);
      command != nullptr ? ReplyCommand(call.reply, *command) : call.reply.NullArray();
    }
  } else {
    call.UnknownSubcommand();
  }
}

void Config(ClientCall& call) {
  if (call.Is(1, "RESETSTAT")) return call.reply.Ok();
  if (!call.Is(1, "GET") || call.args.size() < 3) {
    return call.reply.Error(
        "ERR only CONFIG GET is here; hawser's configuration is its file, reloaded by SIGHUP");
  }
  const RedisOptions& options = call.service.options();
  // What tools ask for, answered by what is true here: every reply to a write is synced.
  const std::pair<std::string_view, std::string> known[] = {
      {"appendfsync", "always"},
      {"appendonly", "yes"},
      {"bind", options.host},
      {"databases", "1"},
      {"maxclients", std::to_string(options.clients_max)},
      {"maxmemory", "0"},
      {"maxmemory-policy", "noeviction"},
      {"port", std::to_string(options.port)},
      {"proto-max-bulk-len", std::to_string(options.bulk_bytes_max)},
      {"save", ""},
      {"timeout", "0"},
  };
  std::vector<const std::pair<std::string_view, std::string>*> found;
  for (const auto& entry : known) {
    const auto matches = [&](std::string_view pattern) {
      return GlobMatches(Lower(pattern), entry.first);
    };
    if (std::ranges::any_of(call.args.subspan(2), matches)) found.push_back(&entry);
  }
  call.reply.Map(found.size());
  for (const auto* entry : found) {
    call.reply.Bulk(entry->first);
    call.reply.Bulk(entry->second);
  }
}

// --- INFO
// ----------------------------------------------------------------------------------------------

namespace {

std::uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

class InfoText {
 public:
  void Section(std::string_view name) {
    if (!text.empty()) text.append("\r\n");
    text.append("# ").append(name).append("\r\n");
  }
  void Add(std::string_view key, std::string_view value) {
    text.append(key).append(":").append(value).append("\r\n");
  }
  void Add(std::string_view key, std::uint64_t value) { Add(key, std::to_string(value)); }
  std::string text;
};

void InfoServer(ClientCall& call, InfoText& info) {
  info.Section("Server");
  info.Add("redis_version", "7.0.15");
  info.Add("redis_mode", "standalone");
  info.Add("hawser_version", call.service.options().version);
  info.Add("process_id", static_cast<std::uint64_t>(getpid()));
  info.Add("run_id", call.service.run_id());
  info.Add("tcp_port", call.service.options().port);
  const std::int64_t up_s = (MonoNs() - call.service.started_at_ns()) / 1'000'000'000;
  info.Add("uptime_in_seconds", static_cast<std::uint64_t>(up_s));
  info.Add("uptime_in_days", static_cast<std::uint64_t>(up_s / 86'400));
}

void InfoClients(ClientCall& call, InfoText& info) {
  info.Section("Clients");
  info.Add("connected_clients", call.service.counters().clients.get());
  info.Add("maxclients", call.service.options().clients_max);
}

void InfoMemory(InfoText& info, const StoreUsage& usage) {
  info.Section("Memory");
  info.Add("used_memory_rss", ResidentBytes());
  info.Add("used_memory", usage.memtable_bytes);
  info.Add("maxmemory", 0);
}

void InfoPersistence(InfoText& info, const StoreUsage& usage) {
  info.Section("Persistence");
  info.Add("loading", 0);
  info.Add("aof_enabled", 1);
  info.Add("journal_bytes", usage.journal_bytes);
  info.Add("journal_limit_bytes", usage.journal_limit_bytes);
  info.Add("memtable_bytes", usage.memtable_bytes);
}

void InfoStats(ClientCall& call, InfoText& info) {
  const RedisStats stats = call.service.counters().Read();
  const EngineUsage usage = call.service.engine().usage();
  info.Section("Stats");
  info.Add("total_connections_received", stats.accepted);
  info.Add("total_commands_processed", stats.commands);
  info.Add("total_net_input_bytes", stats.input_bytes);
  info.Add("total_net_output_bytes", stats.output_bytes);
  info.Add("rejected_connections", stats.rejected);
  info.Add("group_commits", usage.commits);
  info.Add("committed_txns", usage.committed_txns);
}

void InfoReplication(ClientCall& call, InfoText& info) {
  const ReplicaStatus status = call.service.engine().status();
  info.Section("Replication");
  info.Add("role", "master");
  info.Add("region", call.service.options().region_name);
  const auto up = std::ranges::count(status.peers, LinkState::kUp, &PeerStatus::link);
  info.Add("connected_slaves", static_cast<std::uint64_t>(up));
  for (const PeerStatus& peer : status.peers) {
    info.Add("region_" + call.service.RegionName(peer.region),
             "link=" + std::string(Text(peer.link)) +
                 ",outgoing_txns=" + std::to_string(peer.outgoing.txns) + ",incoming_txns=" +
                 std::to_string(peer.incoming.txns) + ",rtt_ms=" + FormatFloat(peer.rtt_ms));
  }
}

void InfoCpu(InfoText& info) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return FormatFloat(static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6);
  };
  info.Section("CPU");
  info.Add("used_cpu_sys", seconds(usage.ru_stime));
  info.Add("used_cpu_user", seconds(usage.ru_utime));
}

}  // namespace

void Info(ClientCall& call) {
  const auto wants = [&](std::string_view section) {
    if (call.args.size() == 1) return true;
    for (std::size_t i = 1; i < call.args.size(); ++i) {
      if (call.Is(i, section) || call.Is(i, "ALL") || call.Is(i, "EVERYTHING") ||
          call.Is(i, "DEFAULT")) {
        return true;
      }
    }
    return false;
  };
  InfoText info;
  const StoreUsage usage = call.service.engine().storage();
  if (wants("SERVER")) InfoServer(call, info);
  if (wants("CLIENTS")) InfoClients(call, info);
  if (wants("MEMORY")) InfoMemory(info, usage);
  if (wants("PERSISTENCE")) InfoPersistence(info, usage);
  if (wants("STATS")) InfoStats(call, info);
  if (wants("REPLICATION")) InfoReplication(call, info);
  if (wants("CPU")) InfoCpu(info);
  if (wants("KEYSPACE")) info.Section("Keyspace");  // counting takes a walk: DBSIZE
  call.reply.Verbatim(info.text);
}

}  // namespace hawser::redis
