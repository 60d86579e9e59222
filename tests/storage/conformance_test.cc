// What every store promises, run on each of them.

#include <doctest/doctest.h>

#include "storage/audit_log.h"
#include "storage/conflict_log.h"
#include "storage/resolution.h"
#include "storage/sha256.h"
#include "tests/storage/harness.h"
#include "tests/storage/harness_list.h"

namespace hawser::test {
namespace {

TEST_CASE_TEMPLATE("a new store is empty and knows who it is", H, HARNESSES) {
  H h;
  CHECK(h.store().self().region == RegionId{1});
  CHECK(h.store().self().incarnation != Incarnation{0});
  CHECK(h.store().applied().empty());
  CHECK(h.store().log_ends().empty());
  CHECK(AllRows(h.store()).empty());
  CHECK(h.store().usage().lsn_last == Lsn{0});
  CHECK(h.store().HashAt(h.store().self(), Seq{0}) == HashStart(h.store().self()));
}

TEST_CASE_TEMPLATE("a staged write is read by the writer at once and by readers after the commit",
                   H, HARNESSES) {
  H h;
  const auto reader = h.store().NewReader();
  StageSet(h.store(), "k", "v", 10);

  CHECK(Get(h.store(), "k") == "v");
  CHECK(h.store().HasStaged());
  {
    const auto before = reader->Take();
    CHECK(!Get(*before, "k"));
    CHECK(before->cut().empty());
  }

  MustCommit(h.store());
  CHECK(!h.store().HasStaged());
  const auto after = reader->Take();
  CHECK(Get(*after, "k") == "v");
  CHECK(after->cut() == h.store().applied());
}

TEST_CASE_TEMPLATE("a crash loses exactly what no commit covered", H, HARNESSES) {
  H h;
  Set(h.store(), "kept", "1", 10);
  const Rows rows = AllRows(h.store());
  const Cut cut = h.store().applied();
  StageSet(h.store(), "lost", "2", 11);
  StageSet(h.store(), "kept", "3", 12);

  h.Crash();

  CHECK(AllRows(h.store()) == rows);
  CHECK(h.store().applied() == cut);
  Set(h.store(), "next", "4", 13);
  CHECK(Raw(h.store().applied().Get(h.store().self())) == 2);
}

TEST_CASE_TEMPLATE("the store keeps its identity and its logs' hashes over crashes", H, HARNESSES) {
  H h;
  auto other = OtherRegion(2);
  const Origin self = h.store().self();
  Set(h.store(), "a", "1", 10);
  Receive(h.store(), Set(*other, "b", "2", 11));
  h.Settle();
  Set(h.store(), "a", "3", 12);
  const auto ends = h.store().log_ends();
  const auto hash_of_second = h.store().HashAt(self, Seq{2});
  REQUIRE(ends.size() == 2);

  h.Crash();

  CHECK(h.store().self() == self);
  REQUIRE(h.store().log_ends().size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(h.store().log_ends()[i].origin == ends[i].origin);
    CHECK(h.store().log_ends()[i].seq == ends[i].seq);
    CHECK(h.store().log_ends()[i].hash == ends[i].hash);
  }
  CHECK(h.store().HashAt(self, Seq{2}) == hash_of_second);
  CHECK(h.store().HashAt(self, Seq{3}) == std::nullopt);
}

TEST_CASE_TEMPLATE("the clock starts after the ceiling and after every stamp kept", H, HARNESSES) {
  H h;
  CHECK(h.store().clock_floor() == Stamp{});
  Set(h.store(), "k", "v", 100);
  h.Crash();
  CHECK(h.store().clock_floor() == StampAt(100, 1));
  REQUIRE(h.store().Commit(StampAt(5000)));  // nothing staged: the ceiling alone
  h.Crash();
  CHECK(h.store().clock_floor() == StampAt(5000));
  Set(h.store(), "k", "w", 9000);
  h.Settle();
  h.Crash();
  CHECK(h.store().clock_floor() == StampAt(9000, 2));
}

TEST_CASE_TEMPLATE("replay after a checkpoint that was cut short derives the same rows", H,
                   HARNESSES) {
  H h;
  auto other = OtherRegion(2);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20; ++i) {
      const std::string key = "k" + std::to_string(i);
      const auto theirs = StageSet(*other, key, "theirs" + std::to_string(round), 50 + round);
      MustCommit(*other);
      StageSet(h.store(), key, "ours" + std::to_string(round), 40 + round);
      StageReceived(h.store(), theirs);
      if (i % 3 == 0) MustCommit(h.store());
    }
    MustCommit(h.store());
    h.CheckpointInPart();
    const Rows rows = AllRows(h.store());

