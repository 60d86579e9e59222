// HOME: where the unit of a key is at home, and moving it.

#include <algorithm>
#include <map>

#include "daemon/homes/home_mover.h"
#include "daemon/redis/client_call.h"
#include "daemon/redis/handlers.h"
#include "daemon/redis/key_name.h"

namespace hawser::redis {
namespace {

using Names = std::map<RegionId, std::string>;

std::string NameOf(const Names& names, RegionId region) {
  const auto at = names.find(region);
  return at == names.end() ? std::string() : at->second;
}

void WriteHome(const Home& home, RegionId default_home, std::string_view unit, const Names& names,
               Reply& reply) {
  const bool has_home = home.state != HomeState::kNone;
  reply.Map(4);
  reply.Bulk("unit");
  reply.Bulk(unit);
  reply.Bulk("home");
  const std::string name = NameOf(names, has_home ? home.region : default_home);
  name.empty() ? reply.Null() : reply.Bulk(name);
  reply.Bulk("epoch");
  reply.Int(static_cast<std::int64_t>(home.epoch));
  reply.Bulk("state");
  reply.Bulk(Text(home.state));
}

// nullopt: an error was answered.
std::optional<KeyName> HomedKey(ClientCall& call, const HomedTables* homed) {
  const auto name = ParseKeyName(call.args[2]);
  if (!name) {
    call.reply.Error(kKeyTooBig);
    return std::nullopt;
  }
  if (homed == nullptr || !homed->contains(name->table)) {
    call.reply.Error("NOTHOMED table \"" + std::string(name->table) +
                     "\" is not homed: every region writes it; [[tables]] placement = \"homed\" "
                     "would say otherwise");
    return std::nullopt;
  }
  return name;
}

void GetHome(ClientCall& call) {
  const auto homed = call.service.engine().homed();
  const auto name = HomedKey(call, homed.get());
  if (!name) return;
  const std::string_view unit = UnitOf(name->key);
  const Proof proof = call.service.engine().status().proof();
  const auto view = call.service.TakeView();
  const Home home = HomeOf(view->Get(HomeRowKey(name->table, unit)), proof);
  WriteHome(home, homed->find(name->table)->second, unit, call.service.options().region_names,
            call.reply);
}

// HOME MOVE key region [FORCE reason]
void MoveHome(ClientCall& call) {
  const auto homed = call.service.engine().homed();
  const auto name = HomedKey(call, homed.get());
  if (!name) return;
  if (call.client.state.role < RedisRole::kOperator) {
    return call.reply.Error("NOPERM moving a home needs an operator's token");
  }
  const bool takeover = call.args.size() == 6 && call.Is(4, "FORCE");
  if (call.args.size() != 4 && !takeover) {
    return call.reply.Error("ERR syntax: HOME MOVE key region [FORCE reason]");
  }
  const auto& names = call.service.options().region_names;
  const auto region = std::ranges::find(
      names, call.args[3], [](const auto& entry) { return std::string_view(entry.second); });
  if (region == names.end()) {
    return call.reply.Error("ERR no region is named \"" + std::string(call.args[3].substr(0, 64)) +
                            "\"");
  }
  const HomeMover* mover = call.service.options().home_mover;
  if (mover == nullptr) return call.reply.Error("ERR homes are not wired up in this server");
  const std::string unit(UnitOf(name->key));
  mover->Move({.table = std::string(name->table),
               .unit = unit,
               .to = region->first,
               .takeover = takeover,
               .by = "redis",
               .reason = takeover ? std::string(call.args[5]) : std::string("HOME MOVE")},
              [answer = call.AnswerLater(), names, unit,
               protocol = call.reply.protocol()](const HomeMoved& moved) {
                std::string out;
                Reply reply(out, protocol);
                switch (moved.outcome) {
                  case HomeMoveOutcome::kMoved:
                  case HomeMoveOutcome::kSame:
                    WriteHome(moved.home, {}, unit, names, reply);
                    break;
                  case HomeMoveOutcome::kUnreachable:
                    reply.Error("HOMEDOWN " + moved.text);
                    break;
                  case HomeMoveOutcome::kUnknown:
                    reply.Error("UNKNOWN " + moved.text);
                    break;
                  case HomeMoveOutcome::kElsewhere:
                    reply.Error("TRYAGAIN " + moved.text);
                    break;
                  case HomeMoveOutcome::kRefused:
                  case HomeMoveOutcome::kNotHomed:
                    reply.Error("ERR " + moved.text);
                    break;
                }
                answer(std::move(out));
              });
}

}  // namespace

void HomeCommand(ClientCall& call) {
  const std::size_t count = call.args.size();
  if (count == 3 && call.Is(1, "GET")) return GetHome(call);
  if (count >= 4 && call.Is(1, "MOVE")) return MoveHome(call);
  call.UnknownSubcommand();
}

}  // namespace hawser::redis
