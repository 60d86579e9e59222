// Server-sent events.

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/daemon/admin_fixture.h"

using namespace hawser;
using namespace hawser::admin;

namespace {

struct Event {
  std::string event, id, data;
};

// One stream; events are read one by one.
class Stream {
 public:
  explicit Stream(Admin& admin, const std::string& target, const Client::Headers& headers = {})
      : client_(admin.server->port()), reply_(client_.Call("GET", target, "", headers)) {}
  const Reply& reply() const { return reply_; }
  // The next block, comments and blocks without an event left out unless `any`. Empty id: none
  // came.
  Event Next(bool any = false, int ms = 5000) {
    while (true) {
      const std::string block = client_.ReadUntil("\n\n", ms);
      if (block.empty()) return {};
      Event event;
      for (std::size_t at = 0; at < block.size();) {
        const std::string line = block.substr(at, block.find('\n', at) - at);
        at += line.size() + 1;
        if (line.starts_with("event: ")) event.event = line.substr(7);
        if (line.starts_with("id: ")) event.id = line.substr(4);
        if (line.starts_with("data: ")) event.data = line.substr(6);
      }
      if (any || !event.event.empty()) return event;
    }
  }
  Client& client() { return client_; }

 private:
  Client client_;
  Reply reply_;
};

void Disagree(Admin& admin, const std::string& key, const std::string& value = "theirs") {
  REQUIRE(
      admin.Json("PUT", "/v1/tables/orders/records/" + key, R"({"fields":{"":"ours"}})").status <
      300);
  admin.engine.WriteElsewhere(
      RegionId{2}, [&](LocalTxn& txn) { REQUIRE(txn.Edit("orders", key).ReplaceWith("", value)); },
      100);
  admin.engine.clock_ahead_ms += 200;
}

}  // namespace

TEST_CASE("a stream tells of conflicts as they are logged, with what the list shows") {
  Admin admin;
  Disagree(admin, "before");
  Stream stream(admin, "/v1/conflicts/stream");
  CHECK(stream.reply().status == 200);
  CHECK(stream.reply().Header("content-type") == "text/event-stream");
  CHECK(stream.reply().Header("connection") == "close");
  CHECK_FALSE(stream.Next(true).id.empty());  // where it begins, before anything happens
  Disagree(admin, "1");
  Disagree(admin, "2");
  for (const char* key : {"1", "2"}) {
    const Event event = stream.Next();
    CHECK(event.event == "conflict");
    CHECK(At(event.data, "key") == key);
    const Reply one = admin.Call("GET", "/v1/conflicts?key=" + std::string(key));
    CHECK(one.Has(event.data));
  }
}

TEST_CASE("a stream that was cut goes on where it was, each conflict once") {
  Admin admin;
  std::string last;
  {
    Stream stream(admin, "/v1/conflicts/stream");
    last = stream.Next(true).id;  // nothing was told yet
  }
  std::vector<std::string> told;
  for (int i = 0; i < 60; ++i) {
    Disagree(admin, "k" + std::to_string(i));
    if (i % 4 != 0) continue;
    // By header, or as a parameter.
    const bool header = i % 8 == 0;
    Stream stream(admin, header ? "/v1/conflicts/stream" : "/v1/conflicts/stream?from=" + last,
                  header ? Client::Headers{{"Last-Event-ID", last}} : Client::Headers{});
    while (told.size() <= static_cast<std::size_t>(i)) {
      const Event event = stream.Next();
      REQUIRE(event.event == "conflict");
      told.push_back(At(event.data, "key"));
      last = event.id;
      if (told.size() % 3 == 0) break;
    }
  }
  Stream rest(admin, "/v1/conflicts/stream", {{"Last-Event-ID", last}});
  while (told.size() < 60) {
    const Event event = rest.Next();
    REQUIRE(event.event == "conflict");
    told.push_back(At(event.data, "key"));
  }
  for (std::size_t i = 0; i < told.size(); ++i) CHECK(told[i] == "k" + std::to_string(i));
}

