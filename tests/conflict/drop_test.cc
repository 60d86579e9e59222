#include "conflict/drop.h"

#include <doctest/doctest.h>

#include "tests/conflict/values.h"

namespace hawser::test {
namespace {

void Put(RecordEdit& edit) {
  REQUIRE(edit.ReplaceWith(kStringField, "v"));
}
void PutUntil100(RecordEdit& edit) {
  Put(edit);
  edit.SetExpiry(100);
}
void Del(RecordEdit& edit) {
  edit.DeleteAll();
}

Stable AllOf(std::uint8_t region, std::uint64_t seq, std::int64_t clock_ms) {
  return {.cut = {{OriginOf(region), Seq{seq}}}, .clock_ms = clock_ms};
}

}  // namespace

TEST_CASE("a deleted record goes once every dot of it is stable, whatever the clocks") {
  Writes a(1);
  a.Write(10, Put);
  CHECK_FALSE(MayDrop(a.Held(), AllOf(1, 9, 1'000'000)));
  a.Write(20, Del);
  CHECK_FALSE(MayDrop(a.Held(), AllOf(1, 1, 1'000'000)));
  CHECK(MayDrop(a.Held(), AllOf(1, 2, 0)));
}

TEST_CASE(
    "an expired record goes when every member's clock is past it, and not a millisecond before") {
  Writes a(1);
  a.Write(10, PutUntil100);
  CHECK_FALSE(MayDrop(a.Held(), AllOf(1, 1, 99)));
  CHECK(MayDrop(a.Held(), AllOf(1, 1, 100)));
  CHECK_FALSE(MayDrop(a.Held(), AllOf(1, 0, 100)));
}

TEST_CASE("an expiry that is left alone is dead, but waits until it is stable") {
  Record record;
  const std::string bytes = EncodeExpiry(1'000'000);
  record.expiry = Cell{.null = false, .value = bytes, .dot = {OriginOf(1), Seq{3}}};
  CHECK(IsDead(record, 0));
  CHECK_FALSE(MayDrop(record, AllOf(1, 2, 0)));
  CHECK(MayDrop(record, AllOf(1, 3, 0)));
}

TEST_CASE("a counter goes when its base is null, lists every share, and all of it is stable") {
  Writes a(1), b(2);
  const auto incr = [](RecordEdit& edit) { REQUIRE(edit.Add(kStringField, 1)); };
  a.Receive(b, b.Write(10, incr));
  Stable all{.cut = {{OriginOf(1), Seq{9}}, {OriginOf(2), Seq{9}}}, .clock_ms = 0};
  CHECK_FALSE(MayDrop(a.Held(), all));
  const auto unseen = b.Write(20, incr);
  a.Write(20, Del);
  CHECK(MayDrop(a.Held(), all));
  CHECK_FALSE(MayDrop(a.Held(), AllOf(1, 9, 0)));  // the share of b is not stable
  a.Receive(b, unseen);
  CHECK_FALSE(MayDrop(a.Held(), all));  // an increment that the delete had not seen shows
}

}  // namespace hawser::test
