#pragma once

// ClientCall: one command about the connection or the server, carried out on the I/O thread.

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "daemon/redis/call.h"
#include "daemon/redis/connection.h"
#include "daemon/redis/reply.h"
#include "daemon/redis/service.h"

namespace hawser::redis {

class ClientCall {
 public:
  ClientCall(const Command& what, std::span<const std::string_view> arguments, Reply writer,
             Connection& connection, Service& server)
      : command(what), args(arguments), reply(writer), client(connection), service(server) {}

  const Command& command;
  std::span<const std::string_view> args;
  Reply reply;
  Connection& client;
  Service& service;

  bool Is(std::size_t arg, std::string_view word) const {
    return arg < args.size() && EqualsNoCase(args[arg], word);
  }
  // nullopt: no number; an error was answered.
  std::optional<std::int64_t> Int(std::size_t arg, std::string_view error = kNotAnInteger) {
    const auto number = ParseInt(args[arg]);
    if (!number) reply.Error(error);
    return number;
  }
  void UnknownSubcommand() {
    reply.Error("ERR unknown subcommand '" + std::string(args[1].substr(0, 64)) + "'");
  }

  // Suspends the connection: the answer comes later, by calling what this returns, once, from any
  // thread, with the reply's bytes. Write nothing to `reply` then.
  std::function<void(std::string)> AnswerLater() {
    client.Suspend();
    return service.Resumer(client.id());
  }
};

}  // namespace hawser::redis
