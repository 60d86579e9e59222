#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "daemon/feeds/conflict_follower.h"
#include "storage/conflict_log.h"
#include "tests/storage/author.h"
#include "tests/storage/harness.h"

namespace hawser::test {
namespace {

// A store in which conflicts are made, and the keys of their order as they came.
struct Log {
  explicit Log(ConflictLogOptions conflicts = {}) {
    MemoryStoreOptions options;
    options.region = RegionId{1};
    options.cluster_id = kCluster;
    options.incarnation = Incarnation{5};
    options.conflicts = std::move(conflicts);
    store = std::make_unique<MemoryStore>(options);
    reader = store->NewReader();
  }
  // `count` conflicts in one txn, found at `at_ms` or, where the clock was ahead already, then.
  void Add(std::int64_t at_ms, int count = 1) {
    const std::string prefix = std::to_string(++txns) + ':';
    const auto write = [&](std::string_view value) {
      return [&, value](LocalTxn& txn) {
        for (int i = 0; i < count; ++i) {
          REQUIRE(txn.Edit("t", prefix + std::to_string(i)).ReplaceWith("", value));
        }
      };
    };
    const auto theirs = StageLocal(*other, at_ms, write("theirs"));
    MustCommit(*other);
    StageLocal(*store, at_ms - 1, write("ours"));
    MustCommit(*store);
    REQUIRE(StageReceived(*store, theirs) == static_cast<std::size_t>(count));
    MustCommit(*store);
  }
  // Oldest first.
  std::vector<std::string> All() {
    std::vector<std::string> keys;
    reader->Take()->Scan(RowKeyOf(kConflictOrderTable, ""), [&](std::string_view at, auto) {
      if (SplitRowKey(at).table != kConflictOrderTable) return false;
      keys.emplace_back(SplitRowKey(at).key);
      return true;
    });
    std::ranges::reverse(keys);
    return keys;
  }
  std::string Oldest() { return ConflictFollower::Oldest(*reader->Take()); }
  std::string Newest() { return ConflictFollower::Newest(*reader->Take()); }

  int txns = 0;
  std::unique_ptr<MemoryStore> other = OtherRegion(2), store;
  std::unique_ptr<Reader> reader;
};

// Everything there is, in pieces; `gaps` counts what was told.
std::vector<std::string> Follow(Log& log, ConflictFollower& follower, std::size_t rows_max,
                                int* gaps = nullptr) {
  std::vector<std::string> keys;
  for (bool more = true; more;) {
    const auto view = log.reader->Take();
    const auto piece = follower.Next(*view, rows_max);
    if (gaps) *gaps += piece.gap ? 1 : 0;
    more = piece.more;
    for (const std::string& key : piece.order_keys) {
      keys.push_back(key);
      follower.MoveTo(key);
    }
  }
  return keys;
}

TEST_CASE("a follower gives every conflict once, oldest first, however dense the log is") {
  Log log;
  std::int64_t now_ms = 1'700'000'000'000;
  for (int i = 0; i < 100; ++i) log.Add(now_ms += 20'000);  // sparse
  for (int i = 0; i < 300; ++i) log.Add(now_ms += 1);       // dense
  for (int i = 0; i < 300; ++i)
    log.Add(now_ms - 60'000);  // all found at one stamp, as they arrive late
  log.Add(now_ms + 5, 200);    // one txn
  for (int i = 0; i < 50; ++i) log.Add(now_ms += 86'400'000);
  const std::vector<std::string> all = log.All();
  REQUIRE(all.size() == 950);
  for (const std::size_t rows_max : {1u, 3u, 16u, 64u, 949u, 5000u}) {
    CAPTURE(rows_max);
    ConflictFollower follower(log.Oldest());
    CHECK(Follow(log, follower, rows_max) == all);
    CHECK(follower.position() == all.back());
    CHECK(Follow(log, follower, rows_max).empty());
  }
}

TEST_CASE("a follower resumes at any place, and hears of what is written meanwhile") {
  Log log;
  std::int64_t now_ms = 1'700'000'000'000;
  for (int i = 0; i < 40; ++i) log.Add(now_ms += i % 3);
  const std::vector<std::string> all = log.All();
  for (std::size_t i = 0; i < all.size(); ++i) {
    ConflictFollower follower(all[i]);
    CHECK(Follow(log, follower, 4) ==
          std::vector(all.begin() + static_cast<long>(i) + 1, all.end()));
  }
  ConflictFollower follower(log.Newest());
  std::vector<std::string> heard;
  for (int i = 0; i < 30; ++i) {
    log.Add(i % 2 == 0 ? now_ms += 5 : now_ms - 70'000, 1 + i % 3);
    for (std::string& key : Follow(log, follower, 2)) heard.push_back(std::move(key));
  }
  const std::vector<std::string> now = log.All();
  CHECK(heard == std::vector(now.begin() + static_cast<long>(all.size()), now.end()));
}

TEST_CASE("a follower that comes back too late is told of the gap, once") {
  Log log({.age_ms_max = 1000, .bytes_max = 1 << 30, .quiet = {}});
  std::int64_t now_ms = 1'700'000'000'000;
  for (int i = 0; i < 30; ++i) log.Add(now_ms += 10);
  const std::string early = log.All()[3];
  for (int i = 0; i < 30; ++i) log.Add(now_ms += 100);
  for (int i = 0; i < 300; ++i) REQUIRE(log.store->Upkeep());
  const std::vector<std::string> kept = log.All();
  REQUIRE(kept.size() < 20);
  REQUIRE(kept.size() > 3);

  int gaps = 0;
  ConflictFollower late(early);
  CHECK(Follow(log, late, 4, &gaps) == kept);
  CHECK(gaps == 1);

  // Who asks for the oldest, or was at the last that was dropped, missed nothing.
  gaps = 0;
  ConflictFollower oldest(log.Oldest());
  CHECK(Follow(log, oldest, 4, &gaps) == kept);
  ConflictFollower within(kept[1]);
  CHECK(Follow(log, within, 4, &gaps).size() == kept.size() - 2);
  CHECK(gaps == 0);
}

TEST_CASE("in an empty log there is nothing to follow, and then what comes") {
  Log log;
  ConflictFollower follower(log.Newest());
  CHECK(Follow(log, follower, 8).empty());
  log.Add(1'700'000'000'000, 3);
  CHECK(Follow(log, follower, 8) == log.All());
}

}  // namespace
}  // namespace hawser::test
