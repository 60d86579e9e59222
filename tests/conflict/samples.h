#pragma once

// Txns and records that show every part of the formats, for golden files and for attacks on bytes.

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "conflict/record.h"
#include "conflict/txn.h"

namespace hawser::test {

struct TxnSample {
  std::string name;
  Txn txn;
};
struct RecordSample {
  std::string name;
  Record record;
};
std::vector<TxnSample> TxnSamples();
std::vector<RecordSample> RecordSamples();

}  // namespace hawser::test
