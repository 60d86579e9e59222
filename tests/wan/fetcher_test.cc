#include "wan/fetcher.h"

#include <doctest/doctest.h>

#include "tests/wan/author.h"
#include "wan/wire.h"

namespace hawser {
namespace {

const Origin kOrigin = test::OriginOf(1);
const std::vector<RegionId> kSources{RegionId{1}, RegionId{3}};

Fetcher Fresh() {
  return Fetcher({.self = RegionId{2},
                  .window_bytes = 1000,
                  .gap_patience_ms = 15,
                  .behind_patience_ms = 150,
                  .timeout_ms = 700});
}
LogProgress Behind(bool gap = false) {
  return {.origin = kOrigin, .contiguous = Seq{4}, .head = Seq{9}, .gap = gap};
}
Fetch FetchIn(const Send& send) {
  const auto message = Decode(send.bytes);
  REQUIRE(message.has_value());
  return std::get<Fetch>(*message);
}
Batch Answer(std::uint64_t id, std::uint32_t count, bool end, bool missing = false) {
  return {.origin = kOrigin,
          .first = Seq{5},
          .count = count,
          .fetch_id = id,
          .fetch_end = end,
          .fetch_missing = missing};
}

}  // namespace

TEST_CASE("nothing is asked for while nothing is missing") {
  Fetcher fetcher = Fresh();
  const LogProgress level{.origin = kOrigin, .contiguous = Seq{9}, .head = Seq{9}};
  for (std::int64_t ms = 0; ms < 5000; ms += 100) CHECK_FALSE(fetcher.Plan(level, kSources, ms));
}

TEST_CASE("a hole is asked for soon, a log that is merely behind after a while") {
  Fetcher holes = Fresh(), behind = Fresh();
  CHECK_FALSE(holes.Plan(Behind(true), kSources, 0));
  const auto asked = holes.Plan(Behind(true), kSources, 20);
  REQUIRE(asked);
  CHECK(FetchIn(*asked).first == Seq{5});
  CHECK(asked->to.region == RegionId{1});
  CHECK_FALSE(behind.Plan(Behind(), kSources, 0));
  CHECK_FALSE(behind.Plan(Behind(), kSources, 100));
  CHECK(behind.Plan(Behind(), kSources, 160));
}

TEST_CASE("who does not answer is passed over, with growing patience") {
  Fetcher fetcher = Fresh();
  (void)fetcher.Plan(Behind(true), kSources, 0);
  REQUIRE(fetcher.Plan(Behind(true), kSources, 20));
  CHECK_FALSE(fetcher.Plan(Behind(true), kSources, 700));
  const auto second = fetcher.Plan(Behind(true), kSources, 730);
  REQUIRE(second);
  CHECK(second->to.region == RegionId{3});
  CHECK_FALSE(fetcher.Plan(Behind(true), kSources, 730 + 1300));
  CHECK(fetcher.Plan(Behind(true), kSources, 730 + 1410));
}

TEST_CASE("a region that returns is asked at once, however long it did not answer before") {
  Fetcher fetcher = Fresh();
  const std::vector<RegionId> one{RegionId{1}};
  (void)fetcher.Plan(Behind(true), one, 0);
  std::int64_t ms = 0;
  for (int asked = 0; asked < 5; ms += 10) asked += fetcher.Plan(Behind(true), one, ms) ? 1 : 0;
  CHECK_FALSE(fetcher.Plan(Behind(true), one, ms + 5000));
  fetcher.OnReturn(RegionId{1});
  CHECK_FALSE(fetcher.Plan(Behind(true), one, ms + 310));
  CHECK(fetcher.Plan(Behind(true), one, ms + 330));
}

TEST_CASE("an answer to its end is followed by the next request at once") {
  Fetcher fetcher = Fresh();
  (void)fetcher.Plan(Behind(true), kSources, 0);
  const auto first = fetcher.Plan(Behind(true), kSources, 20);
  REQUIRE(first);
  fetcher.OnAnswer(Answer(FetchIn(*first).id, 2, true), 30);
  LogProgress further = Behind();
  further.contiguous = Seq{6};
  const auto next = fetcher.Plan(further, kSources, 31);
  REQUIRE(next);
  CHECK(FetchIn(*next).first == Seq{7});
}

TEST_CASE("who lacks it says so, and the next one is asked") {
  Fetcher fetcher = Fresh();
  (void)fetcher.Plan(Behind(true), kSources, 0);
  const auto first = fetcher.Plan(Behind(true), kSources, 20);
  REQUIRE(first);
  fetcher.OnAnswer(Answer(FetchIn(*first).id, 0, true, true), 30);
  CHECK(fetcher.IsMissing(kOrigin));
  std::optional<Send> next;
  for (std::int64_t ms = 31; ms < 2000 && !next; ++ms) {
    next = fetcher.Plan(Behind(true), kSources, ms);
  }
  REQUIRE(next);
  CHECK(next->to.region == RegionId{3});
}

TEST_CASE("no more is asked for than there is room for") {
  Fetcher fetcher = Fresh();
  LogProgress tight = Behind(true);
  tight.room = 0;
  for (std::int64_t ms = 0; ms < 500; ms += 20) CHECK_FALSE(fetcher.Plan(tight, kSources, ms));
  tight.room = 300;
  const auto asked = fetcher.Plan(tight, kSources, 520);
  REQUIRE(asked);
  CHECK(FetchIn(*asked).bytes_max == 300);
}

}  // namespace hawser
