#include "daemon/admin/server.h"

#include <algorithm>
#include <random>

#include "daemon/admin/api.h"
#include "daemon/admin/forward_http.h"
#include "daemon/admin/gatekeeper.h"
#include "daemon/admin/http_server.h"

namespace hawser::admin {
namespace {

HttpOptions ToHttpOptions(const AdminOptions& options) {
  HttpOptions http;
  http.host = options.host;
  http.port = options.port;
  http.body_bytes_max = options.body_bytes_max;
  http.connections_max = options.connections_max;
  http.heartbeat_ms = std::chrono::milliseconds(options.heartbeat_ms);
  http.header_ms = std::chrono::milliseconds(options.header_ms);
  return http;
}

// A client of another region.
class Afar final : public Responder {
 public:
  explicit Afar(std::function<void(std::string)> answer) : answer_(std::move(answer)) {}
  void Send(HttpResponse response) override { answer_(EncodeForwardedResponse(response)); }

 private:
  std::function<void(std::string)> answer_;
};

// Finds the route of a request and refuses what the table does not describe.
class Router : public AdminServer, public HttpHandler {
 public:
  Router(AdminOptions options, Engine& engine)
      : options_(std::move(options)),
        server_(HttpServer::Create(ToHttpOptions(options_), *this)),
        api_(options_, engine, server_->poster()),
        routes_(api_.Routes()),
        id_prefix_(std::random_device{}()),
        ear_(engine.commit_bell().Listen([this] { server_->WakeStreams(); })) {
    api_.SetOpenApi(OpenApi(routes_, options_.software));
  }
  ~Router() override { Stop(); }

  std::string Listen() { return server_->Listen(); }

  std::uint16_t port() const override { return server_->port(); }
  void Stop() override { server_->Stop(); }

  void Answer(std::string bytes, std::function<void(std::string)> answer) override {
    server_->poster()([this, bytes = std::move(bytes), answer = std::move(answer)] {
      auto request = DecodeForwardedRequest(bytes);
      if (!request) {
        return answer(EncodeForwardedResponse(Refused(
            {.status = 501, .code = "NOTHERE", .detail = "this region's software is older"})));
      }
      Handle(std::move(*request), std::make_shared<Afar>(answer));
    });
  }

  std::optional<HttpResponse> Admit(const HttpRequest& head, bool busy) override {
    auto found = Find(head);
    if (!found) return Refused(std::move(found.error()));
    const Route& route = *found->route;
    if (auto problem = CheckCaller(head, route.role, options_)) return Refused(std::move(*problem));
    if (head.has_body && route.body_schema.empty()) {
      return Refused({.status = 400, .code = "BADREQUEST", .detail = "this call takes no body"});
    }
    if (busy && route.role != Role::kNobody) {
      return Refused({.status = 503,
                      .code = "BUSY",
                      .detail = "too many requests at once: try again",
                      .retry_after_seconds = 1});
    }
    return std::nullopt;
  }

  void Handle(HttpRequest request, std::shared_ptr<Responder> responder) override {
    auto found = Find(request);
    if (!found) return responder->Send(Refused(std::move(found.error())));  // Admit has said so
    const Route& route = *found->route;
    route.handler(Call{.request = std::move(request),
                       .target = std::move(found->target),
                       .params = std::move(found->params),
                       .responder = std::move(responder),
                       .request_id = NextId()});
  }

 private:
  struct Found {
    const Route* route = nullptr;
    std::vector<std::string> params;
    Target target;
  };

  std::expected<Found, Problem> Find(const HttpRequest& request) const {
    using Failure = std::unexpected<Problem>;
    auto target = ParseTarget(request.target);
    if (!target) {
      return Failure(Problem{.status = 400, .code = "BADREQUEST", .detail = target.error()});
    }
    Match match = FindRoute(routes_, request.method, *target);
    if (!match.route && match.allowed.empty()) {
      return Failure(Problem{.status = 404,
                             .code = "NOROUTE",
                             .detail = "no such call; GET /v1/openapi.json lists them"});
    }
    if (!match.route) {
      std::string allow;
      for (const Method method : match.allowed) {
        allow.append(allow.empty() ? "" : ", ").append(Text(method));
        if (method == Method::kGet) allow += ", HEAD";
      }
      return Failure(Problem{.status = 405,
                             .code = "METHOD",
                             .detail = "this path takes " + allow,
                             .headers = {{"Allow", allow}}});
    }
    for (const auto& [name, value] : target->query) {
      if (std::ranges::find(match.route->query, name, &QueryDoc::name) !=
          match.route->query.end()) {
        continue;
      }
      // Passed over in silence, a misspelt `max_lag_ms` would always say "ready".
      return Failure(Problem{.status = 400,
                             .code = "BADREQUEST",
                             .detail = "this call has no query parameter `" + name + "`"});
    }
    return Found{match.route, std::move(match.params), std::move(*target)};
  }

  std::string NextId() { return std::to_string(id_prefix_) + "-" + std::to_string(++requests_); }

  HttpResponse Refused(Problem problem) {
    problem.request_id = NextId();
    HttpResponse response = ToResponse(problem);
    response.With("Hawser-Request-Id", problem.request_id);
    return response;
  }

  const AdminOptions options_;
  const std::unique_ptr<HttpServer> server_;
  Api api_;
  const std::vector<Route> routes_;
  const unsigned id_prefix_;
  std::uint64_t requests_ = 0;
  const std::unique_ptr<CommitBell::Ear> ear_;
};

}  // namespace
}  // namespace hawser::admin

namespace hawser {

std::expected<std::unique_ptr<AdminServer>, std::string> AdminServer::Start(AdminOptions options,
                                                                            Engine& engine) {
  auto router = std::make_unique<admin::Router>(std::move(options), engine);
  if (const std::string error = router->Listen(); !error.empty()) return std::unexpected(error);
  return router;
}

}  // namespace hawser
