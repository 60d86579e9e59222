// Figures of the storage layer: storage_bench [DIRECTORY [SECONDS-PER-LINE]]. Prints one line each.

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "conflict/assert.h"
#include "conflict/record_codec.h"
#include "storage/lmdb_store.h"
#include "storage/local_txn.h"

namespace hawser {
namespace {

using Clock = std::chrono::steady_clock;

double Since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

// This thread's own time, so that a busy machine tells the same.
double CpuSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::string KeyOf(std::uint64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "%012llu",
                static_cast<unsigned long long>(number));  // NOLINT(google-runtime-int)
  return text;
}

struct Bench {
  std::string directory;
  double seconds;

  void JournalCommits(std::size_t batch, std::uint64_t prealloc) {
    const std::string path = directory + "/journal";
    std::filesystem::remove_all(path);
    auto journal = Journal::Open({.directory = path, .map_bytes = std::uint64_t{4} << 30});
    HW_ASSERT(journal.has_value());
    if (prealloc > 0) (*journal)->Prealloc(prealloc);
    const std::string txn(190, 't');  // a SET of 128 bytes
    const Origin origin{RegionId{1}, Incarnation{1}};
    std::uint64_t seq = 0;
    std::vector<double> times;
    const auto began = Clock::now();
    while (Since(began) < seconds) {
      for (std::size_t i = 0; i < batch; ++i) (*journal)->Stage({origin, Seq{++seq}, seq, txn});
      const auto commit = Clock::now();
      HW_ASSERT((*journal)->Commit({}, {}).has_value());
      times.push_back(Since(commit));
    }
    const double took = Since(began);
    std::ranges::sort(times);
    std::printf(
        "journal commit, batch %3zu, %2llu MiB ahead: %8.0f txn/s, p50 %.3f ms, p99 %.3f ms\n",
        batch, static_cast<unsigned long long>(prealloc >> 20),  // NOLINT
        static_cast<double>(seq) / took, times[times.size() / 2] * 1e3,
        times[times.size() * 99 / 100] * 1e3);
  }

  void MemtableInserts(std::uint64_t keys) {
    Memtable table(std::uint64_t{256} << 20, std::make_shared<BlockPool>(0));
    const std::string record(160, 'r');
    std::mt19937_64 random(1);
    const std::uint64_t count = 1'000'000;
    std::vector<std::string> row_keys;
    for (std::uint64_t i = 0; i < count; ++i) {
      std::string row_key;
      AppendRowKey("key", KeyOf(random() % keys), row_key);
      row_keys.push_back(std::move(row_key));
    }
    double began = CpuSeconds();
    for (std::uint64_t i = 0; i < count; ++i) {
      table.Put(row_keys[i], HashRowKey(row_keys[i]), i, Lsn{i}, record);
    }
    const double put = (CpuSeconds() - began);
    began = CpuSeconds();
    std::uint64_t found = 0;
    for (const std::string& row_key : row_keys) {
      found += table.Get(row_key, HashRowKey(row_key), kNewest) ? 1u : 0u;
    }
    HW_ASSERT(found == count);
    std::printf("memtable, %7llu keys: put %4.0f ns, get %4.0f ns, %.0f bytes a version\n",
                static_cast<unsigned long long>(keys),  // NOLINT
                put * 1e9 / static_cast<double>(count),
                (CpuSeconds() - began) * 1e9 / static_cast<double>(count),
                static_cast<double>(table.used_bytes()) / static_cast<double>(count));
  }

