#include "daemon/admin/write_plan.h"

#include <algorithm>
#include <cmath>

#include "conflict/record.h"
#include "conflict/schema.h"
#include "daemon/admin/json.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

using Failure = std::unexpected<Problem>;

Failure Bad(std::string detail) {
  return Failure(Problem{.status = 400, .code = "BADREQUEST", .detail = std::move(detail)});
}

// "application/json; charset=utf-8" to "application/json".
std::string MediaType(const HttpRequest& request) {
  const std::string* header = request.Find("content-type");
  if (!header) return {};
  return Lower(Trim(std::string_view(*header).substr(0, header->find(';'))));
}

Failure WrongMediaType(const char* wanted) {
  return Failure(Problem{.status = 415,
                         .code = "MEDIATYPE",
                         .detail = std::string("send the body with Content-Type: ") + wanted});
}

std::expected<JsonObject, Problem> ParseObject(std::string_view body) {
  auto json = ParseJson(body);
  if (!json) {
    return Failure(Problem{.status = 400, .code = "BADJSON", .detail = "body: " + json.error()});
  }
  auto* object = std::get_if<JsonObject>(&json->value);
  if (!object) return Bad("the body must be a JSON object");
  return std::move(*object);
}

// Nullopt if every member is one of `known`.
std::optional<std::string> UnknownMember(const JsonObject& object,
                                         std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : object) {
    if (std::ranges::find(known, std::string_view(name)) != known.end()) continue;
    std::string detail = "`" + name + "` is no member here; known are:";
    for (const std::string_view other : known) detail.append(" ").append(other);
    return detail;
  }
  return std::nullopt;
}

using Problems = std::optional<std::string>;  // what is wrong; nullopt: nothing

Problems AddField(WriteOp op, std::string name, const Json& value, PlannedChange& change) {
  if (value.IsNull()) {
    if (op == WriteOp::kPut) return "PUT replaces the record: leave out a field that shall go";
    change.fields.push_back({std::move(name), std::nullopt});
    return std::nullopt;
  }
  auto bytes = ReadValue(value);
  if (!bytes) return "field `" + name + "`: " + bytes.error();
  change.fields.push_back({std::move(name), std::move(*bytes)});
  return std::nullopt;
}

Problems AddBinaryFields(WriteOp op, const Json& json, PlannedChange& change) {
  const auto* array = json.As<JsonArray>();
  if (!array) return "`binary_fields` must be an array";
  for (const Json& element : *array) {
    const auto* object = element.As<JsonObject>();
    const Json* name = object ? Find(*object, "name") : nullptr;
    const Json* value = object ? Find(*object, "value") : nullptr;
    auto bytes = name ? ReadValue(*name) : std::unexpected(std::string());
    if (!bytes || !value || object->size() != 2) {
      return "`binary_fields` holds {\"name\": {\"base64\": …}, \"value\": …}";
    }
    if (auto problem = AddField(op, std::move(*bytes), *value, change)) return problem;
  }
  return std::nullopt;
}

Problems ReadExpiry(const Json& json, PlannedChange& change) {
  change.has_expiry = true;
  if (json.IsNull()) return std::nullopt;
  const auto* text = json.As<std::string>();
  const auto ms = text ? ParseTime(*text) : std::nullopt;
  if (!ms || *ms < 0) return "`expires_at` must be an RFC 3339 time such as 2026-01-31T12:00:00Z";
  change.expires_at_ms = ms;
  return std::nullopt;
}

// `fields`, `binary_fields` and `expires_at` of a put or patch.
Problems ReadContent(const JsonObject& object, PlannedChange& change) {
  const Json* fields = Find(object, "fields");
  const Json* binary_fields = Find(object, "binary_fields");
  const Json* expires_at = Find(object, "expires_at");
  if (fields) {
    const auto* members = fields->As<JsonObject>();
    if (!members) return "`fields` must be an object";
    for (const auto& [name, value] : *members) {
      if (auto problem = AddField(change.op, name, value, change)) return problem;
    }
  }
  if (binary_fields) {
    if (auto problem = AddBinaryFields(change.op, *binary_fields, change)) return problem;
  }
  if (expires_at) {
    if (auto problem = ReadExpiry(*expires_at, change)) return problem;
  }
  std::ranges::sort(change.fields, {}, &PlannedField::name);
  const auto twice = std::ranges::adjacent_find(change.fields, {}, &PlannedField::name);
  if (twice != change.fields.end()) return "field `" + twice->name + "` comes twice";
  if (change.op == WriteOp::kPut && change.fields.empty()) {
    return "a record needs a field: {\"fields\": {\"name\": \"value\"}}; DELETE removes it";
  }
  if (change.op == WriteOp::kPatch && change.fields.empty() && !change.has_expiry) {
    return "nothing to change: give `fields` or `expires_at`";
  }
  return std::nullopt;
}

