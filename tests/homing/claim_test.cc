// Claims, by themselves: who may claim and release, and what is confirmed when.

#include "homing/claim.h"

#include <doctest/doctest.h>

#include <string>

#include "conflict/declaration.h"
#include "conflict/internal_tables.h"
#include "homing/claim_book.h"
#include "storage/conflict_log.h"
#include "storage/memory_store.h"

namespace hawser {
namespace {

constexpr std::int64_t kNowMs = 1'790'000'000'000;

Schema Internal() {
  Schema schema;
  AddInternalRules(schema);
  return schema;
}

// One region's store, and txns of other regions as they arrive.
struct Place {
  explicit Place(int region)
      : store(MemoryStoreOptions{.region = RegionId{static_cast<std::uint8_t>(region)},
                                 .cluster_id = 1,
                                 .incarnation = Incarnation{static_cast<std::uint64_t>(region)}}) {}

  struct Made {
    JournalEntry entry;
    std::string bytes;
    Dot dot;
  };
  Made Commit(LocalTxn& local, std::int64_t at_ms = kNowMs) {
    Txn txn;
    txn.changes = local.Finish();
    REQUIRE(!txn.changes.empty());
    txn.stamp = Stamp::FromMs(at_ms);
    for (const Dot& dot : store.applied().dots()) {
      if (dot.origin != store.self()) txn.deps.Raise(dot);
    }
    const Dot dot{store.self(), Next(store.applied().Get(store.self()))};
    const std::uint64_t before = *store.HashAt(dot.origin, Before(dot.seq));
    Made made{.entry = {}, .bytes = {}, .dot = dot};
    EncodeTxn(txn, made.bytes);
    made.entry = {dot.origin, dot.seq, HashNext(before, made.bytes), made.bytes, before};
    Take(made);
    return made;
  }
  std::vector<Discarded> Take(const Made& made) {
    Txn txn;
    REQUIRE(DecodeTxn(made.bytes, txn));
    JournalEntry entry = made.entry;
    entry.bytes = made.bytes;
    discarded.clear();
    store.Apply(entry, txn, discarded);
    REQUIRE(store.Commit(txn.stamp));
    return discarded;
  }
  Made Claim(const std::string& value, const std::string& owner, std::int64_t at_ms = kNowMs) {
    LocalTxn txn(store, schema, kNowMs);
    REQUIRE(MakeClaim(txn, "login", value, owner).effect == ClaimEffect::kWritten);
    return Commit(txn, at_ms);
  }
  Made Release(const std::string& value, const std::string& owner, std::int64_t at_ms = kNowMs) {
    LocalTxn txn(store, schema, kNowMs);
    REQUIRE(MakeRelease(txn, "login", value, owner).effect == ClaimEffect::kWritten);
    return Commit(txn, at_ms);
  }
  hawser::Claim Shown(const std::string& value, const Proof& proof = {}) {
    return ClaimOf(store.Read(ClaimRowKey("login", value)), proof);
  }