    h.Crash();

    CHECK(AllRows(h.store()) == rows);
    if (round == 1) h.Settle();
    CHECK(AllRows(h.store()) == rows);
    h.Crash();
    CHECK(AllRows(h.store()) == rows);
  }
}

TEST_CASE_TEMPLATE("a view shows one moment, whatever is written and checkpointed meanwhile", H,
                   HARNESSES) {
  H h;
  for (int i = 0; i < 30; ++i) StageSet(h.store(), "k" + std::to_string(i), "old", 10);
  MustCommit(h.store());
  const auto reader = h.store().NewReader();
  auto view = reader->Take();
  const Rows before = AllRows(*view);
  const Cut cut = view->cut();

  for (int i = 0; i < 30; i += 2) StageSet(h.store(), "k" + std::to_string(i), "new", 20);
  StageSet(h.store(), "k99", "new", 20);
  MustCommit(h.store());
  CHECK(AllRows(*view) == before);
  h.Settle();
  for (int i = 0; i < 30; ++i) StageDelete(h.store(), "k" + std::to_string(i), 30);
  MustCommit(h.store());
  h.store().SetStable(AllStable(h.store(), 100), {});
  h.Settle();

  CHECK(AllRows(*view) == before);
  CHECK(view->cut() == cut);
  CHECK(Get(*view, "k0") == "old");
  CHECK(!Get(*view, "k99"));
  view.reset();
  const auto now = reader->Take();
  CHECK(AllRows(*now).size() == 1);
  CHECK(Get(*now, "k99") == "new");
}

TEST_CASE_TEMPLATE("scans start where asked, end when told and follow the bytes of keys", H,
                   HARNESSES) {
  H h;
  for (const char* key : {"b", "a", "d", "c"}) Set(h.store(), key, "v", 10);
  h.Settle();
  Set(h.store(), "bb", "v", 11);
  StageSet(h.store(), "ab", "v", 12);

  std::string seen;
  h.store().ScanNewest(RowKeyOf("t", "ab"), [&](std::string_view row_key, std::string_view) {
    seen += std::string(SplitRowKey(row_key).key) + " ";
    return seen.size() < 9;
  });
  CHECK(seen == "ab b bb c ");
  MustCommit(h.store());
  seen.clear();
  const auto reader = h.store().NewReader();
  const auto view = reader->Take();
  view->Scan("", [&](std::string_view row_key, std::string_view) {
    seen += std::string(SplitRowKey(row_key).key) + " ";
    return true;
  });
  CHECK(seen == "a ab b bb c d ");
}

TEST_CASE_TEMPLATE("logs are read back as they came, from any place kept", H, HARNESSES) {
  H h;
  auto other = OtherRegion(2);
  std::vector<Shipped> ours, theirs;
  for (int i = 0; i < 50; ++i) {
    ours.push_back(StageSet(h.store(), "k" + std::to_string(i), std::string(100, 'x'), 10 + i));
    theirs.push_back(StageSet(*other, "m" + std::to_string(i), std::string(3000, 'y'), 10 + i));
    MustCommit(*other);
    StageReceived(h.store(), theirs.back());
    if (i % 7 == 0) MustCommit(h.store());
  }
  MustCommit(h.store());
  StageSet(h.store(), "staged", "v", 100);

  const auto reader = h.store().NewJournalReader();
  for (const auto* log : {&ours, &theirs}) {
    for (const std::size_t from : {1u, 2u, 30u, 50u, 51u}) {
      std::size_t next = from;
      const auto read = reader->ReadLog(log->front().origin, Seq{from}, [&](const JournalEntry& e) {
        const Shipped& sent = (*log)[next - 1];
        CHECK(e.origin == sent.origin);
        CHECK(e.seq == Seq{next});
        CHECK(e.hash == sent.hash);
        CHECK(e.bytes == sent.bytes);
        if (log == &ours) {  // when it was applied here: that of the commit's first
          CHECK(e.applied_ms >= 17);
          CHECK(e.applied_ms <= static_cast<std::int64_t>(17 + next - 1));
        }
        ++next;
        return true;
      });
      CHECK(read);
      CHECK(next == 51);
    }
    int visited = 0;
    CHECK(reader->ReadLog(log->front().origin, Seq{3},
                          [&](const JournalEntry&) { return ++visited < 4; }));
    CHECK(visited == 4);
  }
  for (const auto& [origin, seq] :
       {std::pair{h.store().self(), Seq{0}}, std::pair{h.store().self(), Seq{52}},
        std::pair{Origin{RegionId{9}, Incarnation{9}}, Seq{1}}}) {
    const auto read = reader->ReadLog(origin, seq, [](const JournalEntry&) {
      FAIL("visited");
      return true;
    });
    REQUIRE(!read);
    CHECK(read.error() == StorageError::kNotFound);
  }
}

