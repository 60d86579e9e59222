#pragma once

// Json: a parsed JSON text as a plain tree. Strict (RFC 8259, UTF-8, no NaN, nothing behind the
// value), bounded in depth and count, and an object's name may come once: two readers must not see
// two meanings.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hawser::admin {

struct Json;
struct JsonNull {};
// A number with a fraction or an exponent, or one past 64 bits; `text` as it was written.
struct JsonFloat {
  double value = 0;
  std::string text;
};
using JsonArray = std::vector<Json>;
struct JsonMember;
using JsonObject = std::vector<JsonMember>;  // in the order written

struct Json {
  std::variant<JsonNull, bool, std::int64_t, JsonFloat, std::string, JsonArray, JsonObject> value;

  bool IsNull() const { return std::holds_alternative<JsonNull>(value); }
  template <class T>
  const T* As() const {
    return std::get_if<T>(&value);
  }
};

struct JsonMember {
  std::string first;  // its name
  Json second;
};

inline constexpr std::size_t kJsonDepthMax = 16;
inline constexpr std::size_t kJsonNodesMax = 200'000;

// The member of that name; null if there is none.
const Json* Find(const JsonObject& object, std::string_view name);
// The error says where and what.
std::expected<Json, std::string> ParseJson(std::string_view text);

}  // namespace hawser::admin
