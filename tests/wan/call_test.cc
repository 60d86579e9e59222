// Calls between regions: every call ends, none is carried out twice, and a slow peer costs only the
// calls to itself.

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

#include "wan/call_book.h"
#include "wan/call_door.h"
#include "wan/wire.h"

using namespace hawser;

namespace {

constexpr RegionId kHere{1};
constexpr RegionId kThere{2};
constexpr RegionId kElsewhere{3};

CallBook MakeBook(double start = 16) {
  return CallBook(
      {.self = kHere, .peers = {kThere, kElsewhere}, .first_id = 1000, .limit = {.start = start}});
}

CallRequest RequestIn(const Send& send) {
  return std::get<CallRequest>(*Decode(send.bytes));
}

CallRequest Request(std::uint64_t id, std::int64_t sent_ms) {
  return {.from = kHere, .id = id, .sent_ms = sent_ms, .budget_ms = 1000, .verb = "x", .body = "b"};
}

bool IsRefused(const CallDoor::Verdict& verdict, CallStatus status) {
  const auto* answer = std::get_if<CallAnswer>(&verdict);
  return answer != nullptr && answer->status == status;
}

}  // namespace

TEST_CASE("a body of many pieces arrives whole, whatever their order, each piece twice") {
  std::string body(kFragmentBytesMax * 3 + 17, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>(i / 1000);
  auto pieces = CutIntoPieces(CallAnswer{.from = kThere, .id = 5, .body = body}, kFragmentBytesMax);
  REQUIRE(pieces.size() == 4);
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    auto mixed = pieces;
    std::ranges::shuffle(mixed, random);
    CallPieces joined(1 << 30);
    int wholes = 0;
    for (const CallAnswer& piece : mixed) {
      for (int twice = 0; twice < 2; ++twice) {
        if (const auto whole = joined.Add(piece, 0)) {
          CHECK(whole->body == body);
          ++wholes;
          break;  // the next repeat would begin another body
        }
      }
    }
    CHECK(wholes == 1);
    CHECK(joined.bytes() == 0);
  }
}

TEST_CASE("unfinished bodies are held within their bound, and not for ever") {
  CallPieces joined(1000, 60'000);
  for (std::uint64_t id = 0; id < 100; ++id) {
    CallRequest piece = Request(id, 0);
    piece.pieces = 2;
    piece.body = std::string(100, 'x');
    CHECK_FALSE(joined.Add(piece, static_cast<std::int64_t>(id)));
    CHECK(joined.bytes() <= 1000);
  }
  joined.Forget(1'000'000);
  CHECK(joined.bytes() == 0);
}

TEST_CASE(
    "a call ends with its answer; an answer of another region, a repeat and a late one do not "
    "count") {
  CallBook book = MakeBook();
  std::vector<Send> out;
  std::vector<CallEnded> ended;
  const auto id = book.Begin(kThere, "explain", "orders", 500, 0, 9000, out);
  REQUIRE(id);
  REQUIRE(out.size() == 1);
  CHECK(out[0].to.region == kThere);
  const CallRequest request = RequestIn(out[0]);
  CHECK(request.budget_ms == 500);
  CHECK(request.sent_ms == 9000);
  const CallAnswer answer{.from = kThere, .id = *id, .body = "here"};
  CallAnswer wrong = answer;
  wrong.from = kElsewhere;
  book.OnAnswer(wrong, 1, 9001, out, ended);
  CHECK(ended.empty());
  book.OnAnswer(answer, 2, 9002, out, ended);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].id == *id);
  CHECK(*ended[0].answer == "here");
  book.OnAnswer(answer, 3, 9003, out, ended);
  book.Advance(10'000, ended);
  CHECK(ended.size() == 1);
  CHECK(book.idle());
}

TEST_CASE("a call without an answer ends with its budget, and says that nothing is known") {
  CallBook book = MakeBook();
  std::vector<Send> out;
  std::vector<CallEnded> ended;
  const auto id = book.Begin(kThere, "explain", "", 500, 0, 0, out);
  book.Advance(499, ended);
  CHECK(ended.empty());
  book.Advance(500, ended);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].id == *id);
  CHECK(ended[0].answer.error() == CallFailure::kNoAnswer);
  CHECK_FALSE(NeverRan(CallFailure::kNoAnswer));
}

