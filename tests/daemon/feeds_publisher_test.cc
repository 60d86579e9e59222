// The publisher of feeds over a FakeEngine; NATS is a list.

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/feeds/publisher.h"
#include "feeds/feed.pb.h"
#include "tests/support/fake_engine.h"

namespace hawser {
namespace {

struct Air {
  FeedOptions Options() {
    return {.cluster = "shop",
            .region = "us-east",
            .region_name = [](RegionId id) { return "r" + std::to_string(Raw(id)); },
            .publish =
                [this](std::string subject, std::string bytes) {
                  const std::lock_guard lock(mutex);
                  messages.emplace_back(std::move(subject), std::move(bytes));
                },
            .ready = [this] { return up.load(); },
            .conflict_event = [](View&, const std::string&) { return std::string("{}"); },
            .position_text =
                [](const ChangePlace& place) {
                  return std::to_string(Raw(place.lsn)) + "." + std::to_string(place.index);
                }};
  }
  // Every change told so far, and whether the messages' positions hang together.
  std::vector<std::string> Told(bool& linked, int* gaps = nullptr) {
    const std::lock_guard lock(mutex);
    std::vector<std::string> keys;
    std::map<std::string, std::string> position;
    linked = true;
    for (const auto& [subject, bytes] : messages) {
      if (!subject.starts_with("hw.shop.changes.us-east.")) continue;
      feed::Changes message;
      REQUIRE(message.ParseFromString(bytes));
      CHECK(subject == ChangesSubject("shop", "us-east", message.table()));
      linked = linked && message.previous() == position[message.table()];
      position[message.table()] = message.position();
      if (gaps) *gaps += message.gap() ? 1 : 0;
      for (const feed::Change& change : message.changes()) {
        keys.push_back(message.table() + ":" + change.key() + "=" +
                       change.ops(change.ops_size() - 1).value());
      }
    }
    return keys;
  }
  std::vector<std::string> Await(std::size_t count) {
    bool linked = false;
    for (int tries = 0; tries < 500; ++tries) {
      auto told = Told(linked);
      CHECK(linked);
      if (told.size() >= count) return told;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return Told(linked);
  }
  std::size_t Count(const std::string& subject) {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(
        std::ranges::count(messages, subject, &std::pair<std::string, std::string>::first));
  }

  std::mutex mutex;
  std::vector<std::pair<std::string, std::string>> messages;
  std::atomic<bool> up{true};
};

void Write(FakeEngine& engine, const std::string& table, const std::string& key,
           const std::string& value, RegionId region = RegionId{2}) {
  engine.WriteElsewhere(
      region, [&](LocalTxn& txn) { REQUIRE(txn.Edit(table, key).ReplaceWith("", value)); });
}

TEST_CASE("every change is told on its table's subject, once and in order") {
  FakeEngine engine;
  Air air;
  Write(engine, "orders", "before", "v");
  FeedPublisher publisher(air.Options(), engine);
  std::vector<std::string> expected;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "k" + std::to_string(i);
    Write(engine, "orders", key, "v" + std::to_string(i),
          RegionId{static_cast<std::uint8_t>(2 + i % 2)});
    expected.push_back("orders:" + key + "=v" + std::to_string(i));
  }
  CHECK(air.Await(200) == expected);
  CHECK(publisher.stats().changes == 200);
  CHECK(publisher.stats().gaps == 0);
}

TEST_CASE("while NATS is away nothing is lost that the journal keeps") {
  FakeEngine engine;
  Air air;
  FeedPublisher publisher(air.Options(), engine);
  Write(engine, "a.b", "1", "v");
  CHECK(air.Await(1) == std::vector<std::string>{"a.b:1=v"});
  air.up = false;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (int i = 0; i < 50; ++i) Write(engine, "orders", "k" + std::to_string(i), "v");
  air.up = true;
  CHECK(air.Await(51).size() == 51);
}

TEST_CASE("a conflict is told as an event") {
  FakeEngine engine;
  Air air;
  FeedPublisher publisher(air.Options(), engine);
  Write(engine, "orders", "1", "one", RegionId{2});
  Write(engine, "orders", "1", "other", RegionId{3});
  CHECK(air.Await(2).size() == 2);
  for (int tries = 0; tries < 500 && air.Count("hw.shop.events.us-east.conflict") == 0; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(air.Count("hw.shop.events.us-east.conflict") == 1);
  CHECK(publisher.stats().conflicts == 1);
}

}  // namespace
}  // namespace hawser