TEST_CASE_TEMPLATE("the hash of any entry kept is known, staged ones included", H, HARNESSES) {
  H h;
  std::vector<Shipped> sent;
  for (int i = 0; i < 20; ++i) {
    sent.push_back(StageSet(h.store(), "k", std::to_string(i), 10 + i));
    if (i == 5 || i == 12) MustCommit(h.store());
  }
  for (const Shipped& s : sent) CHECK(h.store().HashAt(s.origin, s.seq) == s.hash);
  CHECK(!h.store().HashAt(h.store().self(), Seq{21}));
  h.Crash();
  for (std::size_t i = 0; i <= 12; ++i) {
    CHECK(h.store().HashAt(sent[i].origin, sent[i].seq) == sent[i].hash);
  }
  CHECK(!h.store().HashAt(h.store().self(), Seq{14}));
}

TEST_CASE_TEMPLATE("the journal keeps what somebody lacks and what no checkpoint has", H,
                   HARNESSES) {
  H h;
  const Origin self = h.store().self();
  for (int i = 0; i < 40; ++i) Set(h.store(), "k" + std::to_string(i), "v", 10 + i);
  const Rows rows = AllRows(h.store());
  const auto can_read = [&](std::uint64_t from) {
    const auto reader = h.store().NewJournalReader();
    return reader->ReadLog(self, Seq{from}, [](const JournalEntry&) { return false; }).has_value();
  };

  h.Settle();
  CHECK(can_read(1));  // nobody said that it may go

  h.store().SetStable({}, Cut{{self, Seq{25}}});
  h.Settle();
  CHECK(!can_read(1));
  CHECK(!can_read(25));
  CHECK(can_read(26));
  CHECK(can_read(41));
  CHECK(h.store().usage().lsn_first == Lsn{26});
  CHECK(AllRows(h.store()) == rows);

  h.Crash();
  CHECK(!can_read(25));
  CHECK(can_read(26));
  CHECK(AllRows(h.store()) == rows);
  h.store().SetStable({}, Cut{{self, Seq{40}}});
  h.Settle();
  CHECK(can_read(41));
  CHECK(!can_read(40));
  h.Crash();
  CHECK(can_read(41));
  CHECK(!can_read(40));
  CHECK(AllRows(h.store()) == rows);
  Set(h.store(), "k", "v", 100);
  CHECK(can_read(41));
}

TEST_CASE_TEMPLATE("a dead row goes when it is stable, not before", H, HARNESSES) {
  H h;
  auto& store = h.store();
  Set(store, "k", "v", 10);
  Set(store, "other", "v", 11);
  StageDelete(store, "k", 12);
  MustCommit(store);
  h.Settle();
  CHECK(store.usage().tombstones == 1);
  CHECK(AllRows(store).size() == 2);
  store.SetStable(Stable{Cut{{store.self(), Seq{2}}}, 1000}, {});
  h.Settle();
  CHECK(AllRows(store).size() == 2);

  store.SetStable(Stable{Cut{{store.self(), Seq{3}}}, 1000}, {});
  h.Settle();
  CHECK(store.usage().tombstones == 0);
  CHECK(AllRows(store).size() == 1);
  h.Crash();
  CHECK(AllRows(h.store()).size() == 1);
}

TEST_CASE_TEMPLATE("an expired row goes when every member's clock is past it", H, HARNESSES) {
  H h;
  auto& store = h.store();
  StageLocal(store, 10, [](LocalTxn& txn) {
    auto& edit = txn.Edit("t", "k");
    REQUIRE(edit.ReplaceWith(kStringField, "v"));
    edit.SetExpiry(500);
  });
  MustCommit(store);
  store.SetStable(AllStable(store, 499), {});
  h.Settle();
  CHECK(AllRows(store).size() == 1);
  store.SetStable(AllStable(store, 500), {});
  h.Settle();
  CHECK(AllRows(store).empty());
  h.Crash();
  CHECK(AllRows(h.store()).empty());
}

