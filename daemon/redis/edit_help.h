#pragma once

// Small steps that several write commands share.

#include <optional>
#include <string>
#include <utility>

#include "daemon/redis/call.h"

namespace hawser::redis {

// Values that clients grow piecemeal end here; max_record is usually lower and says TOOBIG first.
inline constexpr std::size_t kStringBytesMax = 16 * 1024 * 1024;

// Carries out `steps(edit)`, which answers false after an error, so that a failing command leaves
// nothing behind: outside MULTI its whole txn is dropped, inside it is tried on a copy first.
template <typename Steps>
bool AllOrNothing(Call& call, RecordEdit& edit, Steps steps) {
  if (call.in_multi) {
    RecordEdit copy = edit;
    if (!steps(copy)) return false;
  }
  return steps(edit);
}

// The plain string in a record. False after WRONGTYPE was answered; `value` is empty if there is
// none.
inline bool GetString(Call& call, const RecordEdit& edit, std::optional<std::string>& value) {
  value = edit.Get(kStringField);
  if (value || !edit.Alive()) return true;
  call.Error(kWrongType);
  return false;
}

// Hash writes meet a plain string: WRONGTYPE was answered.
inline bool RefusesHash(Call& call, const RecordEdit& edit) {
  if (!edit.Get(kStringField) || edit.VisibleFields().size() > 1) return false;
  call.Error(kWrongType);
  return true;
}

inline bool RefusesFieldName(Call& call, std::string_view field) {
  if (!field.empty()) return false;
  call.Error("ERR the empty field name is where the plain string lives; use GET and SET");
  return true;
}

// A time to live as an absolute millisecond. `unit_ms` is 1000 or 1; `relative` adds now.
// nullopt: out of range, or not positive where `positive`.
inline std::optional<std::int64_t> DeadlineMs(std::int64_t amount, std::int64_t unit_ms,
                                              bool relative, std::int64_t now_ms, bool positive) {
  std::int64_t ms = 0;
  if (positive && amount <= 0) return std::nullopt;
  if (__builtin_mul_overflow(amount, unit_ms, &ms)) return std::nullopt;
  if (relative && __builtin_add_overflow(ms, now_ms, &ms)) return std::nullopt;
  return ms;
}

}  // namespace hawser::redis
