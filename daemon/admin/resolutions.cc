// Resolving conflicts, one or many.

#include <string>

#include "daemon/admin/api.h"
#include "daemon/admin/conflict_scan.h"
#include "daemon/admin/gatekeeper.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/resolve_apply.h"
#include "daemon/token.h"

namespace hawser::admin {
namespace {

constexpr std::size_t kResolvedPerJob = 50;  // between two commits of the engine

void WriteText(std::string_view name, const std::optional<std::string>& text, JsonWriter& json) {
  json.Key(name);
  text ? WriteValue(*text, json) : json.Null();
}

void WriteResolved(const std::string& id, const Resolved& resolved, JsonWriter& json) {
  json.Member("id", id);
  json.Member("table", resolved.table);
  json.Key("key");
  WriteValue(resolved.key, json);
  WriteText("field", resolved.field, json);
  WriteText("before", resolved.before, json);
  WriteText("after", resolved.after, json);
  if (!resolved.version.empty()) json.Member("version", resolved.version);
}

}  // namespace

// Conflicts to be resolved, piece by piece; server's thread.
struct Api::ResolvingMany {
  Call call;
  Wish wish;
  std::vector<std::string> ids;
  bool more = false;  // conflicts that match and were over the limit
  std::size_t next = 0;
  std::vector<ResolveOutcome> outcomes;
};

void Api::ResolveConflict(Call call) {
  auto wish = PlanResolution(call.request);
  if (!wish) return call.Fail(std::move(wish.error()));
  wish->by = CallerName(call.request, options_);
  wish->keep_ms = options_.resolution_ms;
  auto shared = std::make_shared<Call>(std::move(call));
  const std::string id = shared->params[0];
  auto finish = [post = post_, shared](std::vector<ResolveOutcome> outcomes) {
    auto outcome = std::make_shared<ResolveOutcome>(std::move(outcomes.front()));
    post([shared, outcome] {
      auto& [resolved_id, result] = *outcome;
      if (!result) return shared->Fail(std::move(result.error()));
      JsonWriter json;
      json.BeginObject();
      WriteResolved(resolved_id, *result, json);
      const std::string token = EncodeToken(result->cut);
      json.Member("token", token);
      json.EndObject();
      HttpResponse response{.body = json.Take()};
      response.With("Hawser-Token", token);
      if (!result->version.empty()) response.With("ETag", '"' + result->version + '"');
      shared->Send(std::move(response));
    });
  };
  engine_.Submit(std::make_unique<ResolveJob>(std::vector<std::string>{id}, std::move(*wish),
                                              std::move(finish)));
}

void Api::ResolveConflicts(Call call) {
  auto plan = PlanResolutions(call.request, options_);
  if (!plan) return call.Fail(std::move(plan.error()));
  auto many = std::make_shared<ResolvingMany>();
  many->wish = std::move(plan->wish);
  many->wish.by = CallerName(call.request, options_);
  many->wish.keep_ms = options_.resolution_ms;
  many->ids = std::move(plan->ids);
  if (plan->filter) {
    const std::unique_ptr<View> view = reader_->Take();
    const auto rest = ScanConflicts(*view, *plan->filter, FirstOrderKey(*plan->filter),
                                    [&](const LoggedConflict& logged) {
                                      LoggedResolution resolution;
                                      if (ReadResolution(*view, logged.id, resolution)) return true;
                                      if (logged.conflict.table.starts_with('!')) return true;
                                      if (many->ids.size() == plan->limit) return false;
                                      many->ids.push_back(logged.id);
                                      return true;
                                    });
    many->more = rest.has_value();
  }
  many->call = std::move(call);
  ResolveNext(std::move(many));
}

void Api::ResolveNext(std::shared_ptr<ResolvingMany> many) {
  if (many->next == many->ids.size()) return AnswerResolved(*many);
  const std::size_t count = std::min(kResolvedPerJob, many->ids.size() - many->next);
  const auto from = many->ids.begin() + static_cast<std::ptrdiff_t>(many->next);
  std::vector<std::string> ids(from, from + static_cast<std::ptrdiff_t>(count));
  many->next += count;
  auto finish = [this, post = post_, many](std::vector<ResolveOutcome> outcomes) {
    auto done = std::make_shared<std::vector<ResolveOutcome>>(std::move(outcomes));
    post([this, many, done] {
      for (ResolveOutcome& outcome : *done) many->outcomes.push_back(std::move(outcome));
      ResolveNext(many);
    });
  };
  engine_.Submit(std::make_unique<ResolveJob>(std::move(ids), many->wish, std::move(finish)));
}

void Api::AnswerResolved(const ResolvingMany& many) const {
  JsonWriter json;
  std::int64_t resolved = 0;
  json.BeginObject();
  json.Key("results");
  json.BeginArray();
  for (const auto& [id, result] : many.outcomes) {
    json.BeginObject();
    if (result) {
      ++resolved;
      WriteResolved(id, *result, json);
    } else {
      json.Member("id", id);
      json.Member("code", result.error().code);
      json.Member("detail", result.error().detail);
    }
    json.EndObject();
  }
  json.EndArray();
  json.Key("resolved");
  json.Int(resolved);
  json.Key("refused");
  json.Int(static_cast<std::int64_t>(many.outcomes.size()) - resolved);
  json.Key("more");
  json.Bool(many.more);
  json.EndObject();
  many.call.Send({.body = json.Take()});
}

}  // namespace hawser::admin
