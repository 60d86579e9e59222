#include "daemon/redis/set_options.h"

#include "daemon/redis/edit_help.h"

namespace hawser::redis {
namespace {

struct TtlWord {
  std::string_view word;
  std::int64_t unit_ms;
  bool relative;
};
constexpr TtlWord kTtlWords[] = {
    {"EX", 1000, true}, {"PX", 1, true}, {"EXAT", 1000, false}, {"PXAT", 1, false}};

enum class Step { kNone, kTaken, kFailed };

// Takes "EX 10" and its kin at args[i]; moves i to the amount.
Step TakeTtl(Call& call, std::size_t& i, std::string_view command,
             std::optional<std::int64_t>& deadline_ms) {
  for (const TtlWord& ttl : kTtlWords) {
    if (!call.Is(i, ttl.word)) continue;
    if (deadline_ms || !call.Has(i + 1)) {
      call.Error(kSyntaxError);
      return Step::kFailed;
    }
    const auto amount = call.Int(++i);
    if (!amount) return Step::kFailed;
    deadline_ms = DeadlineMs(*amount, ttl.unit_ms, ttl.relative, call.now_ms, true);
    if (!deadline_ms) {
      call.Error("ERR invalid expire time in '" + std::string(command) + "' command");
      return Step::kFailed;
    }
    return Step::kTaken;
  }
  return Step::kNone;
}

bool Syntax(Call& call) {
  call.Error(kSyntaxError);
  return false;
}

}  // namespace

bool ParseSetOptions(Call& call, std::size_t first, SetOptions& options) {
  for (std::size_t i = first; i < call.args.size(); ++i) {
    switch (TakeTtl(call, i, "set", options.deadline_ms)) {
      case Step::kFailed:
        return false;
      case Step::kTaken:
        continue;
      case Step::kNone:
        break;
    }
    if (call.Is(i, "NX")) {
      options.nx = true;
    } else if (call.Is(i, "XX")) {
      options.xx = true;
    } else if (call.Is(i, "GET")) {
      options.get = true;
    } else if (call.Is(i, "KEEPTTL")) {
      options.keep_ttl = true;
    } else {
      return Syntax(call);
    }
  }
  if ((options.nx && options.xx) || (options.keep_ttl && options.deadline_ms)) return Syntax(call);
  return true;
}

bool ParseGetExOptions(Call& call, std::size_t first, GetExOptions& options) {
  for (std::size_t i = first; i < call.args.size(); ++i) {
    switch (TakeTtl(call, i, "getex", options.deadline_ms)) {
      case Step::kFailed:
        return false;
      case Step::kTaken:
        continue;
      case Step::kNone:
        break;
    }
    if (!call.Is(i, "PERSIST")) return Syntax(call);
    options.persist = true;
  }
  return options.persist && options.deadline_ms ? Syntax(call) : true;
}

}  // namespace hawser::redis
