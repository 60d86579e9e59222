#include "storage/memtable.h"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>

namespace hawser::test {
namespace {

std::shared_ptr<BlockPool> Pool() {
  return std::make_shared<BlockPool>(4 << 20);
}
void Put(Memtable& table, const std::string& key, ViewSeq seq, const std::string& value,
         bool gone = false) {
  table.Put(key, HashRowKey(key), seq, Lsn{seq * 10}, value, gone);
}
std::optional<Memtable::Found> Get(const Memtable& table, const std::string& key, ViewSeq seq) {
  return table.Get(key, HashRowKey(key), seq);
}

TEST_CASE("a reader sees the versions up to its moment, the writer the newest") {
  Memtable table(1 << 20, Pool());
  Put(table, "k", 3, "three");
  Put(table, "k", 5, "five");
  Put(table, "k", 5, "five again");
  Put(table, "k", 7, "", true);

  CHECK(!Get(table, "k", 2));
  CHECK(Get(table, "k", 3)->record == "three");
  CHECK(Get(table, "k", 4)->record == "three");
  CHECK(Get(table, "k", 5)->record == "five again");
  CHECK(Get(table, "k", 5)->lsn == Lsn{50});
  CHECK(Get(table, "k", kNewest)->gone);
  CHECK(!Get(table, "l", kNewest));
}

TEST_CASE("keys are walked in byte order, whatever order they came in") {
  Memtable table(1 << 20, Pool());
  std::map<std::string, std::string> model;
  std::mt19937_64 random(7);
  for (ViewSeq seq = 1; seq <= 5000; ++seq) {
    std::string key(random() % 12, 'x');
    for (char& c : key) c = static_cast<char>(random() % 4 == 0 ? 0xff : random() % 3);
    const std::string value = std::to_string(seq);
    Put(table, key, seq, value);
    model[key] = value;
  }
  for (int i = 0; i < 50; ++i) {
    std::string start(random() % 6, '\1');
    Memtable::Iterator it(table, kNewest);
    it.Seek(start);
    for (auto at = model.lower_bound(start); at != model.end(); ++at, it.Next()) {
      REQUIRE(it.Valid());
      REQUIRE(it.key() == at->first);
      REQUIRE(it.found().record == at->second);
    }
    CHECK(!it.Valid());
  }
}

TEST_CASE("what was sorted once is not to be sorted again") {
  Memtable table(1 << 20, Pool());
  CHECK(table.unsorted() == 0);
  for (ViewSeq seq = 1; seq <= 300; ++seq) Put(table, std::to_string(seq % 200), seq, "v");
  CHECK(table.unsorted() == 200);
  table.Sort();
  CHECK(table.unsorted() == 0);
  Put(table, "new", 301, "v");
  Put(table, "7", 301, "again");
  CHECK(table.unsorted() == 1);
  Memtable::Iterator it(table, kNewest);
  it.Seek("7");
  CHECK(it.found().record == "again");
  it.Seek("n");
  CHECK(it.key() == "new");
  CHECK(table.unsorted() == 0);
}

TEST_CASE("keys that came after a reader's moment are passed over") {
  Memtable table(1 << 20, Pool());
  Put(table, "a", 1, "a");
  Put(table, "b", 2, "b");
  Put(table, "c", 1, "c");
  Memtable::Iterator it(table, 1);
  it.Seek("");
  CHECK(it.key() == "a");
  it.Next();
  CHECK(it.key() == "c");
  it.Next();
  CHECK(!it.Valid());
}

TEST_CASE("every byte taken is counted") {
  Memtable table(16 << 20, Pool());
  const std::uint64_t empty = table.bytes();
  CHECK(table.used_bytes() == 0);
  for (ViewSeq seq = 1; seq <= 1000; ++seq) {
    Put(table, std::to_string(seq), seq, std::string(5000, 'x'));
  }
  CHECK(table.used_bytes() > 5000 * 1000);
  CHECK(table.bytes() - empty < 5000 * 1000 * 105 / 100 + (2 << 20));
  Put(table, "big", 1001, std::string(3 << 20, 'x'));
  CHECK(table.used_bytes() > 5000 * 1000 + (3 << 20));
}

TEST_CASE("what one memtable gave back, the next takes, and it finds nothing old in it") {
  const auto pool = Pool();
  for (int round = 0; round < 3; ++round) {
    Memtable table(1 << 20, pool);
    CHECK(!Get(table, "k1", kNewest));
    for (ViewSeq seq = 1; seq <= 3000; ++seq) {
      Put(table, "k" + std::to_string(seq), seq, std::string(1000, static_cast<char>('a' + round)));
    }
    CHECK(Get(table, "k1", kNewest)->record.front() == 'a' + round);
  }
  char* kept = pool->Take();
  REQUIRE(kept != nullptr);
  pool->Give(kept);
  pool->Shrink(1);
  char* last = pool->Take();
  CHECK(last != nullptr);
  CHECK(pool->Take() == nullptr);  // the bound was two blocks
  pool->Give(last);
}

TEST_CASE("readers walk and look while the writer writes") {
  Memtable table(8 << 20, Pool());
  std::atomic<ViewSeq> visible{0};
  std::atomic<bool> stop{false};
  std::atomic<int> rounds{0};
  const auto key = [](ViewSeq i) { return "key" + std::to_string(i * 7919 % 4000); };
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      while (!stop.load()) {
        const ViewSeq seq = visible.load(std::memory_order_acquire);
        std::string last;
        ViewSeq newest = 0;
        Memtable::Iterator it(table, seq);
        for (it.Seek(""); it.Valid(); it.Next()) {
          if (it.key() <= last) std::abort();
          last = it.key();
          newest = std::max(newest, Raw(it.found().lsn) / 10);
        }
        // A moment is seen whole: the last thing written up to it is there.
        if (seq > 0 && newest != seq) std::abort();
        if (seq > 0 && !Get(table, key(seq), seq)) std::abort();
        rounds.fetch_add(1);
      }
    });
  }
  for (ViewSeq seq = 1; seq <= 20000; ++seq) {
    Put(table, key(seq), seq, std::to_string(seq));
    visible.store(seq, std::memory_order_release);
    if (seq % 5000 == 0) std::this_thread::yield();
  }
  while (rounds.load() < 4) std::this_thread::yield();
  stop = true;
  for (auto& reader : readers) reader.join();
  CHECK(rounds.load() >= 4);
}

}  // namespace
}  // namespace hawser::test
