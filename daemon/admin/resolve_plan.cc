#include "daemon/admin/resolve_plan.h"

#include <algorithm>

#include "daemon/admin/conflict_scan.h"
#include "daemon/admin/json.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/text.h"
#include "daemon/admin/write_plan.h"

namespace hawser::admin {
namespace {

std::unexpected<Problem> Bad(std::string detail) {
  return std::unexpected(Problem{.status = 400, .code = "BADREQUEST", .detail = std::move(detail)});
}

constexpr const char* kTakes = "`take` is \"winner\", \"loser\" or {\"value\": …}";

std::expected<void, Problem> ReadTake(const Json& json, Wish& wish) {
  if (const auto* word = json.As<std::string>()) {
    if (*word != "winner" && *word != "loser") return Bad(kTakes);
    wish.take = *word == "winner" ? Take::kWinner : Take::kLoser;
    return {};
  }
  const auto* object = json.As<JsonObject>();
  const Json* value = object && object->size() == 1 ? Find(*object, "value") : nullptr;
  if (!value) return Bad(kTakes);
  wish.take = Take::kValue;
  if (value->IsNull()) return {};
  auto text = ReadValue(*value);
  if (!text) return Bad("`take`: " + text.error());
  wish.value = std::move(*text);
  return {};
}

std::expected<void, Problem> ReadReason(const Json& json, Wish& wish) {
  const auto* text = json.As<std::string>();
  if (!text || Trim(*text).empty() || text->size() > kReasonBytesMax) {
    return Bad("`reason` is a text of 1 to 1000 bytes: it stands in the audit log of every region");
  }
  wish.reason = *text;
  return {};
}

std::expected<void, Problem> ReadIds(const Json& json, WishForMany& many) {
  const auto* array = json.As<JsonArray>();
  if (!array || array->empty() || array->size() > kResolveManyMax) {
    return Bad("`ids` is a list of 1 to 1000 conflicts");
  }
  for (const Json& each : *array) {
    const auto* id = each.As<std::string>();
    if (!id || !IsConflictId(*id)) return Bad("`ids`: an id has 32 of 0-9 and a-f");
    many.ids.push_back(*id);
  }
  std::ranges::sort(many.ids);
  const auto twice = std::ranges::unique(many.ids);
  many.ids.erase(twice.begin(), twice.end());
  return {};
}

std::expected<void, Problem> ReadFilter(const Json& json, const AdminOptions& options,
                                        WishForMany& many) {
  const auto* object = json.As<JsonObject>();
  if (!object || object->empty()) return Bad("`filter` is an object that names at least one field");
  many.filter.emplace();
  for (const auto& [name, value] : *object) {
    const auto known = std::ranges::find(kConflictFilterNames, name);
    if (known == std::end(kConflictFilterNames) || name == "resolved") {
      return Bad("`filter` has no `" + name + "`; GET /v1/conflicts lists what there is");
    }
    auto text = ReadValue(value);
    if (!text) return Bad("`filter`, `" + name + "`: " + text.error());
    if (auto set = SetFilter(name, *text, options, *many.filter); !set) return set;
  }
  return {};
}

// Reads the members it knows, and hands the others to `other`.
template <typename Other>
std::expected<Wish, Problem> ReadBody(const HttpRequest& request, const Other& other) {
  auto json = ParseBodyObject(request);
  if (!json) return std::unexpected(std::move(json.error()));
  Wish wish;
  for (const auto& [name, value] : *json) {
    const auto read = name == "take"     ? ReadTake(value, wish)
                      : name == "reason" ? ReadReason(value, wish)
                                         : other(name, value);
    if (!read) return std::unexpected(read.error());
  }
  if (!Find(*json, "take")) return Bad(kTakes);
  if (wish.reason.empty()) return Bad("`reason` is missing: say why, for the audit log");
  return wish;
}

}  // namespace

std::expected<Wish, Problem> PlanResolution(const HttpRequest& request) {
  auto wish = ReadBody(request, [](const std::string& name, const Json&) {
    return std::expected<void, Problem>(
        Bad("`" + name + "` is no member here; known are: take reason"));
  });
  if (!wish) return wish;
  auto condition = PlanCondition(request);
  if (!condition) return std::unexpected(std::move(condition.error()));
  wish->if_absent = condition->must_be_absent;
  wish->if_match = std::move(condition->versions);
  if (condition->must_exist) wish->if_match = {"*"};
  return wish;
}

std::expected<WishForMany, Problem> PlanResolutions(const HttpRequest& request,
                                                    const AdminOptions& options) {
  WishForMany many;
  auto wish = ReadBody(
      request, [&](const std::string& name, const Json& value) -> std::expected<void, Problem> {
        if (name == "ids") return ReadIds(value, many);
        if (name == "filter") return ReadFilter(value, options, many);
        if (name != "limit") {
          return Bad("`" + name + "` is no member here; known are: take reason ids filter limit");
        }
        const auto* limit = value.As<std::int64_t>();
        if (!limit || *limit < 1 || *limit > static_cast<std::int64_t>(kResolveManyMax)) {
          return Bad("`limit` is a number from 1 to 1000");
        }
        many.limit = static_cast<std::uint64_t>(*limit);
        return {};
      });
  if (!wish) return std::unexpected(std::move(wish.error()));
  many.wish = std::move(*wish);
  if (many.ids.empty() == !many.filter) {
    return Bad("name the conflicts either by `ids` or by a `filter`");
  }
  return many;
}

}  // namespace hawser::admin