  // SETs through LocalTxn, Apply, Commit as the engine does them.
  void Store(std::size_t batch, std::uint64_t keys, double for_seconds) {
    LmdbStoreOptions options;
    options.path = directory + "/store";
    options.region = RegionId{1};
    std::filesystem::remove_all(options.path);
    auto opened = LmdbStore::Open(options);
    HW_ASSERT(opened.has_value());
    LmdbStore& store = **opened;
    const Schema schema;
    const std::string value(128, 'v');
    std::mt19937_64 random(1);
    std::string bytes;
    std::vector<Discarded> discarded;
    std::uint64_t seq = 0;
    double edit = 0, apply = 0, commit = 0, upkeep = 0, waited = 0, worst = 0;
    const auto began = Clock::now();
    const double cpu_began = CpuSeconds();
    while (Since(began) < for_seconds) {
      for (std::size_t i = 0; i < batch; ++i) {
        const std::string key = KeyOf(random() % keys);
        const auto t0 = Clock::now();
        HW_ASSERT(store.Reserve(256, true).has_value());
        LocalTxn local(store, schema, 1000);
        HW_ASSERT(local.Edit("key", key).ReplaceWith(kStringField, value).has_value());
        Txn txn;
        txn.stamp = Stamp{++seq};
        txn.changes = local.Finish();
        bytes.clear();
        EncodeTxn(txn, bytes);
        const std::uint64_t hash = HashNext(*store.HashAt(store.self(), Seq{seq - 1}), bytes);
        const auto t1 = Clock::now();
        discarded.clear();
        store.Apply({store.self(), Seq{seq}, hash, bytes}, txn, discarded);
        edit += std::chrono::duration<double>(t1 - t0).count();
        apply += Since(t1);
      }
      const auto t2 = Clock::now();
      HW_ASSERT(store.Commit({}).has_value());
      commit += Since(t2);
      worst = std::max(worst, Since(t2));
      const auto t3 = Clock::now();
      store.SetStable({}, store.applied());
      HW_ASSERT(store.Upkeep().has_value());
      upkeep += Since(t3);
      const auto t4 = Clock::now();
      while (store.Congested()) HW_ASSERT(store.Upkeep().has_value());
      waited += Since(t4);
    }
    const double took = Since(began);
    const double cpu = CpuSeconds() - cpu_began;
    const auto n = static_cast<double>(seq);
    const auto commits = n / static_cast<double>(batch);
    std::printf(
        "store, batch %3zu, %llu keys: %7.0f set/s, %.2f us of CPU each; a set: edit %.2f us, "
        "apply %.2f us; a commit: "
        "%.3f ms "
        "(worst %.1f), upkeep %.4f ms; waited %.0f %% of the time\n",
        batch, static_cast<unsigned long long>(keys), n / took, cpu / n * 1e6,  // NOLINT
        edit / n * 1e6, apply / n * 1e6, commit / commits * 1e3, worst * 1e3,
        upkeep / commits * 1e3, 100 * waited / took);
    const auto flush = Clock::now();
    const auto usage = store.usage();
    HW_ASSERT(store.CheckpointNow().has_value());
    const double flushed = static_cast<double>(Raw(usage.lsn_last) - Raw(usage.lsn_checkpointed));
    std::printf("  checkpoint of the rest: %.0f txns in %.2f s, %.0f/s\n", flushed, Since(flush),
                flushed / Since(flush));
  }
};

}  // namespace
}  // namespace hawser

int main(int argc, char** argv) {
  const std::string parent = argc > 1 ? argv[1] : std::filesystem::temp_directory_path().string();
  hawser::Bench bench{parent + "/hawser-storage-bench", argc > 2 ? std::atof(argv[2]) : 2.0};
  std::filesystem::remove_all(bench.directory);
  std::filesystem::create_directories(bench.directory);
  for (const std::uint64_t prealloc : {std::uint64_t{0}, std::uint64_t{64} << 20}) {
    for (const std::size_t batch : {1u, 16u, 256u}) bench.JournalCommits(batch, prealloc);
  }
  bench.MemtableInserts(1000);
  bench.MemtableInserts(400'000);
  bench.MemtableInserts(10'000'000);
  bench.Store(16, 1'000'000, bench.seconds);
  bench.Store(256, 1'000'000, 4 * bench.seconds);
  std::filesystem::remove_all(bench.directory);
  return 0;
}
