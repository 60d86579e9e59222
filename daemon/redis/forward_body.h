#pragma once

// What travels with a command to the home of its unit, and back. Pure; docs/formats.md, section 4.

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/cut.h"

namespace hawser::redis {

struct ForwardedCommands {
  std::uint8_t protocol = 2;
  bool bundle = false;  // one txn, answered as EXEC answers
  // What it reads is to be at home there too, not only what it writes.
  bool reads_at_home = false;
  // Run it only when these are applied there: what says that it is the home, and what the client
  // wrote before. Seq 0: nothing.
  Dot known_by, after;
  std::vector<std::vector<std::string_view>> commands;  // of decoded ones borrowed from the bytes
};
void BeginForward(const ForwardedCommands& head, std::size_t commands, std::string& out);
void AppendForwarded(std::span<const std::string_view> args, std::string& out);
std::optional<ForwardedCommands> DecodeForward(std::string_view bytes);

enum class ForwardOutcome : std::uint8_t {
  kRan = 0,      // durable there, if it wrote; or refused there, as the reply says
  kBehind = 1,   // nothing ran: that region has not heard in time that it is the home
  kUnknown = 2,  // its commit ended in doubt
  kBad = 3,      // nothing ran: not understood there
};
struct ForwardAnswer {
  ForwardOutcome outcome = ForwardOutcome::kRan;
  Dot last_write;  // seq 0: wrote nothing
  std::string_view reply;
};
std::string EncodeForwardAnswer(const ForwardAnswer& answer);
std::optional<ForwardAnswer> DecodeForwardAnswer(std::string_view bytes);

}  // namespace hawser::redis
