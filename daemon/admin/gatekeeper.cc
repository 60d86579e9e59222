#include "daemon/admin/gatekeeper.h"

#include <algorithm>

#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

// "[::1]:7070" to "[::1]", "localhost:7070" to "localhost".
std::string_view HostName(std::string_view host) {
  host = Trim(host);
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool IsAddressOrLocalhost(std::string_view name) {
  if (name.starts_with('[')) return true;
  if (EqualsIgnoringCase(name, "localhost")) return true;
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

// The part of an Origin that a Host header would name; empty for "null".
std::string_view OriginHost(std::string_view origin) {
  const std::size_t at = origin.find("://");
  return at == std::string_view::npos ? std::string_view() : origin.substr(at + 3);
}

std::optional<Problem> CheckWebPage(const HttpRequest& request, const AdminOptions& options) {
  const std::string& host = *request.Find("host");  // there is one: VetHead
  if (const std::string* origin = request.Find("origin");
      origin && !EqualsIgnoringCase(OriginHost(Trim(*origin)), Trim(host))) {
    return Problem{.status = 403,
                   .code = "ORIGIN",
                   .detail = "a page of another site may not call this server"};
  }
  if (!options.check_token && !IsAddressOrLocalhost(HostName(host))) {
    return Problem{.status = 421,
                   .code = "HOST",
                   .detail = "without tokens, call this server by its address or as localhost"};
  }
  return std::nullopt;
}

}  // namespace

std::string CallerName(const HttpRequest& request, const AdminOptions& options) {
  const std::string* header = request.Find("authorization");
  if (!options.check_token || !header) return "local";
  const std::string name =
      options.token_name ? options.token_name(Trim(Trim(*header).substr(7))) : std::string();
  return name.empty() ? "token" : name;
}

std::optional<Problem> CheckCaller(const HttpRequest& request, Role needed,
                                   const AdminOptions& options) {
  if (auto problem = CheckWebPage(request, options)) return problem;
  if (!options.check_token || needed == Role::kNobody) return std::nullopt;
  const Problem unauthorized{.status = 401,
                             .code = "NOAUTH",
                             .detail = "send `Authorization: Bearer` and a token of this region",
                             .headers = {{"WWW-Authenticate", "Bearer realm=\"hawser\""}}};
  const std::string* header = request.Find("authorization");
  if (!header || request.Count("authorization") != 1) return unauthorized;
  const std::string_view text = Trim(*header);
  if (!EqualsIgnoringCase(text.substr(0, 7), "bearer ")) return unauthorized;
  const auto role = options.check_token(Trim(text.substr(7)));
  if (!role) return unauthorized;
  if (*role < needed) {
    return Problem{.status = 403, .code = "NOPERM", .detail = "the token's role may not do this"};
  }
  return std::nullopt;
}

}  // namespace hawser::admin
