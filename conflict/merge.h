#pragma once

// Merge: what a record is after one more change. Always the join of cells; whether the incoming
// write had seen the old cell decides only what is reported as discarded.
// Laws (tests/conflict/merge_laws_test.cc): the same txns in any causal order leave the same
// visible record; applying one twice changes nothing.

#include <vector>

#include "conflict/cut.h"
#include "conflict/record.h"
#include "conflict/txn.h"

namespace hawser {

// Who writes: the txn's dot and version, and what it had seen.
struct Writer {
  Dot dot;
  Version version;
  const Cut& deps;
  bool Saw(const Dot& other) const {
    return other.origin == dot.origin ? other.seq < dot.seq : deps.Covers(other);
  }
};

// A value that was acknowledged or shown and gave way to a write that had not seen it.
struct Discarded {
  bool expiry = false;
  std::string_view field;
  Cell winner;
  Cell loser;
};

// Applies one change to the record it is about. The record afterwards borrows from its old bytes
// and from the change's. Appends to `discarded` what was lost to a write that had not seen it.
void ApplyChange(const Writer& writer, const Change& change, Record& record,
                 std::vector<Discarded>& discarded);

}  // namespace hawser
