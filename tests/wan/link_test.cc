// The link over real nats-servers: what it carries, and what it survives.

#include "wan/link.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "tests/support/nats_server.h"
#include "tests/wan/wire_examples.h"
#include "wan/link_subject.h"
#include "wan/wire.h"

using namespace hawser;
using namespace hawser::test;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Kind = Address::Kind;

namespace {

constexpr RegionId kEast{1}, kWest{2}, kNorth{3};

double MsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Two stories need a sender slower than its caller, or a refusal that arrives in time to be read:
// not so where the thread sanitizer slows down our side alone.
#if defined(__SANITIZE_THREAD__)
constexpr bool kSlowedDown = true;
#elif defined(__has_feature)
constexpr bool kSlowedDown = __has_feature(thread_sanitizer);
#else
constexpr bool kSlowedDown = false;
#endif

bool Eventually(const std::function<bool()>& holds, std::chrono::milliseconds within = 15s) {
  const auto deadline = Clock::now() + within;
  while (!holds()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

// A region's link and all it heard and logged.
class Region {
 public:
  Region(RegionId self, const std::vector<std::string>& urls,
         std::uint64_t send_bytes_max = 8 << 20) {
    LinkOptions options;
    options.cluster = "test";
    options.self = self;
    options.incarnation = Incarnation{0xab00000000000000u + Raw(self)};
    options.send_bytes_max = send_bytes_max;
    options.write_deadline_ms = 1000;
    const char* names[] = {"us-east", "eu-west", "eu-north"};
    for (std::size_t i = 0; i < urls.size(); ++i) {
      options.regions.push_back(
          {names[i], RegionId{static_cast<std::uint8_t>(i + 1)}, {urls[i]}, {}});
    }
    options.log = [this](const std::string& level, const std::string& text) {
      const std::lock_guard lock(mutex_);
      log_.push_back(level + ": " + text);
    };
    link_ = Link::Start(options, [this](Received received) {
      const std::lock_guard lock(mutex_);
      received_.push_back(std::move(received));
      heard_.notify_all();
    });
    REQUIRE(link_ != nullptr);
  }
  ~Region() { Stop(); }

  void Stop() { link_.reset(); }
  Link& link() { return *link_; }

  bool Connected(RegionId to) { return StatsOf(to).connected; }
  LinkPeerStats StatsOf(RegionId region) {
    for (const LinkPeerStats& stats : link_->Stats()) {
      if (stats.region == region) return stats;
    }
    return {};
  }
  void AwaitConnected() {
    REQUIRE(Eventually([this] {
      return std::ranges::all_of(link_->Stats(), [](const auto& stats) { return stats.connected; });
    }));
  }

  void Say(Kind kind, RegionId to, std::string bytes) {
    said_to_all_ += kind == Kind::kLog || kind == Kind::kBeat ? 1 : 0;
    link_->Publish({{kind, to}, std::move(bytes)});
  }
  std::uint64_t said_to_all() const { return said_to_all_; }

  std::optional<Received> Hear(const std::string& bytes, std::chrono::milliseconds within = 5s) {
    std::unique_lock lock(mutex_);
    std::optional<Received> found;
    heard_.wait_for(lock, within, [&] {
      const auto it = std::ranges::find(received_, bytes, &Received::bytes);
      if (it == received_.end()) return false;
      found = *it;
      return true;
    });
    return found;
  }
  std::size_t HeardCount() {
    const std::lock_guard lock(mutex_);
    return received_.size();
  }
  std::vector<std::string> HeardBytes() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const Received& received : received_) all.push_back(received.bytes);
    return all;
  }
  bool Logged(const std::string& part) {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(log_, [&](const std::string& line) { return line.contains(part); });
  }

  // Speaks until it is heard: a subscription takes a moment to reach the server.
  bool Reaches(Region& other, const std::string& word) {
    return Eventually([&] {
      Say(Kind::kBeat, {}, word);
      return other.Hear(word, 50ms).has_value();
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable heard_;
  std::vector<Received> received_;
  std::vector<std::string> log_;
  std::uint64_t said_to_all_ = 0;
  std::unique_ptr<Link> link_;
};

}  // namespace

TEST_CASE("subjects name the incarnation in sixteen digits, and nothing else passes for one") {
  const std::string prefix = SubjectPrefix("shop");
  const std::string subject = LogSubject(prefix, "eu-west", Incarnation{0x0123456789abcdef});
  CHECK(subject == "hw.shop.0.log.eu-west.0123456789abcdef");
  CHECK(LogSubjectIncarnation(subject) == Incarnation{0x0123456789abcdef});
  CHECK(LogSubject(prefix, "x", Incarnation{7}).ends_with(".0000000000000007"));
  CHECK_FALSE(LogSubjectIncarnation("hw.shop.0.log.eu-west.123").has_value());
  CHECK_FALSE(LogSubjectIncarnation("hw.shop.0.log.eu-west.0123456789ABCDEF").has_value());
  CHECK_FALSE(LogSubjectIncarnation("0123456789abcdef").has_value());
  CHECK(IsSubjectToken("eu-west_2"));
  for (const char* bad : {"", "a.b", "a b", "*", ">", "a\n", "\xc3\xa9"})
    CHECK_FALSE(IsSubjectToken(bad));
}

TEST_CASE("options that cannot work are refused with a reason") {
  LinkOptions good;
  good.cluster = "test";
  good.self = kEast;
  good.regions = {{"us-east", kEast, {"nats://127.0.0.1:1"}, {}},
                  {"eu-west", kWest, {"nats://127.0.0.1:1"}, {}}};
  const auto reason = [](LinkOptions options) {
    std::string text = "accepted";
    options.log = [&text](const std::string& level, const std::string& line) {
      if (level == "error") text = line;
    };
    Link::Start(options, [](Received) {}).reset();
    return text;
  };
  CHECK(reason(good) == "accepted");
  const auto with = [&](auto change) {
    LinkOptions options = good;
    change(options);
    return reason(options);
  };
  CHECK(with([](auto& o) { o.cluster = "a.b"; }).contains("cluster"));
  CHECK(with([](auto& o) { o.self = kNorth; }).contains("own region"));
  CHECK(with([](auto& o) { o.regions[1].name = "us-east"; }).contains("twice"));
  CHECK(with([](auto& o) { o.regions[1].name = "eu.west"; }).contains("subject"));
  CHECK(with([](auto& o) { o.regions[1].id = kEast; }).contains("twice"));
  CHECK(with([](auto& o) { o.regions[1].id = RegionId{64}; }).contains("1..63"));
  CHECK(with([](auto& o) { o.regions[1].nats_urls.clear(); }).contains("no NATS URL"));
  CHECK(with([](auto& o) { o.regions[1].nats_urls = {"tls://x:1"}; }).contains("TLS"));
  CHECK(with([](auto& o) { o.regions[1].nats_urls = {"x:1"}; }).contains("nats://"));
}

TEST_CASE("two regions over one server hear every kind, each as what it is") {
  NatsServer server;
  Region east(kEast, {server.url(), server.url()});
  Region west(kWest, {server.url(), server.url()});
  REQUIRE(east.Reaches(west, "hello"));

  const std::string log = Encode(ExampleBatch()), beat = Encode(ExampleBeat());
  const std::string to = Encode(ExampleFetch()), in = Encode(ExampleFetchEnd());
  east.Say(Kind::kLog, {}, log);
  east.Say(Kind::kBeat, {}, beat);
  east.Say(Kind::kTo, kWest, to);
  east.Say(Kind::kIn, kWest, in);

  auto heard = west.Hear(log);
  REQUIRE(heard.has_value());
  CHECK(heard->kind == Kind::kLog);
  CHECK(heard->subject_region == kEast);
  CHECK(heard->subject_incarnation == Incarnation{0xab00000000000001});
  heard = west.Hear(beat);
  REQUIRE(heard.has_value());
  CHECK(heard->kind == Kind::kBeat);
  CHECK(heard->subject_region == kEast);
  heard = west.Hear(to);
  REQUIRE(heard.has_value());
  CHECK(heard->kind == Kind::kTo);
  heard = west.Hear(in);
  REQUIRE(heard.has_value());
  CHECK(heard->kind == Kind::kIn);

  CHECK(east.HeardCount() == 0);  // nobody hears itself
  const LinkPeerStats own = east.StatsOf(kEast);
  CHECK(own.sent_bytes >= log.size() + beat.size());
  // What is heard may not be counted yet: that comes when the library's call returns.
  const std::uint64_t said_bytes = to.size() + in.size();
  CHECK(Eventually([&] { return east.StatsOf(kWest).sent_bytes == said_bytes; }));
  CHECK(west.StatsOf(kEast).received_bytes >= log.size() + beat.size());
  CHECK(west.StatsOf(kWest).received_messages == 2);
}

TEST_CASE("regions with a server each need no cluster between the servers") {
  NatsServer servers[3];
  const std::vector<std::string> urls = {servers[0].url(), servers[1].url(), servers[2].url()};
  Region east(kEast, urls), west(kWest, urls), north(kNorth, urls);
  REQUIRE(east.Reaches(west, "from east"));
  REQUIRE(east.Reaches(north, "from east"));
  REQUIRE(north.Reaches(east, "from north"));
  const std::string probe = Encode(ExampleProbe());
  west.AwaitConnected();
  west.Say(Kind::kTo, kNorth, probe);
  CHECK(north.Hear(probe).has_value());
  CHECK_FALSE(east.Hear(probe, 50ms).has_value());
}

TEST_CASE("messages of one region arrive in order, the largest included") {
  NatsServer server;
  Region east(kEast, {server.url(), server.url()}, 64 << 20);
  Region west(kWest, {server.url(), server.url()});
  REQUIRE(east.Reaches(west, "hello"));
  const std::size_t before = west.HeardCount();
  std::vector<std::string> said;
  for (std::size_t i = 0; i < 300; ++i) {
    std::string bytes = std::to_string(i) + ":";
    bytes.resize(i % 100 == 50 ? kMessageBytesMax : 100 + i * 37, 'x');
    said.push_back(bytes);
    east.Say(Kind::kLog, {}, bytes);
  }
  REQUIRE(Eventually([&] { return west.HeardCount() >= before + said.size(); }));
  std::vector<std::string> heard = west.HeardBytes();
  heard.erase(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(before));
  CHECK(heard == said);
}

TEST_CASE("a link starts while its servers are away and finds them when they come") {
  NatsServer server;
  server.Kill();
  const auto start = Clock::now();
  Region east(kEast, {server.url(), server.url()});
  Region west(kWest, {server.url(), server.url()});
  CHECK(MsSince(start) < 900);  // a blocked one takes a second at least
  east.Say(Kind::kBeat, {}, "into the void");
  CHECK(east.StatsOf(kEast).dropped_messages == 1);
  CHECK_FALSE(east.Connected(kWest));
  server.Restart();
  CHECK(east.Reaches(west, "hello"));
}

TEST_CASE("a server killed and started again is taken up again by itself") {
  NatsServer server;
  Region east(kEast, {server.url(), server.url()});
  Region west(kWest, {server.url(), server.url()});
  REQUIRE(east.Reaches(west, "before"));
  for (int round = 0; round < 3; ++round) {
    server.Kill();
    REQUIRE(Eventually([&] { return !east.Connected(kWest) && !west.Connected(kEast); }));
    CHECK_FALSE(east.StatsOf(kEast).last_error.empty());
    server.Restart();
    CHECK(east.Reaches(west, "after " + std::to_string(round)));
    CHECK(west.Reaches(east, "back " + std::to_string(round)));
  }
  CHECK(east.StatsOf(kEast).reconnects == 3);
  CHECK(east.StatsOf(kEast).last_error.empty());
}

TEST_CASE("a frozen server blocks neither its callers nor the way to other regions") {
  NatsServer good, bad;
  const std::vector<std::string> urls = {good.url(), bad.url(), good.url()};
  Region east(kEast, urls, 4 << 20), west(kWest, urls), north(kNorth, urls);
  REQUIRE(east.Reaches(north, "hello"));
  REQUIRE(west.Reaches(east, "hello"));
  east.AwaitConnected();

  const std::uint64_t dropped_before = east.StatsOf(kEast).dropped_messages;
  bad.Freeze();
  const std::string large(100 * 1024, 'x');
  double slowest_ms = 0;
  for (int i = 0; i < 400; ++i) {  // 40 MiB: more than all buffers on the way and our queue
    const auto start = Clock::now();
    east.Say(Kind::kTo, kWest, large);
    slowest_ms = std::max(slowest_ms, MsSince(start));
    if (i % 50 == 0) {
      const std::string word = "still here " + std::to_string(i);
      const auto said = Clock::now();
      east.Say(Kind::kBeat, {}, word);
      CHECK(north.Hear(word).has_value());
      CHECK(MsSince(said) < 900);
    }
    if (i % 100 == 0) std::this_thread::sleep_for(300ms);
  }
  MESSAGE("slowest Publish while frozen: " << slowest_ms << " ms");
  CHECK(slowest_ms < 500);  // a blocked one takes a second at least
  CHECK(east.StatsOf(kWest).dropped_messages > 0);
  CHECK(east.StatsOf(kEast).dropped_messages == dropped_before);

  SUBCASE("and when it thaws, the way is open again, without a message in pieces") {
    bad.Thaw();
    CHECK(Eventually([&] {
      east.Say(Kind::kTo, kWest, "thawed");
      return west.Hear("thawed", 50ms).has_value();
    }));
    for (const std::string& bytes : west.HeardBytes()) {
      CHECK(
          (bytes == large || bytes == "thawed" || bytes == "hello" || bytes.starts_with("still")));
    }
  }
  SUBCASE("and the link ends in bounded time, frozen or not") {
    const auto start = Clock::now();
    east.Stop();
    CHECK(MsSince(start) < 4500);  // 3 s by promise, and a busy machine
    bad.Thaw();
  }
}

TEST_CASE("an own server that hangs from the start delays neither start nor end") {
  NatsServer server;
  server.Freeze();
  auto start = Clock::now();
  Region east(kEast, {server.url(), server.url()});
  CHECK(MsSince(start) < 900);  // a blocked one takes a second at least
  for (int i = 0; i < 100; ++i) east.Say(Kind::kBeat, {}, "anyone?");
  CHECK(MsSince(start) < 900);  // a blocked one takes a second at least
  std::this_thread::sleep_for(300ms);
  start = Clock::now();
  east.Stop();
  CHECK(MsSince(start) < 4500);  // 3 s by promise, and a busy machine
  server.Thaw();
}

TEST_CASE("what the queue cannot hold is dropped and counted, and nothing else is lost" *
          doctest::skip(kSlowedDown)) {
  NatsServer server;
  Region east(kEast, {server.url(), server.url()}, 1 << 20);
  Region west(kWest, {server.url(), server.url()});
  REQUIRE(east.Reaches(west, "hello"));
  east.Say(Kind::kBeat, {}, "the last word before");
  REQUIRE(west.Hear("the last word before").has_value());
  const auto settled = [&](std::uint64_t count) {
    const LinkPeerStats now = east.StatsOf(kEast);
    return now.sent_messages + now.dropped_messages == count;
  };
  REQUIRE(Eventually([&] { return settled(east.said_to_all()); }));
  const LinkPeerStats before = east.StatsOf(kEast);
  const std::size_t heard_before = west.HeardCount();

  const std::string large(180 * 1024, 'x');
  constexpr std::uint64_t kSaid =
      300;  // 53 MiB: from 64 MiB on the server would cut a slow reader off
  for (std::uint64_t i = 0; i < kSaid; ++i) east.Say(Kind::kLog, {}, large);

  REQUIRE(Eventually([&] { return settled(east.said_to_all()); }));
  const LinkPeerStats after = east.StatsOf(kEast);
  CHECK(after.dropped_messages > before.dropped_messages);
  CHECK(Eventually([&] {
    const LinkPeerStats at_west = west.StatsOf(kEast);
    return west.HeardCount() - heard_before + at_west.receive_dropped_messages ==
           after.sent_messages - before.sent_messages;
  }));
}

TEST_CASE("what was said before the end is still sent, and no callback runs after it") {
  NatsServer server;
  Region west(kWest, {server.url(), server.url()});
  {
    Region east(kEast, {server.url(), server.url()});
    REQUIRE(east.Reaches(west, "hello"));
    for (int i = 0; i < 1000; ++i) east.Say(Kind::kBeat, {}, "farewell");
  }
  CHECK(Eventually([&] { return std::ranges::count(west.HeardBytes(), "farewell") == 1000; }));

  std::atomic<bool> ended = false;
  std::atomic<int> late = 0;
  Region north(kEast, {server.url(), server.url()});
  LinkOptions options;
  options.cluster = "test";
  options.self = kWest;
  options.regions = {{"us-east", kEast, {server.url()}, {}},
                     {"eu-west", kWest, {server.url()}, {}}};
  auto link = Link::Start(options, [&](Received) { late += ended ? 1 : 0; });
  for (int i = 0; i < 200; ++i) {
    north.Say(Kind::kBeat, {}, std::string(1000, 'x'));
    if (i == 100) {
      link.reset();
      ended = true;
    }
  }
  std::this_thread::sleep_for(100ms);
  CHECK(late == 0);
}

TEST_CASE("a refused subject is told, not swallowed") {
  NatsServer server(
      "authorization { default_permissions = { publish = [\"hw.*.0.beat.>\", \"hw.*.0.to.>\"], "
      "subscribe = \">\" }\n users = [ {user: u, password: p} ] }");
  const std::string url = "nats://u:p@127.0.0.1:" + std::to_string(server.port());
  Region east(kEast, {url, url}), west(kWest, {url, url});
  REQUIRE(east.Reaches(west, "allowed"));
  for (int i = 0; i < 100; ++i) east.Say(Kind::kLog, {}, "not allowed");
  CHECK(Eventually([&] { return east.Logged("ermissions"); }));
  CHECK(east.Reaches(west, "still there"));
  CHECK_FALSE(west.Hear("not allowed", 10ms).has_value());
  CHECK_FALSE(east.Logged("u:p"));
}

TEST_CASE("a connection that the server turns away is tried again and again" *
          doctest::skip(kSlowedDown)) {
  NatsServer server("authorization { user: u, password: p }");
  const std::string url = "nats://u:right@127.0.0.1:" + std::to_string(server.port());
  Region east(kEast, {url, url}), west(kWest, {url, url});
  std::this_thread::sleep_for(2500ms);  // the library gives up after two refusals
  CHECK_FALSE(east.Connected(kEast));
  // The library does not always say why: then it says that no server is there for it.
  CHECK(Eventually([&] { return east.Logged("Violation") || east.Logged("o server"); }));
  CHECK_FALSE(east.Logged("right"));
  server.Reconfigure("authorization { user: u, password: right }");
  CHECK(east.Reaches(west, "hello"));
}

TEST_CASE("a server with a small max_payload is told of") {
  NatsServer server("max_payload: 65536");
  Region east(kEast, {server.url(), server.url()});
  east.AwaitConnected();
  CHECK(Eventually([&] { return east.Logged("max_payload"); }));
  east.Say(Kind::kLog, {}, std::string(100 * 1024, 'x'));
  CHECK(Eventually([&] { return east.StatsOf(kEast).dropped_messages == 1; }));
  CHECK(east.Connected(kEast));
}
