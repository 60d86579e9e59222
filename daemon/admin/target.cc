#include "daemon/admin/target.h"

#include <algorithm>

#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

using Failure = std::unexpected<std::string>;

// The text up to `mark`; `rest` goes on behind it. Without a mark, all of it.
std::string_view TakeUntil(std::string_view& rest, char mark) {
  const std::size_t at = rest.find(mark);
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return taken;
}

}  // namespace

const std::string* Target::Query(std::string_view name) const {
  const auto at = std::ranges::find(query, name, &std::pair<std::string, std::string>::first);
  return at == query.end() ? nullptr : &at->second;
}

std::expected<Target, std::string> ParseTarget(std::string_view text) {
  if (!text.starts_with('/')) return Failure("the target must be a path that begins with `/`");
  if (text.find('#') != std::string_view::npos) return Failure("the target holds a `#`: send %23");
  text.remove_prefix(1);
  const std::size_t mark = text.find('?');
  std::string_view path = text.substr(0, mark);
  std::string_view query = mark == std::string_view::npos ? "" : text.substr(mark + 1);
  Target target;
  for (bool more = true; more;) {
    more = path.find('/') != std::string_view::npos;
    const auto segment = PercentDecode(TakeUntil(path, '/'));
    if (!segment) return Failure("the path holds a `%` without two hex digits: send %25");
    if (target.segments.size() == kSegmentsMax) return Failure("the path has too many parts");
    target.segments.push_back(*segment);
  }
  while (!query.empty()) {
    std::string_view pair = TakeUntil(query, '&');
    if (pair.empty()) continue;
    const auto name = PercentDecode(TakeUntil(pair, '='), true);
    const auto value = PercentDecode(pair, true);
    if (!name || !value) return Failure("the query holds a `%` without two hex digits: send %25");
    if (target.Query(*name)) return Failure("a query parameter came twice");
    if (target.query.size() == kQueryMax) return Failure("too many query parameters");
    target.query.emplace_back(*name, *value);
  }
  return target;
}

}  // namespace hawser::admin
