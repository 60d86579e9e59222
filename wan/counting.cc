#include "wan/counting.h"

#include "conflict/variant.h"

namespace hawser {

Counting::Counting(std::vector<RegionId> members, RegionId self) : self_(self) {
  for (const RegionId member : members) members_[member];
}

// The member behind an origin; a new incarnation starts at nothing. Null for strangers and
// ourselves.
Counting::Member* Counting::Find(const Origin& origin) {
  const auto at = members_.find(origin.region);
  if (at == members_.end() || origin.region == self_) return nullptr;
  if (at->second.incarnation != origin.incarnation) {
    at->second = Member{.incarnation = origin.incarnation, .cut = {}, .clock = {}, .waiting = {}};
  }
  return &at->second;
}

void Counting::Count(Member& member, const Report& report) {
  member.cut.Join(report.cut());
  member.cut.Raise(report.own);
  member.clock = std::max(member.clock, report.clock);
}

void Counting::OnApplied(const Dot& dot, const Cut& deps, Stamp stamp) {
  Member* member = Find(dot.origin);
  if (!member) return;
  if (!HW_VARIANT(kLatestBeatOnly)) member->cut.Join(deps);
  member->cut.Raise(dot);
  member->clock = std::max(member->clock, stamp);
}

void Counting::OnReport(const Report& report, const Cut& applied) {
  Member* member = Find(report.own.origin);
  if (!member) return;
  if (applied.Covers(report.own) || HW_VARIANT(kDropBeforeStable)) {
    Count(*member, report);
    return;
  }
  std::deque<Report>& waiting = member->waiting;
  if (HW_VARIANT(kLatestBeatOnly)) waiting.clear();
  if (!waiting.empty() && report.own.seq < waiting.back().own.seq)
    return;  // out of order: later ones say more
  if (!waiting.empty() &&
      (report.own.seq == waiting.back().own.seq || waiting.size() == kWaitingReportsMax)) {
    waiting.back() = report;
  } else {
    waiting.push_back(report);
  }
}

void Counting::OnProgress(const Cut& applied) {
  for (auto& [region, member] : members_) {
    while (!member.waiting.empty() && applied.Covers(member.waiting.front().own)) {
      Count(member, member.waiting.front());
      member.waiting.pop_front();
    }
  }
}

Stable Counting::stable(const Cut& own_applied, Stamp own_clock) const {
  Stable stable{.cut = own_applied, .clock_ms = own_clock.ms()};
  for (const auto& [region, member] : members_) {
    if (region == self_) continue;
    if (HW_VARIANT(kStableIgnoresSilent) && member.cut.empty()) continue;
    stable.cut.Meet(member.cut);
    stable.clock_ms = std::min(stable.clock_ms, member.clock.ms());
  }
  return stable;
}

const Cut& Counting::counted(RegionId region) const {
  static const Cut kNothing;
  const auto at = members_.find(region);
  return at == members_.end() ? kNothing : at->second.cut;
}

}  // namespace hawser
