#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "daemon/feeds/change_follower.h"
#include "daemon/feeds/feed_message.h"
#include "tests/storage/author.h"
#include "tests/storage/harness.h"

namespace hawser::test {
namespace {

std::vector<std::string> Keys(Store& store, ChangeFollower& follower, std::size_t at_most,
                              ChangeFollower::End& end) {
  std::vector<std::string> keys;
  const auto reader = store.NewJournalReader();
  end = follower.Read(*reader, 1000, [&](const AppliedChange& applied) {
    keys.push_back(std::string(applied.change.table) + ":" + std::string(applied.change.key) +
                   (applied.last_of_txn ? "." : ""));
    return keys.size() < at_most;
  });
  return keys;
}

TEST_CASE("changes come one by one, and who stops inside a txn goes on inside it") {
  MemoryHarness h;
  StageLocal(h.store(), 100, [](LocalTxn& txn) {
    for (const char* key : {"a", "b", "c"}) REQUIRE(txn.Edit("t", key).ReplaceWith("", "v"));
    REQUIRE(txn.Edit("!own", "x").ReplaceWith("", "v"));
  });
  MustCommit(h.store());
  auto other = OtherRegion(2);
  Receive(h.store(), Set(*other, "d", "v", 50));
  const std::vector<std::string> all = {"t:a", "t:b", "t:c.", "t:d."};
  for (std::size_t at_most = 1; at_most <= 5; ++at_most) {
    ChangeFollower follower({});
    std::vector<std::string> told;
    auto end = ChangeFollower::End::kMore;
    while (end == ChangeFollower::End::kMore) {
      // The place travels as bytes, as it does with a client.
      std::string bytes;
      PutChangePlace(follower.place(), bytes);
      const auto place = ReadChangePlace(bytes);
      REQUIRE(place);
      ChangeFollower again(*place);
      for (std::string& key : Keys(h.store(), again, at_most, end)) told.push_back(std::move(key));
      follower = again;
    }
    CHECK(end == ChangeFollower::End::kAll);
    CHECK(told == all);
  }
  CHECK_FALSE(ReadChangePlace(""));
  CHECK_FALSE(ReadChangePlace(std::string(9, '\0')));
}

TEST_CASE("a place that was trimmed is told as such, and one that is not yet too") {
  MemoryHarness h;
  for (int i = 0; i < 20; ++i) Set(h.store(), "k" + std::to_string(i), "v", 100 + i);
  ChangeFollower late({Lsn{5}, 0}), early({Lsn{40}, 0});
  h.store().SetStable(AllStable(h.store(), 5000), h.store().applied());
  h.Settle();
  auto end = ChangeFollower::End::kAll;
  CHECK(Keys(h.store(), late, 100, end).empty());
  CHECK(end == ChangeFollower::End::kTrimmed);
  CHECK(Keys(h.store(), early, 100, end).empty());
  CHECK(end == ChangeFollower::End::kTrimmed);
}

TEST_CASE("a table's name is one token of its subject") {
  CHECK(ChangesSubject("shop", "us-east", "orders") == "hw.shop.changes.us-east.orders");
  CHECK(ChangesSubject("shop", "us-east", "a..b.") == "hw.shop.changes.us-east.a%2E%2Eb%2E");
  CHECK(EventSubject("shop", "us-east", "conflict") == "hw.shop.events.us-east.conflict");
}

}  // namespace
}  // namespace hawser::test
