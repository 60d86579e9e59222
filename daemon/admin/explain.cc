// Why a record is what it is here: its cells, and what gave way to them.

#include <string>

#include "conflict/record_codec.h"
#include "daemon/admin/api.h"
#include "daemon/admin/conflict_json.h"
#include "daemon/admin/conflict_scan.h"
#include "daemon/admin/explain_json.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/write_plan.h"

namespace hawser::admin {
namespace {

constexpr std::size_t kConflictsMax = 20;

// The newest conflicts of one record, with their resolutions.
void WriteConflictsOf(View& view, const std::string& table, const std::string& key,
                      const RegionNames& names, JsonWriter& json) {
  ConflictFilter filter;
  filter.table = table;
  filter.key = key;
  json.BeginArray();
  std::size_t given = 0;
  ScanConflicts(view, filter, "", [&](const LoggedConflict& logged) {
    json.BeginObject();
    WriteConflict(logged.id, logged.conflict, names, json);
    json.Key("resolution");
    LoggedResolution resolution;
    if (ReadResolution(view, logged.id, resolution)) {
      WriteResolution(resolution.held, resolution.in_effect, names, json);
    } else {
      json.Null();
    }
    json.EndObject();
    return ++given < kConflictsMax;
  });
  json.EndArray();
}

}  // namespace

void Api::Explain(Call call) {
  const std::string& table = call.params[0];
  const std::string& key = call.params[1];
  if (auto problem = CheckNames(table, key)) return call.Fail(std::move(*problem));
  const RegionNames names = [this](RegionId id) { return RegionName(id); };
  const ReplicaStatus status = engine_.status();
  const std::unique_ptr<View> view = reader_->Take();
  std::string row_key;
  AppendRowKey(table, key, row_key);
  const auto bytes = view->Get(row_key);
  Record record;
  if (bytes && !DecodeRecord(*bytes, record)) record.clear();
  const bool alive = IsAlive(record, engine_.clock_ms());

  JsonWriter json;
  json.BeginObject();
  json.Member("table", table);
  json.Key("key");
  WriteValue(key, json);
  json.Member("region", names(options_.self));
  json.Member("state", !bytes ? "absent" : alive ? "alive" : "dead");
  if (alive) json.Member("version", VersionText(record));
  json.Key("cells");
  WriteCells(record, status.stable, names, json);
  json.Key("conflicts");
  WriteConflictsOf(*view, table, key, names, json);
  json.Key("peers");
  json.BeginArray();
  for (const PeerStatus& peer : status.peers) {
    json.BeginObject();
    json.Member("region", names(peer.region));
    json.Key("asked");
    json.Bool(false);
    json.Member("detail", "this version does not ask other regions: make the same call there");
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  if (view->damaged()) {
    return call.Fail({.status = 500,
                      .code = "CORRUPT",
                      .detail = "a row is damaged on this region's disk: ask another region"});
  }
  call.Send({.body = json.Take()});
}

}  // namespace hawser::admin
