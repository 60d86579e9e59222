// WAIT and HAWSER: what other regions have of this client's writes, and what this region has of
// theirs.

#include <limits>

#include "daemon/redis/client_call.h"
#include "daemon/redis/handlers.h"
#include "daemon/token.h"

namespace hawser::redis {
namespace {

constexpr std::int64_t kExplainMs = 1000;  // for other regions to answer
constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();

std::int64_t NowMonoMs() {
  return MonoNs() / 1'000'000;
}

// A timeout argument as a deadline; 0 is for ever. nullopt: an error was answered.
std::optional<std::int64_t> Deadline(ClientCall& call, std::size_t arg) {
  const auto timeout_ms = call.Int(arg, "ERR timeout is not an integer or out of range");
  if (!timeout_ms) return std::nullopt;
  if (*timeout_ms < 0) {
    call.reply.Error("ERR timeout is negative");
    return std::nullopt;
  }
  std::int64_t deadline = 0;
  if (*timeout_ms == 0 || __builtin_add_overflow(NowMonoMs(), *timeout_ms, &deadline))
    return kForEver;
  return deadline;
}

}  // namespace

void Wait(ClientCall& call) {
  const auto regions = call.Int(1);
  if (!regions) return;
  if (*regions < 0 || *regions > kRegionIdMax) {
    return call.reply.Error("ERR value is out of range, must be positive");
  }
  auto deadline = Deadline(call, 2);
  if (!deadline) return;
  const Dot& last = call.client.state.last_write;
  if (Raw(last.seq) == 0) {  // nothing written: every other region has all of it
    return call.reply.Int(static_cast<std::int64_t>(call.service.engine().status().peers.size()));
  }
  if (*regions == 0) deadline = NowMonoMs();  // how many now
  AckWait wait;
  wait.dot = last;
  wait.regions = static_cast<int>(*regions);
  wait.deadline_mono_ms = *deadline;
  wait.done = [answer = call.AnswerLater()](int reached) {
    std::string out;
    Reply(out, 2).Int(reached);
    answer(std::move(out));
  };
  call.service.engine().Submit(std::move(wait));
}

namespace {

void Await(ClientCall& call) {
  auto cut = DecodeToken(call.args[2]);
  if (!cut) return call.reply.Error("ERR this is no causal token; see HAWSER TOKEN");
  const auto deadline = Deadline(call, 3);
  if (!deadline) return;
  CutWait wait;
  wait.cut = std::move(*cut);
  wait.deadline_mono_ms = *deadline;
  wait.done = [answer = call.AnswerLater()](bool reached) {
    std::string out;
    Reply reply(out, 2);
    reached ? reply.Ok()
            : reply.Error("TIMEOUT this region has not yet applied what the token stands for");
    answer(std::move(out));
  };
  call.service.engine().Submit(std::move(wait));
}

// The same document as GET /v1/explain gives.
void Explain(ClientCall& call) {
  const auto name = ParseKeyName(call.args[2]);
  if (!name) return call.reply.Error(kKeyTooBig);
  const auto& explain = call.service.options().explain;
  if (!explain) return call.reply.Error("ERR explanations are not wired up in this server");
  explain(std::string(name->table), std::string(name->key), kExplainMs,
          [answer = call.AnswerLater(), protocol = call.reply.protocol()](const std::string& json) {
            std::string out;
            Reply(out, protocol).Verbatim(json);
            answer(std::move(out));
          });
}

void ReplyCut(ClientCall& call) {
  static constexpr char kHex[] = "0123456789abcdef";
  const std::unique_ptr<View> view = call.service.TakeView();
  const auto dots = view->cut().dots();
  call.reply.Array(dots.size());
  for (const Dot& dot : dots) {
    std::string incarnation(16, '0');
    std::uint64_t raw = Raw(dot.origin.incarnation);
    for (std::size_t i = 16; i-- > 0; raw >>= 4) incarnation[i] = kHex[raw & 15];
    call.reply.Array(3);
    call.reply.Bulk(call.service.RegionName(dot.origin.region));
    call.reply.Bulk(incarnation);
    call.reply.Int(static_cast<std::int64_t>(Raw(dot.seq)));
  }
}

}  // namespace

void Hawser(ClientCall& call) {
  const std::size_t count = call.args.size();
  if (call.Is(1, "TOKEN") && count == 2) {
    call.reply.Bulk(EncodeToken(call.service.TakeView()->cut()));
  } else if (call.Is(1, "AWAIT") && count == 4) {
    Await(call);
  } else if (call.Is(1, "CUT") && count == 2) {
    ReplyCut(call);
  } else if (call.Is(1, "EXPLAIN") && count == 3) {
    Explain(call);
  } else if (call.Is(1, "HELP")) {
    constexpr std::string_view kLines[] = {
        "HAWSER TOKEN -- a causal token: what this region shows now",
        "HAWSER AWAIT token timeout_ms -- waits until this region shows at least that",
        "HAWSER EXPLAIN key -- what every region holds of it, when it arrived, who won and why "
        "(JSON)",
        "HAWSER CUT -- per origin, how many of its txns are applied here",
    };
    call.reply.Array(std::size(kLines));
    for (const std::string_view line : kLines) call.reply.Simple(line);
  } else {
    call.UnknownSubcommand();
  }
}

}  // namespace hawser::redis
