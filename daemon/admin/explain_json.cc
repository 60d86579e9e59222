#include "daemon/admin/explain_json.h"

#include "daemon/admin/conflict_json.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

constexpr const char* kKindNames[] = {"lww", "states", "first", "max", "min"};

class CellWriter {
 public:
  CellWriter(const CellFacts& facts, JsonWriter& json) : facts_(facts), json_(json) {}

  void Expiry(const Cell& cell) {
    json_.BeginObject();
    json_.Key("field");
    json_.Null();
    json_.Key("expiry");
    json_.Bool(true);
    json_.Key("value");
    const auto ms = ParseExpiry(cell);
    ms ? json_.String(FormatTime(*ms)) : json_.Null();
    Origin(cell);
    json_.EndObject();
  }

  void Of(const Field& field) {
    json_.BeginObject();
    json_.Key("field");
    WriteValue(field.name, json_);
    const Shown shown = Show(field);
    json_.Key("shows");
    if (shown.visible) {
      WriteValue(shown.is_counter ? std::string_view(shown.text) : shown.value, json_);
    } else {
      json_.Null();
    }
    if (field.has_cell) {
      json_.Key("value");
      field.cell.null ? json_.Null() : WriteValue(field.cell.value, json_);
      Origin(field.cell);
    }
    if (!field.shares.empty()) Shares(field);
    json_.EndObject();
  }

 private:
  void Origin(const Cell& cell) {
    json_.Key("null");
    json_.Bool(cell.null);
    json_.Member("kind", kKindNames[static_cast<std::size_t>(cell.kind)]);
    json_.Key("generation");
    json_.Uint64Text(cell.generation);
    if (cell.kind == Kind::kStates && !cell.null) {
      json_.Key("rank");
      json_.Uint64Text(cell.rank);
    }
    json_.Member("version", VersionText(cell.version));
    json_.Member("written_at", FormatTime(cell.version.stamp.ms()));
    Writer(cell.dot);
  }

  void Writer(const Dot& dot) {
    json_.Member("region", facts_.region_name(dot.origin.region));
    json_.Key("incarnation");
    json_.Uint64Text(Raw(dot.origin.incarnation));
    json_.Key("seq");
    json_.Uint64Text(Raw(dot.seq));
    json_.Key("stable");
    json_.Bool(facts_.stable.Covers(dot));
    json_.Key("arrived_at");
    const auto arrived_ms = facts_.arrived_ms(dot);
    arrived_ms ? json_.String(FormatTime(*arrived_ms)) : json_.Null();
  }

  void Shares(const Field& field) {
    json_.Key("added");
    json_.BeginArray();
    for (const Share& share : field.shares) {
      json_.BeginObject();
      json_.Key("sum");
      share.has_float ? json_.String(FormatFloat(static_cast<double>(share.sum) + share.float_sum))
                      : json_.String(std::to_string(share.sum));
      json_.Member("last_at", FormatTime(share.stamp.ms()));
      Writer({share.origin, share.seq});
      json_.EndObject();
    }
    json_.EndArray();
  }

  const CellFacts& facts_;
  JsonWriter& json_;
};

}  // namespace

void WriteCells(const Record& record, const CellFacts& facts, JsonWriter& json) {
  CellWriter cells(facts, json);
  json.BeginArray();
  for (const Field& field : record.fields) cells.Of(field);
  if (record.expiry) cells.Expiry(*record.expiry);
  json.EndArray();
}

}  // namespace hawser::admin
