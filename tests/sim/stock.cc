#include "tests/sim/stock.h"

#include <algorithm>

#include "homing/escrow.h"
#include "tests/sim/check.h"
#include "tests/sim/workload.h"

namespace hawser::sim {
namespace {

constexpr std::string_view kTable = "s";
constexpr std::string_view kField = "stock";
constexpr int kKeys = 3;

std::string KeyOf(std::uint64_t number) {
  return "thing " + std::to_string(number);
}

std::string RowOf(const std::string& key) {
  std::string row_key;
  AppendRowKey(kTable, key, row_key);
  return row_key;
}

struct Held {
  std::string bytes;
  Record record;
};
Held Read(Region& region, const std::string& row_key) {
  Held held;
  const auto bytes = region.store().Read(row_key);
  if (!bytes) return held;
  held.bytes = *bytes;
  HW_CHECK(DecodeRecord(held.bytes, held.record), "row is a record", row_key);
  return held;
}

std::int64_t ShownIn(const Record& record) {
  const Field* field = record.Find(kField);
  if (field == nullptr) return 0;
  const Shown shown = Show(*field);
  if (!shown.visible) return 0;
  return ParseInt(shown.is_counter ? std::string_view(shown.text) : shown.value).value_or(-1);
}

// What the txns in `cut` added less what they took, by what each said of itself.
std::int64_t AddedIn(const Truth& truth, const std::string& row_key, const Cut& cut) {
  std::int64_t sum = 0;
  for (const Written& written : truth.WrittenTo(row_key)) {
    if (!cut.Covers(written.by->dot)) continue;
    for (const Op& op : written.change->ops) {
      if (op.field == kField && op.type == Op::Type::kAdd) sum += op.delta;
    }
  }
  return sum;
}

}  // namespace

Stock::Stock(Mesh& mesh, Random random) : mesh_(mesh), random_(random) {
  mesh_.OnTurn([this](Region& region) { Check(region); });
}

// --- What clients do, and what the daemons' keepers of rights do ---------------------------------

void Stock::Run() {
  for (int id = 1; id <= mesh_.size(); ++id) Again(id);
}

void Stock::Again(int region) {
  mesh_.In(random_.Pause(mesh_.knobs().write_interval_us * 6), [this, region] {
    if (stopped_) return;
    Act(region);
    Again(region);
  });
}

void Stock::Act(int region) {
  const std::string key = KeyOf(random_.Below(kKeys));
  const std::uint64_t kind = random_.Below(100);
  const std::int64_t amount = random_.Between(1, 6);
  if (kind < 10) return Add(region, key, 3 * amount);
  if (kind < 50) return Add(region, key, -amount);
  if (kind < 60) return Add(region, key, -std::max<std::int64_t>(1, OwnRights(region, key)));
  if (kind < 73) return Delete(region, key);
  if (kind < 75) return Expire(region, key);
  // As if somebody had asked: what is given at most is what is held, the replica sees to that.
  const auto to = static_cast<int>(random_.Below(static_cast<std::uint64_t>(mesh_.size()))) + 1;
  if (to == region || !mesh_.region(to).up()) return;
  Give(region, key, mesh_.region(to).store().self(), amount);
}

std::int64_t Stock::OwnRights(int region, const std::string& key) {
  Region& at = mesh_.region(region);
  if (!at.up()) return 0;
  const Rights rights =
      RightsOf(Read(at, RowOf(key)).record, kField, Read(at, LedgerRowKey(kTable, key)).record);
  return RightsOf(rights, at.store().self());
}

void Stock::Add(int region, const std::string& key, std::int64_t amount) {
  const auto write = [key, amount](LocalTxn& txn) {
    (void)txn.Edit(kTable, key).Add(kField, amount);
  };
  const auto done = [this, amount](Outcome end, const std::vector<Dot>& dots) {
    if (end != Outcome::kDurable || amount > 0) return;
    mesh_.coverage().Add(dots.empty() ? Branch::kSaleRefused : Branch::kSold);
  };
  mesh_.Submit(region, MakeJob(mesh_, region, write, {}, done));
}

void Stock::Give(int region, const std::string& key, const Origin& to, std::int64_t amount) {
  const auto write = [key, to, amount](LocalTxn& txn) {
    HW_CHECK(GiveRights(txn, kTable, key, kField, to, amount), "rights fit 64 bits", key);
  };
  const auto done = [this](Outcome end, const std::vector<Dot>& dots) {
    if (end == Outcome::kDurable && !dots.empty()) mesh_.coverage().Add(Branch::kRightsGiven);
  };
  mesh_.Submit(region, MakeJob(mesh_, region, write, {}, done));
}

void Stock::Delete(int region, const std::string& key) {
  const auto write = [key](LocalTxn& txn) { txn.Edit(kTable, key).DeleteAll(); };
  const auto done = [this](Outcome end, const std::vector<Dot>& dots) {
    if (end == Outcome::kDurable && !dots.empty()) mesh_.coverage().Add(Branch::kStockDeleted);
  };
  mesh_.Submit(region, MakeJob(mesh_, region, write, {}, done));
}

void Stock::Expire(int region, const std::string& key) {
  const std::int64_t ttl_ms = random_.Between(1, 300);
  mesh_.Submit(region, MakeJob(mesh_, region, [key, ttl_ms](LocalTxn& txn) {
                 RecordEdit& edit = txn.Edit(kTable, key);
                 if (edit.Alive()) edit.SetExpiry(txn.now_ms() + ttl_ms);
               }));
}

// --- What must be true ---------------------------------------------------------------------------

void Stock::Check(Region& region) {
  if (region.facts().forked) return;  // an older copy sells what it had sold; nobody takes that
  for (std::uint64_t i = 0; i < kKeys; ++i) CheckOne(region, KeyOf(i));
}

void Stock::CheckOne(Region& region, const std::string& key) {
  const std::string row_key = RowOf(key);
  const Held held = Read(region, row_key);
  const Held ledger = Read(region, LedgerRowKey(kTable, key));
  std::string& looked_at = looked_at_[{region.id(), key}];
  if (std::string now = held.bytes + ledger.bytes; now == looked_at) {
    return;
  } else {
    looked_at = std::move(now);
  }
  const std::int64_t shown = ShownIn(held.record);
  const std::string who = "region " + std::to_string(Raw(region.id())) + ", '" + key + "': shows " +
                          std::to_string(shown);
  HW_CHECK(shown >= 0, "a scarce field stays above its bound", who);
  std::int64_t sum = 0;
  for (const auto& [origin, rights] : RightsOf(held.record, kField, ledger.record)) {
    HW_CHECK(
        rights >= 0, "nobody has taken or given more than it had",
        who + ", region " + std::to_string(Raw(origin.region)) + " has " + std::to_string(rights));
    sum += rights;
  }
  HW_CHECK(sum == shown, "rights add up to what is left",
           who + ", rights are " + std::to_string(sum));
  const std::int64_t added = AddedIn(mesh_.truth(), row_key, region.watched().committed());
  HW_CHECK(added == shown, "what is left is what was added less what was taken",
           who + ", known are " + std::to_string(added));
  mesh_.coverage().Add(Branch::kStockChecked);
}

}  // namespace hawser::sim
