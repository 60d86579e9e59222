// Requests, by themselves: what a row says, and the room that a region's requests take.

#include "homing/request.h"

#include <doctest/doctest.h>

#include "conflict/declaration.h"
#include "conflict/record_codec.h"
#include "homing/request_book.h"
#include "storage/memory_store.h"

namespace hawser {
namespace {

constexpr std::int64_t kNowMs = 1'790'000'000'000;

}  // namespace

TEST_CASE("a region counts what it noted itself, of one scope, and only as long as it is kept") {
  Schema schema;
  AddInternalRules(schema);
  MemoryStore store(
      MemoryStoreOptions{.region = RegionId{1}, .cluster_id = 1, .incarnation = Incarnation{1}});
  const auto note = [&](const Origin& origin, const char* scope, const char* id,
                        std::int64_t kept_ms) {
    LocalTxn local(store, schema, kNowMs);
    NoteRequest(local, scope, id, "asked", kept_ms);
    const Seq seq = Next(store.applied().Get(origin));
    Txn txn;
    txn.stamp = Stamp{Stamp::FromMs(kNowMs).raw + Raw(seq)};
    txn.changes = local.Finish();
    std::string bytes;
    EncodeTxn(txn, bytes);
    std::vector<Discarded> none;
    store.Apply({.origin = origin, .seq = seq, .hash = 0, .bytes = bytes}, txn, none);
    REQUIRE(store.Commit(txn.stamp));
  };
  const Origin self = store.self();
  note(self, "rest", "soon", 64'000);
  note(self, "rest", "late", 640'000);
  note(self, "restless", "x", 640'000);
  note(self, "unique", "x", 640'000);
  note(Origin{RegionId{2}, Incarnation{2}}, "rest", "theirs", 640'000);

  RequestBook book(500, 640'000);
  const auto reader = store.NewReader();
  book.Load(*reader->Take(), "rest", RegionId{1}, kNowMs);
  CHECK(book.HeldNow(kNowMs).requests == 2);
  CHECK(book.HasRoom(kNowMs));
  book.Note(4, 100, kNowMs + 640'000);
  CHECK_FALSE(book.HasRoom(kNowMs));
  const std::int64_t room_at = book.RoomAtMs(kNowMs);
  CHECK(room_at > kNowMs + 64'000);
  CHECK(room_at <= kNowMs + 64'000 + 10'000);
  CHECK_FALSE(book.HasRoom(room_at - 1));
  CHECK(book.HasRoom(room_at));
  CHECK(book.HeldNow(kNowMs + 660'000).bytes == 0);

  // A start later counts what has not expired.
  RequestBook next(500, 640'000);
  next.Load(*reader->Take(), "rest", RegionId{1}, kNowMs + 64'000);
  CHECK(next.HeldNow(kNowMs + 64'000).requests == 1);
}

TEST_CASE("a row says what was asked, by which txn, until it expires; other rows say nothing") {
  Schema schema;
  AddInternalRules(schema);
  MemoryStore store(
      MemoryStoreOptions{.region = RegionId{1}, .cluster_id = 1, .incarnation = Incarnation{1}});
  CHECK_FALSE(ReadRequest(std::nullopt, kNowMs));
  CHECK_FALSE(ReadRequest("junk", kNowMs));
  LocalTxn local(store, schema, kNowMs);
  NoteRequest(local, "rest", "one", "asked", 1000);
  Txn txn;
  txn.stamp = Stamp::FromMs(kNowMs);
  txn.changes = local.Finish();
  std::string bytes;
  EncodeTxn(txn, bytes);
  std::vector<Discarded> none;
  store.Apply({.origin = store.self(), .seq = Seq{1}, .hash = 0, .bytes = bytes}, txn, none);
  const auto noted = ReadRequest(store.Read(RequestRowKey("rest", "one")), kNowMs);
  REQUIRE(noted);
  CHECK(noted->asked == "asked");
  CHECK(noted->dot == Dot{store.self(), Seq{1}});
  CHECK(noted->expires_ms == kNowMs + 1000);
  CHECK_FALSE(ReadRequest(store.Read(RequestRowKey("rest", "one")), kNowMs + 1000));
  CHECK_FALSE(ReadRequest(store.Read(RequestRowKey("rest", "two")), kNowMs));
}

}  // namespace hawser
