#include "tests/daemon/admin_fixture.h"

#include "daemon/admin/text.h"

namespace hawser::admin {

std::string At(std::string_view json, std::string_view path) {
  const auto parsed = ParseJson(json);
  if (!parsed) return "not JSON: " + parsed.error();
  const hawser::admin::Json* node = &*parsed;
  for (bool more = !path.empty(); more;) {
    const std::string_view name = path.substr(0, path.find('.'));
    more = name.size() < path.size();
    path.remove_prefix(name.size() + (more ? 1 : 0));
    if (const auto* object = node->As<JsonObject>()) {
      node = Find(*object, name);
    } else if (const auto* array = node->As<JsonArray>()) {
      const auto index = ParseUint(name, 1'000'000);
      node = index && *index < array->size() ? &(*array)[*index] : nullptr;
    } else {
      node = nullptr;
    }
    if (!node) return {};
  }
  if (const auto* text = node->As<std::string>()) return *text;
  if (const auto* whole = node->As<std::int64_t>()) return std::to_string(*whole);
  if (const auto* real = node->As<JsonFloat>()) return real->text;
  if (const auto* yes = node->As<bool>()) return *yes ? "true" : "false";
  return node->IsNull() ? "null" : "(nested)";
}

}  // namespace hawser::admin