std::optional<std::variant<std::int64_t, double>> ReadNumber(const Json& json) {
  if (const auto* whole = json.As<std::int64_t>()) return *whole;
  if (const auto* real = json.As<JsonFloat>()) {
    // A whole number past 64 bits would silently become a rounded one.
    if (real->text.find_first_of(".eE") == std::string::npos) return std::nullopt;
    if (std::isfinite(real->value)) return real->value;
    return std::nullopt;
  }
  if (const auto* text = json.As<std::string>()) {
    if (const auto whole = ParseInt(*text)) return *whole;
    if (text->find_first_of(".eE") == std::string::npos) return std::nullopt;
    if (const auto real = ParseFloat(*text)) return *real;
  }
  return std::nullopt;
}

Problems ReadIncr(const JsonObject& object, PlannedChange& change) {
  if (const Json* field = Find(object, "field")) {
    auto name = ReadValue(*field);
    if (!name) return "`field`: " + name.error();
    change.field = std::move(*name);
  }
  const Json* by = Find(object, "by");
  const auto number = by ? ReadNumber(*by) : std::nullopt;
  if (!number) return "`by` must be a whole number of 64 bits, or one with a fraction";
  change.by = *number;
  return std::nullopt;
}

Problems ReadCondition(const JsonObject& object, Condition& condition) {
  if (const Json* version = Find(object, "if_version")) {
    const auto* text = version->As<std::string>();
    if (!text) return "`if_version` must be the text of a version";
    condition.has_versions = true;
    condition.versions = {*text};
  }
  if (const Json* absent = Find(object, "if_absent")) {
    const auto* yes = absent->As<bool>();
    if (!yes || !*yes) return "`if_absent` can only be true";
    condition.must_be_absent = true;
  }
  return std::nullopt;
}

std::optional<WriteOp> OpOf(std::string_view name) {
  if (name == "put") return WriteOp::kPut;
  if (name == "patch") return WriteOp::kPatch;
  if (name == "delete") return WriteOp::kDelete;
  if (name == "incr") return WriteOp::kIncr;
  if (name == "claim") return WriteOp::kClaim;
  if (name == "release") return WriteOp::kRelease;
  return std::nullopt;
}

Problems ReadMembers(const JsonObject& object, PlannedChange& change) {
  switch (change.op) {
    case WriteOp::kPut:
    case WriteOp::kPatch:
      if (auto unknown = UnknownMember(object, {"op", "table", "key", "fields", "binary_fields",
                                                "expires_at", "if_version", "if_absent"})) {
        return unknown;
      }
      return ReadContent(object, change);
    case WriteOp::kDelete:
      return UnknownMember(object, {"op", "table", "key", "if_version"});
    case WriteOp::kIncr:
      if (auto unknown = UnknownMember(
              object, {"op", "table", "key", "field", "by", "if_version", "if_absent"})) {
        return unknown;
      }
      return ReadIncr(object, change);
    case WriteOp::kClaim:
    case WriteOp::kRelease:
      break;  // ReadClaim
  }
  return std::nullopt;
}

std::expected<PlannedChange, Problem> ReadClaim(WriteOp op, const JsonObject& object) {
  if (auto unknown = UnknownMember(object, {"op", "name", "value", "owner"})) {
    return Bad(std::move(*unknown));
  }
  PlannedChange change{.op = op, .table = {}, .key = {}};
  for (const auto& [member, into] :
       {std::pair<std::string_view, std::string*>{"name", &change.table},
        {"value", &change.key},
        {"owner", &change.owner}}) {
    const Json* json = Find(object, member);
    if (!json) return Bad("a claim or release needs `name`, `value` and `owner`");
    auto bytes = ReadValue(*json);
    if (!bytes) return Bad("`" + std::string(member) + "`: " + bytes.error());
    *into = std::move(*bytes);
  }
  return change;
}

std::expected<PlannedChange, Problem> ReadChange(const Json& json) {
  const auto* object = json.As<JsonObject>();
  if (!object) return Bad("a change is an object");
  const Json* op = Find(*object, "op");
  const Json* table = Find(*object, "table");
  const Json* key = Find(*object, "key");
  const auto* op_name = op ? op->As<std::string>() : nullptr;
  const auto claims = op_name ? OpOf(*op_name) : std::nullopt;
  if (claims == WriteOp::kClaim || claims == WriteOp::kRelease) return ReadClaim(*claims, *object);
  const auto* table_name = table ? table->As<std::string>() : nullptr;
  if (!op_name || !table_name || !key) return Bad("a change needs `op`, `table` and `key`");
  const auto known = OpOf(*op_name);
  if (!known) return Bad("`op` is one of put, patch, delete, incr, claim, release");
  auto key_bytes = ReadValue(*key);
  if (!key_bytes) return Bad("`key`: " + key_bytes.error());
  PlannedChange change{.op = *known, .table = *table_name, .key = std::move(*key_bytes)};
  if (auto problem = CheckNames(change.table, change.key)) return Failure(std::move(*problem));
  if (auto problem = ReadMembers(*object, change)) return Bad(std::move(*problem));
  if (auto problem = ReadCondition(*object, change.condition)) return Bad(std::move(*problem));
  return change;
}

