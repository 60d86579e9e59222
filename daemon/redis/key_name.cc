#include "daemon/redis/key_name.h"

#include "conflict/schema.h"

namespace hawser::redis {
namespace {

KeyName Parse(std::string_view redis_key) {
  const std::size_t colon = redis_key.substr(0, kTableNameBytesMax + 1).find(':');
  if (colon != std::string_view::npos && IsTableName(redis_key.substr(0, colon))) {
    return {redis_key.substr(0, colon), redis_key.substr(colon + 1)};
  }
  return {kDefaultTable, redis_key};
}

}  // namespace

std::optional<KeyName> ParseKeyName(std::string_view redis_key) {
  if (redis_key.size() > kKeyBytesMax) return std::nullopt;
  return Parse(redis_key);
}

void AppendRedisKey(std::string_view table, std::string_view key, std::string& out) {
  if (table != kDefaultTable || Parse(key).key.size() != key.size()) {
    out.append(table);
    out.push_back(':');
  }
  out.append(key);
}

}  // namespace hawser::redis
