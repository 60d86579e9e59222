#pragma once

// A Redis server over a FakeEngine, and transcripts to run against it.

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

#include "daemon/redis/server.h"
#include "tests/daemon/redis_client.h"
#include "tests/daemon/redis_fake_engine.h"

namespace hawser::test {

inline RedisOptions TestOptions() {
  RedisOptions options;
  options.port = 0;
  options.region_name = "us-east";
  options.region_names = {{RegionId{1}, "us-east"}, {RegionId{2}, "eu-west"}, {RegionId{3}, "ap"}};
  options.version = "0.1.0";
  return options;
}

struct RedisFixture {
  explicit RedisFixture(RedisOptions options = TestOptions(), Schema schema = {})
      : engine(std::move(schema)) {
    auto started = RedisServer::Start(std::move(options), engine);
    REQUIRE_MESSAGE(started, (started ? "" : started.error()));
    server = std::move(*started);
  }
  ~RedisFixture() {
    engine.LetGo();
    server->Stop();
  }

  FakeEngine engine;
  std::unique_ptr<RedisServer> server;
};

// Runs lines "> command" on one connection and checks the reply on the line after each; a reply
// that ends in "…" need only begin so. "@ ms" moves the clock on.
inline void Play(RedisFixture& fixture, std::string_view transcript) {
  RawClient client(fixture.server->port());
  std::string pending;
  std::size_t at = 0;
  while (at < transcript.size()) {
    const std::size_t end = std::min(transcript.find('\n', at), transcript.size());
    std::string_view line = transcript.substr(at, end - at);
    at = end + 1;
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("@ ")) {
      fixture.engine.now_ms += std::stoll(std::string(line.substr(2)));
    } else if (line.starts_with("> ")) {
      pending = line.substr(2);
    } else {
      CAPTURE(pending);
      std::string reply = client.Do(pending);
      if (line.ends_with("…")) {
        line.remove_suffix(std::string_view("…").size());
        reply.resize(std::min(reply.size(), line.size()));
      }
      CHECK(reply == line);
    }
  }
}

}  // namespace hawser::test