// The entity tags of an If-Match; a weak one never matches a write.
std::optional<std::vector<std::string>> ParseTags(std::string_view text) {
  std::vector<std::string> tags;
  for (text = Trim(text); !text.empty();) {
    const bool weak = text.starts_with("W/");
    if (weak) text.remove_prefix(2);
    if (!text.starts_with('"')) return std::nullopt;
    const std::size_t end = text.find('"', 1);
    if (end == std::string_view::npos) return std::nullopt;
    if (!weak) tags.emplace_back(text.substr(1, end - 1));
    text = Trim(text.substr(end + 1));
    if (text.empty()) break;
    if (!text.starts_with(',')) return std::nullopt;
    text = Trim(text.substr(1));
  }
  return tags;
}

}  // namespace

std::optional<Problem> CheckNames(std::string_view table, std::string_view key) {
  if (!IsTableName(table)) {
    return Problem{.status = 400,
                   .code = "BADTABLE",
                   .detail =
                       "a table name is 1 to 64 of A-Z a-z 0-9 _ . - and begins with a letter, "
                       "a digit or _"};
  }
  if (table.size() + key.size() > kKeyBytesMax) {
    return Problem{.status = 413,
                   .code = "TOOBIG",
                   .detail = "table name and key together are at most 480 bytes"};
  }
  return std::nullopt;
}

std::expected<PlannedChange, Problem> PlanRecord(WriteOp op, std::string table, std::string key,
                                                 const HttpRequest& request) {
  PlannedChange change{.op = op, .table = std::move(table), .key = std::move(key)};
  const std::string type = MediaType(request);
  const bool put = op == WriteOp::kPut;
  if (put && (type == "application/octet-stream" || type == "text/plain")) {
    change.fields.push_back({std::string(kStringField), request.body});
    return change;
  }
  if (type != "application/json" && (put || type != "application/merge-patch+json")) {
    return WrongMediaType(put ? "application/json for fields, or application/octet-stream (or "
                                "text/plain) for the plain value"
                              : "application/json");
  }
  const auto object = ParseObject(request.body);
  if (!object) return Failure(object.error());
  if (auto unknown = UnknownMember(*object, {"fields", "binary_fields", "expires_at"})) {
    return Bad(std::move(*unknown));
  }
  if (auto problem = ReadContent(*object, change)) return Bad(std::move(*problem));
  return change;
}

std::expected<Condition, Problem> PlanCondition(const HttpRequest& request) {
  Condition condition;
  if (request.Count("if-match") > 1 || request.Count("if-none-match") > 1) {
    return Bad("send each of If-Match and If-None-Match once");
  }
  if (const std::string* match = request.Find("if-match")) {
    if (Trim(*match) == "*") {
      condition.must_exist = true;
    } else {
      auto tags = ParseTags(*match);
      if (!tags) return Bad("If-Match is `*` or the quoted ETag of an earlier answer");
      condition.has_versions = true;
      condition.versions = std::move(*tags);
    }
  }
  if (const std::string* none = request.Find("if-none-match")) {
    if (Trim(*none) != "*") return Bad("for writes, If-None-Match can only be `*`");
    condition.must_be_absent = true;
  }
  return condition;
}

std::expected<JsonObject, Problem> ParseBodyObject(const HttpRequest& request) {
  // Only JSON: what a web page may send elsewhere without asking (text/plain) is refused.
  if (MediaType(request) != "application/json") return WrongMediaType("application/json");
  return ParseObject(request.body);
}

std::expected<WritePlan, Problem> PlanTxn(const HttpRequest& request, std::size_t changes_max) {
  const auto object = ParseBodyObject(request);
  if (!object) return Failure(object.error());
  if (auto unknown = UnknownMember(*object, {"changes"})) return Bad(std::move(*unknown));
  const Json* changes = Find(*object, "changes");
  const auto* array = changes ? changes->As<JsonArray>() : nullptr;
  if (!array || array->empty()) return Bad("`changes` must be an array of at least one change");
  if (array->size() > changes_max) {
    return Failure(
        Problem{.status = 413,
                .code = "TOOBIG",
                .detail = "at most " + std::to_string(changes_max) + " changes at once"});
  }
  WritePlan plan;
  for (std::size_t i = 0; i < array->size(); ++i) {
    auto change = ReadChange((*array)[i]);
    if (!change) {
      Problem problem = change.error();
      problem.detail = "changes[" + std::to_string(i) + "]: " + problem.detail;
      return Failure(std::move(problem));
    }
    plan.push_back(std::move(*change));
  }
  return plan;
}

}  // namespace hawser::admin
