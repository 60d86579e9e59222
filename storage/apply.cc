#include "storage/apply.h"

#include "conflict/record_codec.h"
#include "conflict/variant.h"
#include "storage/conflict_log.h"

namespace hawser {

bool Applier::Apply(Lsn lsn, const Dot& dot, const Txn& txn, RowTable& rows,
                    std::vector<Discarded>& discarded) {
  const Writer writer{dot, Version{txn.stamp, dot.origin.region}, txn.deps};
  for (const Change& change : txn.changes) {
    row_key_.clear();
    AppendRowKey(change.table, change.key, row_key_);
    if (const std::optional<Row> row = rows.Newest(row_key_)) {
      if (row->lsn >= lsn && !HW_VARIANT(kReplayWithoutLsnSkip)) continue;
      if (!DecodeRecord(row->record, record_)) return false;
    } else {
      record_.clear();
    }
    const std::size_t known = discarded.size();
    ApplyChange(writer, change, record_, discarded);
    bytes_.clear();
    EncodeRecord(record_, bytes_);
    rows.Stage(row_key_, lsn, bytes_);
    for (std::size_t i = known; i < discarded.size(); ++i) {
      LogConflict(lsn, writer, change, discarded[i], rows);
    }
  }
  return true;
}

// A value is discarded once; should its id be there already (a repaired record), the first report
// stays.
void Applier::LogConflict(Lsn lsn, const Writer& writer, const Change& change,
                          const Discarded& what, RowTable& rows) {
  row_key_.clear();
  AppendRowKey(kConflictTable, ConflictId(change.table, change.key, what), row_key_);
  if (rows.Newest(row_key_)) return;
  bytes_.clear();
  EncodeConflict(writer, change.table, change.key, what, bytes_);
  rows.Stage(row_key_, lsn, bytes_);
}

}  // namespace hawser
