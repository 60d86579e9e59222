// WAIT and HAWSER: what other regions have of this client's writes, and what this region has of
// theirs.

#include <limits>

#include "daemon/redis/client_call.h"
#include "daemon/redis/handlers.h"
#include "daemon/token.h"
#include "storage/index_lookup.h"

namespace hawser::redis {
namespace {

constexpr std::int64_t kExplainMs = 1000;      // for other regions to answer
constexpr std::int64_t kLookupKeys = 100;      // unless told otherwise
constexpr std::int64_t kLookupKeysMax = 1000;  // in one reply
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

// HAWSER LOOKUP table field value [LIMIT n] [AFTER key]: what SCAN answers, the key to go on after
// in place of a cursor.
void Lookup(ClientCall& call) {
  IndexQuery query{.table = call.args[2],
                   .field = call.args[3],
                   .value = call.args[4],
                   .after = {},
                   .keys_max = kLookupKeys,
                   .now_ms = call.service.engine().clock_ms()};
  if (!IsTableName(query.table)) return call.reply.Error("ERR this is no table name");
  for (std::size_t i = 5; i < call.args.size(); i += 2) {
    if (i + 1 == call.args.size()) return call.reply.Error(kSyntaxError);
    if (call.Is(i, "LIMIT")) {
      const auto limit = call.Int(i + 1);
      if (!limit) return;
      if (*limit < 1 || *limit > kLookupKeysMax) {
        return call.reply.Error("ERR LIMIT is a number from 1 to 1000");
      }
      query.keys_max = static_cast<std::size_t>(*limit);
    } else if (call.Is(i, "AFTER")) {
      const auto name = ParseKeyName(call.args[i + 1]);
      if (!name || name->table != query.table) {
        return call.reply.Error("ERR AFTER takes a key of that table, as the reply before gave it");
      }
      query.after = name->key;
    } else {
      return call.reply.Error(kSyntaxError);
    }
  }
  const std::unique_ptr<View> view = call.service.TakeView();
  const auto page = LookUp(*view, query);
  if (!page) {
    const bool building = page.error().why == IndexRefusal::Why::kBuilding;
    const bool none = page.error().why == IndexRefusal::Why::kNotDeclared;
    return call.reply.Error((building ? "TRYAGAIN "
                             : none   ? "NOINDEX "
                                      : "ERR ") +
                            Text(page.error(), query));
  }
  const auto redis_key = [&](std::string_view key) {
    std::string name;
    AppendRedisKey(query.table, key, name);
    return name;
  };
  call.reply.Array(2);
  page->next ? call.reply.Bulk(redis_key(*page->next)) : call.reply.Null();
  call.reply.Array(page->keys.size());
  for (const std::string& key : page->keys) call.reply.Bulk(redis_key(key));
}

}  // namespace

void Hawser(ClientCall& call) {
  const std::size_t count = call.args.size();
  if (call.Is(1, "TOKEN") && count == 2) {
    call.reply.Bulk(EncodeToken(call.service.TakeView()->cut()));
  } else if (call.Is(1, "AWAIT") && count == 4) {
    Await(call);
  } else if (call.Is(1, "READ") && count == 3 && (call.Is(2, "HOME") || call.Is(2, "LOCAL"))) {
    call.client.state.reads_at_home = call.Is(2, "HOME");
    call.reply.Ok();
  } else if (call.Is(1, "CUT") && count == 2) {
    ReplyCut(call);
  } else if (call.Is(1, "EXPLAIN") && count == 3) {
    Explain(call);
  } else if (call.Is(1, "LOOKUP") && count >= 5) {
    Lookup(call);
  } else if (call.Is(1, "HELP")) {
    constexpr std::string_view kLines[] = {
        "HAWSER TOKEN -- a causal token: what this region shows now",
        "HAWSER AWAIT token timeout_ms -- waits until this region shows at least that",
        "HAWSER EXPLAIN key -- what every region holds of it, when it arrived, who won and why "
        "(JSON)",
        "HAWSER LOOKUP table field value [LIMIT n] [AFTER key] -- keys of the records that show "
        "the value in an indexed field, and the key to go on after (nil: that is all)",
        "HAWSER READ HOME|LOCAL -- whether this connection reads homed units at their home or here",
        "HAWSER CUT -- per origin, how many of its txns are applied here",
    };
    call.reply.Array(std::size(kLines));
    for (const std::string_view line : kLines) call.reply.Simple(line);
  } else {
    call.UnknownSubcommand();
  }
}

}  // namespace hawser::redis
