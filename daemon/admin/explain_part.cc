#include "daemon/admin/explain_part.h"

#include <optional>
#include <utility>

#include "conflict/record_codec.h"
#include "daemon/admin/conflict_json.h"
#include "daemon/admin/conflict_scan.h"
#include "daemon/admin/explain_json.h"
#include "daemon/admin/record_json.h"

namespace hawser::admin {
namespace {

constexpr std::size_t kConflictsMax = 20;

// The newest conflicts of one record, with their resolutions.
void WriteConflictsOf(View& view, std::string_view table, std::string_view key,
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

ExplainPart::ExplainPart(Engine& engine, RegionId self,
                         std::function<std::string(RegionId)> region_name)
    : engine_(engine),
      self_(self),
      region_name_(std::move(region_name)),
      reader_(engine.NewReader()),
      journal_(engine.NewJournalReader()) {}

std::string ExplainPart::Of(std::string_view table, std::string_view key) {
  const ReplicaStatus status = engine_.status();
  const std::unique_ptr<View> view = reader_->Take();
  std::string row_key;
  AppendRowKey(table, key, row_key);
  const auto bytes = view->Get(row_key);
  Record record;
  const bool readable = !bytes || DecodeRecord(*bytes, record);
  if (!readable) record.clear();
  const bool alive = IsAlive(record, engine_.clock_ms());
  const auto arrived_ms = [this](const Dot& dot) -> std::optional<std::int64_t> {
    std::optional<std::int64_t> at_ms;
    (void)journal_->ReadLog(dot.origin, dot.seq, [&](const JournalEntry& entry) {
      if (entry.applied_ms != 0) at_ms = entry.applied_ms;
      return false;
    });
    return at_ms;  // nothing: it has left the journal
  };

  JsonWriter json;
  json.BeginObject();
  json.Member("region", region_name_(self_));
  json.Member("state", !bytes ? "absent" : alive ? "alive" : "dead");
  if (alive) json.Member("version", VersionText(record));
  json.Key("cells");
  WriteCells(record,
             {.region_name = region_name_, .stable = status.stable, .arrived_ms = arrived_ms},
             json);
  json.Key("conflicts");
  WriteConflictsOf(*view, table, key, region_name_, json);
  if (!readable || view->damaged()) {
    json.Member("damaged", "a row is damaged on this region's disk: believe the other regions");
  }
  json.EndObject();
  return json.Take();
}

}  // namespace hawser::admin
