#include "daemon/redis/call.h"

#include "conflict/assert.h"
#include "conflict/record_codec.h"

namespace hawser::redis {

bool EqualsNoCase(std::string_view text, std::string_view upper) {
  if (text.size() != upper.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'a' && text[i] <= 'z' ? static_cast<char>(text[i] - 32) : text[i];
    if (c != upper[i]) return false;
  }
  return true;
}

void Call::Error(EditError error, bool hash) {
  switch (error) {
    case EditError::kBackwards:
      return Error("BACKWARDS the field holds a later state, and states of this field go one way");
    case EditError::kNotAState:
      return Error("NOTASTATE the value is not one of the states declared for this field");
    case EditError::kNotANumber:
      return Error(hash ? std::string_view("ERR hash value is not an integer") : kNotAnInteger);
    case EditError::kOverflow:
      return Error("ERR increment or decrement would overflow");
    case EditError::kImmutable:
      return Error("IMMUTABLE the field keeps its first value");
  }
}

Reading* Call::ReadInto(std::string_view key, Reading& reading) {
  const auto name = ParseKeyName(key);
  if (!name) {
    Error(kKeyTooBig);
    return nullptr;
  }
  if (txn_ != nullptr) {
    reading.FromEdit(txn_->Edit(name->table, name->key));
    return &reading;
  }
  scratch_.row_key.clear();
  AppendRowKey(name->table, name->key, scratch_.row_key);
  reading.FromRow(rows_->Get(scratch_.row_key), now_ms);
  return &reading;
}

RecordEdit* Call::Edit(std::string_view key) {
  HW_ASSERT(txn_ != nullptr);
  const auto name = ParseKeyName(key);
  if (!name) {
    Error(kKeyTooBig);
    return nullptr;
  }
  return &txn_->Edit(name->table, name->key);
}

std::optional<std::int64_t> Call::Int(std::size_t arg, std::string_view error) {
  const auto number = ParseInt(args[arg]);
  if (!number) Error(error);
  return number;
}

bool Call::Is(std::size_t arg, std::string_view word) const {
  return arg < args.size() && EqualsNoCase(args[arg], word);
}

bool Call::CheckKeys(std::size_t first, std::size_t step) {
  for (std::size_t i = first; i < args.size(); i += step) {
    if (!ParseKeyName(args[i])) {
      Error(kKeyTooBig);
      return false;
    }
  }
  return true;
}

}  // namespace hawser::redis
