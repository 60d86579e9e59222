#include <algorithm>
#include <string>

#include "daemon/admin/api.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"
#include "daemon/admin/write_job.h"
#include "daemon/token.h"

namespace hawser::admin {
namespace {

constexpr std::chrono::seconds kTokenWait{1};
constexpr int kAckWaitSecondsDefault = 1;
constexpr const char* kReplayedHeader = "Hawser-Replayed";

void WriteDot(const Dot& dot, const std::string& region, JsonWriter& json) {
  json.Key("dot");
  if (Raw(dot.seq) == 0) return json.Null();
  json.BeginObject();
  json.Member("region", region);
  json.Key("incarnation");
  json.Uint64Text(Raw(dot.origin.incarnation));
  json.Key("seq");
  json.Uint64Text(Raw(dot.seq));
  json.EndObject();
}

const char* ResultWord(const ChangeResult& change) {
  if (change.exists) return change.existed ? "updated" : "created";
  return change.existed ? "deleted" : "absent";
}

// The members that say what became of one record.
void WriteChange(const PlannedChange& plan, const ChangeResult& change, JsonWriter& json) {
  if (plan.op == WriteOp::kClaim || plan.op == WriteOp::kRelease) {
    json.Member("name", plan.table);
    json.Key("value");
    WriteValue(plan.key, json);
    json.Key("owner");
    WriteValue(plan.owner, json);
    return json.Member("state", change.value);
  }
  json.Member("table", plan.table);
  json.Key("key");
  WriteValue(plan.key, json);
  json.Member("result", ResultWord(change));
  if (!change.version.empty()) json.Member("version", change.version);
  if (plan.op == WriteOp::kIncr) json.Member("value", change.value);
  if (change.no_op.empty()) return;
  json.Key("not_written");  // the value held wins over the one given
  json.BeginArray();
  for (const std::string& field : change.no_op) WriteValue(field, json);
  json.EndArray();
}

}  // namespace

std::expected<Api::AckWish, Problem> Api::PlanAcks(const HttpRequest& request) const {
  const std::string* regions = request.Find("hawser-wait-regions");
  AckWish wish;
  if (!regions) return wish;
  const std::size_t others = options_.regions.empty() ? 0 : options_.regions.size() - 1;
  wish.wanted = true;
  wish.wait_seconds = PreferWaitSeconds(request).value_or(kAckWaitSecondsDefault);
  if (EqualsIgnoringCase(Trim(*regions), "all")) {
    wish.regions = -1;
    wish.asked = static_cast<int>(others);
    return wish;
  }
  const auto number = ParseUint(Trim(*regions), others);
  if (!number) {
    return std::unexpected(Problem{.status = 400,
                                   .code = "BADREQUEST",
                                   .detail = "Hawser-Wait-Regions is `all` or a number of other "
                                             "regions, here at most " +
                                             std::to_string(others)});
  }
  wish.regions = wish.asked = static_cast<int>(*number);
  return wish;
}

void Api::PutRecord(Call call) {
  auto change = PlanRecord(WriteOp::kPut, call.params[0], call.params[1], call.request);
  WriteRecord(std::move(call), std::move(change));
}

void Api::PatchRecord(Call call) {
  auto change = PlanRecord(WriteOp::kPatch, call.params[0], call.params[1], call.request);
  WriteRecord(std::move(call), std::move(change));
}

void Api::DeleteRecord(Call call) {
  PlannedChange change{.op = WriteOp::kDelete, .table = call.params[0], .key = call.params[1]};
  WriteRecord(std::move(call), std::move(change));
}

void Api::WriteRecord(Call call, std::expected<PlannedChange, Problem> change) {
  if (!change) return call.Fail(std::move(change.error()));
  if (auto problem = CheckNames(change->table, change->key)) return call.Fail(std::move(*problem));
  auto condition = PlanCondition(call.request);
  if (!condition) return call.Fail(std::move(condition.error()));
  change->condition = std::move(*condition);
  WritePlan plan;
  plan.push_back(std::move(*change));
  Write(std::move(call), std::move(plan));
}

void Api::PostTxn(Call call) {
  auto plan = PlanTxn(call.request, options_.txn_changes_max);
  if (!plan) return call.Fail(std::move(plan.error()));
  Write(std::move(call), std::move(*plan));
}

void Api::Write(Call call, WritePlan plan) {
  const auto wish = PlanAcks(call.request);
  if (!wish) return call.Fail(wish.error());
  auto key = PlanKey(call.request, plan);
  if (!key) return call.Fail(std::move(key.error()));
  if (ForwardedHome(call, plan, *key ? &**key : nullptr, *wish)) return;
  call.request.body = {};
  struct Ready {
    WritePlan plan;
    std::optional<KeepAnswer> keep;
  };
  auto shared = std::make_shared<Ready>(Ready{std::move(plan), std::nullopt});
  if (*key) shared->keep = KeepAnswer{std::move(**key), keys_, options_.key_kept_ms};
  AfterToken(std::move(call), kTokenWait, [this, shared, wish = *wish](Call ready) {
    Submit(std::move(ready), std::move(shared->plan), std::move(shared->keep), wish);
  });
}

void Api::Submit(Call call, WritePlan plan, std::optional<KeepAnswer> keep, AckWish wish) {
  // Shared: std::function wants to be copyable.
  auto shared = std::make_shared<Call>(std::move(call));
  auto finish = [this, post = post_, shared, wish](WritePlan written_plan,
                                                   std::expected<WriteResult, Problem> result) {
    auto plan_back = std::make_shared<WritePlan>(std::move(written_plan));
    auto result_back = std::make_shared<std::expected<WriteResult, Problem>>(std::move(result));
    post([this, shared, wish, plan_back, result_back] {
      if (!*result_back) return shared->Fail(std::move(result_back->error()));
      AwaitAcks(std::move(*shared), std::move(*plan_back), std::move(**result_back), wish);
    });
  };
  engine_.Submit(std::make_unique<WriteJob>(std::move(plan), std::move(keep), std::move(finish)));
}

void Api::AwaitAcks(Call call, WritePlan plan, WriteResult written, AckWish wish) {
  if (!wish.wanted || wish.asked == 0 || Raw(written.dot.seq) == 0) {
    return AnswerWrite(call, plan, written, wish, 0);
  }
  struct Waiting {
    Call call;
    WritePlan plan;
    WriteResult written;
  };
  auto waiting =
      std::make_shared<Waiting>(Waiting{std::move(call), std::move(plan), std::move(written)});
  AckWait wait{.dot = waiting->written.dot,
               .regions = wish.regions,
               .deadline_mono_ms = DeadlineMonoMs(std::chrono::seconds(wish.wait_seconds)),
               .done = {}};
  wait.done = [this, post = post_, waiting, wish](int reached) {
    post([this, waiting, wish, reached] {
      AnswerWrite(waiting->call, waiting->plan, waiting->written, wish, reached);
    });
  };
  engine_.Submit(std::move(wait));
}

void Api::AnswerWrite(const Call& call, const WritePlan& plan, const WriteResult& written,
                      const AckWish& wish, int reached) const {
  const bool single = call.request.method != Method::kPost;
  if (single && plan[0].op == WriteOp::kDelete && !written.changes[0].existed) {
    Problem problem{.status = 404,
                    .code = "NOTFOUND",
                    .detail = "there is no such record",
                    .headers = {{"Hawser-Token", EncodeToken(written.cut)}}};
    if (written.replayed) problem.headers.emplace_back(kReplayedHeader, "true");
    return call.Fail(std::move(problem));
  }
  HttpResponse response;
  if (written.replayed) response.With(kReplayedHeader, "true");
  JsonWriter json;
  json.BeginObject();
  if (single) {
    WriteChange(plan[0], written.changes[0], json);
    const ChangeResult& change = written.changes[0];
    if (change.exists && !change.existed) response.status = 201;
    if (!change.version.empty()) response.With("ETag", '"' + change.version + '"');
  } else {
    json.Key("results");
    json.BeginArray();
    for (std::size_t i = 0; i < plan.size(); ++i) {
      json.BeginObject();
      WriteChange(plan[i], written.changes[i], json);
      json.EndObject();
    }
    json.EndArray();
  }
  WriteDot(written.dot, RegionName(written.dot.origin.region), json);
  const std::string token = EncodeToken(written.cut);
  json.Member("token", token);
  response.With("Hawser-Token", token);
  if (wish.wanted && Raw(written.dot.seq) != 0) {
    const bool degraded = reached < wish.asked;
    json.Key("acks");
    json.BeginObject();
    json.Key("asked");
    json.Int(wish.asked);
    json.Key("reached");
    json.Int(reached);
    json.Key("degraded");
    json.Bool(degraded);
    json.EndObject();
    response.With("Hawser-Acked-Regions", std::to_string(reached))
        .With("Preference-Applied", "wait=" + std::to_string(wish.wait_seconds));
    if (degraded) response.With("Hawser-Degraded", "acks");
  }
  json.EndObject();
  response.body = json.Take();
  call.Send(std::move(response));
}

}  // namespace hawser::admin
