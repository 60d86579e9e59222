#pragma once

// Merge: what a record is after one more change. Always the join of cells; whether the incoming
// write had seen the old cell decides only what is reported as discarded.
// Laws (tests/conflict/merge_laws_test.cc): the same txns in any causal order leave the same
// visible record; applying one twice in a row changes nothing, though it reports again what it
// discarded (under the same loser). Who has applied a dot long ago must not apply it again: what it
// wrote may be dropped by now.

#include <memory>
#include <string>
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

// A value that was acknowledged or shown and gave way to a write that had not seen it. What merely
// moved on along its line (a later state, a larger max, an add that counts on) is none, nor is a
// value that gave way to the same value.
struct Discarded {
  // The record's expiry: a write that had not seen the loser makes the record go sooner than the
  // loser said (a null loser: never). Not reported where a field of the loser's txn is.
  bool expiry = false;
  // The loser is not a cell but what its origin added to a counter, as a number's text: a base that
  // is no number takes no adds.
  bool adds = false;
  std::string_view table;  // of the change; filled in by who applies the txn (storage/apply.h)
  std::string_view key;    // of the change, likewise
  std::string_view field;
  Cell winner;
  Cell loser;
  std::shared_ptr<const std::string> text;  // of `adds`, what loser.value borrows from
};

// Applies one change to the record it is about. The record afterwards borrows from its old bytes
// and from the change's. Appends to `discarded` what was lost to a write that had not seen it.
void ApplyChange(const Writer& writer, const Change& change, Record& record,
                 std::vector<Discarded>& discarded);

}  // namespace hawser
