#pragma once

// Counting: what every member is known to have applied, and from that what is stable.
// The rule (DESIGN 6): a region's counted cut is the deps of its last txn applied here, joined with
// every report of it whose named own seq we have applied. A report that names more waits its turn:
// waiting only for the latest would starve under load, so the oldest are kept.
// Threads: a plain value, the engine's.

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "conflict/cut.h"
#include "conflict/drop.h"
#include "conflict/version.h"
#include "wan/message.h"

namespace hawser {

class Counting {
 public:
  // `members`: every member, `self` included.
  Counting(std::vector<RegionId> members, RegionId self);

  // A txn of another region was applied here.
  void OnApplied(const Dot& dot, const Cut& deps, Stamp stamp);
  // A report was heard, from the region itself or relayed; `applied` is our own applied cut.
  void OnReport(const Report& report, const Cut& applied);
  // Our own applied cut moved: waiting reports may count now.
  void OnProgress(const Cut& applied);

  // The minimum over all members; a member never heard stands at nothing.
  Stable stable(const Cut& own_applied, Stamp own_clock) const;
  // What one member is known to have; empty if never heard.
  const Cut& counted(RegionId region) const;

 private:
  static constexpr std::size_t kWaitingReportsMax = 32;
  struct Member {
    Incarnation incarnation{};
    Cut cut;
    Stamp clock;
    std::deque<Report> waiting;  // by rising own seq
  };
  Member* Find(const Origin& origin);
  static void Count(Member& member, const Report& report);

  RegionId self_;
  std::map<RegionId, Member> members_;
};

}  // namespace hawser
