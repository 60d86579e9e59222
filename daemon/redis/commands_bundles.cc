// MULTI … EXEC: one txn, atomic in every region; WATCH makes it depend on what this region shows.

#include "daemon/redis/client_call.h"
#include "daemon/redis/handlers.h"

namespace hawser::redis {

void Multi(ClientCall& call) {
  if (call.client.bundle) return call.reply.Error("ERR MULTI calls can not be nested");
  call.client.bundle = std::make_unique<Bundle>();
  call.client.bundle_refused = false;
  call.reply.Ok();
}

void Exec(ClientCall& call) {
  Connection& client = call.client;
  if (!client.bundle) return call.reply.Error("ERR EXEC without MULTI");
  if (client.bundle_refused) {
    client.DropBundle();
    return call.reply.Error("EXECABORT Transaction discarded because of previous errors.");
  }
  client.watching = false;
  client.AddExecToBatch(call.command);
}

void Discard(ClientCall& call) {
  if (!call.client.bundle) return call.reply.Error("ERR DISCARD without MULTI");
  call.client.DropBundle();
  call.reply.Ok();
}

void Watch(ClientCall& call) {
  for (const std::string_view key : call.args.subspan(1)) {
    if (!ParseKeyName(key)) return call.reply.Error(kKeyTooBig);
  }
  call.client.watching = true;
  call.client.AddToBatch(Item::Type::kWatch, call.command, call.args);
}

void Unwatch(ClientCall& call) {
  call.client.Unwatch();
  call.reply.Ok();
}

}  // namespace hawser::redis
