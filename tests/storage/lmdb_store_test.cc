#include "storage/lmdb_store.h"

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "conflict/bytes.h"
#include "storage/conflict_log.h"
#include "storage/sealed.h"
#include "tests/storage/harness.h"

namespace hawser::test {
namespace {

StorageError OpenErrorOf(const LmdbStoreOptions& options) {
  const auto opened = LmdbStore::Open(options);
  REQUIRE(!opened);
  CHECK(!opened.error().message.empty());
  return opened.error().error;
}

// Changes every place in a file where `needle` stands.
void Damage(const std::string& path, const std::string& needle) {
  std::string bytes = ReadFile(path);
  int damaged = 0;
  for (std::size_t at = bytes.find(needle); at != std::string::npos;
       at = bytes.find(needle, at + 1)) {
    bytes[at + needle.size() / 2] = static_cast<char>(bytes[at + needle.size() / 2] ^ 0x10);
    ++damaged;
  }
  REQUIRE(damaged > 0);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST_CASE("where no store is and none may be made, nothing is made") {
  ScratchDir dir;
  LmdbStoreOptions options;
  options.path = dir / "store";
  options.region = RegionId{1};
  options.create = false;
  CHECK(OpenErrorOf(options) == StorageError::kNotFound);
  CHECK(!std::filesystem::exists(options.path));
}

TEST_CASE("a store has one opener at a time") {
  LmdbHarness h;
  CHECK(OpenErrorOf(h.options()) == StorageError::kLocked);
  h.Close();
  h.Open();
}

TEST_CASE("the store of another region or cluster is refused and left as it is") {
  LmdbHarness h;
  Set(h.store(), "k", "v", 10);
  h.Close();
  const auto before = FilesBelow(h.options().path);
  LmdbStoreOptions other_region = h.options();
  other_region.region = RegionId{2};
  LmdbStoreOptions other_cluster = h.options();
  other_cluster.cluster_id = kCluster + 1;
  for (auto options : {other_region, other_cluster}) {
    options.journal_prealloc_bytes = 8 << 20;
    CHECK(OpenErrorOf(options) == StorageError::kForeign);
    CHECK(FilesBelow(options.path) == before);
  }
  h.Open();
  CHECK(Get(h.store(), "k") == "v");
}

TEST_CASE("a store written by newer software is refused and left as it is") {
  LmdbHarness h;
  h.Close();
  {
    auto env = LmdbEnv::Open({.directory = h.options().path + "/journal", .map_bytes = 1 << 30});
    REQUIRE(env);
    auto txn = LmdbTxn::Begin(*env, LmdbTxn::Mode::kWrite);
    REQUIRE(txn);
    const auto table = txn->Table("", false);
    std::string newer;
    PutFixed64(newer, kStoreFormat + 1);
    newer += "something this software knows nothing of";
    REQUIRE(txn->Put(*table, "Aidentity", Sealed(newer)));
    REQUIRE(txn->Commit());
  }
  const auto before = FilesBelow(h.options().path);
  CHECK(OpenErrorOf(h.options()) == StorageError::kNewer);
  CHECK(FilesBelow(h.options().path) == before);
}

TEST_CASE("a row damaged on disk is not answered, and stops the store") {
  LmdbHarness h;
  const std::string value = "a value that stands in the record tables";
  Set(h.store(), "good", "v", 10);
  Set(h.store(), "bad", value, 11);
  REQUIRE(h.lmdb().CheckpointNow());
  h.Close();
  Damage(h.options().path + "/records/data.mdb", value);
  h.Open();
  const auto reader = h.store().NewReader();
  const auto view = reader->Take();
  CHECK(Get(*view, "good") == "v");
  CHECK(!view->damaged());

  SUBCASE("met by a reader") {
    CHECK(!Get(*view, "bad"));
    CHECK(view->damaged());
    CHECK(h.store().Upkeep().error() == StorageError::kCorrupt);
  }
  SUBCASE("met by a scan") {
    CHECK(AllRows(*view).empty());
    CHECK(view->damaged());
  }
  SUBCASE("met by the writer") {
    StageSet(h.store(), "bad", "new", 20);
    CHECK(h.store().Commit({}).error() == StorageError::kCorrupt);
    CHECK(h.store().Reserve(10, true).error() == StorageError::kCorrupt);
  }
}

TEST_CASE("a journal damaged where it must be replayed is not opened") {
  LmdbHarness h;
  const std::string value = "a value that stands in the journal";
  Set(h.store(), "k", value, 10);
  h.Close();
  Damage(h.options().path + "/journal/data.mdb", value);
  CHECK(OpenErrorOf(h.options()) == StorageError::kCorrupt);
}

TEST_CASE("journal and records of different times are not taken for one store") {
  LmdbHarness h;
  namespace fs = std::filesystem;
  const std::string path = h.options().path;
  const auto swap_in = [&](const char* part, const std::string& from) {
    fs::remove_all(path + "/" + part);
    fs::copy(from + "/" + part, path + "/" + part, fs::copy_options::recursive);
  };
  Set(h.store(), "k", "1", 10);
  REQUIRE(h.lmdb().CheckpointNow());
  h.Close();
  ScratchDir old;
  fs::copy(path, old.path(), fs::copy_options::recursive);
  h.Open();
  for (int i = 0; i < 50; ++i) Set(h.store(), "k" + std::to_string(i), "2", 20);
  h.store().SetStable({}, h.store().applied());
  h.Settle();
  REQUIRE(h.store().usage().lsn_first == Lsn{52});
  h.Close();
  SUBCASE("older records") {
    swap_in("records", old.path());
  }
  SUBCASE("an older journal") {
    swap_in("journal", old.path());
  }
  SUBCASE("another store's journal") {
    LmdbHarness other;
    other.Close();
    swap_in("journal", other.options().path);
  }
  CHECK(OpenErrorOf(h.options()) == StorageError::kCorrupt);
}

TEST_CASE("a copy of the files of a killed process opens with everything acknowledged") {
  LmdbHarness h;
  for (int i = 0; i < 300; ++i) {
    Set(h.store(), "k" + std::to_string(i % 40), std::to_string(i), 10 + i);
    if (i % 60 == 0) REQUIRE(h.store().Upkeep());
  }
  ScratchDir copy;
  std::filesystem::copy(h.options().path, copy.path(), std::filesystem::copy_options::recursive);
  LmdbStoreOptions options = h.options();
  options.path = copy.path();
  const auto opened = LmdbStore::Open(options);
  REQUIRE(opened);
  CHECK(AllRows(**opened) == AllRows(h.store()));
  CHECK((*opened)->applied() == h.store().applied());
}

TEST_CASE("a checkpoint cut short after any number of commits loses no row and no conflict") {
  LmdbHarness h;
  auto other = OtherRegion(2);
  int commits = 0;
  int cut_short = 0;
  h.options().checkpoint_gate = [&] { return commits-- > 0; };
  for (int limit = 1; limit <= 12; ++limit) {
    for (int i = 0; i < 20; ++i) {
      const std::string key = "k" + std::to_string(i);
      const auto theirs =
          StageSet(*other, key, std::string(600, 'x') + std::to_string(limit), 50 + 10 * limit);
      MustCommit(*other);
      StageSet(h.store(), key, std::string(500, 'y') + std::to_string(limit), 45 + 10 * limit);
      StageReceived(h.store(), theirs);
      MustCommit(h.store());
    }
    const Rows rows = AllRows(h.store());
    h.Crash();  // the gate is in force from here on
    commits = limit;
    if (!h.lmdb().CheckpointNow()) ++cut_short;
    CHECK(AllRows(h.store()) == rows);
    h.Crash();
    CHECK(AllRows(h.store()) == rows);
    CHECK(rows.lower_bound(std::string(kConflictTable)) == rows.begin());
    // Each conflict is a row, and a row for its place in the order found.
    CHECK(rows.size() == 20u + 2u * 20u * static_cast<unsigned>(limit));
  }
  CHECK(cut_short >= 10);
  const Rows rows = AllRows(h.store());
  commits = 1 << 30;
  CHECK(h.lmdb().CheckpointNow());
  h.Crash();
  CHECK(AllRows(h.store()) == rows);
}

TEST_CASE(
    "own writes get FULL at the journal's bound, received ones a little later, and trimming "
    "heals") {
  LmdbHarness h;
  h.Close();
  h.options().journal_bytes_max = 1 << 20;
  h.Open();
  int written = 0;
  while (h.store().Reserve(1000, true)) {
    Set(h.store(), "k" + std::to_string(written), std::string(1000, 'x'), 10 + written);
    REQUIRE(++written < 2000);
  }
  CHECK(written > 500);
  CHECK(h.store().Reserve(1000, true).error() == StorageError::kFull);
  CHECK(h.store().Reserve(1000, false));
  CHECK(Get(h.store(), "k7"));
  auto other = OtherRegion(2);
  while (h.store().Reserve(1000, false)) {
    Receive(h.store(), Set(*other, "m", std::string(1000, 'x'), 10));
    REQUIRE(++written < 2000);
  }
  h.store().SetStable({}, h.store().applied());
  h.Settle();
  CHECK(h.store().Reserve(1000, true));
  CHECK(h.store().usage().journal_bytes < 100000);
}

TEST_CASE("writes get FULL before the record tables' map is full, and deleting heals") {
  LmdbHarness h;
  h.Close();
  h.options().map_bytes_max = 4 << 20;
  h.options().checkpoint_pages_max = 64;
  h.Open();
  int rows = 0;
  while (h.store().Reserve(1000, true)) {
    StageSet(h.store(), "k" + std::to_string(rows), std::string(1000, 'x'), 10 + rows);
    MustCommit(h.store());
    if (++rows % 50 == 0) h.Settle();
    REQUIRE(rows < 5000);
  }
  CHECK(rows > 1000);
  h.Settle();
  CHECK(!h.store().Reserve(1000, true));
  for (int i = 0; i < rows; ++i) StageDelete(h.store(), "k" + std::to_string(i), 100000);
  MustCommit(h.store());
  h.store().SetStable(AllStable(h.store(), 200000), h.store().applied());
  h.Settle();
  CHECK(h.store().usage().tombstones == 0);
  CHECK(AllRows(h.store()).empty());
  CHECK(h.store().Reserve(1000, true));
}

TEST_CASE("a start on a full disk comes up for reading, and heals when there is room") {
  LmdbHarness h;
  Set(h.store(), "k", "v", 10);
  h.Close();
  h.options().disk_reserve_bytes = std::uint64_t{1} << 60;  // no disk is that large
  h.options().journal_prealloc_bytes = 8 << 20;
  const auto before = FilesBelow(h.options().path);
  h.Open();
  CHECK(Get(h.store(), "k") == "v");
  CHECK(h.store().Reserve(10, true).error() == StorageError::kFull);
  CHECK(h.store().Reserve(10, false).error() == StorageError::kFull);
  h.Close();
  CHECK(FilesBelow(h.options().path) == before);
  h.options().disk_reserve_bytes = 1 << 20;
  h.Open();
  CHECK(h.store().Reserve(10, true));
  CHECK(Get(h.store(), "k") == "v");
}

TEST_CASE("a disk that really fills refuses writes before it fails them, and heals") {
  ScratchDir dir;
  const std::string mount = dir / "disk";
  std::filesystem::create_directory(mount);
  if (::mount("tmpfs", mount.c_str(), "tmpfs", 0, "size=24m") != 0) {
    MESSAGE("skipped: mounting a small disk needs root");
    return;
  }
  {
    LmdbStoreOptions options;
    options.path = mount + "/store";
    options.region = RegionId{1};
    options.memtable_bytes_max = 8 << 20;
    options.journal_prealloc_bytes = 0;
    options.disk_reserve_bytes = 4 << 20;
    options.checkpoint_pages_max = 256;
    options.checkpoint_idle_ms = 20;
    auto opened = LmdbStore::Open(options);
    REQUIRE(opened);
    int written = 0;
    bool full = false;
    for (; !full && written < 40000; ++written) {
      full = !(*opened)->Reserve(2000, true);
      if (full) break;
      StageSet(**opened, "k" + std::to_string(written % 3000), std::string(1500, 'x'), written);
      if (written % 16 == 0) MustCommit(**opened);
      if (written % 64 == 0) {
        MustCommit(**opened);
        REQUIRE((*opened)->Upkeep());
        while ((*opened)->Congested()) REQUIRE((*opened)->Upkeep());
      }
    }
    MustCommit(**opened);
    CHECK(full);
    const Rows rows = AllRows(**opened);
    // Somebody else takes the rest.
    std::ofstream hog(mount + "/hog", std::ios::binary);
    const std::string megabyte(1 << 20, 'h');
    while (hog.write(megabyte.data(), 1 << 20).flush()) {
    }
    hog.close();
    CHECK(!(*opened)->Reserve(2000, true));
    opened->reset();
    opened = LmdbStore::Open(options);
    REQUIRE(opened);
    CHECK(AllRows(**opened) == rows);
    CHECK((*opened)->Reserve(2000, true).error() == StorageError::kFull);
    const auto reader = (*opened)->NewReader();
    CHECK(AllRows(*reader->Take()) == rows);

    std::filesystem::remove(mount + "/hog");
    (*opened)->SetStable({}, (*opened)->applied());
    bool healed = false;
    for (int i = 0; i < 300 && !healed; ++i) {
      REQUIRE((*opened)->Upkeep());
      healed = (*opened)->Reserve(2000, true).has_value();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    // What was trimmed stays inside the journal's file, so room may only come with more disk.
    if (!healed) {
      REQUIRE(::mount("tmpfs", mount.c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0);
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
      healed = (*opened)->Reserve(2000, true).has_value();
    }
    CHECK(healed);
    StageSet(**opened, "after", "v", 50000);
    MustCommit(**opened);
    CHECK(Get(**opened, "after") == "v");
  }
  ::umount(mount.c_str());
}

TEST_CASE("the memory for rows stays within its bound while the writer waits when told") {
  LmdbHarness h;
  h.Close();
  h.options().checkpoint_pages_max = 1024;
  h.options().checkpoint_idle_ms = 1000;
  h.Open();
  std::uint64_t most = 0;
  for (int i = 0; i < 60000; ++i) {
    StageSet(h.store(), "k" + std::to_string(i), std::string(300, 'x'), 10 + i);
    if (i % 50 != 0) continue;
    MustCommit(h.store());
    do REQUIRE(h.store().Upkeep());
    while (h.store().Congested());
    most = std::max(most, h.store().usage().memtable_bytes);
  }
  MustCommit(h.store());
  CHECK(most <= h.options().memtable_bytes_max + (1 << 20));
  CHECK(most > h.options().memtable_bytes_max / 4);
  h.Crash();
  CHECK(AllRows(h.store()).size() == 60000);
}

TEST_CASE("a journal larger than the memory for it is replayed in parts") {
  LmdbHarness h;
  h.Close();
  h.options().memtable_bytes_max = 256 << 20;
  h.options().checkpoint_pages_max = 1024;
  h.Open();
  for (int i = 0; i < 40000; ++i) {
    StageSet(h.store(), "k" + std::to_string(i % 20000), std::string(700, 'x'), 10 + i);
    if (i % 500 == 0) MustCommit(h.store());
  }
  MustCommit(h.store());
  const Rows rows = AllRows(h.store());
  h.Close();
  h.options().memtable_bytes_max = 8 << 20;
  h.Open();
  CHECK(h.store().usage().lsn_checkpointed > Lsn{10000});
  CHECK(AllRows(h.store()) == rows);
  CHECK(h.store().usage().memtable_bytes <= (8 << 20));
}

TEST_CASE("hashes older than those remembered are read from the journal") {
  LmdbHarness h;
  std::vector<Shipped> sent;
  for (int i = 0; i < 100; ++i) sent.push_back(Set(h.store(), "k", std::to_string(i), 10 + i));
  REQUIRE(h.lmdb().CheckpointNow());
  h.Crash();  // nothing is replayed, so nothing is remembered
  for (const Shipped& s : sent) CHECK(h.store().HashAt(s.origin, s.seq) == s.hash);
}

TEST_CASE("tombstones of an idle store are gone soon after they are stable") {
  LmdbHarness h;
  h.Close();
  h.options().checkpoint_pages_max = 1024;
  h.options().checkpoint_idle_ms = 50;
  h.options().drop_every_ms = 50;
  h.Open();
  for (int i = 0; i < 3000; ++i) StageSet(h.store(), "k" + std::to_string(i), "v", 10);
  for (int i = 0; i < 3000; ++i) StageDelete(h.store(), "k" + std::to_string(i), 20);
  MustCommit(h.store());
  REQUIRE(h.lmdb().CheckpointNow());
  CHECK(h.store().usage().tombstones == 3000);
  h.store().SetStable(AllStable(h.store(), 1000), {});
  const auto began = std::chrono::steady_clock::now();
  while (h.store().usage().tombstones > 0) {
    REQUIRE(h.store().Upkeep());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    REQUIRE(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
  }
  CHECK(AllRows(h.store()).empty());
}

TEST_CASE("the oldest view is known") {
  LmdbHarness h;
  const auto reader = h.store().NewReader();
  CHECK(h.store().usage().oldest_view_age_seconds == 0);
  const auto view = reader->Take();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(h.store().usage().oldest_view_age_seconds >= 0.02);
}

TEST_CASE("readers on other threads never see a txn in part, through freezes and checkpoints") {
  LmdbHarness h;
  h.Close();
  h.options().checkpoint_pages_max = 2;
  h.Open();
  std::atomic<bool> stop{false};
  std::atomic<long> views{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      const auto reader = h.store().NewReader();
      const auto journal = h.store().NewJournalReader();
      while (!stop.load()) {
        const auto view = reader->Take();
        const Seq seq = view->cut().Get(h.store().self());
        // Txn n writes n to all of a, b … and to one key of its own.
        const std::string expected = std::to_string(Raw(seq));
        for (const char* key : {"a", "m", "z"}) {
          const auto bytes = view->Get(RowKeyOf("t", key));
          if (seq != Seq{0} && TextIn(bytes) != expected) std::abort();
        }
        long count = 0;
        view->Scan(RowKeyOf("t", "own"), [&](std::string_view row_key, std::string_view) {
          if (SplitRowKey(row_key).key.starts_with("own")) ++count;
          return true;
        });
        if (count != static_cast<long>(Raw(seq))) std::abort();
        if (seq != Seq{0} &&
            !journal->ReadLog(h.store().self(), seq, [](const JournalEntry&) { return true; })) {
          std::abort();
        }
        views.fetch_add(1);
      }
    });
  }
  for (int n = 1; n <= 400; ++n) {
    StageLocal(h.store(), 10 + n, [&](LocalTxn& txn) {
      const std::string value = std::to_string(n);
      for (const char* key : {"a", "m", "z"}) {
        REQUIRE(txn.Edit("t", key).ReplaceWith(kStringField, value));
      }
      REQUIRE(txn.Edit("t", "own" + value).ReplaceWith(kStringField, value));
    });
    MustCommit(h.store());
    REQUIRE(h.store().Upkeep());
  }
  while (views.load() < 20) {
    REQUIRE(h.store().Upkeep());
    std::this_thread::yield();
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  CHECK(h.store().usage().lsn_checkpointed > Lsn{0});
}

}  // namespace
}  // namespace hawser::test
