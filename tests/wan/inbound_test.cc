#include "wan/inbound.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/wan/author.h"
#include "wan/wire.h"

namespace hawser {
namespace {

using test::Log;
using test::OriginOf;

Inbound Fresh(const Log& log, std::uint64_t bytes_max = 1 << 20) {
  return Inbound(Seq{0}, HashStart(log.origin()), bytes_max);
}

// Takes out everything that can be applied, in order.
std::vector<std::string> Drain(Inbound& inbound) {
  std::vector<std::string> txns;
  while (const auto next = inbound.Peek()) {
    txns.emplace_back(next->bytes);
    inbound.Pop();
  }
  return txns;
}

}  // namespace

TEST_CASE("batches in any order come out as the log") {
  Log log(OriginOf(1));
  log.Append(30);
  Inbound inbound = Fresh(log);
  for (const std::uint64_t first : {21U, 1U, 11U}) inbound.Take(log.One(first, first + 9));
  const auto txns = Drain(inbound);
  REQUIRE(txns.size() == 30);
  for (std::uint64_t seq = 1; seq <= 30; ++seq) CHECK(txns[seq - 1] == log.Txn(seq));
  CHECK(inbound.applied() == Seq{30});
  CHECK(inbound.hash() == log.Hash(30));
  CHECK(inbound.bytes() == 0);
}

TEST_CASE("what came before is a duplicate, and what overlaps gives only what is new") {
  Log log(OriginOf(1));
  log.Append(12);
  Inbound inbound = Fresh(log);
  inbound.Take(log.One(1, 6));
  CHECK(Drain(inbound).size() == 6);
  CHECK(inbound.Take(log.One(1, 6)) == Inbound::Intake::kDuplicate);
  CHECK(inbound.Take(log.One(4, 12)) == Inbound::Intake::kQueued);
  const auto txns = Drain(inbound);
  REQUIRE(txns.size() == 6);
  CHECK(txns.front() == log.Txn(7));
}

TEST_CASE("a hole is seen, and nothing beyond it comes out") {
  Log log(OriginOf(1));
  log.Append(9);
  Inbound inbound = Fresh(log);
  inbound.Take(log.One(4, 9));
  CHECK(inbound.HasGap());
  CHECK(inbound.AfterGap() == Seq{4});
  CHECK(Drain(inbound).empty());
  inbound.Take(log.One(1, 3));
  CHECK_FALSE(inbound.HasGap());
  CHECK(Drain(inbound).size() == 9);
}

TEST_CASE("at the bound the further away gives way to what is next") {
  Log log(OriginOf(1));
  log.Append(20, 100);
  Inbound inbound = Fresh(log, 350);
  CHECK(inbound.Take(log.One(10, 12)) == Inbound::Intake::kQueued);
  CHECK(inbound.Take(log.One(14, 16)) == Inbound::Intake::kOverflow);
  CHECK(inbound.Take(log.One(1, 3)) == Inbound::Intake::kQueued);
  CHECK(inbound.bytes() <= 350);
  CHECK_FALSE(inbound.HasGap());
  CHECK(Drain(inbound).size() == 3);
}

TEST_CASE("however much waits past a hole, the hole may be asked for") {
  Log log(OriginOf(1));
  log.Append(20, 100);
  Inbound inbound = Fresh(log, 350);
  inbound.Take(log.One(10, 12));
  CHECK(inbound.Room() > 0);
  inbound.Take(log.One(1, 3));
  CHECK(inbound.Room() < 50);  // what could be applied counts
}

TEST_CASE("a large txn is put together from pieces in any order, once") {
  Log log(OriginOf(1));
  log.Append(1);
  log.Append(std::string(700'000, 'x') + "end");
  log.Append(1);
  Inbound inbound = Fresh(log, 4 << 20);
  std::vector<Batch> batches = log.Cut(1, 3);
  REQUIRE(batches.size() > 4);
  for (auto at = batches.rbegin(); at != batches.rend(); ++at) {
    inbound.Take(*at);
    inbound.Take(*at);
  }
  const auto txns = Drain(inbound);
  REQUIRE(txns.size() == 3);
  CHECK(txns[1] == log.Txn(2));
  CHECK(inbound.bytes() == 0);
}

TEST_CASE("txns of every size around that of a message arrive") {
  Log log(OriginOf(1));
  for (std::size_t size = kMessageBytesMax - 1044; size < kMessageBytesMax - 1014; ++size) {
    log.Append(std::string(size, 'x'));
  }
  Inbound inbound = Fresh(log, 64 << 20);
  for (const Batch& batch : log.Cut(1, 30)) {
    const auto sent = Decode(Encode(Message(batch)));
    REQUIRE(sent.has_value());
    CHECK(inbound.Take(std::get<Batch>(*sent)) == Inbound::Intake::kQueued);
  }
  CHECK(Drain(inbound).size() == 30);
}

TEST_CASE("what belongs to another branch is dropped and told, the rest of ours is taken") {
  Log ours(OriginOf(1)), theirs(OriginOf(1));
  ours.Append(8);
  theirs.Append(3);
  theirs.Append(5, 11);
  Inbound inbound = Fresh(ours);
  inbound.Take(ours.One(1, 5));
  CHECK(Drain(inbound).size() == 5);
  inbound.Take(theirs.One(6, 8));
  CHECK(Drain(inbound).empty());
  CHECK(inbound.TakeForked());
  inbound.Take(ours.One(6, 8));
  CHECK(Drain(inbound).size() == 3);
  CHECK_FALSE(inbound.TakeForked());
}

TEST_CASE("a batch whose count and body disagree is refused") {
  Log log(OriginOf(1));
  log.Append(3);
  Inbound inbound = Fresh(log);
  Batch bad = log.One(1, 3);
  ++bad.count;
  CHECK(inbound.Take(bad) == Inbound::Intake::kMalformed);
  bad = log.One(1, 3);
  bad.body += "x";
  CHECK(inbound.Take(bad) == Inbound::Intake::kMalformed);
  CHECK(inbound.empty());
}

}  // namespace hawser
