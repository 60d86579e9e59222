#include "daemon/admin/change_json.h"

#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"
#include "daemon/feeds/feed_message.h"

namespace hawser::admin {
namespace {

void WriteOp(const Op& op, bool values, JsonWriter& json) {
  json.BeginObject();
  if (op.expiry) {
    json.Key("expires_at");
    const auto ms = op.null ? std::nullopt : ParseExpiry({.null = false, .value = op.value});
    ms ? json.String(FormatTime(*ms)) : json.Null();
    return json.EndObject();
  }
  json.Key("field");
  WriteValue(op.field, json);
  if (op.type == Op::Type::kAdd) {
    json.Key("add");
    op.has_float ? json.Double(op.float_delta) : json.Int(op.delta);
  } else if (op.null) {
    json.Key("value");
    json.Null();
  } else if (values) {
    json.Key("value");
    WriteValue(op.value, json);
  }
  json.EndObject();
}

}  // namespace

void WriteChange(const AppliedChange& applied, const RegionNames& region_name, JsonWriter& json) {
  const bool values = ValueBytes(applied.change) <= kToldValuesBytesMax;
  json.BeginObject();
  json.Member("table", applied.change.table);
  json.Key("key");
  WriteValue(applied.change.key, json);
  json.Key("wrote");
  json.BeginArray();
  for (const Op& op : applied.change.ops) WriteOp(op, values, json);
  json.EndArray();
  if (!values) {
    json.Key("values_left_out");
    json.Bool(true);
  }
  json.Member("version", VersionText(Version{applied.txn.stamp, applied.entry.origin.region}));
  json.Key("dot");
  json.BeginObject();
  json.Member("region", region_name(applied.entry.origin.region));
  json.Key("incarnation");
  json.Uint64Text(Raw(applied.entry.origin.incarnation));
  json.Key("seq");
  json.Uint64Text(Raw(applied.entry.seq));
  json.EndObject();
  if (!applied.last_of_txn) {
    json.Key("more_of_txn");
    json.Bool(true);
  }
  json.Member("written_at", FormatTime(applied.txn.stamp.ms()));
  if (applied.entry.applied_ms != 0) {
    json.Member("applied_at", FormatTime(applied.entry.applied_ms));
  }
  json.EndObject();
}

}  // namespace hawser::admin
