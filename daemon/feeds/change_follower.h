#pragma once

// ChangeFollower: reads what a region applied, local and remote alike, change by change in the
// order applied, from a place in the journal on. Tables of the product's own ("!…") are left out.
// Promise: every change that was readable at the place or behind it is given once, in order, or it
//          is said that the journal was trimmed. Nothing is held but the place.
// Threads: one, with a JournalReader of its own.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "conflict/txn.h"
#include "storage/store.h"

namespace hawser {

// The next change to read: that of an index in the txn of an LSN.
struct ChangePlace {
  Lsn lsn{1};
  std::uint32_t index = 0;
  bool operator==(const ChangePlace&) const = default;
};
void PutChangePlace(const ChangePlace& place, std::string& out);
std::optional<ChangePlace> ReadChangePlace(std::string_view bytes);

struct AppliedChange {
  const JournalEntry& entry;
  const Txn& txn;
  const Change& change;
  bool last_of_txn = false;  // the product's own tables aside
  ChangePlace behind;        // where who has read it goes on
};

class ChangeFollower {
 public:
  explicit ChangeFollower(ChangePlace place) : place_(place) {}
  const ChangePlace& place() const { return place_; }
  void MoveTo(const ChangePlace& place) { place_ = place; }

  enum class End {
    kAll,      // everything that can be read was read
    kMore,     // `visit` said false, or txns_max were looked at
    kTrimmed,  // the place is not in the journal any more (or was never): nothing was read
    kFailed,   // the journal cannot be read; the engine finds out too
  };
  // Moves behind every change visited. `visit` says false behind the last one it wants.
  End Read(JournalReader& journal, std::uint32_t txns_max,
           const std::function<bool(const AppliedChange&)>& visit);

 private:
  ChangePlace place_;
  Txn txn_;
};

}  // namespace hawser
