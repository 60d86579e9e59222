#pragma once

// Random causal histories: 2..5 regions write records of every kind through RecordEdit, ship the
// bytes of their txns over a network that reorders and repeats, drop what is dead and stable, and
// in the end hear everything. A watcher with full knowledge (which txn had really been applied
// where when another was written) judges every step; nothing it knows comes from the code under
// test.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace hawser::test {

// What happened, counted over all histories; a law that was never tried proves nothing.
enum class Event : std::size_t {
  kTxn,
  kTxnManyRecords,
  kApplied,
  kRepeated,
  kReordered,
  kSameMillisecond,
  kRefused,
  kNoOp,
  kOverride,
  kWroteOverExpired,
  kDroppedNull,
  kDroppedExpired,
  kDroppedCounter,
  kCreatedMarkUsed,
  kAbsentMarkUsed,
  kGenerationDecided,
  kConflictLww,
  kConflictStates,
  kConflictFirst,
  kConflictMaxMin,
  kConflictNullWon,
  kConflictExpiry,
  kConflictAdds,
  kCausalOverwrite,
  kCounterBase,
  kCounterAdd,
  kCounterAddOverDelete,
  kShareDropped,
  kExpirySet,
  kClaimConfirmed,
  kClaimReleased,
  kShownAtEnd,
  kShownWithExpiryAtEnd,
  kCount,
};
const char* Name(Event event);

class Coverage {
 public:
  void Add(Event event, std::uint64_t n = 1) { counts_[static_cast<std::size_t>(event)] += n; }
  std::uint64_t Get(Event event) const { return counts_[static_cast<std::size_t>(event)]; }
  std::string Print() const;

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Event::kCount)> counts_{};
};

// Runs the history of that seed. Empty if every law held, else what broke first.
std::string RunHistory(std::uint64_t seed, Coverage& coverage);

}  // namespace hawser::test