TEST_CASE_TEMPLATE("a dropped row does not let an older put back in when the journal is replayed",
                   H, HARNESSES) {
  H h;
  auto other = OtherRegion(2);
  // Theirs is older than our delete and unseen by it: it loses to the null, in the journal too.
  const auto old_put = Set(*other, "k", "theirs", 5);
  Set(h.store(), "k", "ours", 10);
  StageDelete(h.store(), "k", 20);
  MustCommit(h.store());
  Receive(h.store(), old_put);
  for (int i = 0; i < 20; ++i) Set(h.store(), "filler" + std::to_string(i), "v", 30);
  CHECK(!Get(h.store(), "k"));
  h.store().SetStable(AllStable(h.store(), 1000), {});

  for (int step = 0; step < 40; ++step) {
    REQUIRE(h.store().Upkeep());
    CHECK(!Get(h.store(), "k"));
    h.Crash();
    CHECK(!Get(h.store(), "k"));
    h.store().SetStable(AllStable(h.store(), 1000), {});
  }
  h.Settle();
  CHECK(h.store().usage().tombstones == 0);
  h.Crash();
  CHECK(!Get(h.store(), "k"));
}

TEST_CASE_TEMPLATE(
    "a key written again after its row was dropped shows the new value, also after a crash", H,
    HARNESSES) {
  H h;
  Set(h.store(), "k", "old", 10);
  StageDelete(h.store(), "k", 11);
  MustCommit(h.store());
  h.Settle();
  h.store().SetStable(AllStable(h.store(), 1000), {});
  REQUIRE(h.store().Upkeep());
  Set(h.store(), "k", "new", 20);
  CHECK(Get(h.store(), "k") == "new");
  h.Crash();
  CHECK(Get(h.store(), "k") == "new");
  h.store().SetStable(AllStable(h.store(), 1000), {});
  h.Settle();
  CHECK(Get(h.store(), "k") == "new");
  h.Crash();
  CHECK(Get(h.store(), "k") == "new");
}

TEST_CASE_TEMPLATE("a value that gave way unseen is in the conflict log, with both sides", H,
                   HARNESSES) {
  H h;
  auto other = OtherRegion(2);
  const auto theirs = Set(*other, "k", "theirs", 50);
  Set(h.store(), "k", "ours", 40);
  CHECK(StageReceived(h.store(), theirs) == 1);
  MustCommit(h.store());

  const auto find = [&] {
    std::vector<std::string> found;
    h.store().ScanNewest(kConflictTable, [&](std::string_view row_key, std::string_view record) {
      if (SplitRowKey(row_key).table != kConflictTable) return false;
      found.emplace_back(record);
      return true;
    });
    return found;
  };
  const auto rows = find();
  REQUIRE(rows.size() == 1);
  Record record;
  REQUIRE(DecodeRecord(rows[0], record));
  const auto conflict = ParseConflict(record);
  REQUIRE(conflict);
  CHECK(conflict->table == "t");
  CHECK(conflict->key == "k");
  CHECK(conflict->field == "");
  CHECK(conflict->kind == "write");
  CHECK(conflict->rule == "lww");
  CHECK(conflict->at_ms == 50);
  CHECK(conflict->winner.value == "theirs");
  CHECK(conflict->winner.version == Version{StampAt(50, 1), RegionId{2}});
  CHECK(conflict->loser.value == "ours");
  CHECK(conflict->loser.dot == Dot{h.store().self(), Seq{1}});
  h.Crash();
  CHECK(find() == rows);
  h.Settle();
  h.Crash();
  CHECK(find() == rows);
}

TEST_CASE_TEMPLATE("a conflict is not lost when the row it came from was checkpointed first", H,
                   HARNESSES) {
  H h;
  auto other = OtherRegion(2);
  for (int i = 0; i < 10; ++i) {
    const std::string key = "k" + std::to_string(i);
    const auto theirs = Set(*other, key, "theirs", 50);
    Set(h.store(), key, "ours", 40);
    Receive(h.store(), theirs);
  }
  const Rows rows = AllRows(h.store());
  REQUIRE(rows.size() == 30);
  for (int step = 0; step < 12; ++step) {
    REQUIRE(h.store().Upkeep());
    h.Crash();
    CHECK(AllRows(h.store()) == rows);
  }
}

