// What is asked of the conflict log.

#include <string>

#include "daemon/admin/api.h"
#include "daemon/admin/conflict_json.h"
#include "daemon/admin/conflict_scan.h"

namespace hawser::admin {
namespace {

constexpr std::size_t kPageBytesMax = 1024 * 1024;  // a page ends past it

Problem Damaged() {
  return {.status = 500,
          .code = "CORRUPT",
          .detail = "a row is damaged on this region's disk: ask another region"};
}

}  // namespace

void Api::ListConflicts(Call call) {
  const auto query = PlanConflictQuery(call.target, options_);
  if (!query) return call.Fail(query.error());
  const std::unique_ptr<View> view = reader_->Take();
  JsonWriter json;
  json.BeginObject();
  json.Key("conflicts");
  json.BeginArray();
  std::uint64_t given = 0;
  const auto more =
      ScanConflicts(*view, query->filter, query->start, [&](const LoggedConflict& logged) {
        json.BeginObject();
        WriteConflict(
            logged.id, logged.conflict, [this](RegionId id) { return RegionName(id); }, json);
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
  WriteConflict(
      logged.id, logged.conflict, [this](RegionId id) { return RegionName(id); }, json);
  json.EndObject();
  call.Send({.body = json.Take()});
}

}  // namespace hawser::admin
