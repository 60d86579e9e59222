#include "tests/sim/claims.h"

#include <algorithm>
#include <set>
#include <utility>

#include "conflict/internal_tables.h"
#include "storage/conflict_log.h"
#include "tests/sim/check.h"
#include "tests/sim/workload.h"

namespace hawser::sim {
namespace {

constexpr std::string_view kName = "login";
// Who asked for a release is written beside it, so that the checks know it of every durable txn.
constexpr std::string_view kAsked = "asked";

std::string RowOf(const std::string& value) {
  return ClaimRowKey(kName, value);
}

// Who asked `by` to release the value; empty if it releases nothing.
std::string_view AskerOf(const TruthTxn& by, const std::string& value) {
  for (const Change& change : by.txn.changes) {
    if (change.table != kAsked || change.key != value) continue;
    for (const Op& op : change.ops) {
      if (op.field == "by") return op.value;
    }
  }
  return {};
}

const Op* OwnerOp(const Change& change) {
  const auto op = std::ranges::find(change.ops, kOwnerField, &Op::field);
  return op == change.ops.end() ? nullptr : &*op;
}

std::string Who(const Region& region, const std::string& value) {
  return "region " + std::to_string(Raw(region.id())) + ", '" + value + "': ";
}

}  // namespace

Claims::Claims(Mesh& mesh, Random random)
    : mesh_(mesh), random_(random), values_(2 + random_.Below(6)) {
  mesh_.OnTurn([this](Region& region) { Check(region); });
}

// --- What clients do -----------------------------------------------------------------------------

void Claims::Run() {
  for (int id = 1; id <= mesh_.size(); ++id) Again(id);
}

void Claims::Again(int region) {
  mesh_.In(random_.Pause(mesh_.knobs().write_interval_us * 6), [this, region] {
    if (stopped_) return;
    Act(region);
    Again(region);
  });
}

void Claims::Act(int region) {
  const std::string value = "v" + std::to_string(random_.Below(values_));
  const std::string fresh =
      random_.Chance(0.2) ? "same"
                          : "o" + std::to_string(region) + "-" + std::to_string(++next_owner_);
  const std::uint64_t kind = random_.Below(100);
  std::string shown = "nobody";
  if (mesh_.region(region).up()) {
    const auto claim = ClaimOf(mesh_.region(region).store().Read(RowOf(value)), {});
    if (claim.state != ClaimState::kFree) shown = claim.owner;
  }
  if (kind < 55) return Claim(region, value, fresh);
  if (kind < 82) return Release(region, value, shown);
  if (kind < 90) return Release(region, value, fresh);
  HandOver(region, value, shown, fresh);
}

void Claims::Claim(int region, const std::string& value, const std::string& owner) {
  auto outcome = std::make_shared<ClaimOutcome>();
  const auto write = [this, value, owner, outcome](LocalTxn& txn) {
    *outcome = MakeClaim(txn, kName, value, owner);
    mesh_.coverage().Add(outcome->effect == ClaimEffect::kTaken ? Branch::kClaimTaken
                                                                : Branch::kClaimMade);
    if (outcome->effect != ClaimEffect::kWritten) return;
    (void)txn.Edit("t", "account of " + owner).Set("login", value);  // what the claim protects
  };
  const auto done = [this, region, value, owner](Outcome end, const std::vector<Dot>& dots) {
    if (end == Outcome::kDurable && !dots.empty()) Await(region, value, owner);
  };
  mesh_.Submit(region, MakeJob(mesh_, region, write, {}, done));
}

void Claims::Await(int region, const std::string& value, const std::string& owner) {
  Region& at = mesh_.region(region);
  const std::int64_t patience_ms = random_.Between(5, 2000);
  const std::int64_t asked_us = mesh_.now_us();
  at.replica().Wait(ClaimWait{
      .row_key = RowOf(value),
      .owner = owner,
      .deadline_mono_ms = at.clock().At(mesh_.now_us()).mono_ms + patience_ms,
      .done = [this, region, value, owner, asked_us, patience_ms](const hawser::Claim& claim) {
        const bool late = (mesh_.now_us() - asked_us) / 1000 + 10 >= patience_ms;  // clocks drift
        const std::string who = Who(mesh_.region(region), value);
        if (claim.owner != owner) {
          mesh_.coverage().Add(Branch::kClaimLost);
        } else if (claim.state == ClaimState::kConfirmed) {
          mesh_.coverage().Add(Branch::kClaimConfirmed);
          HW_CHECK(mesh_.truth().IsEverywhere(claim.dot), "confirmed means applied by all",
                   who + Text(claim.dot) + " of " + owner);
        } else {
          mesh_.coverage().Add(Branch::kClaimPending);
          HW_CHECK(late, "a wait for a claim ends for a reason", who + "pending before its time");
        }
      }});
}

void Claims::Release(int region, const std::string& value, const std::string& owner) {
  const auto write = [this, value, owner](LocalTxn& txn) {
    const ClaimOutcome outcome = MakeRelease(txn, kName, value, owner);
    if (outcome.effect == ClaimEffect::kTaken) mesh_.coverage().Add(Branch::kReleaseRefused);
    if (outcome.effect != ClaimEffect::kWritten) return;
    mesh_.coverage().Add(Branch::kRelease);
    (void)txn.Edit(kAsked, value).Set("by", owner);
  };
  mesh_.Submit(region, MakeJob(mesh_, region, write));
}

void Claims::HandOver(int region, const std::string& value, const std::string& owner,
                      const std::string& next) {
  const auto write = [this, value, owner, next](LocalTxn& txn) {
    if (MakeRelease(txn, kName, value, owner).effect != ClaimEffect::kWritten) return;
    HW_CHECK(MakeClaim(txn, kName, value, next).effect == ClaimEffect::kWritten,
             "what was just released can be claimed", value);
    mesh_.coverage().Add(Branch::kClaimHandedOver);
    (void)txn.Edit(kAsked, value).Set("by", owner);
  };
  mesh_.Submit(region, MakeJob(mesh_, region, write));
}

// --- What must be true ---------------------------------------------------------------------------

void Claims::Check(Region& region) {
  const Proof proof = region.replica().proof();
  std::vector<Look>& looks = looks_[region.id()];
  looks.resize(values_);
  for (std::size_t i = 0; i < values_; ++i) {
    CheckOne(region, proof, "v" + std::to_string(i), looks[i]);
  }
}

void Claims::CheckOne(Region& region, const Proof& proof, const std::string& value, Look& look) {
  const auto bytes = region.store().Read(RowOf(value));
  const bool same = !look.pending && bytes.value_or("") == look.bytes && look.reported == reported_;
  if (same && !region.facts().forked) return;
  look = {.bytes = std::string(bytes.value_or("")), .reported = reported_};
  Record record;
  if (bytes) {
    HW_CHECK(DecodeRecord(*bytes, record), "row is a record", Who(region, value));
  }
  const hawser::Claim shown = ClaimOf(record, proof);
  const std::string who =
      Who(region, value) + "shows " + Text(shown.state) + " " + shown.owner + " " + Text(shown.dot);
  if (region.facts().forked) {
    HW_CHECK(shown.state != ClaimState::kConfirmed, "an older copy of a store confirms nothing",
             who);
    return;
  }
  if (shown.state != ClaimState::kFree) {
    const TruthTxn* made = mesh_.truth().Find(shown.dot);
    HW_CHECK(made, "claims are real", who);
  }
  const auto at = confirmed_.find(value);
  if (at != confirmed_.end() && at->second.owner != shown.owner) {
    HW_CHECK(Released(value, at->second, region.watched().committed()),
             "confirmed never becomes lost",
             who + ", but " + at->second.owner + " " + Text(at->second.dot) +
                 " was reported confirmed and is not released");
  }
  look.pending = shown.state == ClaimState::kPending;
  if (shown.state != ClaimState::kConfirmed) return;
  HW_CHECK(mesh_.truth().IsEverywhere(shown.dot), "confirmed means applied by all", who);
  if (at != confirmed_.end() && at->second.dot == shown.dot) return;
  confirmed_[value] = {shown.owner, shown.dot, record.Find(kOwnerField)->cell.generation};
  ++reported_;
}

// True if its owner gave it up, as far as who has applied `by` knows.
bool Claims::Released(const std::string& value, const Confirmed& confirmed, const Cut& by) const {
  return std::ranges::any_of(mesh_.truth().WrittenTo(RowOf(value)), [&](const Written& written) {
    const Op* op = OwnerOp(*written.change);
    if (!op || !by.Covers(written.by->dot) || !written.by->Saw(confirmed.dot)) return false;
    const bool gives_up = op->null || op->generation > confirmed.generation;
    return gives_up && AskerOf(*written.by, value) == confirmed.owner;
  });
}

// A claim of a region that is gone for good is not made again by anyone, and what it had not sent
// nobody knows.
bool Claims::IsExcused(const std::string& value, const std::string& owner) const {
  return std::ranges::any_of(mesh_.truth().WrittenTo(RowOf(value)), [&](const Written& written) {
    const Op* op = OwnerOp(*written.change);
    return op && !op->null && op->value == owner &&
           !mesh_.region(Raw(written.by->dot.origin.region)).alive();
  });
}

// Whoever was told "pending" has the value, or gave it up, or stands in the conflict log as a
// loser.
void Claims::CheckEnd() {
  std::set<std::pair<std::string, std::string>> told;  // value, owner
  std::map<std::string, std::set<std::string>> shown;  // value: owners
  for (int id = 1; id <= mesh_.size(); ++id) {
    Region& region = mesh_.region(id);
    if (!region.alive()) continue;
    std::string start;
    AppendRowKey(kConflictTable, "", start);
    Record record;
    region.store().ScanNewest(start, [&](std::string_view row_key, std::string_view bytes) {
      if (SplitRowKey(row_key).table != kConflictTable) return false;
      HW_CHECK(DecodeRecord(bytes, record), "row is a record", "conflict log");
      const auto conflict = ParseConflict(record);
      if (!conflict || conflict->table != kUniqueTable) return true;
      if (conflict->kind != Text(ConflictKind::kClaim)) return true;
      told.emplace(SplitClaimKey(conflict->key).value, *conflict->loser.value);
      return true;
    });
    for (std::uint64_t i = 0; i < values_; ++i) {
      const std::string value = "v" + std::to_string(i);
      shown[value].insert(ClaimOf(region.store().Read(RowOf(value)), {}).owner);
    }
  }
  for (const auto& [value, owners] : shown) {
    HW_CHECK(owners.size() <= 1, "one owner in the end", value);
    const std::vector<Written>& writes = mesh_.truth().WrittenTo(RowOf(value));
    std::set<std::string, std::less<>> released;
    for (const Written& written : writes) released.emplace(AskerOf(*written.by, value));
    for (const Written& written : writes) {
      const Op* op = OwnerOp(*written.change);
      if (!op || op->null) continue;
      const std::string owner(op->value);
      const bool settled =
          owners.contains(owner) || released.contains(owner) || told.contains({value, owner});
      HW_CHECK(settled || IsExcused(value, owner), "every loser is told",
               value + ": " + owner + " " + Text(written.by->dot) + " is neither owner nor loser");
      mesh_.coverage().Add(Branch::kClaimChecked);
    }
  }
}

}  // namespace hawser::sim
