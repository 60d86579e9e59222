#pragma once

// Applier: merges one txn into rows. Shared by live Apply and by replay after a crash, so that both
// derive the same rows from the same journal.
// Rule:    a row that already is at or past the txn's LSN is left alone, and nothing is
//          derived from it again. That makes replay over rows that a checkpoint wrote early
//          safe.
// Derived: what a change discarded becomes a row of the conflict log (conflict_log.h), what
//          an operator did one of the audit log (audit_log.h), what an indexed field shows an
//          entry of its index (index_table.h).
// Threads: one owner; keeps scratch memory, so that the common change allocates nothing.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/merge.h"
#include "conflict/record.h"
#include "conflict/txn.h"
#include "storage/conflict_keeper.h"
#include "storage/conflict_log.h"
#include "storage/index_set.h"
#include "storage/indexer.h"
#include "storage/store.h"

namespace hawser {

// A record as kept: its bytes, and the LSN of the last txn that touched it (also when the join
// changed nothing).
struct Row {
  Lsn lsn{};
  std::string_view record;
};

// Where rows are read and staged. What Newest hands out must stay valid until Apply returns.
class RowTable {
 public:
  virtual ~RowTable() = default;
  virtual std::optional<Row> Newest(std::string_view row_key) = 0;
  // REQUIRES: Newest of the same key came just before.
  virtual void Stage(std::string_view row_key, Lsn lsn, std::string_view record) = 0;
  // Stages without having looked: a row, or that there is none. Of a removed row no LSN is known
  // any more: only for rows that replay may write again.
  virtual void Put(std::string_view row_key, Lsn lsn, std::string_view record) = 0;
  virtual void Remove(std::string_view row_key, Lsn lsn) = 0;
};

class Applier {
 public:
  // `log` must outlive the applier.
  explicit Applier(const ConflictLogOptions& log) : log_(log) {}

  // Appends what gave way to `discarded`; its texts borrow from `txn` and from rows handed out by
  // Newest. False: a row's bytes are no record (damaged); the txn is then applied in part and the
  // caller must give up. `highest`: the highest stamp of any txn up to this one, itself included.
  bool Apply(Lsn lsn, Stamp highest, const Dot& dot, const Txn& txn, RowTable& rows,
             std::vector<Discarded>& discarded);

  // The indexes declared so far. At open: what the tables hold, loaded before any replay.
  IndexSet& indexes() { return indexes_; }

 private:
  void LogConflict(const ConflictPlace& place, const Writer& writer, const Change& change,
                   const Discarded& what, RowTable& rows);
  void LogAudit(Lsn lsn, const Writer& writer, const Txn& txn, RowTable& rows);

  const ConflictLogOptions& log_;
  IndexSet indexes_;
  Indexer indexer_;
  Record record_;
  Record logged_;
  std::string row_key_;
  std::string bytes_;
};

}  // namespace hawser
