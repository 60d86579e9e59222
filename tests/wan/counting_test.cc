#include "wan/counting.h"

#include <doctest/doctest.h>

#include "tests/wan/author.h"

namespace hawser {
namespace {

using test::OriginOf;

const Origin kOne = OriginOf(1), kTwo = OriginOf(2), kThree = OriginOf(3);

Report ReportOf(Dot own, Cut applied, std::int64_t clock_ms) {
  Report report{.own = own, .applied = {}, .clock = Stamp::FromMs(clock_ms)};
  for (const Dot& dot : applied.dots()) report.applied.push_back({dot.origin, dot.seq, 0});
  return report;
}

Counting ThreeMembers() {
  return Counting({kOne.region, kTwo.region, kThree.region}, kOne.region);
}

}  // namespace

TEST_CASE("a member never heard holds everything back") {
  Counting counting = ThreeMembers();
  const Cut own{{kOne, Seq{5}}};
  counting.OnReport(ReportOf({kTwo, Seq{0}}, own, 100), own);
  CHECK(counting.stable(own, Stamp::FromMs(100)).cut.empty());
  counting.OnReport(ReportOf({kThree, Seq{0}}, own, 90), own);
  CHECK(counting.stable(own, Stamp::FromMs(100)).cut == own);
  CHECK(counting.stable(own, Stamp::FromMs(100)).clock_ms == 90);
}

TEST_CASE("a report counts only once the reporter's own log has arrived") {
  Counting counting({kOne.region, kTwo.region}, kOne.region);
  Cut own{{kOne, Seq{5}}};
  counting.OnReport(ReportOf({kTwo, Seq{3}}, own, 100), own);
  CHECK(counting.stable(own, Stamp::FromMs(100)).cut.empty());
  own.Raise({kTwo, Seq{3}});
  counting.OnProgress(own);
  CHECK(counting.stable(own, Stamp::FromMs(100)).cut == own);
}

TEST_CASE("under steady load the earlier reports count while the latest still wait") {
  Counting counting({kOne.region, kTwo.region}, kOne.region);
  Cut own{{kOne, Seq{100}}};
  for (std::uint64_t seq = 1; seq <= 200; ++seq) {  // the log is always ten behind the beats
    counting.OnReport(ReportOf({kTwo, Seq{seq}}, Cut{{kOne, Seq{seq / 2}}}, 1000), own);
    if (seq > 10) own.Raise({kTwo, Seq{seq - 10}});
    counting.OnProgress(own);
  }
  CHECK(counting.stable(own, Stamp::FromMs(1000)).cut.Get(kOne) >= Seq{90});
}

TEST_CASE("a txn tells what its region had when it made it") {
  Counting counting({kOne.region, kTwo.region}, kOne.region);
  const Cut own{{kOne, Seq{5}}, {kTwo, Seq{1}}};
  counting.OnApplied({kTwo, Seq{1}}, Cut{{kOne, Seq{4}}}, Stamp::FromMs(70));
  const Stable stable = counting.stable(own, Stamp::FromMs(100));
  CHECK(stable.cut == Cut{{kOne, Seq{4}}, {kTwo, Seq{1}}});
  CHECK(stable.clock_ms == 70);
}

TEST_CASE("a new incarnation starts at nothing") {
  Counting counting({kOne.region, kTwo.region}, kOne.region);
  const Cut own{{kOne, Seq{5}}};
  counting.OnReport(ReportOf({kTwo, Seq{0}}, own, 100), own);
  counting.OnReport(ReportOf({OriginOf(2, 0x99), Seq{0}}, {}, 200), own);
  CHECK(counting.stable(own, Stamp::FromMs(300)).cut.empty());
}

}  // namespace hawser
