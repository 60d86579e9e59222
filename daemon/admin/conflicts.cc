// What is asked of the conflict log.

#include <string>

#include "conflict/record_codec.h"
#include "daemon/admin/api.h"
#include "daemon/admin/conflict_json.h"
#include "daemon/admin/conflict_scan.h"
#include "daemon/admin/record_json.h"

namespace hawser::admin {
namespace {

constexpr std::size_t kPageBytesMax = 1024 * 1024;  // a page ends past it

Problem Damaged() {
  return {.status = 500,
          .code = "CORRUPT",
          .detail = "a row is damaged on this region's disk: ask another region"};
}

// What the record shows now; gives its version, empty if it shows nothing.
std::string WriteCurrent(View& view, const Conflict& conflict, std::int64_t now_ms,
                         JsonWriter& json) {
  std::string row_key;
  AppendRowKey(conflict.table, conflict.key, row_key);
  const auto bytes = view.Get(row_key);
  Record record;
  json.Key("current");
  if (!bytes || !DecodeRecord(*bytes, record) || !IsAlive(record, now_ms)) {
    json.Null();
    return {};
  }
  admin::WriteRecord(conflict.table, conflict.key, record, json);
  return VersionText(record);
}

}  // namespace

void WriteLogged(View& view, const LoggedConflict& logged, const RegionNames& names,
                 JsonWriter& json) {
  WriteConflict(logged.id, logged.conflict, names, json);
  json.Key("resolution");
  LoggedResolution resolution;
  if (!ReadResolution(view, logged.id, resolution)) return json.Null();
  WriteResolution(resolution.held, resolution.in_effect, names, json);
}

bool IsResolved(View& view, const std::string& id) {
  LoggedResolution resolution;
  return ReadResolution(view, id, resolution);
}

void Api::ListConflicts(Call call) {
  const auto query = PlanConflictQuery(call.target, options_);
  if (!query) return call.Fail(query.error());
  const RegionNames names = [this](RegionId id) { return RegionName(id); };
  const std::unique_ptr<View> view = reader_->Take();
  JsonWriter json;
  json.BeginObject();
  json.Key("conflicts");
  json.BeginArray();
  std::uint64_t given = 0;
  const auto more =
      ScanConflicts(*view, query->filter, query->start, [&](const LoggedConflict& logged) {
        const auto& resolved = query->filter.resolved;
        if (resolved && IsResolved(*view, logged.id) != *resolved) return true;
        json.BeginObject();
        WriteLogged(*view, logged, names, json);
        json.EndObject();
        ++given;
        return given < query->limit && json.size() < kPageBytesMax;
      });
  if (view->damaged()) return call.Fail(Damaged());
  json.EndArray();
  if (more) json.Member("next_page_token", ConflictPageToken(*more));
  json.EndObject();
  call.Send({.body = json.Take()});
}

void Api::GetConflict(Call call) {
  const std::unique_ptr<View> view = reader_->Take();
  LoggedConflict logged;
  if (!IsConflictId(call.params[0]) || !ReadConflict(*view, call.params[0], logged)) {
    if (view->damaged()) return call.Fail(Damaged());
    return call.Fail({.status = 404,
                      .code = "NOTFOUND",
                      .detail = "no such conflict in this region's log; it may be older than "
                                "[conflicts] max_age, or have been found in other regions only"});
  }
  JsonWriter json;
  json.BeginObject();
  WriteLogged(*view, logged, [this](RegionId id) { return RegionName(id); }, json);
  const std::string version = WriteCurrent(*view, logged.conflict, engine_.clock_ms(), json);
  json.EndObject();
  HttpResponse response{.body = json.Take()};
  if (!version.empty()) response.With("ETag", '"' + version + '"');
  call.Send(std::move(response));
}

}  // namespace hawser::admin