TEST_CASE("a stream takes the list's filters, and a time to begin at") {
  Admin admin;
  Disagree(admin, "a");
  Disagree(admin, "b");
  const std::string at = At(admin.Call("GET", "/v1/conflicts?key=b").body, "conflicts.0.at");
  Stream since(admin, "/v1/conflicts/stream?since=" + at);
  CHECK(At(since.Next().data, "key") == "b");
  Stream oldest(admin, "/v1/conflicts/stream?from=oldest&key=b");
  CHECK(At(oldest.Next().data, "key") == "b");
  Stream from_start(admin, "/v1/conflicts/stream?from=oldest");
  CHECK(At(from_start.Next().data, "key") == "a");
  CHECK(admin.Call("GET", "/v1/conflicts/stream?kind=x").status == 400);
  CHECK(admin.Call("GET", "/v1/conflicts/stream?limit=1").status == 400);
  CHECK(admin.Call("GET", "/v1/conflicts/stream?from=x").status == 400);
  CHECK(admin.Call("GET", "/v1/conflicts/stream", "", {{"Last-Event-ID", "Y29u"}}).status == 400);
  CHECK(admin.Call("HEAD", "/v1/conflicts/stream").status == 200);
}

TEST_CASE("a position of another region is a gap, said so, and all that is here follows") {
  Admin here, there;
  there.engine.status_says = ReplicaStatus{.self = {RegionId{1}, Incarnation{99}}};
  Disagree(here, "a");
  Stream elsewhere(there, "/v1/conflicts/stream");
  Stream stream(here, "/v1/conflicts/stream", {{"Last-Event-ID", elsewhere.Next(true).id}});
  const Event gap = stream.Next();
  CHECK(gap.event == "gap");
  CHECK(gap.data.find("another region") != std::string::npos);
  CHECK(At(stream.Next().data, "key") == "a");
}

TEST_CASE("a quiet stream beats, and says where it is") {
  AdminOptions options = TestOptions();
  options.heartbeat_ms = 100;
  Admin admin(options);
  Stream stream(admin, "/v1/conflicts/stream");
  const Event first = stream.Next(true);
  const Event beat = stream.Next(true);
  CHECK(beat.event.empty());
  CHECK(beat.id == first.id);
}

TEST_CASE("streams have a bound, and leave room for requests") {
  AdminOptions options = TestOptions();
  options.streams_max = 8;
  Admin admin(options);
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 8; ++i) {
    streams.push_back(std::make_unique<Stream>(admin, "/v1/conflicts/stream"));
    CHECK(streams.back()->reply().status == 200);
  }
  const Reply refused = admin.Call("GET", "/v1/conflicts/stream");
  CHECK(refused.status == 503);
  CHECK(At(refused.body, "code") == "BUSY");
  CHECK_FALSE(refused.Header("retry-after").empty());
  CHECK(admin.Call("GET", "/livez").status == 200);
  // One that goes makes room, without a word from the server.
  streams.pop_back();
  int status = 0;
  for (int tries = 0; tries < 100 && status != 200; ++tries) {
    Client client(admin.server->port());
    status = client.Call("GET", "/v1/conflicts/stream").status;
    if (status != 200) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(status == 200);
}

