#pragma once

// Declare: brings what the configuration declares into the replicated facts.

#include <string>
#include <vector>

#include "conflict/schema.h"
#include "storage/local_txn.h"

namespace hawser {

// One thing of the configuration that is declared otherwise.
struct Contradiction {
  std::string table;
  bool of_field = false;  // else of the table itself
  std::string field;      // a field's name may be empty
  std::string key;        // "resolve", "order", "min"; "placement", "default_home"
  std::string text;       // what is wrong and what to do
  bool operator==(const Contradiction&) const = default;
};

struct Declaring {
  std::vector<Contradiction> contradictions;
  // Lines of states that were extended since: they hold; the configuration may be brought up.
  std::vector<Contradiction> older;
};

// Adds a fact to `txn` for everything of `schema` that is not declared yet, states added to a
// declared line included. Nothing of `txn` should be committed if there are contradictions.
Declaring Declare(const Schema& schema, LocalTxn& txn);

}  // namespace hawser
