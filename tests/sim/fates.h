#pragma once

// Fates: for the coverage's table, what a local txn does to fields of each rule: deletes, makes
// anew, replaces, follows an expiry, overrides.

#include "conflict/txn.h"
#include "storage/memory_store.h"
#include "tests/sim/coverage.h"
#include "tests/sim/truth.h"

namespace hawser::sim {

// Before `txn` is applied to `store`.
void CountFates(const Txn& txn, MemoryStore& store, const Truth& truth, Coverage& coverage);

}  // namespace hawser::sim
