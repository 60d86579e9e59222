#include "wan/fetch_server.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/wan/author.h"
#include "wan/wire.h"

namespace hawser {
namespace {

// A journal that holds one log from `first` on.
class OneLog final : public JournalReader {
 public:
  std::expected<void, StorageError> ReadApplied(
      Lsn, const std::function<bool(Lsn, const JournalEntry&)>&) override {
    return std::unexpected(StorageError::kNotFound);  // a fetch never asks
  }
  OneLog(const test::Log& log, std::uint64_t first, std::uint64_t last)
      : log_(log), first_(first), last_(last) {}
  std::expected<void, StorageError> ReadLog(
      const Origin& origin, Seq from,
      const std::function<bool(const JournalEntry&)>& visit) override {
    if (origin != log_.origin() || Raw(from) < first_ || Raw(from) > last_ + 1) {
      return std::unexpected(StorageError::kNotFound);
    }
    for (std::uint64_t seq = Raw(from); seq <= last_; ++seq) {
      if (!visit({origin, Seq{seq}, log_.Hash(seq), log_.Txn(seq), log_.Hash(seq - 1)})) break;
    }
    return {};
  }

 private:
  const test::Log& log_;
  std::uint64_t first_, last_;
};

std::vector<Batch> ServeAll(FetchServer& server, std::uint64_t bytes_aim = 200) {
  std::vector<Batch> batches;
  for (int turns = 0; server.HasWork() && turns < 1000; ++turns) {
    for (const Send& send : server.Serve(bytes_aim, turns)) {
      const auto message = Decode(send.bytes);
      REQUIRE(message.has_value());
      batches.push_back(std::get<Batch>(*message));
    }
  }
  return batches;
}

Fetch Ask(const test::Log& log, std::uint64_t first, std::uint64_t bytes_max) {
  return {.from = RegionId{2},
          .id = 42,
          .origin = log.origin(),
          .first = Seq{first},
          .bytes_max = bytes_max};
}

}  // namespace

TEST_CASE("a fetch is answered with the log from there on, in bounded pieces, and an end") {
  test::Log log(test::OriginOf(1));
  log.Append(30, 40);
  FetchServer server({}, std::make_unique<OneLog>(log, 1, 30));
  server.OnFetch(Ask(log, 11, 1 << 20));
  const auto batches = ServeAll(server);
  REQUIRE(batches.size() > 3);
  std::uint64_t next = 11;
  for (const Batch& batch : batches) {
    CHECK(batch.fetch_id == 42);
    CHECK(Raw(batch.first) == next);
    CHECK(batch.hash_before == log.Hash(next - 1));
    next += batch.count;
    CHECK(batch.fetch_end == (&batch == &batches.back()));
  }
  CHECK(next == 31);
}

TEST_CASE("no more is sent than was asked for") {
  test::Log log(test::OriginOf(1));
  log.Append(30, 40);
  FetchServer server({}, std::make_unique<OneLog>(log, 1, 30));
  server.OnFetch(Ask(log, 1, 200));
  std::uint64_t txns = 0;
  for (const Batch& batch : ServeAll(server)) txns += batch.count;
  CHECK(txns >= 4);
  CHECK(txns <= 6);
}

TEST_CASE("who does not hold the log from there on says so, instead of a part") {
  test::Log log(test::OriginOf(1));
  log.Append(30);
  FetchServer server({}, std::make_unique<OneLog>(log, 20, 30));
  server.OnFetch(Ask(log, 5, 1 << 20));
  const auto batches = ServeAll(server);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].count == 0);
  CHECK(batches[0].fetch_missing);
}

TEST_CASE("a peer's budget holds its answers back, not another's") {
  test::Log log(test::OriginOf(1));
  log.Append(200, 100);
  FetchServer server({.bytes_per_second = 10'000}, std::make_unique<OneLog>(log, 1, 200));
  server.OnFetch(Ask(log, 1, 1 << 20));
  std::size_t sent = 0;
  for (int i = 0; i < 100; ++i) {
    for (const Send& send : server.Serve(500, 0)) sent += send.bytes.size();
  }
  CHECK(sent < 2500);
  CHECK(server.HasWork());
  Fetch other = Ask(log, 1, 400);
  other.from = RegionId{3};
  server.OnFetch(other);
  bool answered = false;
  for (int i = 0; i < 10; ++i) {
    for (const Send& send : server.Serve(500, 0)) answered |= send.to.region == RegionId{3};
  }
  CHECK(answered);
}

}  // namespace hawser