// The conflicts' keys, newest first, as the log's order has them; each must be in the log.
std::vector<std::string> OrderedConflictKeys(Store& store) {
  std::vector<std::string> ids, keys;
  store.ScanNewest(RowKeyOf(kConflictOrderTable, ""), [&](std::string_view at, std::string_view) {
    if (SplitRowKey(at).table != kConflictOrderTable) return false;
    const auto ordered = ParseOrderKey(SplitRowKey(at).key);
    REQUIRE(ordered);
    ids.push_back(ordered->id);
    return true;
  });
  for (const std::string& id : ids) {
    const auto bytes = store.Read(RowKeyOf(kConflictTable, id));
    REQUIRE(bytes);
    Record record;
    REQUIRE(DecodeRecord(*bytes, record));
    const auto conflict = ParseConflict(record);
    REQUIRE(conflict);
    keys.emplace_back(conflict->key);
  }
  return keys;
}

std::size_t CountRows(Store& store, std::string_view table) {
  std::size_t count = 0;
  store.ScanNewest(RowKeyOf(table, ""), [&](std::string_view at, std::string_view) {
    if (SplitRowKey(at).table != table) return false;
    ++count;
    return true;
  });
  return count;
}

// Both regions write `key` unseen at that time; theirs wins.
void Disagree(Store& store, Store& other, const std::string& key, std::int64_t at_ms,
              const std::string& ours = "ours") {
  const auto theirs = Set(other, key, "theirs", at_ms + 1);
  Set(store, key, ours, at_ms);
  Receive(store, theirs);
}

TEST_CASE_TEMPLATE("conflicts stand in the order they were found, over crashes at any moment", H,
                   HARNESSES) {
  H h;
  auto other = OtherRegion(2);
  Set(h.store(), "late", "ours", 10);
  std::vector<std::string> expected;
  for (int i = 0; i < 6; ++i) {
    Disagree(h.store(), *other, "k" + std::to_string(i), 1000 + 10 * i);
    expected.insert(expected.begin(), "k" + std::to_string(i));
  }
  CHECK(OrderedConflictKeys(h.store()) == expected);
  // What comes late was written long ago, and found last.
  auto third = OtherRegion(3);
  Receive(h.store(), Set(*third, "late", "theirs", 15));
  expected.insert(expected.begin(), "late");
  for (int step = 0; step < 8; ++step) {
    CHECK(OrderedConflictKeys(h.store()) == expected);
    REQUIRE(h.store().Upkeep());
    h.Crash();
  }
  h.Settle();
  h.Crash();
  CHECK(OrderedConflictKeys(h.store()) == expected);
  CHECK(CountRows(h.store(), kConflictTable) == expected.size());
}

TEST_CASE_TEMPLATE("the conflict log keeps to its age, over crashes too", H, HARNESSES) {
  H h;
  h.KeepConflicts({.age_ms_max = 1000, .bytes_max = 1 << 30, .quiet = {}});
  auto other = OtherRegion(2);
  for (int i = 0; i < 40; ++i) Disagree(h.store(), *other, "old" + std::to_string(i), 100 + i);
  h.Settle();
  CHECK(CountRows(h.store(), kConflictTable) == 40);
  // The clock alone moves on.
  MustCommit(h.store(), StampAt(5000));
  REQUIRE(h.store().Upkeep());
  h.Crash();  // in the middle of it
  Disagree(h.store(), *other, "new", 4500);
  MustCommit(h.store(), StampAt(5000));
  h.Settle();
  CHECK(OrderedConflictKeys(h.store()) == std::vector<std::string>{"new"});
  CHECK(CountRows(h.store(), kConflictTable) == 1);
  h.Crash();
  CHECK(CountRows(h.store(), kConflictTable) == 1);
  CHECK(Get(h.store(), "old3") == "theirs");
}

