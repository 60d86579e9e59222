#include <chrono>

#include "daemon/admin/api.h"
#include "daemon/admin/collect.h"
#include "daemon/admin/json_writer.h"
#include "daemon/admin/readiness.h"
#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

using Clock = std::chrono::steady_clock;

std::int64_t WallMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

bool AllOk(const std::vector<ReadyCheck>& checks) {
  return std::ranges::all_of(checks, &ReadyCheck::ok);
}

std::string ReadyJson(const std::vector<ReadyCheck>& checks, bool verbose) {
  JsonWriter json;
  json.BeginObject();
  json.Member("status", AllOk(checks) ? "ready" : "unready");
  if (verbose) {
    json.Key("checks");
    json.BeginArray();
    for (const ReadyCheck& check : checks) {
      json.BeginObject();
      json.Member("name", check.name);
      json.Key("ok");
      json.Bool(check.ok);
      if (!check.detail.empty()) json.Member("detail", check.detail);
      json.EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
  return json.Take();
}

}  // namespace

// The process lives if its engine's loop turns; peers, links and lag have no say in it.
void Api::Live(Call call) {
  const std::uint64_t ticks = engine_.usage().ticks;
  const auto now = Clock::now();
  if (ticks != seen_ticks_) {
    seen_ticks_ = ticks;
    seen_ticks_at_ = now;
  }
  if (now - seen_ticks_at_ > std::chrono::milliseconds(options_.engine_stall_ms)) {
    return call.Fail(
        {.status = 503, .code = "STALLED", .detail = "the engine's loop stands still"});
  }
  call.Send({.body = R"({"status":"live"})"});
}

void Api::Ready(Call call) {
  std::optional<std::uint64_t> lag_ms_max;
  if (const std::string* text = call.target.Query("max_lag_ms")) {
    lag_ms_max = ParseUint(*text, 86'400'000);
    if (!lag_ms_max) {
      return call.Fail({.status = 400,
                        .code = "BADREQUEST",
                        .detail = "`max_lag_ms` is a number of milliseconds, at most a day"});
    }
  }
  const auto checks = CheckReady(engine_.gate(), engine_.status(), WallMs(), lag_ms_max);
  if (AllOk(checks) || call.target.Query("verbose")) {
    return call.Send({.status = AllOk(checks) ? 200 : 503,
                      .body = ReadyJson(checks, call.target.Query("verbose") != nullptr)});
  }
  std::string detail;
  for (const ReadyCheck& check : checks) {
    if (check.ok) continue;
    if (!detail.empty()) detail += "; ";
    detail += check.detail;
  }
  call.Fail({.status = 503, .code = "UNREADY", .detail = detail, .retry_after_seconds = 1});
}

void Api::Version(Call call) {
  JsonWriter json;
  json.BeginObject();
  json.Member("name", "hawser");
  json.Member("version", options_.software);
  if (!options_.commit.empty()) json.Member("commit", options_.commit);
  json.Member("cluster", options_.cluster);
  json.Member("region", RegionName(options_.self));
  json.EndObject();
  call.Send({.body = json.Take()});
}

void Api::Metrics(Call call) {
  std::vector<MetricFamilyValues> families = CollectMetrics(options_, engine_, WallMs());
  const RequestBook::Held keys = keys_->HeldNow(engine_.clock_ms());
  const auto gauge = [&families](const char* name, const char* help, std::uint64_t value) {
    families.push_back({.name = name, .help = help, .kind = MetricKind::kGauge});
    families.back().points.push_back({.value = static_cast<double>(value)});
  };
  gauge("idempotency_keys", "Answers kept for this region's Idempotency-Keys.", keys.requests);
  gauge("idempotency_bytes", "Room that these take.", keys.bytes);
  gauge("idempotency_limit_bytes", "[idempotency] max_size: past it new keys are refused.",
        keys_->bytes_max());
  if (options_.more_metrics) {
    for (MetricFamilyValues& family : options_.more_metrics())
      families.push_back(std::move(family));
  }
  call.Send(
      {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = MetricsText(families)});
}

void Api::OpenApiDocument(Call call) {
  call.Send({.body = openapi_});
}

}  // namespace hawser::admin
