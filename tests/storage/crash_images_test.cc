// Power losses that never happened: a workload's writes and syncs are recorded; then, for places in
// that record, images of the disk are built as a power loss there could have left it (what was
// synced, and a random part of what was not, torn at sectors), and opened.

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>

#include "conflict/record.h"
#include "storage/lmdb_store.h"
#include "tests/storage/author.h"
#include "tests/storage/disk_recorder.h"
#include "tests/storage/harness.h"

namespace hawser::test {
namespace {

constexpr std::size_t kSector = 512;

// One file as a power loss may leave it.
class FileModel {
 public:
  explicit FileModel(std::string bytes) : durable_(std::move(bytes)) {}

  void Do(const DiskEvent& event) {
    switch (event.kind) {
      case DiskEvent::Kind::kWrite:
        pending_.push_back(&event);
        break;
      case DiskEvent::Kind::kDurableWrite:
        WriteTo(durable_, event.offset, event.bytes);
        break;
      case DiskEvent::Kind::kSync:
        for (const DiskEvent* write : pending_) WriteTo(durable_, write->offset, write->bytes);
        pending_.clear();
        break;
      case DiskEvent::Kind::kNote:
        break;
    }
  }
  // `share`: of the unsynced sectors, how many reached the disk.
  std::string AfterPowerLoss(double share, std::mt19937_64& random) const {
    std::string image = durable_;
    std::bernoulli_distribution kept(share), torn(0.2);
    for (const DiskEvent* write : pending_) {
      const bool whole = !torn(random);
      const bool keep_whole = kept(random);
      for (std::size_t at = 0; at < write->bytes.size(); at += kSector) {
        if (whole ? !keep_whole : !kept(random)) continue;
        WriteTo(image, write->offset + at, write->bytes.substr(at, kSector));
      }
    }
    return image;
  }
  std::size_t pending() const { return pending_.size(); }

