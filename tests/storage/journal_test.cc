#include "storage/journal.h"

#include <doctest/doctest.h>
#include <xxhash.h>

#include <cstring>
#include <fstream>

#include "conflict/txn.h"
#include "storage/journal_format.h"
#include "storage/journal_reader.h"
#include "tests/storage/scratch_dir.h"

namespace hawser::test {
namespace {

constexpr Origin kUs{RegionId{1}, Incarnation{0xa}};
constexpr Origin kThem{RegionId{2}, Incarnation{0xb}};

struct Made {
  JournalEntry entry;
  std::string bytes;
};

// A journal and what was put into it.
class Fixture {
 public:
  Fixture() { Open(); }
  void Open() {
    journal_.reset();
    auto opened = Journal::Open({.directory = dir_ / "journal", .map_bytes = 64 << 20});
    REQUIRE(opened);
    journal_ = std::move(*opened);
  }
  void Stage(const Origin& origin, std::size_t bytes) {
    const Seq seq = Next(ends_.Get(origin));
    ends_.Raise({origin, seq});
    Made made{{origin, seq, Raw(seq) * 1000 + Raw(origin.region), {}},
              std::string(bytes, static_cast<char>('a' + Raw(seq) % 26))};
    made.entry.bytes = made.bytes;
    const Lsn lsn = journal_->Stage(made.entry);
    made_.push_back(std::move(made));
    REQUIRE(Raw(lsn) == made_.size());
  }
  void Commit(Journal::TrimLimit trim = {}) { REQUIRE(journal_->Commit(Stamp{}, trim)); }
  // Replays and compares with what was put in, from `from` on.
  void CheckReplay(std::uint64_t from) {
    std::uint64_t next = from;
    const auto read = journal_->Replay(Lsn{from}, [&](Lsn lsn, const JournalEntry& entry) {
      CHECK(Raw(lsn) == next);
      const Made& made = made_[next - 1];
      CHECK(entry.origin == made.entry.origin);
      CHECK(entry.seq == made.entry.seq);
      CHECK(entry.hash == made.entry.hash);
      CHECK(entry.bytes == made.bytes);
      ++next;
      return true;
    });
    CHECK(read);
    CHECK(next == made_.size() + 1);
  }
  // The seqs that a reader gets of an origin from `from` on.
  std::expected<std::vector<std::uint64_t>, StorageError> Log(const Origin& origin,
                                                              std::uint64_t from) {
    LmdbJournalReader reader(journal_->env(), journal_->table(),
                             [this](const Origin& asked) { return ends_.Get(asked); });
    std::vector<std::uint64_t> seqs;
    const auto read = reader.ReadLog(origin, Seq{from}, [&](const JournalEntry& entry) {
      seqs.push_back(Raw(entry.seq));
      return true;
    });
    if (!read) return std::unexpected(read.error());
    return seqs;
  }
  Journal& journal() { return *journal_; }
  const Cut& ends() const { return ends_; }
  std::string data_file() const { return dir_ / "journal/data.mdb"; }
  void Close() { journal_.reset(); }

