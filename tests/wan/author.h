#pragma once

// Txns and batches for the tests of wan/.

#include <cstdint>
#include <string>
#include <vector>

#include "conflict/txn.h"
#include "wan/batcher.h"

namespace hawser::test {

inline Origin OriginOf(std::uint8_t region, std::uint64_t incarnation = 0x77) {
  return {RegionId{region}, Incarnation{incarnation}};
}

// A log of made-up txns; cuts any stretch of it into batches.
class Log {
 public:
  explicit Log(Origin origin) : origin_(origin), hashes_{HashStart(origin)} {}

  void Append(std::string bytes) {
    hashes_.push_back(HashNext(hashes_.back(), bytes));
    txns_.push_back(std::move(bytes));
  }
  void Append(int count, std::size_t size = 10) {
    for (int i = 0; i < count; ++i) {
      Append("txn" + std::to_string(txns_.size() + 1) + std::string(size, '.'));
    }
  }
  const std::string& Txn(std::uint64_t seq) const { return txns_[seq - 1]; }
  std::uint64_t Hash(std::uint64_t seq) const { return hashes_[seq]; }
  // first..last, as the origin sends them.
  std::vector<Batch> Cut(std::uint64_t first, std::uint64_t last) const {
    std::vector<Batch> out;
    Batcher batcher(origin_);
    for (std::uint64_t seq = first; seq <= last; ++seq) {
      batcher.Add(Seq{seq}, Hash(seq - 1), Hash(seq), Txn(seq), out);
    }
    batcher.Flush(out);
    return out;
  }
  Batch One(std::uint64_t first, std::uint64_t last) const { return Cut(first, last).front(); }
  const Origin& origin() const { return origin_; }

 private:
  Origin origin_;
  std::vector<std::string> txns_;
  std::vector<std::uint64_t> hashes_;
};

}  // namespace hawser::test
