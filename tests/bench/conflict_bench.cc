// What one write costs in conflict/, step by step: a SET of 128 bytes over a record that is held,
// as the origin does it (read the row, edit, encode the txn, apply, write the row) and as a peer
// does (decode the txn, apply). Prints the fastest of several rounds, in nanoseconds of CPU.

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "conflict/edit.h"
#include "conflict/merge.h"
#include "conflict/record_codec.h"
#include "conflict/txn.h"

namespace hawser {
namespace {

constexpr int kRounds = 15;
constexpr int kTimes = 50'000;

double CpuNanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <typename Step>
double NanosecondsOf(const Step& step) {
  double best = 1e18;
  for (int round = 0; round < kRounds; ++round) {
    const double start = CpuNanoseconds();
    for (int i = 0; i < kTimes; ++i) step(i);
    best = std::min(best, (CpuNanoseconds() - start) / kTimes);
  }
  return best;
}

class Bench {
 public:
  explicit Bench(bool counter) : counter_(counter) { Write(0); }

  void Edit(int i) {
    DecodeRecord(row_, held_);
    RecordEdit edit("default", key_, held_, schema_, self_, 1'000);
    Intend(edit, i);
    sink_ += edit.Finish().ops.size();
  }
  void Write(int i) {
    if (!row_.empty()) DecodeRecord(row_, held_);
    RecordEdit edit("default", key_, held_, schema_, self_, 1'000);
    Intend(edit, i);
    txn_.changes.clear();
    txn_.changes.push_back(edit.Finish());
    txn_.stamp = Stamp{++stamp_};
    bytes_.clear();
    EncodeTxn(txn_, bytes_);
    Receive(i);
  }
  void Decode(int) {
    if (!DecodeTxn(bytes_, decoded_)) std::abort();
    sink_ += decoded_.changes.size();
  }
  void Receive(int) {
    if (!DecodeTxn(bytes_, decoded_)) std::abort();
    if (!row_.empty()) DecodeRecord(row_, record_);
    const Writer writer{{self_, Seq{++seq_}}, {decoded_.stamp, self_.region}, decoded_.deps};
    ApplyChange(writer, decoded_.changes[0], record_, discarded_);
    new_row_.clear();
    EncodeRecord(record_, new_row_);
    row_.swap(new_row_);
    record_.clear();
  }
  void Row(int) {
    DecodeRecord(row_, held_);
    new_row_.clear();
    EncodeRecord(held_, new_row_);
  }
  std::size_t sink() const { return sink_; }

 private:
  void Intend(RecordEdit& edit, int i) {
    if (counter_) {
      if (!edit.Add(kStringField, i)) std::abort();
    } else if (!edit.ReplaceWith(kStringField, value_)) {
      std::abort();
    }
  }

  const bool counter_;
  const Schema schema_;
  const Origin self_{RegionId{1}, Incarnation{0x1234567890abcdef}};
  const std::string key_ = "key:000000123456";
  const std::string value_ = std::string(128, 'x');
  std::string row_, new_row_, bytes_;
  Record held_, record_;
  Txn txn_{.deps = {{{RegionId{2}, Incarnation{77}}, Seq{1'000'000}}}};
  Txn decoded_;
  std::vector<Discarded> discarded_;
  std::uint64_t stamp_ = 1ULL << 40;
  std::uint64_t seq_ = 1'000'000;
  std::size_t sink_ = 0;
};

void Run(const char* what, bool counter) {
  Bench bench(counter);
  std::printf(
      "%s: write %.0f ns, of it edit %.0f, decode txn %.0f, read and write the row %.0f; "
      "receive %.0f ns\n",
      what, NanosecondsOf([&](int i) { bench.Write(i); }),
      NanosecondsOf([&](int i) { bench.Edit(i); }), NanosecondsOf([&](int i) { bench.Decode(i); }),
      NanosecondsOf([&](int i) { bench.Row(i); }), NanosecondsOf([&](int i) { bench.Receive(i); }));
  if (bench.sink() == 0) std::abort();
}

}  // namespace
}  // namespace hawser

int main() {
  hawser::Run("SET of 128 bytes", false);
  hawser::Run("INCR", true);
}
