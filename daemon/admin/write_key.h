#pragma once

// WriteKey: a write under an Idempotency-Key. What a key is, which writes are the same, and the
// text that keeps a first answer (docs/formats.md, section 6). Pure.

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/cut.h"
#include "daemon/admin/http_message.h"
#include "daemon/admin/problem.h"
#include "daemon/admin/write_plan.h"
#include "homing/request.h"
#include "homing/request_book.h"

namespace hawser::admin {

// What became of one planned change.
struct ChangeResult {
  bool existed = false;            // a reader saw the record before
  bool exists = false;             // a reader sees it now
  std::string version;             // VersionText; empty if it does not exist
  std::string value;               // kIncr: the number after; a claim's state
  std::vector<std::string> no_op;  // fields whose value would have lost to the one held
};

// Keys of all clients, whatever they write: one is used for one request in the whole cluster.
inline constexpr std::string_view kWriteKeyScope = "rest";

struct WriteKey {
  std::string id;
  std::string digest;  // of what is written and how it is answered, as 32 hex digits
};
// nullopt: the request has none.
std::expected<std::optional<WriteKey>, Problem> PlanKey(const HttpRequest& request,
                                                        const WritePlan& plan);

// The answer, to be kept under its key. Two regions never keep the same text: that both carried a
// request out is then a conflict.
std::string EncodeKept(const WriteKey& key, const Origin& self, const WritePlan& plan,
                       const std::vector<ChangeResult>& results);
// What was answered first. A problem: the key was used for another request.
std::expected<std::vector<ChangeResult>, Problem> DecodeKept(std::string_view kept,
                                                             const WriteKey& key,
                                                             const WritePlan& plan);

// A key with what keeps its answer.
struct KeepAnswer {
  WriteKey key;
  std::shared_ptr<RequestBook> book;
  std::int64_t kept_ms = kRequestKeptMs;
};

}  // namespace hawser::admin
