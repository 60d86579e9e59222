#include "daemon/admin/routes.h"

#include <algorithm>

namespace hawser::admin {
namespace {

// The pattern's {…} filled from the segments; nullopt if it is another path.
std::optional<std::vector<std::string>> MatchPattern(std::string_view pattern,
                                                     const std::vector<std::string>& segments) {
  std::vector<std::string> params;
  std::size_t at = 0;
  pattern.remove_prefix(1);
  while (true) {
    if (at == segments.size()) return std::nullopt;
    const std::size_t slash = pattern.find('/');
    const std::string_view part = pattern.substr(0, slash);
    if (part.starts_with('{')) {
      params.push_back(segments[at]);
    } else if (part != segments[at]) {
      return std::nullopt;
    }
    ++at;
    if (slash == std::string_view::npos) break;
    pattern.remove_prefix(slash + 1);
  }
  if (at != segments.size()) return std::nullopt;
  return params;
}

}  // namespace

void Call::Send(HttpResponse response) const {
  response.With("Hawser-Request-Id", request_id);
  responder->Send(std::move(response));
}

void Call::Fail(Problem problem) const {
  problem.request_id = request_id;
  Send(ToResponse(problem));
}

Match FindRoute(const std::vector<Route>& routes, Method method, const Target& target) {
  Match match;
  for (const Route& route : routes) {
    auto params = MatchPattern(route.pattern, target.segments);
    if (!params) continue;
    match.allowed.push_back(route.method);
    if (route.method != method) continue;
    match.route = &route;
    match.params = std::move(*params);
    return match;
  }
  return match;
}

}  // namespace hawser::admin