TEST_CASE("too much to a silent peer fails at once, and calls to others do not notice") {
  CallBook book = MakeBook(8);
  std::vector<Send> out;
  std::vector<CallEnded> ended;
  std::int64_t now = 0;
  int refused = 0;
  for (; now < 10'000; ++now) {
    if (!book.Begin(kThere, "w", "", 200, now, now, out)) ++refused;
    const auto other = book.Begin(kElsewhere, "w", "", 200, now, now, out);
    REQUIRE(other);
    book.OnAnswer({.from = kElsewhere, .id = *other, .body = {}}, now, now, out, ended);
    book.Advance(now, ended);
  }
  CHECK(book.counts()[0].limit == 1);
  CHECK(refused > 9'800);
  CHECK(book.counts()[1].answered == 10'000);

  // It answers again, in 20 ms: within two seconds it takes 8 at a time again.
  std::vector<std::pair<std::int64_t, std::uint64_t>> under_way;
  const std::int64_t back = now;
  std::int64_t full_at = -1;
  for (; now < back + 5'000 && full_at < 0; ++now) {
    if (const auto id = book.Begin(kThere, "w", "", 200, now, now, out)) {
      under_way.emplace_back(now + 20, *id);
    }
    while (!under_way.empty() && under_way.front().first <= now) {
      book.OnAnswer({.from = kThere, .id = under_way.front().second, .body = {}}, now, now, out,
                    ended);
      under_way.erase(under_way.begin());
    }
    book.Advance(now, ended);
    if (book.counts()[0].limit >= 8) full_at = now;
  }
  REQUIRE(full_at >= 0);
  CHECK(full_at - back < 2'000);
}

TEST_CASE("a peer that turns slow is asked less, not more") {
  CallBook book = MakeBook(64);
  std::vector<Send> out;
  std::vector<CallEnded> ended;
  std::vector<std::pair<std::int64_t, std::uint64_t>> under_way;
  const auto run = [&](std::int64_t from, std::int64_t to, std::int64_t took_ms) {
    for (std::int64_t now = from; now < to; ++now) {
      if (const auto id = book.Begin(kThere, "w", "", 5000, now, now, out)) {
        under_way.emplace_back(now + took_ms, *id);
      }
      for (auto at = under_way.begin(); at != under_way.end();) {
        if (at->first > now) {
          ++at;
          continue;
        }
        book.OnAnswer({.from = kThere, .id = at->second, .body = {}}, now, now, out, ended);
        at = under_way.erase(at);
      }
      book.Advance(now, ended);
    }
  };
  run(0, 2'000, 10);
  CHECK(book.counts()[0].limit >= 64);
  run(2'000, 20'000, 2'000);
  CHECK(book.counts()[0].limit <= 4);
}

TEST_CASE("what was surely not carried out is tried again, within a tenth of what was answered") {
  CallBook book = MakeBook(1000);
  std::vector<Send> out;
  std::vector<CallEnded> ended;
  for (int i = 0; i < 200; ++i) {
    const auto id = book.Begin(kThere, "w", "", 100'000, 0, 0, out);
    REQUIRE(id);
    for (int tries = 0; tries < 50 && ended.empty(); ++tries) {
      book.OnAnswer({.from = kThere, .id = *id, .status = CallStatus::kBusy, .body = {}}, 1, 1, out,
                    ended);
    }
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].answer.error() == CallFailure::kBusy);
    CHECK(NeverRan(CallFailure::kBusy));
    ended.clear();
  }
  CHECK(book.counts()[0].retried <= 10);
  CHECK(book.counts()[0].retried >= 1);
}

TEST_CASE("a request is carried out once, however often it comes, and not at all when it is old") {
  CallDoor door({.self = kThere}, 100'000);
  CHECK(std::holds_alternative<CallRequest>(door.Admit(Request(1, 100'000), 0, 100'000)));
  CHECK(std::holds_alternative<CallDoor::Nothing>(door.Admit(Request(1, 100'000), 5, 100'005)));
  door.Finished(kHere);
  // For as long as a repeat would be taken, whatever is the caller's skew, it is known as one.
  for (std::int64_t later = 0; later < 60'000; later += 500) {
    const auto verdict = door.Admit(Request(1, 100'500), later, 100'000 + later);
    CHECK((std::holds_alternative<CallDoor::Nothing>(verdict) ||
           IsRefused(verdict, CallStatus::kLate)));
  }
  CHECK(IsRefused(door.Admit(Request(2, 99'999), 10, 100'010), CallStatus::kLate));
  CHECK(IsRefused(door.Admit(Request(4, 100'000), 2000, 102'000), CallStatus::kLate));
  CallRequest greedy = Request(3, 100'000);
  greedy.budget_ms = kCallBudgetMsMax + 1;
  CHECK(IsRefused(door.Admit(greedy, 10, 100'010), CallStatus::kLate));
}

TEST_CASE("one caller cannot take all of what a region admits") {
  CallDoor door({.self = kThere, .under_way_max = 8, .under_way_of_one_max = 4}, 0);
  for (std::uint64_t id = 0; id < 4; ++id) {
    CHECK(std::holds_alternative<CallRequest>(door.Admit(Request(id, 0), 0, 0)));
  }
  CHECK(IsRefused(door.Admit(Request(4, 0), 0, 0), CallStatus::kBusy));
  CallRequest other = Request(0, 0);
  other.from = kElsewhere;
  CHECK(std::holds_alternative<CallRequest>(door.Admit(other, 0, 0)));
  door.Finished(kHere);
  CHECK(std::holds_alternative<CallRequest>(door.Admit(Request(4, 0), 0, 0)));
}
