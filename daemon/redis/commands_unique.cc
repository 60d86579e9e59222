// UNIQ: who owns a unique value, worldwide. Outside MULTI an order goes to the engine by itself and
// may wait there; inside it is part of the bundle's txn, and one that is refused drops the bundle.

#include <limits>

#include "daemon/redis/batch.h"
#include "daemon/redis/client_call.h"
#include "daemon/redis/handlers.h"
#include "wan/claim_job.h"

namespace hawser::redis {
namespace {

using Verb = ClaimOrder::Verb;

struct Parsed {
  ClaimOrder order;
  std::int64_t wait_ms = 0;
  std::string_view error;  // not empty: no order
};

bool Is(std::span<const std::string_view> args, std::size_t at, std::string_view word) {
  return at < args.size() && EqualsNoCase(args[at], word);
}

Parsed Parse(std::span<const std::string_view> args) {
  Parsed parsed;
  ClaimOrder& order = parsed.order;
  const bool look = Is(args, 1, "GET"), release = Is(args, 1, "RELEASE");
  if (!look && !release && !Is(args, 1, "CLAIM")) {
    parsed.error = "ERR UNIQ is followed by CLAIM, GET or RELEASE";
    return parsed;
  }
  order.verb = look ? Verb::kLook : release ? Verb::kRelease : Verb::kClaim;
  const std::size_t fixed = look ? 4 : 5;
  if (args.size() < fixed || (args.size() > fixed && order.verb != Verb::kClaim)) {
    parsed.error = kSyntaxError;
    return parsed;
  }
  order.name = args[2];
  order.value = args[3];
  if (!look) order.owner = args[4];
  for (std::size_t i = fixed; i < args.size(); i += 2) {
    const auto number = i + 1 < args.size() ? ParseInt(args[i + 1]) : std::nullopt;
    if (Is(args, i, "REQ") && i + 1 < args.size() && !args[i + 1].empty()) {
      order.request_id = args[i + 1];
    } else if (Is(args, i, "WAITMS") && number && *number >= 0) {
      parsed.wait_ms = std::min<std::int64_t>(*number, 60 * 1000);
    } else {
      parsed.error = kSyntaxError;
    }
  }
  return parsed;
}

// Why an order came to nothing; empty: it did not.
std::string RefusalOf(const ClaimOutcome& outcome) {
  switch (outcome.effect) {
    case ClaimEffect::kWritten:
    case ClaimEffect::kSame:
      return {};
    case ClaimEffect::kTaken:
      return "TAKEN " + outcome.owner;
    case ClaimEffect::kOtherRequest:
      return "REQUEST this request id was used for another value";
    case ClaimEffect::kGone:
      return "RELEASED the claim of this request was released since";
  }
  return "ERR";
}

std::string OfClaim(const Claim& claim, const std::string& owner) {
  std::string out;
  Reply reply(out, 2);
  if (claim.state == ClaimState::kFree) {
    reply.Error("RELEASED the claim was released while this waited");
  } else if (claim.owner != owner) {
    reply.Error("TAKEN " + claim.owner);
  } else {
    reply.Simple(Text(claim.state));
  }
  return out;
}

// state, owner, silent_regions; null for a value that is free.
std::string OfLook(const Claim& claim, const ReplicaStatus& status, int protocol,
                   const std::function<std::string(RegionId)>& name) {
  std::string out;
  Reply reply(out, protocol);
  if (claim.state == ClaimState::kFree) {
    reply.Null();
    return out;
  }
  reply.Map(3);
  reply.Bulk("state");
  reply.Bulk(Text(claim.state));
  reply.Bulk("owner");
  reply.Bulk(claim.owner);
  reply.Bulk("silent_regions");
  const bool pending = claim.state == ClaimState::kPending;
  const auto silent = pending ? SilentRegions(status, claim.dot) : std::vector<RegionId>{};
  reply.Array(silent.size());
  for (const RegionId region : silent) reply.Bulk(name(region));
  return out;
}

std::string ErrorBytes(std::string_view text) {
  std::string out;
  Reply(out, 2).Error(text);
  return out;
}

}  // namespace

void Uniq(ClientCall& call) {
  Parsed parsed = Parse(call.args);
  if (!parsed.error.empty()) return call.reply.Error(parsed.error);
  if (parsed.order.verb != Verb::kLook && call.client.state.role < RedisRole::kApp) {
    return call.reply.Error("NOPERM this token may read only");
  }
  const std::int64_t wait_ms = parsed.wait_ms;
  Engine& engine = call.service.engine();
  // WAIT counts from here on: the claim's txn is the client's last write.
  auto note = [poster = call.service.Poster(), &service = call.service,
               id = call.client.id()](const Dot& dot) {
    poster([&service, id, dot] {
      if (Connection* client = service.Find(id)) client->state.last_write = dot;
    });
  };
  auto finish = [&engine, wait_ms, note, protocol = call.reply.protocol(),
                 names = call.service.options().region_names,
                 answer = call.AnswerLater()](const ClaimOrder& order, const ClaimAnswer& done) {
    if (!done.problem.empty()) return answer(ErrorBytes("ERR " + done.problem));
    if (done.unknown) return answer(ErrorBytes(kUnknownText));
    if (done.refused) return answer(ErrorBytes(RefusalText(*done.refused)));
    if (Raw(done.dot.seq) != 0) note(done.dot);
    if (order.verb == Verb::kLook) {
      const auto name = [&names](RegionId region) {
        const auto at = names.find(region);
        return at == names.end() ? std::to_string(Raw(region)) : at->second;
      };
      return answer(OfLook(done.shown, engine.status(), protocol, name));
    }
    const std::string refusal = RefusalOf(done.outcome);
    if (!refusal.empty()) return answer(ErrorBytes(refusal));
    if (order.verb == Verb::kRelease) {
      std::string out;
      Reply(out, 2).Int(done.outcome.effect == ClaimEffect::kWritten ? 1 : 0);
      return answer(std::move(out));
    }
    const std::string owner = done.outcome.owner;
    if (wait_ms == 0 || done.shown.state == ClaimState::kConfirmed) {
      return answer(OfClaim(done.shown, owner));
    }
    engine.Submit(
        ClaimWait{.row_key = ClaimRowKey(order.name, order.value),
                  .owner = owner,
                  .deadline_mono_ms = MonoNs() / 1'000'000 + wait_ms,
                  .done = [answer, owner](const Claim& claim) { answer(OfClaim(claim, owner)); }});
  };
  engine.Submit(std::make_unique<ClaimJob>(std::move(parsed.order), std::move(finish)));
}

void UniqInBundle(Call& call) {
  const Parsed parsed = Parse(call.args);
  const auto refuse = [&call](std::string text) {
    call.Error(text);
    call.abort = std::move(text);
  };
  if (!parsed.error.empty()) return refuse(std::string(parsed.error));
  if (parsed.order.verb == Verb::kLook || parsed.wait_ms != 0) {
    return refuse("ERR inside MULTI, UNIQ knows CLAIM and RELEASE, and no WAITMS");
  }
  const std::string problem = parsed.order.Problem(*call.schema);
  if (!problem.empty()) return refuse("ERR " + problem);
  const ClaimOutcome outcome = CarryOut(parsed.order, call.txn());
  if (std::string refusal = RefusalOf(outcome); !refusal.empty()) {
    return refuse(std::move(refusal));
  }
  if (parsed.order.verb == Verb::kRelease) {
    return call.reply.Int(outcome.effect == ClaimEffect::kWritten ? 1 : 0);
  }
  call.reply.Simple(Text(ClaimState::kPending));  // proved only once other regions have it
}

}  // namespace hawser::redis
