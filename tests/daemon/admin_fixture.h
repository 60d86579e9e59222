#pragma once

// An AdminServer over a FakeEngine, and one connection to it.

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/admin/explainer.h"
#include "daemon/admin/json.h"
#include "daemon/admin/server.h"
#include "tests/daemon/admin_client.h"
#include "tests/support/fake_engine.h"

namespace hawser::admin {

inline AdminOptions TestOptions() {
  AdminOptions options;
  options.port = 0;
  options.cluster = "shop";
  options.self = RegionId{1};
  options.regions = {{RegionId{1}, "us-east"}, {RegionId{2}, "eu-west"}};
  options.software = "0.1.0";
  options.commit = "abc123";
  return options;
}

struct Admin {
  explicit Admin(AdminOptions options = TestOptions(), FakeEngineOptions engine_options = {})
      : engine(std::move(engine_options)) {
    const ExplainerOptions explainer{.self = options.self, .regions = options.regions};
    desk = std::make_unique<CallDesk>(CallDeskOptions{
        .book = {.self = options.self, .peers = {RegionId{2}}},
        .door = {.self = options.self},
        .handlers = {{std::string(kExplainVerb), ExplainHandler(explainer, engine)}},
        .publish = [](const Send&) {},
        .clock_ms = [this] { return engine.clock_ms(); }});
    options.explain = MakeExplainer(explainer, engine, *desk);
    auto started = AdminServer::Start(std::move(options), engine);
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error()));
    server = std::move(*started);
    client = std::make_unique<Client>(server->port());
  }
  ~Admin() { server->Stop(); }

  Reply Call(std::string_view method, std::string_view target, std::string_view body = {},
             const Client::Headers& headers = {}) {
    return client->Call(method, target, body, headers);
  }
  // With a JSON body.
  Reply Json(std::string_view method, std::string_view target, std::string_view body,
             Client::Headers headers = {}) {
    headers.emplace_back("Content-Type", "application/json");
    return client->Call(method, target, body, headers);
  }

  FakeEngine engine;
  std::unique_ptr<CallDesk> desk;
  std::unique_ptr<AdminServer> server;
  std::unique_ptr<Client> client;
};

// The text at a path of members ("acks.reached", "results.0.version"); "" if it is not there.
// Numbers and booleans as JSON shows them, null as "null".
std::string At(std::string_view json, std::string_view path);

}  // namespace hawser::admin
