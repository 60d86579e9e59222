#include "homing/request.h"

#include "conflict/assert.h"
#include "conflict/internal_tables.h"
#include "conflict/record_codec.h"

namespace hawser {
namespace {

std::string RequestKey(std::string_view scope, std::string_view id) {
  std::string key(scope);
  key.push_back('\0');
  key.append(id);
  return key;
}

}  // namespace

std::string RequestRowKey(std::string_view scope, std::string_view id) {
  std::string row_key;
  AppendRowKey(kRequestTable, RequestKey(scope, id), row_key);
  return row_key;
}

std::optional<NotedRequest> ReadRequest(std::optional<std::string_view> record_bytes,
                                        std::int64_t now_ms) {
  Record record;
  if (!record_bytes || !DecodeRecord(*record_bytes, record)) return std::nullopt;
  const Field* field = record.Find(kRequestField);
  const auto expiry_ms = ExpiryMs(record);
  if (!field || !field->has_cell || field->cell.null) return std::nullopt;
  if (!expiry_ms || IsExpired(record, now_ms)) return std::nullopt;
  return NotedRequest{.asked = field->cell.value, .dot = field->cell.dot, .expires_ms = *expiry_ms};
}

std::optional<std::string> FindRequest(LocalTxn& txn, std::string_view scope, std::string_view id) {
  return txn.Edit(kRequestTable, RequestKey(scope, id)).Get(kRequestField);
}

void NoteRequest(LocalTxn& txn, std::string_view scope, std::string_view id, std::string_view asked,
                 std::int64_t kept_ms) {
  HW_ASSERT(IsRequestId(id));
  RecordEdit& edit = txn.Edit(kRequestTable, RequestKey(scope, id));
  HW_ASSERT(edit.Set(kRequestField, asked).has_value());
  edit.SetExpiry(txn.now_ms() + kept_ms);
}

}  // namespace hawser
