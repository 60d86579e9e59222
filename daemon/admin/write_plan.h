#pragma once

// WritePlan: what a request wants written, taken from its body and headers before the engine is
// asked. Pure: the bodies are checked here, the records not.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/admin/http_message.h"
#include "daemon/admin/json.h"
#include "daemon/admin/problem.h"

namespace hawser::admin {

enum class WriteOp {
  kPut,      // the record is these fields and no others
  kPatch,    // these fields; the others stay
  kDelete,   // the record goes
  kIncr,     // one counter
  kClaim,    // a unique value: `table` is its name, `key` the value
  kRelease,  // likewise
};

struct PlannedField {
  std::string name;
  std::optional<std::string> value;  // nullopt: the field goes (kPatch)
};

// What must hold of the record before; all that are given.
struct Condition {
  bool must_exist = false;
  bool must_be_absent = false;
  bool has_versions = false;
  std::vector<std::string> versions;  // has_versions: one of these (VersionText)
  bool empty() const { return !must_exist && !must_be_absent && !has_versions; }
};

struct PlannedChange {
  WriteOp op = WriteOp::kPut;
  std::string table;
  std::string key;
  std::vector<PlannedField> fields;
  bool has_expiry = false;                    // expires_at was given
  std::optional<std::int64_t> expires_at_ms;  // nullopt: none
  std::string field;                          // kIncr
  std::variant<std::int64_t, double> by;      // kIncr
  std::string owner;                          // kClaim, kRelease
  Condition condition;
};

using WritePlan = std::vector<PlannedChange>;

// The limits of names; empty when they are met.
std::optional<Problem> CheckNames(std::string_view table, std::string_view key);

// PUT or PATCH of one record, from the body and its Content-Type.
std::expected<PlannedChange, Problem> PlanRecord(WriteOp op, std::string table, std::string key,
                                                 const HttpRequest& request);
// The body of a request that takes a JSON object.
std::expected<JsonObject, Problem> ParseBodyObject(const HttpRequest& request);
// If-Match and If-None-Match.
std::expected<Condition, Problem> PlanCondition(const HttpRequest& request);
// POST /v1/txn.
std::expected<WritePlan, Problem> PlanTxn(const HttpRequest& request, std::size_t changes_max);

}  // namespace hawser::admin
