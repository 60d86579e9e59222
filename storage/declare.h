#pragma once

// Declare: brings what the configuration declares into the replicated facts.

#include <string>
#include <vector>

#include "conflict/schema.h"
#include "storage/local_txn.h"

namespace hawser {

// Adds a declaration for every field rule of `schema` that none is known of yet. Gives, for each
// rule that contradicts what is declared already, a text that says which and what to do; nothing of
// `txn` should be committed then.
std::vector<std::string> Declare(const Schema& schema, LocalTxn& txn);

}  // namespace hawser
