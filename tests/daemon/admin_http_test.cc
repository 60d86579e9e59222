#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/daemon/admin_fixture.h"

using namespace hawser;
using namespace hawser::admin;

namespace {

using Clock = std::chrono::steady_clock;

std::int64_t MsSince(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

constexpr const char* kHost = "Host: localhost\r\n";

}  // namespace

TEST_CASE("malformed HTTP of all kinds is an error to that caller and to nobody else") {
  Admin admin;
  const std::string host = kHost;
  const std::string put =
      "PUT /v1/tables/t/records/k HTTP/1.1\r\n" + host + "Content-Type: text/plain\r\n";
  const struct {
    const char* what;
    std::string bytes;
    int status;
  } cases[] = {
      {"no HTTP", "hello\r\n\r\n", 400},
      {"Redis", "*1\r\n$4\r\nPING\r\n", 400},
      {"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400},
      {"zero bytes", std::string(64, '\0'), 400},
      {"HTTP/1.0", "GET /livez HTTP/1.0\r\n" + host + "\r\n", 505},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/0.9", "GET /livez\r\n\r\n", 400},
      {"HTTP/1.2", "GET /livez HTTP/1.2\r\n" + host + "\r\n", 505},
      {"two spaces", "GET  /livez HTTP/1.1\r\n" + host + "\r\n", 400},
      {"no host", "GET /livez HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET /livez HTTP/1.1\r\n" + host + host + "\r\n", 400},
      {"space before the colon", "GET /livez HTTP/1.1\r\nHost : localhost\r\n\r\n", 400},
      {"header without a colon", "GET /livez HTTP/1.1\r\n" + host + "broken\r\n\r\n", 400},
      {"zero byte in a header",
       "GET /livez HTTP/1.1\r\n" + host + std::string("X: a\0b\r\n\r\n", 10), 400},
      {"bare line feeds", "GET /livez HTTP/1.1\nHost: localhost\n\n", 505},
      {"asterisk", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 400},
      {"authority", "CONNECT example:80 HTTP/1.1\r\n" + host + "\r\n", 400},
      {"absolute target", "GET http://localhost/livez HTTP/1.1\r\n" + host + "\r\n", 400},
      {"bad percent", "GET /v1/tables/t/records/%zz HTTP/1.1\r\n" + host + "\r\n", 400},
      {"unknown method", "BREW /livez HTTP/1.1\r\n" + host + "\r\n", 405},
      {"long header",
       "GET /livez HTTP/1.1\r\n" + host + "X: " + std::string(1 << 20, 'x') + "\r\n\r\n", 431},
      {"many headers",
       "GET /livez HTTP/1.1\r\n" + host +
           [] {
             std::string many;
             for (int i = 0; i < 5000; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
             return many;
           }() +
           "\r\n",
       431},
      {"long target", "GET /" + std::string(100'000, 'x') + " HTTP/1.1\r\n" + host + "\r\n", 431},
      {"length and chunks",
       put + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 400},
      {"chunks and length",
       put + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1\r\nx\r\n0\r\n\r\n", 400},
      {"two lengths", put + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
      {"equal lengths", put + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
      {"list of lengths", put + "Content-Length: 1, 1\r\n\r\nx", 400},
      {"negative length", put + "Content-Length: -1\r\n\r\n", 400},
      {"length with a sign", put + "Content-Length: +1\r\n\r\nx", 400},
      {"length past 64 bits", put + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
      {"huge length", put + "Content-Length: 9223372036854775807\r\n\r\n", 413},
      {"gzip, chunked", put + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"chunked twice", put + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501},
      {"unknown encoding", put + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
      {"chunked not last", put + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501},
      {"bad chunk size", put + "Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n", 400},
      {"huge chunk", put + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 413},
      {"chunk without its end", put + "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
       400},
      {"content encoding", put + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415},
      {"odd expectation", put + "Expect: 200-ok\r\nContent-Length: 1\r\n\r\nx", 417},
      {"body where none belongs", "GET /livez HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\nx",
       400},
  };
  for (const auto& bad : cases) {
    CAPTURE(std::string(bad.what));
    Client client(admin.server->port());
    client.Send(bad.bytes);
    client.FinishSending();
    const Reply reply = client.Read();
    CHECK(reply.status == bad.status);
    CHECK(reply.Header("content-type") == "application/problem+json");
    CHECK_FALSE(At(reply.body, "detail").empty());
    CHECK(client.ClosesWithin(3000));
  }
  CHECK(admin.Call("GET", "/livez").status == 200);
  CHECK(admin.Call("GET", "/v1/tables/t/records/k").status == 404);
}

TEST_CASE("a refused request's body is never read as the next request") {
  Admin admin;
  Client client(admin.server->port());
  const std::string smuggled = "DELETE /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\n\r\n";
  admin.Call("PUT", "/v1/tables/t/records/k", "x", {{"Content-Type", "text/plain"}});
  client.Send("GET /nosuch HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
              std::to_string(smuggled.size()) + "\r\n\r\n" + smuggled);
  CHECK(client.Read().status == 404);
  CHECK(client.ClosesWithin(3000));
  CHECK(admin.Call("GET", "/v1/tables/t/records/k").status == 200);
}

TEST_CASE("requests in a row on one connection are answered in order") {
  Admin admin;
  std::string pipeline;
  for (int i = 0; i < 50; ++i) {
    const std::string value = std::to_string(i);
    pipeline +=
        "PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
        "Content-Length: " +
        std::to_string(value.size()) + "\r\n\r\n" + value +
        "GET /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\n"
        "Accept: application/octet-stream\r\n\r\n";
  }
  admin.client->Send(pipeline);
  for (int i = 0; i < 50; ++i) {
    CHECK(admin.client->Read().status == (i == 0 ? 201 : 200));
    CHECK(admin.client->Read().body == std::to_string(i));
  }
}

TEST_CASE("chunked bodies and Expect: 100-continue work") {
  Admin admin;
  admin.client->Send(
      "PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
      "Transfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: "
      "x\r\n\r\n");
  CHECK(admin.client->Read().status == 201);
  const Client::Headers raw{{"Accept", "application/octet-stream"}};
  CHECK(admin.Call("GET", "/v1/tables/t/records/k", "", raw).body == "hello world");

  admin.client->Send(
      "PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
      "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(admin.client->Read().status == 100);
  admin.client->Send("ok");
  CHECK(admin.client->Read().status == 200);
  CHECK(admin.Call("GET", "/v1/tables/t/records/k", "", raw).body == "ok");

  // Who would be refused is told before the body is sent.
  Client client(admin.server->port());
  client.Send(
      "PUT /nosuch HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: "
      "2\r\n\r\n");
  CHECK(client.Read().status == 404);
}

TEST_CASE("a body past the bound is refused by its header, or as soon as it is") {
  AdminOptions options = TestOptions();
  options.body_bytes_max = 100'000;
  Admin admin(options);
  const Client::Headers text{{"Content-Type", "text/plain"}};
  CHECK(admin.Call("PUT", "/v1/tables/t/records/k", std::string(100'000, 'x'), text).status == 201);
  const Reply over = admin.Call("PUT", "/v1/tables/t/records/k", std::string(100'001, 'x'), text);
  CHECK(over.status == 413);
  CHECK(At(over.body, "code") == "TOOBIG");
  Client client(admin.server->port());
  client.Send(
      "PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 40; ++i) client.Send("1000\r\n" + std::string(4096, 'y') + "\r\n");
  CHECK(client.Read().status == 413);
}

TEST_CASE("a client that drips its header is closed") {
  AdminOptions options = TestOptions();
  options.header_ms = 300;
  Admin admin(options);
  Client slow(admin.server->port());
  const auto start = Clock::now();
  slow.Send("GET /livez HTTP/1.1\r\nHost: loc");
  bool closed = false;
  while (!closed && MsSince(start) < 5000) {  // each byte would renew a timer that looks at silence
    slow.Send("a");
    closed = slow.ClosesWithin(50);
  }
  CHECK(closed);
  CHECK(MsSince(start) < 2000);
  CHECK(MsSince(start) >= 290);
}

TEST_CASE("idle connections and slow ones do not keep /livez from answering") {
  AdminOptions options = TestOptions();
  options.connections_max = 300;
  Admin admin(options);
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 200; ++i) {
    crowd.push_back(std::make_unique<Client>(admin.server->port()));
    if (i % 2 == 0) crowd.back()->Send("GET /livez HTT");
  }
  const auto start = Clock::now();
  Client client(admin.server->port());
  CHECK(client.Call("GET", "/livez").status == 200);
  CHECK(MsSince(start) < 1000);
}

TEST_CASE("at the bound of connections the one that waited longest gives way") {
  AdminOptions options = TestOptions();
  options.connections_max = 8;
  Admin admin(options);
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 30; ++i) {
    crowd.push_back(std::make_unique<Client>(admin.server->port()));
    CHECK(crowd.back()->Call("GET", "/livez").status == 200);
  }
  CHECK(crowd[0]->ClosesWithin(2000));
  CHECK(crowd.back()->Call("GET", "/livez").status == 200);
}

TEST_CASE("requests that wait for the engine leave room for /livez and /metrics") {
  AdminOptions options = TestOptions();
  options.connections_max = 16;
  Admin admin(options);
  admin.engine.hold_jobs = true;
  std::vector<std::unique_ptr<Client>> writers;
  const std::string put =
      "PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\nx";
  for (int i = 0; i < 12; ++i) {
    writers.push_back(std::make_unique<Client>(admin.server->port()));
    writers.back()->Send(put);
  }
  while (admin.engine.jobs_held() < 12) usleep(1000);
  Client late(admin.server->port());
  late.Send(put);
  const Reply busy = late.Read();
  CHECK(busy.status == 503);
  CHECK(At(busy.body, "code") == "BUSY");
  CHECK(busy.Header("retry-after") == "1");
  Client probe(admin.server->port());
  CHECK(probe.Call("GET", "/livez").status == 200);
  CHECK(probe.Call("GET", "/readyz").status == 200);
  admin.engine.Release();
  for (auto& writer : writers) CHECK(writer->Read().status / 100 == 2);
}

TEST_CASE("a stop lets requests in flight end and closes the idle at once") {
  Admin admin;
  Client idle(admin.server->port());
  CHECK(idle.Call("GET", "/livez").status == 200);
  admin.engine.hold_jobs = true;
  admin.client->Send(
      "PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
      "Content-Length: 1\r\n\r\nx");
  while (admin.engine.jobs_held() == 0) usleep(1000);
  std::thread stopper([&] { admin.server->Stop(); });
  CHECK(idle.ClosesWithin(1000));
  admin.engine.Release();
  const Reply reply = admin.client->Read();
  CHECK(reply.status == 201);
  CHECK(reply.Header("connection") == "close");
  stopper.join();
  const auto start = Clock::now();
  admin.server->Stop();  // again: nothing to do
  CHECK(MsSince(start) < 100);
}

TEST_CASE("a stop does not wait for ever for what never ends") {
  Admin admin;
  admin.engine.hold_jobs = true;
  admin.client->Send(
      "PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
      "Content-Length: 1\r\n\r\nx");
  while (admin.engine.jobs_held() == 0) usleep(1000);
  const auto start = Clock::now();
  admin.server->Stop();
  CHECK(MsSince(start) < 4000);
  CHECK(admin.client->ClosesWithin(1000));
  admin.engine.Release();  // its answer has nowhere to go
}

TEST_CASE("the engine may answer after the server is gone") {
  FakeEngine engine;
  engine.hold_jobs = true;
  auto server = AdminServer::Start(TestOptions(), engine);
  REQUIRE(server);
  Client client((*server)->port());
  client.Send(
      "PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
      "Hawser-Wait-Regions: all\r\nContent-Length: 1\r\n\r\nx");
  while (engine.jobs_held() == 0) usleep(1000);
  (*server).reset();
  engine.Release();
  CHECK(Raw(engine.applied().dots()[0].seq) == 1);
}

TEST_CASE("a client that leaves before its answer harms nobody") {
  Admin admin;
  admin.engine.hold_jobs = true;
  for (int i = 0; i < 5; ++i) {
    Client leaver(admin.server->port());
    leaver.Send(
        "PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
        "Content-Length: 1\r\n\r\nx");
  }
  while (admin.engine.jobs_held() < 5) usleep(1000);
  admin.engine.Release();
  CHECK(admin.Call("GET", "/v1/tables/t/records/k").status == 200);
}

TEST_CASE("a port in use is told with its address") {
  Admin admin;
  AdminOptions options = TestOptions();
  options.port = admin.server->port();
  FakeEngine engine;
  const auto second = AdminServer::Start(options, engine);
  REQUIRE_FALSE(second);
  CHECK(second.error().find("127.0.0.1:" + std::to_string(options.port)) != std::string::npos);
  options.host = "localhost";
  CHECK_FALSE(AdminServer::Start(options, engine));
}
