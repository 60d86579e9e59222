// Unique values: claim, look, release.

#include <string>

#include "daemon/admin/api.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"
#include "daemon/token.h"
#include "wan/claim_job.h"

namespace hawser::admin {
namespace {

Problem Bad(std::string detail) {
  return {.status = 400, .code = "BADREQUEST", .detail = std::move(detail)};
}

std::expected<ClaimOrder, Problem> PlanClaim(const Call& call) {
  ClaimOrder order{.verb = ClaimOrder::Verb::kClaim,
                   .name = call.params[0],
                   .value = call.params[1],
                   .owner = {},
                   .request_id = {}};
  const auto object = ParseBodyObject(call.request);
  if (!object) return std::unexpected(object.error());
  for (const auto& [name, value] : *object) {
    const bool id = name == "request_id";
    if (!id && name != "owner") {
      return std::unexpected(Bad("`" + name + "` is no member here; known are: owner request_id"));
    }
    auto bytes = ReadValue(value);
    if (!bytes) return std::unexpected(Bad("`" + name + "`: " + bytes.error()));
    if (id && bytes->empty()) return std::unexpected(Bad("`request_id` has 1 to 128 bytes"));
    (id ? order.request_id : order.owner) = std::move(*bytes);
  }
  return order;
}

}  // namespace

std::optional<Problem> ProblemOf(const ClaimOutcome& outcome) {
  switch (outcome.effect) {
    case ClaimEffect::kWritten:
    case ClaimEffect::kSame:
      return std::nullopt;
    case ClaimEffect::kTaken:
      return Problem{.status = 409, .code = "TAKEN", .detail = "taken by " + outcome.owner};
    case ClaimEffect::kOtherRequest:
      return Problem{
          .status = 422, .code = "REQUEST", .detail = "this request id was used for another value"};
    case ClaimEffect::kGone:
      return Problem{.status = 409,
                     .code = "RELEASED",
                     .detail = "the claim of this request was released since"};
  }
  return std::nullopt;
}

void Api::PutUnique(Call call) {
  auto order = PlanClaim(call);
  if (!order) return call.Fail(std::move(order.error()));
  Order(std::move(call), std::move(*order));
}

void Api::GetUnique(Call call) {
  ClaimOrder order{.verb = ClaimOrder::Verb::kLook,
                   .name = call.params[0],
                   .value = call.params[1],
                   .owner = {},
                   .request_id = {}};
  Order(std::move(call), std::move(order));
}

void Api::DeleteUnique(Call call) {
  const std::string* owner = call.target.Query("owner");
  if (!owner) return call.Fail(Bad("say whose claim is released: ?owner="));
  ClaimOrder order{.verb = ClaimOrder::Verb::kRelease,
                   .name = call.params[0],
                   .value = call.params[1],
                   .owner = *owner,
                   .request_id = {}};
  Order(std::move(call), std::move(order));
}

void Api::Order(Call call, ClaimOrder order) {
  const int wait_seconds = PreferWaitSeconds(call.request).value_or(0);
  auto shared = std::make_shared<Call>(std::move(call));
  auto finish = [this, post = post_, shared, wait_seconds](const ClaimOrder& asked,
                                                           ClaimAnswer answer) {
    auto back = std::make_shared<std::pair<ClaimOrder, ClaimAnswer>>(asked, std::move(answer));
    post([this, shared, back, wait_seconds] {
      AwaitClaim(*shared, back->first, std::move(back->second), wait_seconds);
    });
  };
  engine_.Submit(std::make_unique<ClaimJob>(std::move(order), std::move(finish)));
}

void Api::AwaitClaim(const Call& call, const ClaimOrder& order, ClaimAnswer answer,
                     int wait_seconds) {
  if (!answer.problem.empty()) {
    return call.Fail({.status = 422, .code = "UNIQUE", .detail = answer.problem});
  }
  if (answer.unknown) {
    return call.Fail({.status = 504,
                      .code = "UNKNOWN",
                      .detail = "the commit did not end: it may or may not have happened; the "
                                "same request again is safe"});
  }
  if (answer.refused) return call.Fail(ToProblem(*answer.refused));
  if (auto problem = ProblemOf(answer.outcome); problem && order.verb != ClaimOrder::Verb::kLook) {
    return call.Fail(std::move(*problem));
  }
  const bool waits = order.verb != ClaimOrder::Verb::kRelease && wait_seconds > 0 &&
                     answer.shown.state == ClaimState::kPending;
  if (!waits) return AnswerClaim(call, order, answer);
  auto shared = std::make_shared<std::tuple<Call, ClaimOrder, ClaimAnswer>>(call, order, answer);
  engine_.Submit(ClaimWait{.row_key = ClaimRowKey(order.name, order.value),
                           .owner = answer.shown.owner,
                           .deadline_mono_ms = DeadlineMonoMs(std::chrono::seconds(wait_seconds)),
                           .done = [this, post = post_, shared](const Claim& claim) {
                             std::get<2>(*shared).shown = claim;
                             post([this, shared] {
                               AnswerClaim(std::get<0>(*shared), std::get<1>(*shared),
                                           std::get<2>(*shared));
                             });
                           }});
}

void Api::AnswerClaim(const Call& call, const ClaimOrder& order, const ClaimAnswer& answer) const {
  const Claim& shown = answer.shown;
  const bool claims = order.verb == ClaimOrder::Verb::kClaim;
  if (claims && shown.owner != answer.outcome.owner) {  // while this waited
    return call.Fail(shown.owner.empty()
                         ? Problem{.status = 409,
                                   .code = "RELEASED",
                                   .detail = "the claim was released while this waited"}
                         : *ProblemOf({ClaimEffect::kTaken, shown.owner}));
  }
  const bool nothing = order.verb == ClaimOrder::Verb::kLook
                           ? shown.state == ClaimState::kFree
                           : !claims && answer.outcome.effect == ClaimEffect::kSame;
  if (nothing) {
    return call.Fail({.status = 404, .code = "NOTFOUND", .detail = "nobody has this value"});
  }
  HttpResponse response;
  if (claims && answer.outcome.effect == ClaimEffect::kWritten) response.status = 201;
  JsonWriter json;
  json.BeginObject();
  json.Member("name", order.name);
  json.Key("value");
  WriteValue(order.value, json);
  json.Member("state", Text(shown.state));
  if (shown.state != ClaimState::kFree) {
    json.Key("owner");
    WriteValue(shown.owner, json);
    json.Key("silent_regions");
    json.BeginArray();
    if (shown.state == ClaimState::kPending) {
      for (const RegionId region : SilentRegions(engine_.status(), shown.dot)) {
        json.String(RegionName(region));
      }
    }
    json.EndArray();
  }
  const std::string token = EncodeToken(answer.cut);
  json.Member("token", token);
  json.EndObject();
  response.With("Hawser-Token", token);
  response.body = json.Take();
  call.Send(std::move(response));
}

}  // namespace hawser::admin
