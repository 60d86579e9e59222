#pragma once

// Reading: what a client sees of one record, whether it stands in a row or is being edited in a
// txn. A plain string is the field with the empty name; every other visible field makes it a hash.
// After concurrent SET and HSET both may be there: then string and hash commands each see their
// part. Threads: one owner. Text handed out is valid until the next call.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/edit.h"
#include "conflict/record.h"

namespace hawser::redis {

class Reading {
 public:
  // `row`: the row's bytes, which must outlive the reading; nullopt if there is none.
  void FromRow(std::optional<std::string_view> row, std::int64_t now_ms);
  void FromEdit(const RecordEdit& edit);

  bool Alive() const { return alive_; }
  std::optional<std::string_view> Get(std::string_view field);
  bool HasNamedFields() const;
  bool IsPlainString() { return alive_ && Get(kStringField) && !HasNamedFields(); }
  std::optional<std::int64_t> ExpiryMs() const;

  // Names of visible fields but the empty one, sorted.
  const std::vector<std::string_view>& NamedFields();

 private:
  const RecordEdit* edit_ = nullptr;
  Record record_;
  bool alive_ = false;
  Shown shown_;
  std::string text_;
  std::vector<std::string> edit_names_;
  std::vector<std::string_view> names_;
};

}  // namespace hawser::redis
