#include "daemon/admin/conflict_json.h"

#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

// An expiry is told as a time; no value is null: deleted, or no expiry.
void WriteSideValue(const Conflict& conflict, const ConflictSide& side, JsonWriter& json) {
  if (!side.value) return json.Null();
  if (!conflict.expiry) return WriteValue(*side.value, json);
  const auto ms = ParseExpiry({.null = false, .value = *side.value});
  ms ? json.String(FormatTime(*ms)) : json.Null();
}

void WriteSide(std::string_view name, const Conflict& conflict, const ConflictSide& side,
               const RegionNames& region_name, JsonWriter& json) {
  json.Key(name);
  json.BeginObject();
  json.Key("value");
  WriteSideValue(conflict, side, json);
  json.Member("version", VersionText(side.version));
  json.Member("written_at", FormatTime(side.version.stamp.ms()));
  json.Member("region", region_name(side.version.region));
  json.EndObject();
}

}  // namespace

std::string VersionText(const Version& version) {
  return std::to_string(version.stamp.ms()) + '.' + std::to_string(version.stamp.raw & 0xFFFF) +
         '-' + std::to_string(Raw(version.region));
}

void WriteConflict(std::string_view id, const Conflict& conflict, const RegionNames& region_name,
                   JsonWriter& json) {
  json.Member("id", id);
  json.Member("at", FormatTime(conflict.at_ms));
  json.Member("table", conflict.table);
  json.Key("key");
  WriteValue(conflict.key, json);
  json.Key("field");
  if (conflict.expiry) {
    json.Null();
    json.Key("expiry");
    json.Bool(true);
  } else {
    WriteValue(conflict.field, json);
  }
  json.Member("kind", conflict.kind);
  json.Member("rule", conflict.rule);
  WriteSide("winner", conflict, conflict.winner, region_name, json);
  WriteSide("loser", conflict, conflict.loser, region_name, json);
}

void WriteResolvedText(const ResolvedText& text, JsonWriter& json) {
  if (!text.text) return json.Null();
  if (text.bytes == text.text->size()) return WriteValue(*text.text, json);
  json.BeginObject();
  json.Key("begins");
  WriteValue(*text.text, json);
  json.Key("bytes");
  json.Uint64Text(text.bytes);
  json.EndObject();
}

void WriteResolution(const HeldResolution& held, bool in_effect, const RegionNames& region_name,
                     JsonWriter& json) {
  json.BeginObject();
  json.Member("take", Text(held.resolution.take));
  json.Key("before");
  WriteResolvedText(held.resolution.before, json);
  json.Key("after");
  WriteResolvedText(held.resolution.after, json);
  json.Member("by", held.resolution.by);
  json.Member("region", region_name(held.version.region));
  json.Member("at", FormatTime(held.version.stamp.ms()));
  json.Member("reason", held.resolution.reason);
  json.Key("in_effect");
  json.Bool(in_effect);
  json.EndObject();
}

}  // namespace hawser::admin
