// Whatever a peer sends as a txn is refused, or can be applied: the record it leaves can be written
// and read back, and the txn's bytes mean the same when they are written again.
// The first byte says what the rest is: even, a txn; odd, a record's row.

#include <cstdlib>

#include "conflict/merge.h"
#include "conflict/record_codec.h"
#include "tests/conflict/samples.h"
#include "tests/fuzz/fuzz.h"

using namespace hawser;

namespace {

constexpr Origin kPeer{RegionId{2}, Incarnation{0xb}};

void Expect(bool holds) {
  if (!holds) std::abort();
}

void CheckRecord(const Record& record) {
  std::string bytes, again;
  EncodeRecord(record, bytes);
  Record read;
  Expect(DecodeRecord(bytes, read));
  EncodeRecord(read, again);
  Expect(bytes == again);
}

void CheckTxn(std::string_view bytes) {
  Txn txn;
  if (!DecodeTxn(bytes, txn)) return;
  std::string encoded, again;
  EncodeTxn(txn, encoded);
  Txn read;
  Expect(DecodeTxn(encoded, read).has_value());
  EncodeTxn(read, again);
  Expect(encoded == again);

  // All changes to one record, so that they meet; then once more by another txn of the peer.
  Record record;
  std::vector<Discarded> discarded;
  for (const Seq seq : {Seq{1}, Seq{2}}) {
    const Writer writer{{kPeer, seq}, {txn.stamp, kPeer.region}, txn.deps};
    for (const Change& change : txn.changes) ApplyChange(writer, change, record, discarded);
    CheckRecord(record);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    CheckTxn(rest);
  } else if (Record record; DecodeRecord(rest, record)) {
    CheckRecord(record);
  }
  return 0;
}

std::vector<std::string> hawser::test::FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const TxnSample& sample : TxnSamples()) {
    EncodeTxn(sample.txn, seeds.emplace_back(1, '\0'));
  }
  for (const RecordSample& sample : RecordSamples()) {
    EncodeRecord(sample.record, seeds.emplace_back(1, '\1'));
  }
  return seeds;
}
