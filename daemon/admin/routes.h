#pragma once

// The route table: what can be called, by whom, with what, and who answers. The OpenAPI document is
// made from it, and a request that the table does not describe never reaches a handler.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/admin/http_message.h"
#include "daemon/admin/problem.h"
#include "daemon/admin/server.h"
#include "daemon/admin/target.h"

namespace hawser::admin {

// One request on its way through a handler.
struct Call {
  HttpRequest request;
  Target target;
  std::vector<std::string> params;  // of the pattern, decoded, in order
  std::shared_ptr<Responder> responder;
  std::string request_id;

  void Send(HttpResponse response) const;
  void Fail(Problem problem) const;
};

struct QueryDoc {
  std::string name;
  std::string what;
};

struct Route {
  Method method = Method::kGet;
  std::string pattern;        // "/v1/tables/{table}/records/{key}"
  Role role = Role::kViewer;  // kNobody: open to all
  std::string summary;
  std::vector<QueryDoc> query = {};
  std::string body_schema = {};   // name of a schema in openapi.cc; empty: takes no body
  std::string reply_schema = {};  // likewise; empty: no JSON
  std::string reply_type = "application/json";
  std::vector<int> statuses = {200};  // besides 400, 401, 403, 500
  std::function<void(Call)> handler = {};
};

struct Match {
  const Route* route = nullptr;
  std::vector<std::string> params;
  std::vector<Method> allowed;  // route is null: what the path would take; empty: no such path
};
Match FindRoute(const std::vector<Route>& routes, Method method, const Target& target);

// The routes' OpenAPI 3.1 document, as JSON.
std::string OpenApi(const std::vector<Route>& routes, std::string_view software);

}  // namespace hawser::admin