 private:
  static void WriteTo(std::string& file, std::uint64_t offset, std::string_view bytes) {
    if (file.size() < offset + bytes.size()) file.resize(offset + bytes.size());
    file.replace(offset, bytes.size(), bytes);
  }
  std::string durable_;
  std::vector<const DiskEvent*> pending_;
};

// What readers see; dead rows come and go without anybody seeing it.
std::uint64_t Shown(Store& store) {
  std::uint64_t hash = 0;
  Record record;
  store.ScanNewest("", [&](std::string_view row_key, std::string_view bytes) {
    REQUIRE(DecodeRecord(bytes, record));
    if (!IsAlive(record, 0)) return true;
    hash = HashNext(HashNext(hash, row_key), bytes);
    return true;
  });
  return hash;
}

struct Moment {
  Cut cut;
  std::uint64_t shown = 0;
};

struct Workload {
  LmdbStoreOptions options;
  std::vector<Moment> moments;  // [n] after the n-th commit
  std::vector<DiskEvent> events;
  std::string journal, records;  // at the beginning
  std::uint64_t checkpoints = 0, trims = 0, drops = 0;
};

// Writes, deletes, received txns; checkpoints, drops and trims run along.
Workload Record(const std::string& path, std::uint64_t seed) {
  Workload work;
  work.options.path = path;
  work.options.region = RegionId{1};
  work.options.cluster_id = kCluster;
  work.options.memtable_bytes_max = 8 << 20;
  work.options.journal_bytes_max = 16 << 20;
  work.options.map_bytes_max = 64 << 20;
  work.options.journal_prealloc_bytes = 0;
  work.options.disk_reserve_bytes = 1 << 20;
  work.options.checkpoint_pages_max = 6;
  work.options.checkpoint_idle_ms = 0;
  work.options.drop_every_ms = 0;
  auto opened = LmdbStore::Open(work.options);
  REQUIRE(opened);
  LmdbStore& store = **opened;
  work.journal = ReadFile(path + "/journal/data.mdb");
  work.records = ReadFile(path + "/records/data.mdb");
  DiskRecorder& recorder = DiskRecorder::Get();
  recorder.Watch(path + "/journal/data.mdb");
  recorder.Watch(path + "/records/data.mdb");
  work.moments.push_back({store.applied(), Shown(store)});

  auto other = OtherRegion(2);
  std::mt19937_64 random(seed);
  for (int commit = 1; commit <= 150; ++commit) {
    const auto now_ms = 1000 + 10 * commit;
    for (auto left = 1 + random() % 4; left > 0; --left) {
      const std::string key = "k" + std::to_string(random() % 60);
      const std::string value(random() % 10 == 0 ? 5000 : random() % 300, 'v');
      if (random() % 3 == 0) {
        StageReceived(store, Set(*other, key, value + "theirs", now_ms));
      } else if (random() % 3 == 0) {
        if (const auto held = Get(store, key)) StageDelete(store, key, now_ms + 5);
      } else {
        StageSet(store, key, value, now_ms + 5);
      }
    }
    if (store.HasStaged()) MustCommit(store, StampAt(now_ms));
    work.moments.push_back({store.applied(), Shown(store)});
    recorder.Note(static_cast<std::uint64_t>(commit));
    Cut trim = store.applied();
    store.SetStable(AllStable(store, 0), trim);
    const StoreUsage before = store.usage();
    for (int i = 0; i < 3; ++i) {
      REQUIRE(store.Upkeep());
      if (random() % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
    const StoreUsage after = store.usage();
    work.checkpoints += after.lsn_checkpointed > before.lsn_checkpointed ? 1 : 0;
    work.trims += after.lsn_first > before.lsn_first ? 1 : 0;
    work.drops += after.tombstones < before.tombstones ? 1 : 0;
  }
  work.events = recorder.Stop();
  return work;
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST_CASE("after a power loss anywhere the store opens at its last commit or the one before") {
  const char* more = std::getenv("HAWSER_CRASH_IMAGES");
  const std::size_t images = more ? std::strtoull(more, nullptr, 10) : 400;
  const char* seed_text = std::getenv("HAWSER_SEED");
  const std::uint64_t seed = seed_text ? std::strtoull(seed_text, nullptr, 10) : 1;
  CAPTURE(seed);
  ScratchDir dir;
  const Workload work = Record(dir / "store", seed);
  CHECK(work.checkpoints > 5);
  CHECK(work.trims > 5);
  CHECK(work.drops > 0);
  REQUIRE(work.events.size() > 1000);

  std::mt19937_64 random(seed + 1);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < images; ++i) places.push_back(random() % work.events.size());
  std::ranges::sort(places);

  LmdbStoreOptions options = work.options;
  options.path = dir / "image";
  for (const char* part : {"", "/journal", "/records"}) {
    std::filesystem::create_directory(options.path + part);
  }
  FileModel files[] = {FileModel(work.journal), FileModel(work.records)};
  std::uint64_t acked = 0;
  std::size_t at = 0, at_last = 0, at_next = 0, unsynced = 0;
  for (const std::size_t place : places) {
    for (; at < place; ++at) {
      const DiskEvent& event = work.events[at];
      if (event.kind == DiskEvent::Kind::kNote) acked = event.offset;
      if (event.file >= 0) files[static_cast<std::size_t>(event.file)].Do(event);
    }
    unsynced += files[0].pending() + files[1].pending() > 0 ? 1u : 0u;
    constexpr double kShares[] = {0, 0.5, 0.9, 1};
    const double share = kShares[random() % 4];
    WriteFile(options.path + "/journal/data.mdb", files[0].AfterPowerLoss(share, random));
    WriteFile(options.path + "/records/data.mdb", files[1].AfterPowerLoss(share, random));
    CAPTURE(place);
    CAPTURE(share);

    auto opened = LmdbStore::Open(options);
    REQUIRE_MESSAGE(opened, opened.error().message);
    const Cut& cut = (*opened)->applied();
    // The commit after the last one acknowledged may have happened.
    std::size_t moment = acked;
    if (work.moments[moment].cut != cut && moment + 1 < work.moments.size()) ++moment;
    REQUIRE(cut == work.moments[moment].cut);
    REQUIRE(Shown(**opened) == work.moments[moment].shown);
    (moment == acked ? at_last : at_next) += 1;

    StageSet(**opened, "after", "v", 100000);
    MustCommit(**opened);
    REQUIRE((*opened)->CheckpointNow());
    REQUIRE(Get(**opened, "after") == "v");
  }
  MESSAGE(images << " images of " << work.events.size() << " disk events, " << unsynced
                 << " with unsynced writes: " << at_last << " at the last acknowledged commit, "
                 << at_next << " at one that was not acknowledged yet; " << work.checkpoints
                 << " checkpoints, " << work.trims << " trims, " << work.drops << " drops");
  CHECK(unsynced > images / 10);
  CHECK(at_next > 0);
}

}  // namespace
}  // namespace hawser::test