TEST_CASE_TEMPLATE("the conflict log keeps to its size: the oldest go first", H, HARNESSES) {
  H h;
  constexpr std::uint64_t kBytes = 100'000;
  h.KeepConflicts({.age_ms_max = 1 << 30, .bytes_max = kBytes, .quiet = {}});
  auto other = OtherRegion(2);
  const std::string large(5000, 'x');
  for (int i = 0; i < 100; ++i) {
    Disagree(h.store(), *other, "k" + std::to_string(i), 100 + i, large);
  }
  h.Settle();
  const auto kept = OrderedConflictKeys(h.store());
  CHECK(kept.size() >= 15);
  CHECK(kept.size() <= kBytes / large.size());
  CHECK(kept.front() == "k99");
  CHECK(kept.back() == "k" + std::to_string(100 - kept.size()));
  CHECK(CountRows(h.store(), kConflictTable) == kept.size());
  h.Crash();
  CHECK(OrderedConflictKeys(h.store()) == kept);
}

std::vector<std::string> OrderKeys(Store& store) {
  std::vector<std::string> keys;
  store.ScanNewest(RowKeyOf(kConflictOrderTable, ""), [&](std::string_view at, std::string_view) {
    if (SplitRowKey(at).table != kConflictOrderTable) return false;
    keys.emplace_back(SplitRowKey(at).key);
    return true;
  });
  return keys;
}

std::optional<std::string> ConflictFloor(Store& store) {
  const auto bytes = store.Read(RowKeyOf(kConflictFloorTable, ""));
  Record record;
  if (!bytes || !DecodeRecord(*bytes, record)) return std::nullopt;
  return ParseConflictFloor(record);
}

// Local writes and two other regions' logs, their clocks far apart, with checkpoints and crashes in
// between: what is logged later never stands at an older place than what was logged before.
TEST_CASE_TEMPLATE("who has read the conflict log up to a place misses nothing that comes later", H,
                   HARNESSES) {
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    H h;
    std::uint32_t state = seed;
    const auto chance = [&state](std::uint32_t of) {
      state = state * 1'664'525 + 1'013'904'223;
      return (state >> 16) % of;
    };
    std::unique_ptr<MemoryStore> others[] = {OtherRegion(2), OtherRegion(3)};
    std::int64_t now_ms = 1'000'000;
    std::vector<std::string> seen;  // newest first
    for (int step = 0; step < 80; ++step) {
      now_ms += chance(3);
      // One region's clock is ahead, the other's log arrives late.
      const std::size_t who = chance(2);
      const std::int64_t their_ms = who == 0 ? now_ms + 5000 : now_ms - 900'000;
      const std::string key = "k" + std::to_string(chance(12));
      const std::uint32_t count = 1 + chance(4);
      for (std::uint32_t i = 0; i < count; ++i) {
        if (chance(2) == 0) Set(h.store(), key, "ours" + std::to_string(step), now_ms);
        Receive(h.store(), Set(*others[who], key, "theirs" + std::to_string(step), their_ms));
      }
      for (std::uint32_t i = chance(4); i > 0; --i) REQUIRE(h.store().Upkeep());
      if (chance(20) == 0) h.Settle();
      if (chance(5) == 0) h.Crash();
      const std::vector<std::string> keys = OrderKeys(h.store());
      REQUIRE(keys.size() >= seen.size());
      // What was there still is, and whatever came stands before it.
      CHECK(std::equal(seen.rbegin(), seen.rend(), keys.rbegin()));
      seen = keys;
    }
    CHECK(seen.size() > 20);
  }
}

TEST_CASE_TEMPLATE("the conflict log knows how far it was dropped, over crashes too", H,
                   HARNESSES) {
  H h;
  h.KeepConflicts({.age_ms_max = 1000, .bytes_max = 1 << 30, .quiet = {}});
  auto other = OtherRegion(2);
  for (int i = 0; i < 300; ++i) Disagree(h.store(), *other, "old" + std::to_string(i), 100 + i);
  h.Settle();
  const std::vector<std::string> all = OrderKeys(h.store());
  REQUIRE(all.size() == 300);
  CHECK(!ConflictFloor(h.store()));
  MustCommit(h.store(), StampAt(1250));
  // Dropped in pieces, the newest of them first: from the first piece on the floor covers them all.
  for (int step = 0; step < 40; ++step) {
    REQUIRE(h.store().Upkeep());
    if (step == 3) h.Crash();
    const std::vector<std::string> kept = OrderKeys(h.store());
    const auto floor = ConflictFloor(h.store());
    for (const std::string& key : all) {
      const bool gone = std::ranges::find(kept, key) == kept.end();
      if (gone) CHECK((floor && key >= *floor));
    }
  }
  MustCommit(h.store(), StampAt(1250));
  h.Settle();
  const std::vector<std::string> kept = OrderKeys(h.store());
  CHECK(kept.size() < 250);
  CHECK(kept.size() > 50);
  REQUIRE(ConflictFloor(h.store()));
  CHECK(*ConflictFloor(h.store()) == all[kept.size()]);
  h.Crash();
  CHECK(*ConflictFloor(h.store()) == all[kept.size()]);
  // It never goes back.
  Disagree(h.store(), *other, "new", 9000);
  MustCommit(h.store(), StampAt(9000));
  h.Settle();
  CHECK(*ConflictFloor(h.store()) == kept.front());
}

