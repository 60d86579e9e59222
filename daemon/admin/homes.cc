// Homes: where a unit is at home, moving it, and writes of units whose home is elsewhere.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "daemon/admin/api.h"
#include "daemon/admin/conflict_json.h"
#include "daemon/admin/forward_http.h"
#include "daemon/admin/home_json.h"
#include "daemon/admin/json.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/write_plan.h"
#include "daemon/homes/home_mover.h"
#include "daemon/token.h"
#include "homing/home.h"
#include "wan/wire.h"

namespace hawser::admin {
namespace {

constexpr std::int64_t kForwardMs = 2000;
constexpr std::chrono::seconds kLocalWait{1};

Problem HomeDown(const std::string& home, std::string_view why) {
  return {.status = 503,
          .code = "HOMEDOWN",
          .detail = home + " is the home of this unit: " + std::string(why) +
                    "; nothing was written. Try again later, or take the unit over if that region "
                    "is lost (PUT /v1/homes/{table}/{unit} with \"force\": true)",
          .retry_after_seconds = 2};
}

}  // namespace

void WriteHome(std::string_view table, std::string_view unit, const Home& home,
               const RegionNames& name, JsonWriter& json) {
  json.BeginObject();
  json.Member("table", table);
  json.Key("unit");
  WriteValue(unit, json);
  json.Key("home");
  home.state == HomeState::kNone ? json.Null() : json.String(name(home.region));
  json.Key("epoch");
  json.Uint64Text(home.epoch);
  json.Member("state", Text(home.state));
  json.Key("taken_over");
  json.Bool(home.taken_over);
  json.EndObject();
}

void Api::GetHome(Call call) {
  if (auto problem = CheckNames(call.params[0], call.params[1])) {
    return call.Fail(std::move(*problem));
  }
  const auto homed = engine_.homed();
  if (!homed || !homed->contains(call.params[0])) {
    return call.Fail({.status = 404, .code = "NOTHOMED", .detail = "this table is not homed"});
  }
  const Proof proof = engine_.status().proof();
  const auto view = reader_->Take();
  const Home home = HomeOf(view->Get(HomeRowKey(call.params[0], call.params[1])), proof);
  JsonWriter json;
  WriteHome(
      call.params[0], call.params[1], home, [this](RegionId id) { return RegionName(id); }, json);
  call.Send({.body = json.Take()});
}

void Api::PutHome(Call call) {
  if (auto problem = CheckNames(call.params[0], call.params[1])) {
    return call.Fail(std::move(*problem));
  }
  auto body = ParseBodyObject(call.request);
  if (!body) return call.Fail(std::move(body.error()));
  const auto text = [&body](std::string_view name) -> const std::string* {
    const Json* member = Find(*body, name);
    return member == nullptr ? nullptr : member->As<std::string>();
  };
  const std::string* region = text("region");
  const std::string* reason = text("reason");
  const Json* force_member = Find(*body, "force");
  const bool* force = force_member == nullptr ? nullptr : force_member->As<bool>();
  const auto to = region == nullptr
                      ? options_.regions.end()
                      : std::ranges::find(options_.regions, *region, &AdminRegion::name);
  if (to == options_.regions.end() || reason == nullptr || reason->empty() ||
      reason->size() > kHomeReasonBytesMax || (force_member != nullptr && force == nullptr)) {
    return call.Fail({.status = 422,
                      .code = "BADHOME",
                      .detail = "give {\"region\": the name of a region, \"reason\": why, "
                                "\"force\": true to take it over from a region that is lost}"});
  }
  if (options_.home_mover == nullptr) {
    return call.Fail({.status = 503, .code = "NOHOMES", .detail = "homes are not wired up"});
  }
  const std::string* token = call.request.Find("authorization");
  std::string by = "local";
  if (token != nullptr && options_.token_name && token->starts_with("Bearer ")) {
    by = options_.token_name(std::string_view(*token).substr(7));
    std::ranges::replace(by, ' ', '_');
    if (by.empty()) by = "local";
  }
  HomeMoveWish wish{.table = call.params[0],
                    .unit = call.params[1],
                    .to = to->id,
                    .takeover = force != nullptr && *force,
                    .by = std::move(by),
                    .reason = *reason};
  options_.home_mover->Move(std::move(wish), [this, post = post_, call](HomeMoved moved) {
    post([this, call, moved = std::move(moved)] { AnswerMoved(call, moved); });
  });
}

void Api::AnswerMoved(const Call& call, const HomeMoved& moved) const {
  const auto fail = [&](int status, const char* code) {
    call.Fail({.status = status, .code = code, .detail = moved.text});
  };
  switch (moved.outcome) {
    case HomeMoveOutcome::kNotHomed:
      return fail(404, "NOTHOMED");
    case HomeMoveOutcome::kElsewhere:
      return fail(409, "TRYAGAIN");
    case HomeMoveOutcome::kRefused:
      return fail(503, "READONLY");
    case HomeMoveOutcome::kUnreachable:
      return fail(503, "HOMEDOWN");
    case HomeMoveOutcome::kUnknown:
      return fail(504, "UNKNOWN");
    case HomeMoveOutcome::kMoved:
    case HomeMoveOutcome::kSame:
      break;
  }
  JsonWriter json;
  WriteHome(
      call.params[0], call.params[1], moved.home, [this](RegionId id) { return RegionName(id); },
      json);
  call.Send({.body = json.Take()});
}

// True if the write is on its way to its home, or refused.
bool Api::ForwardedHome(Call& call, const WritePlan& plan, const WriteKey* key,
                        const AckWish& wish) {
  const auto homed = engine_.homed();
  if (!homed) return false;
  const auto view = reader_->Take();
  HomeFinder finder(*homed, [&view](std::string_view row_key) { return view->Get(row_key); });
  for (const PlannedChange& change : plan) {
    const bool of_record = change.op != WriteOp::kClaim && change.op != WriteOp::kRelease;
    if (of_record) finder.Add(change.table, change.key);
  }
  const Belonging belonging = finder.Found();
  // What was forwarded once is judged by the engine, when this region knows what the caller knew.
  if (call.request.Find(kForwardedHeader) != nullptr) return false;
  if (belonging.crosses) {
    call.Fail({.status = 409,
               .code = "CROSSHOME",
               .detail = "one txn cannot write units of two homes: nothing was written"});
    return true;
  }
  if (belonging.home == RegionId{} || belonging.home == options_.self) return false;
  if (key != nullptr && AnsweredBefore(call, plan, *key, wish, *view)) return true;
  ForwardWrite(std::move(call), belonging);
  return true;
}

// A key that is known here needs no home: the home may be away when the retry comes.
bool Api::AnsweredBefore(Call& call, const WritePlan& plan, const WriteKey& key,
                         const AckWish& wish, View& view) {
  const auto noted =
      ReadRequest(view.Get(RequestRowKey(kWriteKeyScope, key.id)), engine_.clock_ms());
  if (!noted) return false;
  auto first = FirstAnswer(*noted, key, plan, view.cut());
  if (!first) {
    call.Fail(std::move(first.error()));
  } else {
    AwaitAcks(std::move(call), plan, std::move(*first), wish);
  }
  return true;
}

void Api::ForwardWrite(Call call, const Belonging& belonging) {
  const std::string home = RegionName(belonging.home);
  if (options_.calls == nullptr || !IsHeard(engine_.status(), belonging.home)) {
    return call.Fail(HomeDown(home, "it is not heard"));
  }
  // There, the home must be known too, and what the client has seen.
  Cut cut;
  if (const std::string* token = call.request.Find("hawser-token")) {
    auto seen = DecodeToken(*token);
    if (!seen) {
      return call.Fail({.status = 400, .code = "BADTOKEN", .detail = "this is no causal token"});
    }
    cut = std::move(*seen);
  }
  if (Raw(belonging.known_by.seq) != 0) cut.Raise(belonging.known_by);
  std::erase_if(call.request.headers,
                [](const auto& header) { return header.first == "hawser-token"; });
  call.request.headers.emplace_back("hawser-token", EncodeToken(cut));
  call.request.headers.emplace_back(kForwardedHeader, RegionName(options_.self));
  std::string body = EncodeForwardedRequest(call.request);
  if (body.size() > kCallBytesMax) {
    return call.Fail({.status = 413,
                      .code = "TOOBIG",
                      .detail = "larger than what can be written in another region"});
  }
  call.request.body = {};
  // The home answers when it has the write durably; other regions are not waited for there.
  const bool wants_acks = call.request.Find("hawser-wait-regions") != nullptr;
  auto shared = std::make_shared<Call>(std::move(call));
  options_.calls->Call(belonging.home, std::string(kForwardHttpVerb), std::move(body), kForwardMs,
                       [this, post = post_, shared, home, epoch = belonging.epoch,
                        wants_acks](std::expected<std::string, CallFailure> answer) {
                         post([this, shared, home, epoch, wants_acks, answer = std::move(answer)] {
                           AnswerForwarded(shared, {home, epoch, wants_acks}, answer);
                         });
                       });
}

void Api::AnswerForwarded(const std::shared_ptr<Call>& call, const ServedBy& served,
                          const std::expected<std::string, CallFailure>& answer) {
  const std::string& home = served.home;
  if (!answer && NeverRan(answer.error())) return call->Fail(HomeDown(home, Text(answer.error())));
  auto response = answer ? DecodeForwardedResponse(*answer) : std::nullopt;
  if (!response) {
    return call->Fail({.status = 504,
                       .code = "UNKNOWN",
                       .detail = home + " is the home of this unit and did not answer in time: the "
                                        "write may or may not have happened"});
  }
  response->With("Hawser-Served-By", home)
      .With("Hawser-Home", home)
      .With("Hawser-Home-Epoch", std::to_string(served.epoch));
  if (served.wants_acks) response->With("Hawser-Degraded", "acks");
  const auto token = std::ranges::find(response->headers, "Hawser-Token", [](const auto& header) {
    return std::string_view(header.first);
  });
  const auto cut = token == response->headers.end() ? std::nullopt : DecodeToken(token->second);
  if (!cut || response->status >= 300) return call->Send(std::move(*response));
  CutWait wait{.cut = *cut, .deadline_mono_ms = DeadlineMonoMs(kLocalWait), .done = {}};
  wait.done = [post = post_, call, response = std::move(*response)](bool reached) {
    post([call, response, reached]() mutable {
      response.With("Hawser-Local", reached ? "yes" : "not yet");
      call->Send(std::move(response));
    });
  };
  engine_.Submit(std::move(wait));
}

}  // namespace hawser::admin
