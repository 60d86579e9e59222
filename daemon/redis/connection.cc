#include "daemon/redis/connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "conflict/assert.h"
#include "daemon/redis/call.h"
#include "daemon/redis/client_call.h"
#include "daemon/redis/forward.h"
#include "daemon/redis/forward_body.h"
#include "daemon/redis/service.h"
#include "wan/wire.h"

namespace hawser::redis {
namespace {

constexpr std::size_t kReadRoom = 4 * 1024;  // least room for one recv
constexpr std::size_t kUnreadWhileStalled = 64 * 1024;
constexpr std::size_t kFlushAt = 1024 * 1024;  // replies are sent before more are made

}  // namespace

Connection::Connection(Service& service, int fd, std::uint64_t id, std::string peer,
                       std::string local)
    : service_(service), fd_(fd), id_(id), parser_(RespLimits{}) {
  state.peer = std::move(peer);
  state.local = std::move(local);
  state.connected_at_ns = state.active_at_ns = MonoNs();
  if (!service_.options().authenticate) state.role = RedisRole::kOperator;
  SetLimits();
}

Connection::~Connection() {
  HW_ASSERT(closed());
  service_.buffers().Put(std::move(input_));
}

void Connection::SetLimits() {
  if (state.role == RedisRole::kNone) return parser_.SetLimits(UnauthenticatedLimits());
  RespLimits limits;
  limits.bulk_bytes_max = service_.options().bulk_bytes_max;
  limits.command_bytes_max = service_.options().command_bytes_max;
  parser_.SetLimits(limits);
}

// --- Input ---------------------------------------------------------------------------------------

void Connection::OnReadable() {
  if (closed()) return;
  const std::size_t size = input_.size();
  // A long argument arrives in ever larger pieces; the parser has checked its length.
  service_.buffers().Grow(input_, std::max(kReadRoom, std::min(size, std::size_t{1024 * 1024})));
  const ssize_t got = recv(fd_, input_.bytes.get() + input_.end, input_.room(), 0);
  if (got == 0) return Close();
  if (got < 0) {
    if (errno != EAGAIN && errno != EINTR) Close();
    return;
  }
  input_.end += static_cast<std::size_t>(got);
  service_.counters().input_bytes.Add(static_cast<std::uint64_t>(got));
  read_at_ns_ = state.active_at_ns = MonoNs();
  if (input_.size() > 2 * service_.options().command_bytes_max + kUnreadWhileStalled) {
    service_.counters().protocol_errors.Add(1);
    return Close();  // more framing than payload: a million empty arguments of a command never sent
  }
  if (!suspended_ && stalled_.empty()) Process();
  WatchSocket();
}

void Connection::Process() {
  if (processing_) return;
  processing_ = true;
  do {
    Parse();
    view_.reset();
    if (any_answered_) BookAnswered(MonoNs() - read_at_ns_);
    CloseBatch();
    KeepTail();
    Flush();
  } while (paused_for_output_ && !closed() && output_bytes() <= kFlushAt);
  processing_ = false;
}

void Connection::Parse() {
  paused_for_output_ = false;
  std::vector<std::string_view>& args = service_.args();
  while (!closing_ && !suspended_ && stalled_.empty() && input_.size() > 0) {
    if (bytes_under_way_ > service_.options().in_flight_bytes_max) break;
    if (output_bytes() > kFlushAt) {
      paused_for_output_ = true;
      break;
    }
    args.clear();
    const RespParser::Result result = parser_.Next(input_.data(), input_.size(), args);
    input_.begin += result.consumed;
    if (result.state == RespParser::State::kMore) break;
    if (result.state == RespParser::State::kNothing) continue;
    if (result.state == RespParser::State::kCommand) {
      Dispatch(args);
    } else if (result.state == RespParser::State::kTooBig) {
      ErrorReply("TOOBIG the command or one of its arguments is larger than this server takes");
    } else {
      service_.counters().protocol_errors.Add(1);
      ErrorReply(parser_.error());
      closing_ = true;
    }
  }
}

// Idle connections hold no buffer.
void Connection::KeepTail() {
  if (closing_) input_.begin = input_.end;
  if (input_.size() == 0 && input_.bytes) service_.buffers().Put(std::move(input_));
}

void Connection::Settle() {
  TakeAnswered();
  if (closed()) {
    if (Forgettable()) service_.ReapLater(id_);
    return;
  }
  if (!suspended_ && !stalled_.empty() && idle()) {
    std::vector<std::string> command = std::move(stalled_);
    stalled_.clear();
    const std::vector<std::string_view> args(command.begin(), command.end());
    Dispatch(args);
    view_.reset();
    if (any_answered_) BookAnswered(MonoNs() - read_at_ns_);
    // A write that waited for its home and may run here by now: its arguments go along.
    if (open_) open_->owned = std::move(command);
    CloseBatch();
  }
  Flush();
  if (!closed() && !suspended_ && stalled_.empty()) Process();
  WatchSocket();
}

// --- Commands
// --------------------------------------------------------------------------------------

void Connection::Dispatch(std::span<const std::string_view> args) {
  const Command* command = FindCommand(args[0]);
  if (Refuse(command, args)) return;
  if (command->place == Place::kAlone && !bundle && !idle()) return Stall(args);
  std::optional<Belonging> belonging;
  if (const auto homed = service_.engine().homed()) belonging = BelongingOf(*command, args, *homed);
  const bool homed = belonging && !belonging->crosses && belonging->home != RegionId{};
  const bool elsewhere = homed && belonging->home != service_.options().self;
  // A read at home is of the view that it was judged by, so it waits for what is in the engine.
  if ((elsewhere || (homed && command->place == Place::kRead)) && !idle()) return Stall(args);
  if (state.tracking.on) NoteReads(*command, args);
  if (belonging && belonging->crosses) {
    if (bundle) DropBundle();
    return ErrorReply(
        "CROSSHOME units of two homes cannot be written in one txn, nor read at once: "
        "nothing was written",
        command);
  }
  if (elsewhere) return ForwardTo(*belonging, *command, args);
  ++state.commands;
  state.last_command = command->name;
  if (bundle && command->place != Place::kClient) return Queue(*command, args);
  switch (command->place) {
    case Place::kClient:
    case Place::kAlone:
      ServeHere(*command, args);
      break;
    case Place::kPure:
      RunHere(*command, args);
      break;
    case Place::kRead:
      if (idle()) {
        RunHere(*command, args);
        break;
      }
      [[fallthrough]];
    case Place::kWrite:
      skip_this_ = std::exchange(state.skip_next, false);
      AddToBatch(Item::Type::kRun, *command, args);
      break;
  }
}

// Before anything newer than what they will show is announced. Of a bundle when it is about to run.
void Connection::NoteReads(const Command& command, std::span<const std::string_view> args) {
  const bool exec = bundle && command.name == "EXEC";
  if (state.tracking.Notes()) {
    if (exec) {
      for (std::size_t i = 0; i < bundle->size(); ++i)
        NoteKeys(bundle->command(i), bundle->args(i));
    } else if (!bundle) {
      NoteKeys(command, args);
    }
  }
  const bool goes_on = command.name == "CLIENT" || command.name == "MULTI" || (bundle && !exec);
  if (!goes_on) state.tracking.caching = false;
}

void Connection::NoteKeys(const Command& command, std::span<const std::string_view> args) {
  if (command.place != Place::kRead) return;
  ForEachKey(command, args,
             [this](std::string_view key) { service_.announcer().Note(*this, key); });
}

void Connection::Stall(std::span<const std::string_view> args) {
  stalled_.assign(args.begin(), args.end());
}

// Of a command that writes, or of the bundle that EXEC is about to run; if the client wants it so,
// of one that reads. nullopt: none of these.
std::optional<Belonging> Connection::BelongingOf(const Command& command,
                                                 std::span<const std::string_view> args,
                                                 const HomedTables& homed) {
  const bool exec = bundle && !bundle_refused && command.name == "EXEC";
  const bool reads = state.reads_at_home && command.place == Place::kRead;
  if (!exec && (bundle || (command.place != Place::kWrite && !reads))) return std::nullopt;
  View& view = ViewNow();
  HomeFinder finder(homed, [&view](std::string_view row_key) { return view.Get(row_key); });
  exec ? AddKeys(*bundle, state.reads_at_home, finder) : AddKeys(command, args, finder);
  return finder.Found();
}

// Suspends the connection until the home has answered.
void Connection::ForwardTo(const Belonging& belonging, const Command& command,
                           std::span<const std::string_view> args) {
  Calls* const calls = service_.options().calls;
  if (calls == nullptr) return ErrorReply("HOMEDOWN homes are not wired up in this server");
  if (bundle && watching) {
    DropBundle();
    return ErrorReply("ERR WATCH judges this region's view, and the home of these units is " +
                          service_.RegionName(belonging.home) + ": nothing was written",
                      &command);
  }
  ++state.commands;
  state.last_command = command.name;
  skip_this_ = std::exchange(state.skip_next, false);
  Forwarding what{.to = belonging.home,
                  .home_name = service_.RegionName(belonging.home),
                  .body = {},
                  .protocol = state.protocol};
  const ForwardedCommands head{.protocol = static_cast<std::uint8_t>(state.protocol),
                               .bundle = bundle != nullptr,
                               .reads_at_home = state.reads_at_home,
                               .known_by = belonging.known_by,
                               .after = state.last_write,
                               .commands = {}};
  BeginForward(head, bundle ? bundle->size() : 1, what.body);
  if (bundle) {
    for (std::size_t i = 0; i < bundle->size(); ++i) AppendForwarded(bundle->args(i), what.body);
    bundle.reset();
  } else {
    AppendForwarded(args, what.body);
  }
  if (what.body.size() > kCallBytesMax) {
    return ErrorReply("TOOBIG more than a write for another region may have: nothing was written",
                      &command);
  }
  Suspend();
  Forward(std::move(what), service_.engine(), *calls,
          [resume = service_.Resumer(id_), poster = service_.Poster(), &service = service_,
           id = id_, silent = skip_this_](std::string reply, Dot last_write) {
            poster([&service, id, last_write] {
              Connection* client = service.Find(id);
              if (client != nullptr && Raw(last_write.seq) != 0) {
                client->state.last_write = last_write;
              }
            });
            resume(silent ? std::string() : std::move(reply));
          });
}

bool Connection::Refuse(const Command* command, std::span<const std::string_view> args) {
  const auto refuse = [&](std::string_view text) {
    if (bundle) bundle_refused = true;
    ErrorReply(text, command);
    return true;
  };
  if (state.role == RedisRole::kNone && (command == nullptr || !command->before_auth)) {
    return refuse("NOAUTH Authentication required.");
  }
  if (command == nullptr) {
    const std::string_view absent = AbsentReason(args[0]);
    if (!absent.empty()) return refuse(absent);
    std::string text = "ERR unknown command '" + std::string(args[0].substr(0, 128)) +
                       "', with args beginning with: ";
    for (const std::string_view arg : args.subspan(1, std::min<std::size_t>(args.size() - 1, 8))) {
      text.append("'").append(arg.substr(0, 64)).append("' ");
    }
    return refuse(text);
  }
  if (!ArityFits(*command, args.size())) {
    std::string name(command->name);
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return refuse("ERR wrong number of arguments for '" + name + "' command");
  }
  const bool writes = command->place == Place::kWrite || (bundle && command->run && command->serve);
  if (writes && state.role < RedisRole::kApp) {
    return refuse("NOPERM this token may read only");
  }
  if (command->needs_operator && state.role < RedisRole::kOperator) {
    return refuse("NOPERM this command needs an operator's token");
  }
  const std::string_view name = command->name;
  if (state.protocol == 2 && state.subscriptions() > 0 && name != "PING" && name != "QUIT" &&
      name != "RESET" && !name.ends_with("SUBSCRIBE")) {
    return refuse("ERR Can't execute '" + std::string(name) +
                  "': only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this "
                  "context");
  }
  if (bundle && ((command->place == Place::kAlone && command->run == nullptr) ||
                 (command->place == Place::kClient && name != "MULTI" && name != "EXEC" &&
                  name != "DISCARD" && name != "QUIT" && name != "RESET"))) {
    return refuse("ERR " + std::string(name) + " inside MULTI is not allowed");
  }
  return false;
}

void Connection::Queue(const Command& command, std::span<const std::string_view> args) {
  bundle->Add(command, args);
  if (bundle->bytes() > service_.options().multi_bytes_max) {
    bundle_refused = true;
    bundle = std::make_unique<Bundle>();
    return ErrorReply("TOOBIG the commands since MULTI are larger than this server takes",
                      &command);
  }
  ReplyInTurn(&command, [](Reply& reply) { reply.Simple("QUEUED"); });
}

void Connection::RunHere(const Command& command, std::span<const std::string_view> args) {
  ReplyInTurn(&command, [&](Reply& reply) {
    if (command.place == Place::kPure) {
      const bool subscribed = state.protocol == 2 && state.subscriptions() > 0;
      if (subscribed && command.name == "PING") {
        reply.Array(2);
        reply.Bulk("pong");
        return reply.Bulk(args.size() > 1 ? args[1] : "");
      }
      Call call(args, reply, nullptr, nullptr, service_.engine().clock_ms(), service_.scratch());
      return command.run(call);
    }
    ViewRows rows(ViewNow());
    Call call(args, reply, &rows, nullptr, view_now_ms_, service_.scratch());
    command.run(call);
  });
}

View& Connection::ViewNow() {
  if (!view_) {
    view_ = service_.TakeView();
    view_now_ms_ = service_.engine().clock_ms();
  }
  return *view_;
}

void Connection::ServeHere(const Command& command, std::span<const std::string_view> args) {
  view_.reset();  // tracking may begin here: what is read from now on is of no earlier moment
  ReplyInTurn(&command, [&](Reply& reply) {
    ClientCall call(command, args, reply, *this, service_);
    command.serve(call);
  });
}

void Connection::ErrorReply(std::string_view text, const Command* command) {
  ReplyInTurn(command, [&](Reply& reply) { reply.Error(text); });
}

template <typename Write>
void Connection::ReplyInTurn(const Command* command, Write write) {
  skip_this_ = std::exchange(state.skip_next, false);
  const auto muted = [&] { return skip_this_ || state.reply_off; };
  if (idle()) {
    const std::size_t before = out_.size();
    Reply reply(out_, state.protocol);
    write(reply);
    if (muted()) out_.resize(before);
    if (command != nullptr && !open_) {
      ++answered_[static_cast<std::size_t>(command->family)];
      any_answered_ = true;
    }
    return;
  }
  std::string bytes;
  Reply reply(bytes, state.protocol);
  write(reply);
  if (bytes.empty() || muted()) return;
  OpenBatch();
  open_->AddLiteral(command, bytes);
}

// --- Batches
// -----------------------------------------------------------------------------------------

void Connection::OpenBatch() {
  if (open_) return;
  open_ = service_.NewBatch();
  open_->connection = id_;
  open_->keeps_written = state.tracking.noloop;
  open_->read_at_ns = read_at_ns_;
}

void Connection::AddToBatch(Item::Type type, const Command& command,
                            std::span<const std::string_view> args) {
  OpenBatch();
  open_->Add(type, command, args, state.protocol, skip_this_ || state.reply_off);
  if (type == Item::Type::kWatch) open_->SetWatches(watches);
}

void Connection::AddExecToBatch(const Command& command) {
  OpenBatch();
  open_->AddExec(command, std::move(bundle), state.protocol, skip_this_ || state.reply_off);
  open_->SetWatches(watches);
}

void Connection::DropBundle() {
  bundle.reset();
  Unwatch();
}

void Connection::Unwatch() {
  if (!watching) return;
  watching = false;
  watches = std::make_shared<WatchList>();  // the old one may be in the engine's hands
}

void Connection::CloseBatch() {
  if (!open_) return;
  const std::size_t bytes = processing_ ? input_.capacity : 0;
  open_->turn = first_turn_ + turns_.size();
  if (!open_->needs_engine()) {
    open_->RunLiterals();
    turns_.push_back({std::move(open_), 0});
    return TakeAnswered();
  }
  if (processing_) {  // the arguments point into the input: it goes along, the unread tail stays
    Buffer tail;
    if (input_.size() > 0) {
      tail = service_.buffers().Get(input_.size() + kReadRoom);
      std::memcpy(tail.bytes.get(), input_.data(), input_.size());
      tail.end = input_.size();
    }
    open_->input = std::exchange(input_, std::move(tail));
  }
  turns_.push_back({nullptr, bytes});
  bytes_under_way_ += bytes;
  service_.Send(std::move(open_));
}

void Connection::TakeBack(std::unique_ptr<Batch> batch) {
  const std::uint64_t turn = batch->turn - first_turn_;
  HW_ASSERT(turn < turns_.size() && !turns_[turn].batch);
  service_.buffers().Put(std::move(batch->input));
  turns_[turn].batch = std::move(batch);
}

// Replies of the batches whose turn has come.
void Connection::TakeAnswered() {
  while (!turns_.empty() && turns_.front().batch) {
    std::unique_ptr<Batch> batch = std::move(turns_.front().batch);
    bytes_under_way_ -= turns_.front().bytes;
    turns_.pop_front();
    ++first_turn_;
    if (Raw(batch->last_write.seq) != 0) state.last_write = batch->last_write;
    const std::int64_t ns = MonoNs() - batch->read_at_ns;
    for (const Item& item : batch->items()) {
      if (item.command != nullptr) ++answered_[static_cast<std::size_t>(item.command->family)];
    }
    BookAnswered(ns);
    if (out_.empty()) {
      out_.swap(batch->out);
    } else {
      out_.append(batch->out);
    }
    constexpr std::size_t kWrittenMax = 4096;  // older ones are announced by now, or will be heard
    written_.insert(written_.end(), batch->written.begin(), batch->written.end());
    while (written_.size() > kWrittenMax) written_.pop_front();
    service_.Recycle(std::move(batch));
    TakePushed();
  }
}

// What was pushed while the turns before it were in the engine, or a reply came from elsewhere.
void Connection::TakePushed() {
  if (suspended_) return;
  while (!pushed_.empty() && pushed_.front().turns <= first_turn_) {
    Pushed pushed = std::move(pushed_.front());
    pushed_.pop_front();
    pushed_bytes_ -= pushed.bytes.size();
    if (!Wrote(pushed.own)) out_.append(pushed.bytes);
  }
}

void Connection::Push(Seq own, std::string bytes) {
  if (Answered()) {
    if (!Wrote(own)) out_.append(bytes);
    return;
  }
  pushed_bytes_ += bytes.size();
  pushed_.push_back({first_turn_ + turns_.size(), own, std::move(bytes)});
}

void Connection::SendPushed() {
  if (closed()) return;
  Flush();
  if (!closed() && output_bytes() > service_.options().output_bytes_max) {
    service_.counters().closed_slow.Add(1);
    Close();
  }
  // What was sent makes room: commands that waited for it go on, nobody else would wake them.
  Settle();
}

// Announcements come in the order of the txns: what is before this one will not be asked for again.
bool Connection::Wrote(Seq own) {
  if (!state.tracking.noloop || Raw(own) == 0) return false;
  while (!written_.empty() && written_.front() < own) written_.pop_front();
  return !written_.empty() && written_.front() == own;
}

// Commands answered since the last call, `ns` after they were read.
void Connection::BookAnswered(std::int64_t ns) {
  for (std::size_t i = 0; i < kFamilies; ++i) {
    if (answered_[i] == 0) continue;
    service_.counters().Book(static_cast<Family>(i), answered_[i], ns);
    answered_[i] = 0;
  }
  any_answered_ = false;
}

void Connection::Resume(std::string_view reply) {
  if (closed() || !suspended_) return;
  suspended_ = false;
  if (!state.reply_off) out_.append(reply);
  TakePushed();
  Settle();
}

// --- Output and end
// ----------------------------------------------------------------------------------

void Connection::OnWritable() {
  if (closed()) return;
  Flush();
  if (!closed()) Settle();
}

void Connection::Flush() {
  if (closed()) return;
  while (out_sent_ < out_.size()) {
    const ssize_t sent = send(fd_, out_.data() + out_sent_, out_.size() - out_sent_, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return Close();
      break;
    }
    service_.counters().output_bytes.Add(static_cast<std::uint64_t>(sent));
    out_sent_ += static_cast<std::size_t>(sent);
  }
  if (out_sent_ == out_.size()) {
    out_sent_ = 0;
    out_.clear();
    if (out_.capacity() > 64 * 1024) std::string().swap(out_);
  } else if (output_bytes() > service_.options().output_bytes_max) {
    service_.counters().closed_slow.Add(1);
    return Close();
  }
  if (closing_ && out_.empty() && idle()) Close();
}

void Connection::WatchSocket() {
  if (closed()) return;
  const bool may_process = !suspended_ && stalled_.empty();
  const bool full = bytes_under_way_ > service_.options().in_flight_bytes_max ||
                    output_bytes() > kFlushAt ||
                    (!may_process && input_.size() > kUnreadWhileStalled);
  const bool read = !closing_ && !full;
  const bool write = !out_.empty();
  if (read == reading_ && write == writing_) return;
  reading_ = read;
  writing_ = write;
  service_.poller().Change(fd_, id_, read, write);
}

void Connection::Finish() {
  closing_ = true;
  suspended_ = false;
  stalled_.clear();
  TakePushed();
  Settle();
}

void Connection::Close() {
  if (closed()) return;
  service_.poller().Remove(fd_);
  close(fd_);
  fd_ = -1;
  service_.counters().clients.Set(service_.counters().clients.get() - 1);
  service_.announcer().Follow(*this);
  pushed_.clear();
  pushed_bytes_ = 0;
  service_.ReapLater(id_);
}

}  // namespace hawser::redis
