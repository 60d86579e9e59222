#pragma once

// Which record a Redis key means: "orders:42" is key "42" of table "orders"; without a valid table
// name before the first ":" it is the whole key in table "default".

#include <optional>
#include <string>
#include <string_view>

namespace hawser::redis {

inline constexpr std::string_view kDefaultTable = "default";
// Client tables start at or after this byte; internal tables ("!…") stand before it.
inline constexpr std::string_view kFirstClientRow = "\"";

struct KeyName {
  std::string_view table;
  std::string_view key;
};

// nullopt: longer than kKeyBytesMax.
std::optional<KeyName> ParseKeyName(std::string_view redis_key);
// The Redis key of a record; ParseKeyName leads back to the same record.
void AppendRedisKey(std::string_view table, std::string_view key, std::string& out);

}  // namespace hawser::redis
