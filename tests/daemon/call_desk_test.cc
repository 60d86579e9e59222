// Call desks back to back: what one region asks, another answers; a silent one costs its own calls.

#include "daemon/calls/call_desk.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/admin/explainer.h"
#include "tests/daemon/admin_fixture.h"
#include "tests/support/fake_engine.h"

using namespace hawser;

namespace {

constexpr RegionId kHere{1};
constexpr RegionId kThere{2};
constexpr RegionId kSilent{3};

using Answer = std::expected<std::string, CallFailure>;

std::int64_t ClockMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Two regions that hear each other, each message twice, and a third that says nothing.
struct Pair {
  explicit Pair(std::map<std::string, CallHandler, std::less<>> handlers) {
    there = Make(kThere, std::move(handlers), here);
    here = Make(kHere, {}, there);
  }
  ~Pair() {
    Close();  // each publishes to the other: stop hearing first
    here.reset();
    there.reset();
  }
  std::unique_ptr<CallDesk> Make(RegionId self,
                                 std::map<std::string, CallHandler, std::less<>> handlers,
                                 std::unique_ptr<CallDesk>& other) {
    return std::make_unique<CallDesk>(CallDeskOptions{
        .book = {.self = self, .peers = {kHere, kThere, kSilent}, .first_id = Raw(self) * 1000u},
        .door = {.self = self},
        .handlers = std::move(handlers),
        .publish =
            [this, &other](const Send& send) {
              const std::lock_guard lock(mutex);
              if (!open || send.to.region == kSilent) return;
              for (int twice = 0; twice < 2; ++twice) {
                other->OnReceived({.kind = send.to.kind, .bytes = send.bytes});
              }
            },
        .clock_ms = ClockMs});
  }
  Answer Ask(RegionId to, std::string verb, std::string body, std::int64_t budget_ms) {
    std::promise<Answer> promise;
    here->Call(to, std::move(verb), std::move(body), budget_ms,
               [&promise](Answer answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  }

  void Close() {
    const std::lock_guard lock(mutex);
    open = false;
  }

  std::mutex mutex;
  bool open = true;
  std::unique_ptr<CallDesk> here, there;
};

}  // namespace

TEST_CASE(
    "a call is answered, however large it is, and carried out once though every message comes "
    "twice") {
  std::atomic<int> runs{0};
  Pair pair({{"echo", [&runs](CallTask task, const CallAnswerer& answer) {
                ++runs;
                CHECK(task.from == kHere);
                answer("heard " + task.body);
              }}});
  for (const std::size_t size : {std::size_t{3}, std::size_t{700'000}}) {
    const std::string body(size, 'x');
    const Answer answer = pair.Ask(kThere, "echo", body, 5000);
    REQUIRE(answer);
    CHECK(*answer == "heard " + body);
  }
  CHECK(runs == 2);
  CHECK(pair.Ask(kThere, "dance", "", 5000).error() == CallFailure::kUnknown);
  CHECK(pair.Ask(RegionId{9}, "echo", "", 5000).error() == CallFailure::kStranger);
}

TEST_CASE("a silent region costs its own calls, and only the first of them their whole budget") {
  Pair pair({{"echo", [](CallTask, const CallAnswerer& answer) { answer("yes"); }}});
  std::vector<std::future<Answer>> silent;
  std::vector<std::promise<Answer>> promises(200);
  for (std::promise<Answer>& promise : promises) {
    silent.push_back(promise.get_future());
    pair.here->Call(kSilent, "echo", "", 300,
                    [&promise](Answer answer) { promise.set_value(std::move(answer)); });
  }
  for (int i = 0; i < 50; ++i) CHECK(pair.Ask(kThere, "echo", "", 5000));
  int limited = 0;
  for (auto& answer : silent) {
    const Answer ended = answer.get();
    REQUIRE_FALSE(ended);
    limited += ended.error() == CallFailure::kLimit ? 1 : 0;
  }
  CHECK(limited == 200 - 16);
  // The counts are published after the answers.
  for (int i = 0; i < 2000 && pair.here->Counts()[2].silent != 16; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(pair.here->Counts()[2].silent == 16);
}

TEST_CASE("calls under way when the desk goes end, and say that nothing is known") {
  auto pair = std::make_unique<Pair>(std::map<std::string, CallHandler, std::less<>>{});
  std::promise<Answer> promise;
  pair->here->Call(kSilent, "echo", "", 10'000,
                   [&promise](Answer answer) { promise.set_value(std::move(answer)); });
  pair.reset();
  CHECK(promise.get_future().get().error() == CallFailure::kStopping);
}

TEST_CASE("an explanation has what every region says, and says which did not") {
  FakeEngine ours(FakeEngineOptions{.members = {kHere, kThere, kSilent}});
  FakeEngine theirs(FakeEngineOptions{.members = {kThere, kHere, kSilent}});
  const auto options = [](RegionId self) {
    return admin::ExplainerOptions{
        .self = self, .regions = {{kHere, "us-east"}, {kThere, "eu-west"}, {kSilent, "ap-south"}}};
  };
  const auto write = [](LocalTxn& txn) { REQUIRE(txn.Edit("orders", "42").Set("", "v1")); };
  ours.WriteElsewhere(kSilent, write);
  const std::string verb(admin::kExplainVerb);
  Pair pair({{verb, ExplainHandler(options(kThere), theirs)}});
  pair.Close();
  pair.here = std::make_unique<CallDesk>(
      CallDeskOptions{.book = {.self = kHere, .peers = {kThere, kSilent}, .first_id = 7},
                      .door = {.self = kHere},
                      .handlers = {{verb, ExplainHandler(options(kHere), ours)}},
                      .publish =
                          [&pair](const Send& send) {
                            if (send.to.region == kThere) {
                              pair.there->OnReceived({.kind = send.to.kind, .bytes = send.bytes});
                            }
                          },
                      .clock_ms = ClockMs});
  {
    const std::lock_guard lock(pair.mutex);
    pair.open = true;
  }
  ReplicaStatus status = ours.status();
  for (PeerStatus& peer : status.peers) peer.link = LinkState::kUp;
  ours.status_says = status;
  const ExplainRecord explain = MakeExplainer(options(kHere), ours, *pair.here);
  const auto ask = [&explain](const std::string& key) {
    std::promise<std::string> promise;
    explain("orders", key, 300, [&promise](std::string json) { promise.set_value(json); });
    return promise.get_future().get();
  };

  std::string text = ask("42");
  CAPTURE(text);
  CHECK(admin::At(text, "region") == "us-east");
  CHECK(admin::At(text, "state") == "alive");
  CHECK(admin::At(text, "peers.0.region") == "eu-west");
  CHECK(admin::At(text, "peers.0.state") == "absent");
  CHECK(admin::At(text, "peers.0.same") == "false");
  CHECK(admin::At(text, "regions_agree") == "no");
  CHECK(admin::At(text, "peers.1.region") == "ap-south");
  CHECK(admin::At(text, "peers.1.asked") == "true");
  CHECK(admin::At(text, "peers.1.answered") == "false");
  CHECK(admin::At(text, "peers.1.detail") == "no answer in time");

  // The same value by another write is not the same: one of them will give way.
  theirs.WriteElsewhere(kSilent, write);
  text = ask("42");
  CHECK(admin::At(text, "peers.0.state") == "alive");
  CHECK(admin::At(text, "peers.0.cells.0.shows") == "v1");
  CHECK(admin::At(text, "peers.0.same") == "false");

  text = ask("none");
  CHECK(admin::At(text, "peers.0.same") == "true");
  CHECK(admin::At(text, "regions_agree") == "as far as they answered");
}
