#pragma once

// Escrow: fields that never fall below their `min`, whatever regions sell at once. What such a
// field shows is split into rights, and every origin lowers the field only within its own:
//
//   rights of an origin = what it added, less what it took, + what it was given, - what it gave
//   Σ rights            = what the field shows, in every region at every moment
//
// Each number is written by one origin alone, so its own rights are always exactly known to it, and
// what it knows of others' is never more than they have had. What was given stands in the internal
// table "!rights", one row per record, a counter per (field, taker): the shares of that counter are
// the givers'. A transfer is a txn of the giver; the taker has it once it has applied that txn.
// Source of the idea: O'Neil, "The Escrow Transactional Method" (1986); the matrix: Balegas et al.,
// "Bounded Counter" (2015).
//
// A field with rights left is not deleted, and no record of its table expires: what is left of it
// would be gone without having been taken. It may be deleted when nothing is left and every member
// knows all of it; then two deletes that know nothing of each other fold in the same, and rights
// still add up.
//
// `min` is 0 (the configuration sees to it): to keep a reserve, store what is above it.
// Threads: plain values and pure functions, but what takes a LocalTxn: where that belongs.

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conflict/record.h"
#include "conflict/schema.h"
#include "conflict/txn.h"
#include "homing/claim.h"
#include "storage/local_txn.h"

namespace hawser {

// The scarce fields of each table that has some.
using ScarceFields = std::map<std::string, std::set<std::string, std::less<>>, std::less<>>;
ScarceFields ScarceFieldsOf(const Schema& schema);

// What each origin may take of a field; no zeros. Negative only where somebody took more before the
// field was declared scarce.
using Rights = std::map<Origin, std::int64_t>;
// `ledger`: the record's row of "!rights".
Rights RightsOf(const Record& record, std::string_view field, const Record& ledger);
std::int64_t RightsOf(const Rights& rights, const Origin& origin);

std::string LedgerKey(std::string_view table, std::string_view key);
std::string LedgerRowKey(std::string_view table, std::string_view key);

// Rights that this region should have more of.
struct RightsWish {
  std::string table, key, field;
  std::int64_t held = 0;  // by this origin, after the write if that was taken
  std::int64_t need = 0;  // more, that a refused write lacked; 0: ahead of need
  std::vector<std::pair<Origin, std::int64_t>> holders;  // who has some, most first; never us
};

// Why a txn may not be committed.
struct ScarceRefused {
  enum class Why : std::uint8_t {
    kShort,    // it takes more than the rights held here: see `wish`
    kInTheWay  // it would delete, replace or let expire what still has rights
  };
  Why why = Why::kShort;
  RightsWish wish;  // of kShort
};
struct ScarceTaken {
  bool added = false;             // something to the txn: its changes are to be taken anew
  std::vector<RightsWish> ahead;  // fields that run low here
};
// Looks at what `txn` would write, as `changes` say. `members`: how many share the rights. `proof`
// is asked only about what is deleted. REQUIRES: a txn that gives rights does nothing else.
std::expected<ScarceTaken, ScarceRefused> TakeScarce(const std::vector<Change>& changes,
                                                     const ScarceFields& scarce, const Origin& self,
                                                     std::size_t members,
                                                     const std::function<Proof()>& proof,
                                                     LocalTxn& txn);

// Gives rights, in a txn of its own. False: more than 64 bits were ever given, nothing is written.
// REQUIRES: amount > 0
bool GiveRights(LocalTxn& txn, std::string_view table, std::string_view key, std::string_view field,
                const Origin& to, std::int64_t amount);

// How much of what it holds a region gives one that holds `theirs` and needs `need` more at once:
// half the difference, so that both go on, or all that is needed if there is as much.
std::int64_t RightsToGive(std::int64_t held, std::int64_t theirs, std::int64_t need);

}  // namespace hawser
