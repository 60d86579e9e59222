#include "storage/apply.h"

#include "conflict/declaration.h"
#include "conflict/record_codec.h"
#include "conflict/variant.h"
#include "storage/audit_log.h"
#include "storage/conflict_log.h"

namespace hawser {

bool Applier::Apply(Lsn lsn, Stamp highest, const Dot& dot, const Txn& txn, RowTable& rows,
                    std::vector<Discarded>& discarded) {
  const Writer writer{dot, Version{txn.stamp, dot.origin.region}, txn.deps};
  bool audited = false;
  for (const Change& change : txn.changes) {
    audited = audited || IsAudited(change);
    row_key_.clear();
    AppendRowKey(change.table, change.key, row_key_);
    if (const std::optional<Row> row = rows.Newest(row_key_)) {
      if (row->lsn >= lsn && !HW_VARIANT(kReplayWithoutLsnSkip)) continue;
      if (!DecodeRecord(row->record, record_)) return false;
    } else {
      record_.clear();
    }
    const IndexSet::Fields* indexed = indexes_.Find(change.table);
    if (indexed) indexer_.Look(*indexed, record_);
    const std::size_t known = discarded.size();
    ApplyChange(writer, change, record_, discarded);
    bytes_.clear();
    EncodeRecord(record_, bytes_);
    rows.Stage(row_key_, lsn, bytes_);
    if (indexed) indexer_.Derive(*indexed, change.table, change.key, record_, lsn, rows);
    if (change.table == kDeclarationTable) indexes_.Take(change.key, record_);
    for (std::size_t i = known; i < discarded.size(); ++i) {
      discarded[i].table = change.table;
      discarded[i].key = change.key;
      LogConflict({highest, lsn}, writer, change, discarded[i], rows);
    }
  }
  if (audited) LogAudit(lsn, writer, txn, rows);
  return true;
}

// All of a txn's entries at once: a head at or past the LSN says that they are there.
void Applier::LogAudit(Lsn lsn, const Writer& writer, const Txn& txn, RowTable& rows) {
  AuditHead head;
  row_key_.clear();
  AppendRowKey(kAuditHeadTable, "", row_key_);
  if (const std::optional<Row> row = rows.Newest(row_key_)) {
    if (row->lsn >= lsn || !DecodeRecord(row->record, logged_)) return;
    const auto known = ParseAuditHead(logged_);
    if (!known) return;
    head = *known;
  }
  for (const AuditRows::Each& each : AppendAudit(writer, txn, head).rows) {
    row_key_.clear();
    AppendRowKey(each.table, each.key, row_key_);
    (void)rows.Newest(row_key_);  // Stage follows Newest of the same key
    rows.Stage(row_key_, lsn, each.bytes);
  }
}

// A value is discarded once; should its id be there already (a repaired record), the first report
// stays. In replay the row may have been checkpointed and its place in the order not, or both.
void Applier::LogConflict(const ConflictPlace& place, const Writer& writer, const Change& change,
                          const Discarded& what, RowTable& rows) {
  if (change.table == kResolutionTable) return;  // both resolutions are in the audit log
  if (log_.IsQuiet(change.table, what.field)) return;
  const std::string id = ConflictId(change.table, change.key, what);
  row_key_.clear();
  AppendRowKey(kConflictTable, id, row_key_);
  bytes_.clear();
  if (const std::optional<Row> row = rows.Newest(row_key_)) {
    if (!DecodeRecord(row->record, logged_)) return;
    const auto known = ParseConflict(logged_);
    if (!known || known->place != place) return;
    bytes_ = row->record;
  } else {
    EncodeConflict(writer, place, change.table, change.key, what, bytes_);
    rows.Stage(row_key_, place.lsn, bytes_);
  }
  const std::size_t row_bytes = bytes_.size();
  row_key_.clear();
  AppendRowKey(kConflictOrderTable, OrderKey(place, id), row_key_);
  if (rows.Newest(row_key_)) return;
  bytes_.clear();
  EncodeOrderRow(writer, row_bytes, bytes_);
  rows.Stage(row_key_, place.lsn, bytes_);
}

}  // namespace hawser
