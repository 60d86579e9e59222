#pragma once

// Connection: one client. Reads bytes, cuts them into commands, carries out what it may at once,
// puts the rest into batches for the engine, and sends replies in the order of the commands.
//
// Order: while nothing of this connection is in the engine, reads are answered at once from a view.
//        From its first write on, reads too travel in batches, until all is answered: a connection
//        sees its own writes, in order. A command for kAlone stalls the connection until then.
// Threads: the I/O thread.

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/redis/batch.h"
#include "daemon/redis/buffer.h"
#include "daemon/redis/bundle.h"
#include "daemon/redis/client_state.h"
#include "daemon/redis/homed.h"
#include "daemon/redis/reply.h"
#include "daemon/redis/resp_parser.h"

namespace hawser::redis {

class Service;

class Connection {
 public:
  Connection(Service& service, int fd, std::uint64_t id, std::string peer, std::string local);
  ~Connection();

  void OnReadable();
  void OnWritable();
  void OnHangup() { Close(); }
  // A batch came back; several may, then Settle once.
  void TakeBack(std::unique_ptr<Batch> batch);
  // Goes on after batches came back or a suspension ended: stalled command, unread input, replies.
  void Settle();
  // The reply to the command that suspended the connection.
  void Resume(std::string_view reply);
  void Close();
  // No more input; closes once what is in the engine was answered.
  void Finish();

  // --- For handlers ------------------------------------------------------------------------------
  ClientState state;
  std::shared_ptr<WatchList> watches = std::make_shared<WatchList>();
  bool watching = false;           // WATCH was sent since the last EXEC, DISCARD or UNWATCH
  std::unique_ptr<Bundle> bundle;  // set between MULTI and EXEC
  bool bundle_refused = false;     // a command in it was refused: EXEC aborts
  void Suspend() { suspended_ = true; }
  void CloseAfterReply() { closing_ = true; }
  // Puts an engine item into the open batch (opening one), in its turn.
  void AddToBatch(Item::Type type, const Command& command, std::span<const std::string_view> args);
  void AddExecToBatch(const Command& command);
  void DropBundle();  // and what was watched for it
  void Unwatch();
  void SetLimits();

  // --- For the announcer -------------------------------------------------------------------------
  // Something nobody asked for; leaves with SendPushed, behind the replies to all that is in the
  // engine now, or that another region or thread is asked for. `own`: it is about a txn of this
  // region, seq 0: it is not. Who tracks with NOLOOP does not get what is about its own.
  template <typename Write>
  void Push(Seq own, Write write) {
    if (closed()) return;
    std::string bytes;
    Reply reply(bytes, state.protocol);
    write(reply);
    Push(own, std::move(bytes));
  }
  void SendPushed();  // not from within a command
  // True if the client asked not to hear of it: it tracks with NOLOOP, and wrote that txn.
  bool Wrote(Seq own);

  std::uint64_t id() const { return id_; }
  int fd() const { return fd_; }
  bool closed() const { return fd_ < 0; }
  bool idle() const { return turns_.empty() && !open_; }
  // No reply is owed: nothing is in the engine, and no command is answered later.
  bool Answered() const { return turns_.empty() && !suspended_; }
  // May be destroyed: nothing of it is in the engine.
  bool Forgettable() const { return closed() && turns_.empty(); }
  std::size_t output_bytes() const { return out_.size() - out_sent_ + pushed_bytes_; }
  std::size_t input_bytes() const { return input_.size(); }

 private:
  void Process();
  void Parse();
  // One command: answers it, puts it into the batch, or keeps it as stalled_.
  void Dispatch(std::span<const std::string_view> args);
  // Refuses what may not run in the present state; true after an error was answered.
  bool Refuse(const Command* command, std::span<const std::string_view> args);
  void Queue(const Command& command, std::span<const std::string_view> args);
  void Stall(std::span<const std::string_view> args);
  // Units whose home is elsewhere.
  std::optional<Belonging> BelongingOf(const Command& command,
                                       std::span<const std::string_view> args,
                                       const HomedTables& homed);
  void ForwardTo(const Belonging& belonging, const Command& command,
                 std::span<const std::string_view> args);
  View& ViewNow();  // of this Process()
  void RunHere(const Command& command, std::span<const std::string_view> args);
  void ServeHere(const Command& command, std::span<const std::string_view> args);
  // Tells the announcer which keys a command is about to read.
  void NoteReads(const Command& command, std::span<const std::string_view> args);
  void NoteKeys(const Command& command, std::span<const std::string_view> args);
  void Push(Seq own, std::string bytes);
  void TakePushed();
  void ErrorReply(std::string_view text, const Command* command = nullptr);
  // Runs `write(reply)` so that its bytes come in their turn.
  template <typename Write>
  void ReplyInTurn(const Command* command, Write write);

  void OpenBatch();
  void CloseBatch();
  void KeepTail();
  void TakeAnswered();
  void BookAnswered(std::int64_t ns);
  void Flush();
  void WatchSocket();

  Service& service_;
  int fd_;
  std::uint64_t id_;
  RespParser parser_;
  Buffer input_;
  std::string out_;
  std::size_t out_sent_ = 0;

  // A closed batch in its turn: empty while it is in the engine.
  struct Turn {
    std::unique_ptr<Batch> batch;
    std::size_t bytes = 0;
  };
  std::unique_ptr<Batch> open_;  // being filled
  std::deque<Turn> turns_;
  std::uint64_t first_turn_ = 0;  // number of turns_.front()
  std::uint64_t bytes_under_way_ = 0;
  struct Pushed {
    std::uint64_t turns = 0;  // leaves behind so many
    Seq own{};
    std::string bytes;
  };
  std::deque<Pushed> pushed_;
  std::size_t pushed_bytes_ = 0;
  std::deque<Seq> written_;     // with NOLOOP: own txns not announced yet, about
  std::unique_ptr<View> view_;  // of this Process()
  std::int64_t view_now_ms_ = 0;
  std::vector<std::string> stalled_;  // a command that waits until all is answered
  bool suspended_ = false;            // a command will be answered later
  bool closing_ = false;              // no more commands; close when all is sent
  bool processing_ = false;
  bool paused_for_output_ = false;
  bool skip_this_ = false;                 // the command at hand follows CLIENT REPLY SKIP
  bool reading_ = true, writing_ = false;  // what epoll watches
  std::int64_t read_at_ns_ = 0;
  std::array<std::uint32_t, kFamilies> answered_{};  // not yet booked
  bool any_answered_ = false;                        // here, in this Process()
};

}  // namespace hawser::redis
