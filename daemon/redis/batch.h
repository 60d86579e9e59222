#pragma once

// Batch: consecutive commands of one connection on their way through the engine, with the bytes
// they came in and the replies they get. Made and taken back by the I/O thread; in between it is
// the engine's. It depends on nothing of the connection, which may be gone when it returns.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/redis/buffer.h"
#include "daemon/redis/bundle.h"
#include "daemon/redis/call.h"
#include "daemon/redis/command.h"
#include "wan/session.h"

namespace hawser::redis {

struct Item {
  enum class Type : std::uint8_t {
    kRun,      // a read or a write
    kLiteral,  // answered by the I/O thread already; its bytes keep their turn
    kExec,     // a bundle, unless a record watched has changed
    kWatch,    // notes what its arguments' records are now
  };
  Type type = Type::kRun;
  std::uint8_t protocol = 2;
  bool silent = false;  // CLIENT REPLY OFF or SKIP
  const Command* command = nullptr;
  std::uint32_t args_begin = 0, args_count = 0;
  std::size_t literal_begin = 0, literal_size = 0;
  std::size_t out_end = 0;  // where its reply ends in Batch::out
  std::unique_ptr<Bundle> bundle;
  std::shared_ptr<WatchList> watches;  // kExec, kWatch: the engine's while this is under way
};

class Batch {
 public:
  // --- I/O thread --------------------------------------------------------------------------------
  void Add(Item::Type type, const Command& command, std::span<const std::string_view> args,
           int protocol, bool silent);
  void AddExec(const Command& command, std::unique_ptr<Bundle> bundle, int protocol, bool silent);
  void SetWatches(std::shared_ptr<WatchList> watches) {
    items_.back().watches = std::move(watches);
  }
  void AddLiteral(const Command* command, std::string_view reply);
  bool needs_engine() const { return needs_engine_; }
  void Clear();  // keeps the storage

  bool keeps_written = false;  // `written` is wanted
  std::uint64_t connection = 0;
  std::uint64_t turn = 0;  // the connection's count of batches
  std::int64_t read_at_ns = 0;
  Buffer input;                    // what the arguments point into
  std::vector<std::string> owned;  // … or this

  // --- Engine thread
  // -------------------------------------------------------------------------------
  void Run(Session& session, Scratch& scratch);

  // --- After the engine
  // ------------------------------------------------------------------------------ Nothing is known
  // of what the engine did: replies say UNKNOWN, literals stay.
  void BecomeUnknown();
  // Answers the literals of a batch that need not go through the engine.
  void RunLiterals();

  std::string out;
  Dot last_write;  // seq 0: wrote nothing
  std::vector<Seq> written;
  const std::vector<Item>& items() const { return items_; }

 private:
  std::span<const std::string_view> Args(const Item& item) const {
    return std::span(args_).subspan(item.args_begin, item.args_count);
  }
  void RunOne(const Item& item, Session& session, Scratch& scratch);
  void RunExec(const Item& item, Session& session, Scratch& scratch);
  void NoteCommit(const std::expected<Dot, Refusal>& dot, std::size_t reply_begin, Reply& reply);

  std::vector<Item> items_;
  std::vector<std::string_view> args_;
  std::string literals_;
  bool needs_engine_ = false;
};

inline constexpr std::string_view kUnknownText =
    "UNKNOWN the write was not confirmed before this daemon failed or stopped; it may or may not "
    "have happened";
// The error a refused write is answered with.
std::string_view RefusalText(Refusal refusal);

}  // namespace hawser::redis
