#pragma once

// The watcher: what was really known where, and what must be reported when a change is applied.

#include <bitset>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conflict/merge.h"
#include "conflict/record.h"
#include "conflict/txn.h"
#include "tests/conflict/history.h"

namespace hawser::test {

inline constexpr std::size_t kTxnsMax = 512;
using TxnSet = std::bitset<kTxnsMax>;

// A committed txn and which txns its region had really applied when it was written.
struct Sent {
  std::size_t index = 0;
  Dot dot;
  Stamp stamp;
  std::string bytes;
  TxnSet saw;
};

class Watcher {
 public:
  void Committed(const Sent& sent) { index_[sent.dot] = sent.index; }
  bool Saw(const Sent& writer, const Dot& dot) const { return writer.saw[index_.at(dot)]; }

  // Compares the record before and after one change, and what was reported, with what the rules say
  // of writers that had or had not seen each other. Empty if it is right.
  std::string Judge(const Sent& writer, std::string_view row_key, const Change& change,
                    const Record& before, const Record& after,
                    const std::vector<Discarded>& discarded, Coverage& coverage);
  // A record was forgotten as dead or expired: its values may be missing at the end.
  void Dropped(const Record& record);
  // Every value that no write had seen must stand, be forgotten as expired, or be reported.
  // `standing`: what `row_key`'s field holds at the end.
  std::string JudgeEnd(const std::vector<Sent>& sent,
                       const std::function<std::optional<Dot>(const std::string&,
                                                              const std::string&)>& standing) const;

 private:
  void ExpectAdds(const Sent& writer, std::string_view row_key, const Op* op, const Field& before,
                  const Field& after, std::multiset<std::string>& expected) const;
  std::optional<Dot> ExpectExpiry(const Sent& writer, const Change& change, const Record& before,
                                  const Record& after) const;

  std::map<Dot, std::size_t> index_;
  std::set<std::string> reported_;  // row key, field, losing dot
  std::set<std::string> dropped_;
};

std::string Print(const Dot& dot);

}  // namespace hawser::test