TEST_CASE("a reader that does not read holds up nobody, and what it missed is there when it does") {
  Admin admin;
  Stream slow(admin, "/v1/conflicts/stream");
  Stream quick(admin, "/v1/conflicts/stream");
  const std::string large(200'000, 'x');
  for (int i = 0; i < 60; ++i) {  // 12 MB: more than sockets hold
    Disagree(admin, "k" + std::to_string(i), large);
    const Event event = quick.Next();
    REQUIRE(At(event.data, "key") == "k" + std::to_string(i));
  }
  CHECK(admin.Call("GET", "/livez").status == 200);
  for (int i = 0; i < 60; ++i) CHECK(At(slow.Next().data, "key") == "k" + std::to_string(i));
}

TEST_CASE("what is applied here is told in order, our own writes and those of others") {
  Admin admin;
  Stream stream(admin, "/v1/changes?table=orders");
  CHECK(stream.reply().status == 200);
  const std::string begin = stream.Next(true).id;
  REQUIRE_FALSE(begin.empty());
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) Disagree(admin, "k" + std::to_string(i));
  for (int i = 0; i < 40; ++i) {
    const Event event = stream.Next();
    REQUIRE(event.event == "change");
    CHECK(At(event.data, "key") == "k" + std::to_string(i / 2));
    CHECK(At(event.data, "wrote.1.value") == (i % 2 == 0 ? "ours" : "theirs"));
    CHECK(At(event.data, "dot.region") == (i % 2 == 0 ? "us-east" : "eu-west"));
    ids.push_back(event.id);
  }
  // From any event on: what follows it, once.
  for (const std::size_t at : {std::size_t{0}, std::size_t{7}, std::size_t{38}}) {
    Stream again(admin, "/v1/changes?from=" + ids[at]);
    for (std::size_t i = at + 1; i < ids.size(); ++i) CHECK(again.Next().id == ids[i]);
  }
  Stream all(admin, "/v1/changes?from=" + begin);
  CHECK(all.Next().id == ids[0]);
  // Of another table nothing, but its place moves on with each beat.
  Stream none(admin, "/v1/changes?table=other&from=" + begin);
  CHECK(none.Next(true).id == ids.back());
}

TEST_CASE("several changes of one txn are told as such, deletes and counters for what they are") {
  Admin admin;
  Stream stream(admin, "/v1/changes");
  REQUIRE_FALSE(stream.Next(true).id.empty());
  REQUIRE(admin
              .Json("POST", "/v1/txn",
                    R"({"changes":[{"op":"put","table":"t","key":"a","fields":{"f":"1"}},)"
                    R"({"op":"incr","table":"t","key":"n","by":5},)"
                    R"({"op":"put","table":"u","key":"b","fields":{"":"x"}}]})")
              .status == 200);
  const Event first = stream.Next();
  CHECK(At(first.data, "more_of_txn") == "true");
  const Event second = stream.Next();
  CHECK(second.data.find("\"add\":5") != std::string::npos);
  const Event third = stream.Next();
  CHECK(At(third.data, "table") == "u");
  CHECK(At(third.data, "more_of_txn").empty());
  CHECK(At(first.data, "dot.seq") == At(third.data, "dot.seq"));
  // Inside the txn too.
  Stream inside(admin, "/v1/changes?from=" + first.id);
  CHECK(inside.Next().id == second.id);
  REQUIRE(admin.Call("DELETE", "/v1/tables/u/records/b").status == 200);
  CHECK(At(stream.Next().data, "wrote.0.value") == "null");
}

TEST_CASE("a position the journal no longer has is gone, and the answer says what to do") {
  Admin admin;
  CHECK(admin.Call("GET", "/v1/changes?from=x").status == 400);
  CHECK(admin.Call("GET", "/v1/changes?table=!own").status == 400);
  Admin there;
  there.engine.status_says = ReplicaStatus{.self = {RegionId{1}, Incarnation{99}}};
  Stream elsewhere(there, "/v1/changes");
  const Reply gone = admin.Call("GET", "/v1/changes?from=" + elsewhere.Next(true).id);
  CHECK(gone.status == 410);
  CHECK(At(gone.body, "code") == "POSITION_GONE");
}

TEST_CASE("streams end when the server stops") {
  Admin admin;
  Stream stream(admin, "/v1/conflicts/stream");
  CHECK_FALSE(stream.Next(true).id.empty());
  const auto began = std::chrono::steady_clock::now();
  admin.server->Stop();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(1));
  CHECK(stream.client().ClosesWithin(1000));
}