TEST_CASE_TEMPLATE("what was applied is read in that order, from any place that is kept", H,
                   HARNESSES) {
  H h;
  std::unique_ptr<MemoryStore> others[] = {OtherRegion(2), OtherRegion(3)};
  const auto reader = h.store().NewJournalReader();
  const auto read = [&](Lsn from) -> std::optional<std::vector<Dot>> {
    std::vector<Dot> dots;
    Lsn next = from;
    const auto done = reader->ReadApplied(from, [&](Lsn lsn, const JournalEntry& entry) {
      CHECK(lsn == next);
      next = Lsn{Raw(lsn) + 1};
      Txn txn;
      CHECK(DecodeTxn(entry.bytes, txn));
      dots.push_back({entry.origin, entry.seq});
      return true;
    });
    if (!done) {
      CHECK(done.error() == StorageError::kNotFound);
      return std::nullopt;
    }
    return dots;
  };
  CHECK(read(Lsn{1}) == std::vector<Dot>{});
  CHECK(!read(Lsn{2}));

  std::vector<Dot> applied;
  const std::string large(3000, 'x');
  for (int i = 0; i < 150; ++i) {
    const std::string key = "k" + std::to_string(i);
    // Several in one commit, of one origin or of three; some blocks are long.
    for (int j = 0; j <= i % 4; ++j) {
      const auto shipped = (i + j) % 3 == 0
                               ? StageSet(h.store(), key, i % 10 == 0 ? large : "v", 1000 + i)
                               : Set(*others[(i + j) % 3 - 1], key, large, 1000 + i);
      if ((i + j) % 3 != 0) StageReceived(h.store(), shipped);
      applied.push_back({shipped.origin, shipped.seq});
    }
    // What is staged is not read yet.
    const auto before = read(Lsn{1});
    REQUIRE(before);
    CHECK(before->size() < applied.size());
    MustCommit(h.store());
  }
  for (std::size_t i = 0; i <= applied.size(); i += 7) {
    const std::vector<Dot> rest(applied.begin() + static_cast<std::ptrdiff_t>(i), applied.end());
    CHECK(read(Lsn{i + 1}) == rest);
  }
  CHECK(read(Lsn{applied.size() + 1}) == std::vector<Dot>{});
  CHECK(!read(Lsn{applied.size() + 2}));
  int visited = 0;
  CHECK(reader->ReadApplied(Lsn{5}, [&](Lsn, const JournalEntry&) { return ++visited < 3; }));
  CHECK(visited == 3);

  // Trimmed: from then on it is not found, and what is kept still is.
  h.store().SetStable(AllStable(h.store(), 5000), h.store().applied());
  h.Settle();
  const Lsn first = h.store().usage().lsn_first;
  REQUIRE(Raw(first) > 100);
  CHECK(!read(Lsn{Raw(first) - 1}));
  CHECK(!read(Lsn{1}));
  const auto kept = read(first);
  REQUIRE(kept);
  CHECK(kept->size() == applied.size() + 1 - Raw(first));
}

TEST_CASE_TEMPLATE("a field that is noise is discarded as ever, and not logged", H, HARNESSES) {
  H h;
  h.KeepConflicts({.quiet = {{"t", {""}}}});
  auto other = OtherRegion(2);
  const auto theirs = StageLocal(*other, 50, [](LocalTxn& txn) {
    REQUIRE(txn.Edit("t", "k").Set("", "theirs"));
    REQUIRE(txn.Edit("t", "k").Set("f", "theirs"));
  });
  MustCommit(*other);
  StageLocal(h.store(), 40, [](LocalTxn& txn) {
    REQUIRE(txn.Edit("t", "k").Set("", "ours"));
    REQUIRE(txn.Edit("t", "k").Set("f", "ours"));
  });
  MustCommit(h.store());
  CHECK(StageReceived(h.store(), theirs) == 2);
  MustCommit(h.store());
  CHECK(CountRows(h.store(), kConflictTable) == 1);
  CHECK(OrderedConflictKeys(h.store()).size() == 1);
}

