#pragma once

// Records as JSON and back: values that are UTF-8 are strings, others {"base64": "…"}. Pure.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "conflict/record.h"
#include "daemon/admin/json.h"
#include "daemon/admin/json_writer.h"

namespace hawser::admin {

// The version of a record as clients compare it (ETag, "version"): the largest version of its cells
// as <ms>.<counter>-<region id>, and a hash of what it shows. The hash is needed because a write
// from elsewhere, or an increment, may change the record and leave the largest version as it was.
std::string VersionText(const Record& record);

void WriteValue(std::string_view bytes, JsonWriter& json);
// {"table", "key", "version", "fields", "expires_at"?, "binary_fields"?}: what a reader sees.
void WriteRecord(std::string_view table, std::string_view key, const Record& record,
                 JsonWriter& json);

// A string, or {"base64": "…"}. The error says what was wrong.
std::expected<std::string, std::string> ReadValue(const Json& json);

}  // namespace hawser::admin
