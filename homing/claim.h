#pragma once

// Claims: who owns a unique value. A claim is a row of the internal table "!unique", key = name,
// zero byte, value, with one field of kind `first` that holds the owner and nothing else: the same
// owner in two regions is one owner. A release is a delete of that field, one generation up, and
// only the owner that is shown may make one. There is no coordinator and no other state.
//
// Pending   the region shows the owner; another region may hold a claim that wins.
// Confirmed every member has applied the claim, and whatever they did before that is applied here
//           (the stable cut covers its dot), so nothing can come any more that had not seen it; and
//           this process has compared its log with every member's copy of it, so it is no older
//           copy of a store that has forgotten a release.
// Threads:  plain values; MakeClaim and MakeRelease where the LocalTxn belongs.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conflict/drop.h"
#include "conflict/record.h"
#include "homing/request.h"
#include "storage/local_txn.h"

namespace hawser {

// What this region can prove of others; see wan/counting.h for `stable`.
struct Proof {
  Stable stable;
  // Since this process began, every member has said what it holds of this
  // region's log, and it was what is here.
  bool compared = false;
};

enum class ClaimState : std::uint8_t { kFree, kPending, kConfirmed };
const char* Text(ClaimState state);  // "free", "pending", "confirmed"

struct Claim {
  ClaimState state = ClaimState::kFree;
  std::string owner;  // empty: free
  Version version;    // of the claim shown; of a free value zero
  Dot dot;
};

// What a region that holds `record` may say. `proof` must not be newer than `record`: take the
// proof first, then read.
Claim ClaimOf(const Record& record, const Proof& proof);
// The same of a row's bytes; nullopt or no record: free.
Claim ClaimOf(std::optional<std::string_view> record_bytes, const Proof& proof);

// The key within the table, and the row key.
std::string ClaimKey(std::string_view name, std::string_view value);
std::string ClaimRowKey(std::string_view name, std::string_view value);
struct ClaimName {
  std::string_view name, value;
};
ClaimName SplitClaimKey(std::string_view key);

// Names are table names; a value has at least a byte and fits a key; an owner has 1 to 512 bytes.
inline constexpr std::size_t kOwnerBytesMax = 512;
bool IsClaimName(std::string_view name, std::string_view value);
inline bool IsOwner(std::string_view owner) {
  return !owner.empty() && owner.size() <= kOwnerBytesMax;
}

enum class ClaimEffect : std::uint8_t {
  kWritten,  // the txn holds the claim, or the release
  kSame,     // nothing to write: the owner has it already; of a release: it is free
  // Of the following nothing is written, and nothing else of the txn should be.
  kTaken,         // another owner is shown
  kOtherRequest,  // the request id was used for another value
  kGone,          // the request's claim was made before, and released since
};
struct ClaimOutcome {
  ClaimEffect effect = ClaimEffect::kWritten;
  std::string owner;  // who is shown, after what this txn does
};

// REQUIRES: IsClaimName, IsOwner, and a schema with AddInternalRules. A `request_id` (empty: none)
// that has claimed this value before stands for the owner it was given then, whatever `owner` says
// now: who retries with a newly made owner gets the first's answer.
ClaimOutcome MakeClaim(LocalTxn& txn, std::string_view name, std::string_view value,
                       std::string_view owner, std::string_view request_id = {});
ClaimOutcome MakeRelease(LocalTxn& txn, std::string_view name, std::string_view value,
                         std::string_view owner);

}  // namespace hawser
