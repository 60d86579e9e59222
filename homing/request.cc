#include "homing/request.h"

#include "conflict/assert.h"
#include "conflict/internal_tables.h"

namespace hawser {
namespace {

std::string RequestKey(std::string_view scope, std::string_view id) {
  std::string key(scope);
  key.push_back('\0');
  key.append(id);
  return key;
}

}  // namespace

std::optional<std::string> FindRequest(LocalTxn& txn, std::string_view scope, std::string_view id) {
  return txn.Edit(kRequestTable, RequestKey(scope, id)).Get(kRequestField);
}

void NoteRequest(LocalTxn& txn, std::string_view scope, std::string_view id,
                 std::string_view asked) {
  HW_ASSERT(IsRequestId(id));
  RecordEdit& edit = txn.Edit(kRequestTable, RequestKey(scope, id));
  HW_ASSERT(edit.Set(kRequestField, asked).has_value());
  edit.SetExpiry(txn.now_ms() + kRequestKeptMs);
}

}  // namespace hawser