  Schema schema = Internal();
  MemoryStore store;
  std::vector<Discarded> discarded;
};

}  // namespace

TEST_CASE("a value has one owner; the same owner again is no second claim") {
  Place here(1);
  here.Claim("anna", "u1");
  LocalTxn again(here.store, here.schema, kNowMs);
  CHECK(MakeClaim(again, "login", "anna", "u1").effect == ClaimEffect::kSame);
  CHECK(again.Finish().empty());

  LocalTxn rival(here.store, here.schema, kNowMs);
  const ClaimOutcome taken = MakeClaim(rival, "login", "anna", "u2");
  CHECK(taken.effect == ClaimEffect::kTaken);
  CHECK(taken.owner == "u1");
  CHECK(rival.Finish().empty());
}

TEST_CASE("only the owner that is shown may release") {
  Place here(1);
  here.Claim("anna", "u1");
  LocalTxn rival(here.store, here.schema, kNowMs);
  CHECK(MakeRelease(rival, "login", "anna", "u2").effect == ClaimEffect::kTaken);
  CHECK(rival.Finish().empty());
  here.Release("anna", "u1");
  CHECK(here.Shown("anna").state == ClaimState::kFree);
  LocalTxn twice(here.store, here.schema, kNowMs);
  CHECK(MakeRelease(twice, "login", "anna", "u1").effect == ClaimEffect::kSame);

  here.Claim("anna", "u2");  // free again
  CHECK(here.Shown("anna").owner == "u2");
}

TEST_CASE("what one txn releases, the same txn can claim for another") {
  Place here(1);
  here.Claim("anna", "u1");
  LocalTxn txn(here.store, here.schema, kNowMs);
  REQUIRE(MakeRelease(txn, "login", "anna", "u1").effect == ClaimEffect::kWritten);
  REQUIRE(MakeClaim(txn, "login", "anna", "u2").effect == ClaimEffect::kWritten);
  here.Commit(txn);
  CHECK(here.Shown("anna").owner == "u2");
}

TEST_CASE("confirmed takes both: stable everywhere, and logs compared since the start") {
  Place here(1);
  const Dot dot = here.Claim("anna", "u1").dot;
  const Stable all{.cut = {dot}, .clock_ms = 0};
  const Stable late_clock{.cut = {}, .clock_ms = kNowMs * 2};
  CHECK(here.Shown("anna", {.stable = all, .compared = true}).state == ClaimState::kConfirmed);
  CHECK(here.Shown("anna", {.stable = all, .compared = false}).state == ClaimState::kPending);
  CHECK(here.Shown("anna", {.stable = {}, .compared = true}).state == ClaimState::kPending);
  CHECK(here.Shown("anna", {.stable = late_clock, .compared = true}).state == ClaimState::kPending);
}

TEST_CASE(
    "of two regions' claims the earlier stays, and only the loser is in the log, as a claim") {
  Place one(1), two(2);
  const auto first = one.Claim("anna", "u1", kNowMs);
  const auto second = two.Claim("anna", "u2", kNowMs + 5);
  const auto at_one = one.Take(second);
  const auto at_two = two.Take(first);
  for (const auto* discarded : {&at_one, &at_two}) {
    REQUIRE(discarded->size() == 1);
    CHECK(discarded->front().loser.dot == second.dot);
    CHECK(KindOf(discarded->front()) == ConflictKind::kClaim);
  }
  CHECK(one.Shown("anna").owner == "u1");
  CHECK(two.Shown("anna").owner == "u1");
}

TEST_CASE("the same owner in two regions loses nothing") {
  Place one(1), two(2);
  const auto first = one.Claim("anna", "u1");
  const auto second = two.Claim("anna", "u1");
  CHECK(one.Take(second).empty());
  CHECK(two.Take(first).empty());
}

TEST_CASE("a claim that a release kills unseen is no loser to a rival") {
  Place one(1), two(2);
  const auto first = one.Claim("anna", "u1", kNowMs + 5);
  const auto release = one.Release("anna", "u1", kNowMs + 6);
  two.Claim("anna", "u2", kNowMs);
  CHECK(two.Take(first).size() == 1);  // u1 came later
  const auto killed = two.Take(release);
  REQUIRE(killed.size() == 1);
  CHECK(killed.front().winner.null);
  CHECK(KindOf(killed.front()) == ConflictKind::kDelete);
}

TEST_CASE("a retry under the same request id gets the first's answer, whatever owner it made up") {
  Place here(1);
  LocalTxn first(here.store, here.schema, kNowMs);
  REQUIRE(MakeClaim(first, "login", "anna", "u1", "r1").effect == ClaimEffect::kWritten);
  here.Commit(first);

  LocalTxn retry(here.store, here.schema, kNowMs + 1000);
  const ClaimOutcome again = MakeClaim(retry, "login", "anna", "u1-made-up", "r1");
  CHECK(again.effect == ClaimEffect::kSame);
  CHECK(again.owner == "u1");
  CHECK(retry.Finish().empty());

  LocalTxn other(here.store, here.schema, kNowMs);
  CHECK(MakeClaim(other, "login", "berta", "u1", "r1").effect == ClaimEffect::kOtherRequest);
  CHECK(other.Finish().empty());

  LocalTxn next_day(here.store, here.schema, kNowMs + kRequestKeptMs);
  CHECK(MakeClaim(next_day, "login", "berta", "u1", "r1").effect == ClaimEffect::kWritten);

  here.Release("anna", "u1");
  LocalTxn late(here.store, here.schema, kNowMs);
  CHECK(MakeClaim(late, "login", "anna", "u1", "r1").effect == ClaimEffect::kGone);
  here.Claim("anna", "u2");
  LocalTxn later(here.store, here.schema, kNowMs);
  CHECK(MakeClaim(later, "login", "anna", "u1", "r1").effect == ClaimEffect::kTaken);
}

TEST_CASE("values, owners and names are bounded") {
  CHECK(IsClaimName("login", "a"));
  CHECK(IsClaimName("login", std::string("a\0b", 3)));
  CHECK_FALSE(IsClaimName("login", ""));
  CHECK_FALSE(IsClaimName("!login", "a"));
  CHECK_FALSE(IsClaimName("login", std::string(480, 'x')));
  CHECK_FALSE(IsOwner(""));
  CHECK_FALSE(IsOwner(std::string(513, 'x')));
  const std::string value("a\0b", 3);
  const std::string key = ClaimKey("login", value);
  CHECK(SplitClaimKey(key).name == "login");
  CHECK(SplitClaimKey(key).value == value);
}

TEST_CASE("the book counts a claim once: pending, then confirmed with its time, or gone") {
  Place one(1);
  ClaimBook book(RegionId{1});
  const auto made = one.Claim("anna", "u1");
  Txn txn;
  REQUIRE(DecodeTxn(made.bytes, txn));
  book.OnApplied(made.dot, txn, 1000);
  CHECK(book.counts().pending == 1);
  const Proof proof{.stable = {.cut = {made.dot}, .clock_ms = 0}, .compared = true};
  const auto look = [&](std::string_view row_key) { return ClaimOf(one.store.Read(row_key), {}); };
  book.OnProof({.stable = proof.stable, .compared = false}, look, 1080);
  CHECK(book.counts().pending == 1);
  book.OnProof(proof, look, 1080);
  book.OnProof(proof, look, 1090);
  const ClaimCounts counts = book.counts();
  CHECK(counts.pending == 0);
  CHECK(counts.confirmed_total == 1);
  CHECK(counts.confirm_seconds_sum == doctest::Approx(0.08));

  const auto gone = one.Claim("berta", "u1");
  REQUIRE(DecodeTxn(gone.bytes, txn));
  book.OnApplied(gone.dot, txn, 1000);
  one.Release("berta", "u1");
  book.OnProof({.stable = {.cut = {gone.dot}, .clock_ms = 0}, .compared = true}, look, 2000);
  CHECK(book.counts().pending == 0);
  CHECK(book.counts().confirmed_total == 1);
}

}  // namespace hawser
