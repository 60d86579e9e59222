// The bytes of txns and rows are a promise to other regions and to later versions. A difference
// here is a change of the format: it needs a new format number or flag (docs/formats.md), never a
// new file. HAWSER_REGENERATE_GOLDEN=1 writes the files anew, for samples that were added.

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "conflict/record_codec.h"
#include "tests/conflict/samples.h"

namespace hawser::test {
namespace {

std::string Hex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    out += {kDigits[byte >> 4], kDigits[byte & 15]};
    if (i % 32 == 31) out += '\n';
  }
  return out + "\n";
}

void Compare(const std::string& name, const std::string& bytes) {
  const std::string path = std::string(HAWSER_GOLDEN_FOLDER) + "/" + name + ".hex";
  if (std::getenv("HAWSER_REGENERATE_GOLDEN")) std::ofstream(path) << Hex(bytes);
  std::ifstream file(path);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  INFO(name);
  CHECK(golden == Hex(bytes));
}

}  // namespace

TEST_CASE("txns are the bytes they were in every version before") {
  for (const TxnSample& sample : TxnSamples()) {
    std::string bytes;
    EncodeTxn(sample.txn, bytes);
    Compare(sample.name, bytes);
  }
}

TEST_CASE("rows are the bytes they were in every version before") {
  for (const RecordSample& sample : RecordSamples()) {
    std::string bytes;
    EncodeRecord(sample.record, bytes);
    Compare(sample.name, bytes);
  }
}

TEST_CASE("the running hash is the number it was in every version before") {
  const Origin origin{RegionId{1}, Incarnation{0x0123456789abcdef}};
  const std::uint64_t start = HashStart(origin);
  CHECK(start != HashStart({RegionId{2}, origin.incarnation}));
  CHECK(HashNext(start, "a txn") != HashNext(start + 1, "a txn"));
  CHECK(start == 15661074432484273693U);
  CHECK(HashNext(start, "a txn") == 3295127012240468418U);
}

}  // namespace hawser::test
