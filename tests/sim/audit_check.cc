#include "tests/sim/audit_check.h"

#include <map>
#include <set>
#include <string>

#include "conflict/internal_tables.h"
#include "conflict/record_codec.h"
#include "storage/audit_log.h"
#include "tests/sim/check.h"

namespace hawser::sim {

void CheckAudit(Region& region, const Truth& truth, Coverage& coverage) {
  const std::string who = "region " + std::to_string(Raw(region.id()));
  std::map<std::uint64_t, std::pair<std::string, std::string>> entries;  // seq: bytes, hash
  std::string start;
  AppendRowKey(kAuditTable, "", start);
  Record record;
  region.store().ScanNewest(start, [&](std::string_view row_key, std::string_view bytes) {
    if (SplitRowKey(row_key).table != kAuditTable) return false;
    HW_CHECK(DecodeRecord(bytes, record), "row is a record", who + ", audit log");
    const auto seq = ParseAuditKey(SplitRowKey(row_key).key);
    const auto row = ParseAuditRow(record);
    HW_CHECK(seq && row, "audit rows read", who);
    entries.emplace(*seq, std::pair(std::string(row->entry), std::string(row->hash)));
    return true;
  });

  std::set<Dot> told;
  std::string hash;
  std::uint64_t seq = 0;
  for (const auto& [at, entry] : entries) {
    HW_CHECK(at == ++seq, "the audit log has no gaps", who + " lacks " + std::to_string(seq));
    hash = AuditHash(hash, entry.first);
    HW_CHECK(hash == entry.second, "the audit chain verifies", who + " at " + std::to_string(at));
    const auto read = DecodeAuditEntry(entry.first);
    HW_CHECK(read.has_value(), "audit rows read", who);
    HW_CHECK(told.insert(read->dot).second, "each act is audited once",
             who + ": " + Text(read->dot));
    coverage.Add(Branch::kAuditChecked);
  }
  std::string head_key;
  AppendRowKey(kAuditHeadTable, "", head_key);
  if (const auto bytes = region.store().Read(head_key)) {
    HW_CHECK(DecodeRecord(*bytes, record), "row is a record", who + ", audit head");
    const auto head = ParseAuditHead(record);
    HW_CHECK(head && head->seq == seq && head->hash == hash, "the audit head is the last entry",
             who);
  } else {
    HW_CHECK(seq == 0, "the audit head is the last entry", who + " has none");
  }

  std::set<Dot> acts;
  for (const auto& [row_key, writes] : truth.rows()) {
    const std::string_view table = SplitRowKey(row_key).table;
    if (table != kResolutionTable && table != kHomeTable) continue;
    for (const Written& written : writes) {
      if (table == kHomeTable && written.change->ops.front().generation == 0) continue;
      if (region.watched().committed().Covers(written.by->dot)) acts.insert(written.by->dot);
    }
  }
  HW_CHECK(acts == told, "every resolution and every move is audited",
           who + " has applied " + std::to_string(acts.size()) + " and tells of " +
               std::to_string(told.size()));
}

}  // namespace hawser::sim