TEST_CASE_TEMPLATE("the audit's chain is the same over crashes at any moment, without a gap", H,
                   HARNESSES) {
  H h;
  auto other = OtherRegion(2);
  const auto resolve = [](LocalTxn& txn, int i) {
    const std::string reason = "reason " + std::to_string(i);
    for (const char* id : {"a", "b"}) {
      REQUIRE(txn.Edit(kResolutionTable, id + std::to_string(i))
                  .ReplaceWith("", EncodeResolution({.table = "t", .key = "k", .reason = reason})));
    }
  };
  for (int i = 0; i < 5; ++i) {
    StageLocal(h.store(), 10 + i, [&](LocalTxn& txn) { resolve(txn, i); });
    MustCommit(h.store());
    const auto theirs = StageLocal(*other, 100 + i, [&](LocalTxn& txn) { resolve(txn, 100 + i); });
    MustCommit(*other);
    Receive(h.store(), theirs);
    REQUIRE(h.store().Upkeep());
    if (i % 2 == 0) h.Crash();
  }
  const auto chain = [&] {
    std::vector<std::string> hashes;
    h.store().ScanNewest(RowKeyOf(kAuditTable, ""), [&](std::string_view at, std::string_view row) {
      if (SplitRowKey(at).table != kAuditTable) return false;
      Record record;
      REQUIRE(DecodeRecord(row, record));
      const auto entry = ParseAuditRow(record);
      REQUIRE(entry);
      CHECK(ParseAuditKey(SplitRowKey(at).key) == 20 - hashes.size());
      hashes.emplace_back(entry->hash);
      return true;
    });
    return hashes;
  };
  const auto before = chain();
  REQUIRE(before.size() == 20);
  const Rows rows = AllRows(h.store());
  for (int step = 0; step < 12; ++step) {
    REQUIRE(h.store().Upkeep());
    h.Crash();
    CHECK(AllRows(h.store()) == rows);
  }
  h.Settle();
  CHECK(chain() == before);
}

TEST_CASE("a changed entry breaks the chain behind it") {
  const AuditEntry entry{.what = "conflict.resolve", .region = RegionId{3}, .subject = "id"};
  const std::string bytes = EncodeAuditEntry(entry);
  REQUIRE(DecodeAuditEntry(bytes));
  CHECK(DecodeAuditEntry(bytes)->region == RegionId{3});
  std::string forged = bytes;
  forged.back() = 'x';
  CHECK(AuditHash("h", bytes) != AuditHash("h", forged));
  CHECK(AuditHash("h", bytes) != AuditHash("g", bytes));
  CHECK_FALSE(DecodeAuditEntry(bytes + "x"));
}

TEST_CASE("sha-256 is the standard's") {
  const auto hex = [](const std::string& bytes) {
    std::string out;
    char text[3];
    for (const char c : bytes) {
      std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(static_cast<std::uint8_t>(c)));
      out += text;
    }
    return out;
  };
  CHECK(hex(Sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(Sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(Sha256(std::string(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE_TEMPLATE("counters add up once, over any number of replays", H, HARNESSES) {
  H h;
  const auto add = [&] {
    StageLocal(h.store(), 10,
               [](LocalTxn& txn) { REQUIRE(txn.Edit("t", "n").Add(kStringField, 1)); });
    MustCommit(h.store());
  };
  for (int i = 0; i < 12; ++i) {
    add();
    if (i % 3 == 0) REQUIRE(h.store().Upkeep());
    if (i % 2 == 0) h.Crash();
  }
  CHECK(Get(h.store(), "n") == "12");
  h.Settle();
  h.Crash();
  CHECK(Get(h.store(), "n") == "12");
}

TEST_CASE_TEMPLATE("the bytes read stay valid until the commit, also when staged over", H,
                   HARNESSES) {
  H h;
  StageSet(h.store(), "k", std::string(200, 'a'), 10);
  const auto first = h.store().Read(RowKeyOf("t", "k"));
  REQUIRE(first);
  const std::string copy(*first);
  StageSet(h.store(), "k", std::string(300, 'b'), 11);
  CHECK(*first == copy);
}

}  // namespace
}  // namespace hawser::test
