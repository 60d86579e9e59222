#pragma once

// The command table: name, arity, where it runs, and who carries it out.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hawser::redis {

class Call;
class ClientCall;

// What the time of a command is booked under (`hawser_op_seconds{op}`).
enum class Family : std::uint8_t {
  kGet,
  kSet,
  kCounter,
  kHashRead,
  kHashWrite,
  kKeyRead,
  kKeyWrite,
  kScan,
  kTxn,
  kWait,
  kConnection,
  kAdmin,
  kUnique,
};
inline constexpr std::size_t kFamilies = 13;
const char* Name(Family family);

// Where and when a command runs.
enum class Place : std::uint8_t {
  kPure,    // needs arguments only
  kRead,    // reads records: on a view, or in the engine behind this connection's own writes
  kWrite,   // writes records: in the engine, one txn outside MULTI
  kClient,  // about the connection: on the I/O thread, at once, in its turn among the replies
  kAlone,   // on the I/O thread once all earlier commands of the connection are answered
};

struct Command {
  std::string_view name;  // upper case
  int arity = 0;          // with the name; negative: at least that many
  Place place = Place::kPure;
  Family family = Family::kAdmin;
  void (*run)(Call&) = nullptr;          // kPure, kRead, kWrite
  void (*serve)(ClientCall&) = nullptr;  // kClient, kAlone; one with `run` as well may be in MULTI
  int first_key = 0, last_key = 0, key_step = 0;
  bool needs_operator = false;  // with tokens configured
  bool before_auth = false;     // allowed before AUTH
};

std::span<const Command> AllCommands();
const Command* FindCommand(std::string_view name);
// True if `count` arguments, name included, suit the command.
bool ArityFits(const Command& command, std::size_t count);
// Why Redis knows a command that Hawser has not, as an error; empty for words Redis does not know.
std::string_view AbsentReason(std::string_view name);

}  // namespace hawser::redis
