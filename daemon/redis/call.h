#pragma once

// Call: one data command being carried out: its arguments, where it reads, the txn it writes in,
// and where the reply goes. Handlers see nothing else of the world. Threads: of whoever carries it
// out: the I/O thread (reads on a view) or the engine's.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "conflict/edit.h"
#include "daemon/redis/key_name.h"
#include "daemon/redis/reading.h"
#include "daemon/redis/reply.h"
#include "daemon/redis/rows.h"
#include "storage/local_txn.h"

namespace hawser::redis {

// Storage that calls on one thread use over and over.
struct Scratch {
  Reading reading;
  Reading other;
  std::string row_key;
  std::string text;
};

inline constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr std::string_view kSyntaxError = "ERR syntax error";
inline constexpr std::string_view kNotAnInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kKeyTooBig = "TOOBIG a key is at most 480 bytes";

class Call {
 public:
  Call(std::span<const std::string_view> arguments, Reply writer, Rows* source, LocalTxn* writing,
       std::int64_t clock_ms, Scratch& storage)
      : args(arguments),
        reply(writer),
        now_ms(clock_ms),
        rows_(source),
        txn_(writing),
        scratch_(storage) {}

  std::span<const std::string_view> args;  // args[0] is the command's name
  Reply reply;
  std::int64_t now_ms;
  bool in_multi = false;
  bool failed = false;  // an error was answered: nothing of this command may be committed
  std::string abort;    // not empty: why nothing of the whole bundle may be committed
  const Schema* schema = nullptr;  // in write commands: what is declared

  void Error(std::string_view text) {
    failed = true;
    reply.Error(text);
  }
  void Error(EditError error, bool hash = false);

  // What is seen of a key. nullptr: the key is no key, an error was answered.
  Reading* Read(std::string_view key) { return ReadInto(key, scratch_.reading); }
  Reading* ReadOther(std::string_view key) { return ReadInto(key, scratch_.other); }
  // The edit of a key, in a write command. nullptr: an error was answered.
  RecordEdit* Edit(std::string_view key);

  // The argument as a number. nullopt: it is none, an error was answered.
  std::optional<std::int64_t> Int(std::size_t arg, std::string_view error = kNotAnInteger);
  bool Is(std::size_t arg, std::string_view word) const;  // upper-case `word`, any case in `arg`
  bool Has(std::size_t arg) const { return arg < args.size(); }
  // Key syntax of several arguments: false after an error was answered.
  bool CheckKeys(std::size_t first, std::size_t step = 1);

  std::string& text() { return scratch_.text; }
  LocalTxn& txn() { return *txn_; }  // REQUIRES: a write command

 private:
  Reading* ReadInto(std::string_view key, Reading& reading);

  Rows* rows_;
  LocalTxn* txn_;
  Scratch& scratch_;
};

bool EqualsNoCase(std::string_view text, std::string_view upper);

}  // namespace hawser::redis
