#include "wan/batcher.h"

#include <doctest/doctest.h>

#include "tests/wan/author.h"
#include "wan/wire.h"

namespace hawser {

TEST_CASE("small txns share a batch, which says where it stands in the log") {
  test::Log log(test::OriginOf(1));
  log.Append(10);
  const auto batches = log.Cut(4, 10);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].first == Seq{4});
  CHECK(batches[0].count == 7);
  CHECK(batches[0].hash_before == log.Hash(3));
  CHECK(batches[0].hash_after == log.Hash(10));
}

TEST_CASE("a batch is closed before it grows past its aim, and no message past its bound") {
  test::Log log(test::OriginOf(1));
  log.Append(40, 5000);
  log.Append(std::string(kMessageBytesMax - 1024, 'x'));
  log.Append(std::string(1'000'000, 'y'));
  log.Append(1);
  std::uint64_t next = 1;
  std::uint32_t pieces = 0;
  for (const Batch& batch : log.Cut(1, 43)) {
    if (batch.fragments == 1) CHECK((batch.body.size() <= kBatchBodyBytesAim || batch.count == 1));
    CHECK(Encode(Message(batch), {.compress = false}).size() <= kMessageBytesMax);
    if (batch.fragment == 0) {
      CHECK(Raw(batch.first) == next);
      next += batch.count;
    }
    pieces += batch.fragments > 1;
  }
  CHECK(next == 44);
  CHECK(pieces == 2 + 5);
}

}  // namespace hawser
