#include "daemon/admin/record_json.h"

#include <xxhash.h>

#include <array>
#include <cstdio>

#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

void AppendNumber(std::uint64_t value, std::string& out) {
  for (int shift = 0; shift < 64; shift += 8) {
    out += static_cast<char>(static_cast<unsigned char>(value >> shift));
  }
}

void AppendText(std::string_view text, std::string& out) {
  AppendNumber(text.size(), out);
  out += text;
}

// What the record shows: names, values, and the versions of the cells behind them.
std::uint64_t HashShown(const Record& record) {
  std::string bytes;
  for (const Field& field : record.fields) {
    const Shown shown = Show(field);
    if (!shown.visible) continue;
    AppendText(field.name, bytes);
    AppendNumber(field.has_cell ? field.cell.generation : 0, bytes);
    AppendNumber(field.has_cell ? field.cell.version.stamp.raw : 0, bytes);
    AppendNumber(field.has_cell ? Raw(field.cell.version.region) : 0, bytes);
    if (shown.is_counter) AppendText(shown.text, bytes);
  }
  if (const auto expiry_ms = ExpiryMs(record)) {
    AppendNumber(static_cast<std::uint64_t>(*expiry_ms), bytes);
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string_view TextOf(const Shown& shown) {
  return shown.is_counter ? std::string_view(shown.text) : shown.value;
}

}  // namespace

std::string VersionText(const Record& record) {
  const Version version = RecordVersion(record);
  std::array<char, 80> text{};
  std::snprintf(
      text.data(), text.size(), "%lld.%u-%u-%016llx", static_cast<long long>(version.stamp.ms()),
      static_cast<unsigned>(version.stamp.raw & 0xFFFF), static_cast<unsigned>(Raw(version.region)),
      static_cast<unsigned long long>(HashShown(record)));
  return text.data();
}

void WriteValue(std::string_view bytes, JsonWriter& json) {
  if (IsUtf8(bytes)) return json.String(bytes);
  json.BeginObject();
  json.Member("base64", ToBase64(bytes));
  json.EndObject();
}

void WriteRecord(std::string_view table, std::string_view key, const Record& record,
                 JsonWriter& json) {
  json.BeginObject();
  json.Member("table", table);
  json.Key("key");
  WriteValue(key, json);
  json.Member("version", VersionText(record));
  bool binary_names = false;
  json.Key("fields");
  json.BeginObject();
  for (const Field& field : record.fields) {
    const Shown shown = Show(field);
    if (!shown.visible) continue;
    if (!IsUtf8(field.name)) {
      binary_names = true;
      continue;
    }
    json.Key(field.name);
    WriteValue(TextOf(shown), json);
  }
  json.EndObject();
  if (binary_names) {
    json.Key("binary_fields");
    json.BeginArray();
    for (const Field& field : record.fields) {
      const Shown shown = Show(field);
      if (!shown.visible || IsUtf8(field.name)) continue;
      json.BeginObject();
      json.Key("name");
      WriteValue(field.name, json);
      json.Key("value");
      WriteValue(TextOf(shown), json);
      json.EndObject();
    }
    json.EndArray();
  }
  if (const auto expiry_ms = ExpiryMs(record)) json.Member("expires_at", FormatTime(*expiry_ms));
  json.EndObject();
}

std::expected<std::string, std::string> ReadValue(const Json& json) {
  if (const auto* text = json.As<std::string>()) return *text;
  if (const auto* object = json.As<JsonObject>(); object && object->size() == 1) {
    if (const Json* base64 = Find(*object, "base64")) {
      const auto* text = base64->As<std::string>();
      auto bytes = text ? FromBase64(*text) : std::nullopt;
      if (bytes) return std::move(*bytes);
      return std::unexpected("`base64` must hold base64 with padding (RFC 4648)");
    }
  }
  if (json.As<std::int64_t>() || json.As<JsonFloat>()) {
    return std::unexpected("values are texts: put the number in quotes");
  }
  return std::unexpected("a value is a string or {\"base64\": \"…\"}");
}

}  // namespace hawser::admin
