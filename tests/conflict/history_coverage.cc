#include "tests/conflict/history.h"

namespace hawser::test {

const char* Name(Event event) {
  static constexpr const char* kNames[] = {
      "txns",
      "txns over many records",
      "txns applied from afar",
      "packets repeated",
      "packets overtaken",
      "stamps of one millisecond",
      "edits refused",
      "edits without effect",
      "overrides",
      "writes over an expired record",
      "dead records dropped",
      "expired records dropped",
      "dead counters dropped",
      "created marks that dropped cells",
      "absent marks that dropped cells",
      "joins decided by generation",
      "conflicts lww",
      "conflicts states",
      "conflicts first",
      "conflicts max and min",
      "conflicts won by a delete",
      "conflicts of an expiry that comes sooner",
      "conflicts of adds to what is no number",
      "causal overwrites",
      "counter bases",
      "counter adds",
      "counter adds after a delete in one txn",
      "counter shares dropped by a base",
      "expiries set",
      "claims confirmed",
      "claims released",
      "records shown at the end",
      "records with an expiry shown at the end",
  };
  static_assert(std::size(kNames) == static_cast<std::size_t>(Event::kCount));
  return kNames[static_cast<std::size_t>(event)];
}

std::string Coverage::Print() const {
  std::string out;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    out += "  " + std::to_string(counts_[i]) + " " + Name(static_cast<Event>(i)) + "\n";
  }
  return out;
}

}  // namespace hawser::test