 private:
  ScratchDir dir_;
  std::unique_ptr<Journal> journal_;
  std::vector<Made> made_;
  Cut ends_;
};

TEST_CASE("entries of every size come back as they were, over a restart too") {
  Fixture f;
  for (const std::size_t bytes : {1u, 100u, 1990u, 2016u, 2017u, 5000u, 70000u, 3000000u, 10u}) {
    f.Stage(kUs, bytes);
    f.Stage(kThem, bytes + 3);
    if (bytes % 2 == 0) f.Commit();
  }
  f.Commit();
  f.CheckReplay(1);
  f.CheckReplay(4);
  f.Open();
  f.CheckReplay(1);
  f.CheckReplay(18);
  CHECK(f.journal().last() == Lsn{18});
  f.Stage(kUs, 50);
  f.Commit();
  f.CheckReplay(17);
}

TEST_CASE("no block needs an overflow page") {
  Fixture f;
  for (int i = 0; i < 200; ++i) f.Stage(kUs, 1000);
  f.Stage(kUs, 1 << 20);
  f.Commit();
  // 200,000 + 1 MiB of payload in half pages; overflow would double the pages of single pieces.
  CHECK(f.journal().bytes() < ((200000 + (1 << 20)) / 4032 + 20) * 4096);
}

TEST_CASE("what was staged and not committed is not there after a restart") {
  Fixture f;
  f.Stage(kUs, 10);
  f.Commit();
  f.journal().Stage({kUs, Seq{2}, 1, "lost"});
  f.Open();
  CHECK(f.journal().last() == Lsn{1});
  f.CheckReplay(1);
}

TEST_CASE("the index finds any place of any log") {
  Fixture f;
  for (int i = 0; i < 3000; ++i) {
    f.Stage(kUs, 150);
    if (i % 50 == 49) f.Stage(kThem, 150);
    if (i % 3 == 0) f.Commit();
  }
  f.Commit();
  for (const std::uint64_t from : {1u, 2u, 777u, 1500u, 2999u, 3000u}) {
    const auto log = f.Log(kUs, from);
    REQUIRE(log);
    CHECK(log->size() == 3001 - from);
    CHECK(log->front() == from);
  }
  for (std::uint64_t from = 1; from <= 60; ++from) {
    const auto log = f.Log(kThem, from);
    REQUIRE(log);
    CHECK(log->size() == 61 - from);
  }
  CHECK(f.Log(kUs, 3001)->empty());
  CHECK(f.Log(kUs, 3002).error() == StorageError::kNotFound);
}

TEST_CASE("trimming takes whole blocks that are checkpointed and in the cut, a bounded number") {
  Fixture f;
  for (int i = 0; i < 100; ++i) {
    f.Stage(kUs, 500);
    f.Stage(kThem, 500);
    f.Commit();
  }
  const Cut cut{{kUs, Seq{60}}, {kThem, Seq{50}}};
  const std::uint64_t before = f.journal().bytes();
  f.Commit({.checkpointed = Lsn{200}, .cut = &cut, .pieces = 10});
  CHECK(f.journal().first() == Lsn{21});
  f.Commit({.checkpointed = Lsn{31}, .cut = &cut, .pieces = 1000});
  CHECK(f.journal().first() == Lsn{31});
  f.Commit({.checkpointed = Lsn{200}, .cut = &cut, .pieces = 1000});
  CHECK(f.journal().first() == Lsn{101});
  CHECK(f.journal().bytes() < before * 2 / 3);

  for (int round = 0; round < 2; ++round) {
    f.CheckReplay(101);
    CHECK(f.Log(kUs, 50).error() == StorageError::kNotFound);
    CHECK(f.Log(kUs, 51)->size() == 50);
    CHECK(f.Log(kThem, 51)->size() == 50);
    CHECK(f.journal().Replay(Lsn{100}, [](Lsn, const JournalEntry&) { return true; }).error() ==
          StorageError::kCorrupt);
    f.Open();
  }
}

TEST_CASE("a journal trimmed to nothing goes on counting where it was") {
  Fixture f;
  for (int i = 0; i < 5; ++i) f.Stage(kUs, 10);
  f.Commit();
  const Cut cut{{kUs, Seq{5}}};
  f.Commit({.checkpointed = Lsn{5}, .cut = &cut, .pieces = 100});
  CHECK(f.journal().first() == Lsn{6});
  f.Open();
  CHECK(f.journal().first() == Lsn{6});
  CHECK(f.journal().last() == Lsn{5});
  CHECK(f.journal().trimmed() == cut);
  CHECK(f.Log(kUs, 6)->empty());
  f.Stage(kUs, 10);
  f.Commit();
  CHECK(f.journal().last() == Lsn{6});
  f.CheckReplay(6);
}

TEST_CASE("trimmed room is used again: a journal that is trimmed does not grow") {
  Fixture f;
  std::uint64_t pages_after_warm_up = 0;
  for (int i = 0; i < 600; ++i) {
    for (int k = 0; k < 20; ++k) f.Stage(kUs, 400);
    f.Commit({.checkpointed = f.journal().last(), .cut = &f.ends(), .pieces = 64});
    if (i == 100) pages_after_warm_up = f.journal().env().file_pages();
  }
  CHECK(f.journal().env().file_pages() < pages_after_warm_up * 2);
}

TEST_CASE("the ceiling is kept when it moved, and never falls") {
  Fixture f;
  REQUIRE(f.journal().Commit(Stamp{500}, {}));
  REQUIRE(f.journal().Commit(Stamp{400}, {}));
  CHECK(f.journal().ceiling() == Stamp{500});
  f.Open();
  CHECK(f.journal().ceiling() == Stamp{500});
}

TEST_CASE("a flipped bit in a block is found by replay and by readers") {
  Fixture f;
  for (int i = 0; i < 30; ++i) {
    f.Stage(kUs, 300);
    f.Commit();
  }
  f.Close();
  // Entry 7 is 300 times the same letter, which stands nowhere else so often in a row.
  std::string bytes = ReadFile(f.data_file());
  const std::string needle(300, static_cast<char>('a' + 7));
  int flipped = 0;
  for (std::size_t at = bytes.find(needle); at != std::string::npos;
       at = bytes.find(needle, at + 1)) {
    bytes[at + 150] = static_cast<char>(bytes[at + 150] ^ 1);
    ++flipped;
  }
  REQUIRE(flipped > 0);
  std::ofstream(f.data_file(), std::ios::binary | std::ios::trunc) << bytes;
  f.Open();
  CHECK(f.journal().Replay(Lsn{1}, [](Lsn, const JournalEntry&) { return true; }).error() ==
        StorageError::kCorrupt);
  CHECK(f.Log(kUs, 5).error() == StorageError::kCorrupt);
  CHECK(f.Log(kUs, 9)->size() == 22);
}

TEST_CASE("an identity is written once and read back; a damaged or newer one is refused") {
  Fixture f;
  CHECK(!f.journal().identity());
  const StoreIdentity identity{kUs, 99};
  REQUIRE(f.journal().WriteIdentity(identity));
  f.Open();
  CHECK(f.journal().identity() == identity);
  std::string bytes = EncodeIdentity(identity);
  CHECK(DecodeIdentity(bytes) == identity);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  CHECK(DecodeIdentity(bytes).error() == StorageError::kCorrupt);
}

// Leaves every fourth word as `word` and zeroes between, from the `phase`th on, in the part of the
// stack that what is called next will use.
[[gnu::noinline]] void LeaveOnStack(std::uint64_t word, unsigned phase) {
  [[maybe_unused]] volatile std::uint64_t words[1024];
  for (unsigned i = 0; i < 1024; ++i) words[i] = i % 4 == phase ? word : 0;
}

TEST_CASE("a block is sealed right whatever the stack held before") {
  const std::string bytes(1000, 'v');
  for (unsigned phase = 0; phase < 4; ++phase) {
    BlockBuilder block;
    REQUIRE(block.Add({kUs, Seq{1}, 42, bytes}));
    LeaveOnStack(7, phase);
    block.Seal(Lsn{7});

    std::size_t entries = 0;
    const auto read = ReadBlock(Lsn{7}, std::string(block.head()) + std::string(block.body()),
                                [&](Lsn, const JournalEntry&) { return ++entries > 0; });
    CHECK(read);
    CHECK(entries == 1);
  }
}

TEST_CASE("a block of the format that did not say when is still read") {
  BlockBuilder block;
  const std::string bytes(100, 'v');
  REQUIRE(
      block.Add({.origin = kUs, .seq = Seq{1}, .hash = 42, .bytes = bytes, .applied_ms = 1234}));
  block.Seal(Lsn{7});
  std::string whole = std::string(block.head()) + std::string(block.body());
  std::int64_t applied_ms = 0;
  const auto note = [&](Lsn, const JournalEntry& entry) {
    applied_ms = entry.applied_ms;
    return true;
  };
  REQUIRE(ReadBlock(Lsn{7}, whole, note));
  CHECK(applied_ms == 1234);

  whole.erase(9, 8);  // checksum, format, then the time
  whole[8] = 1;
  const std::uint64_t checksum = XXH3_64bits_withSeed(whole.data() + 8, whole.size() - 8, 7);
  std::memcpy(whole.data(), &checksum, sizeof checksum);
  REQUIRE(ReadBlock(Lsn{7}, whole, note));
  CHECK(applied_ms == 0);
}

}  // namespace
}  // namespace hawser::test
