#pragma once

// Truth: what really happened, seen from outside: every txn that ever became durable at its origin,
// what each region has durably applied, what each has told the others. The checks compare what the
// regions do and say with it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/cut.h"
#include "conflict/record_codec.h"
#include "conflict/txn.h"

namespace hawser::sim {

struct TruthTxn {
  Dot dot;
  std::uint64_t hash = 0;  // running
  std::string bytes;
  Txn txn;   // decoded from `bytes`
  Cut deps;  // of other origins, as the origin really stood
  std::int64_t durable_at_us = 0;
  // True if this txn was made knowing the other.
  bool Saw(const Dot& other) const {
    return other.origin == dot.origin ? other.seq < dot.seq : deps.Covers(other);
  }
};

// One change of one record.
struct Written {
  const TruthTxn* by = nullptr;
  const Change* change = nullptr;
};

class Truth {
 public:
  // A txn is durable at its origin. REQUIRES: the next of its log.
  void Add(std::unique_ptr<TruthTxn> txn);
  // Called with each of them, in the order in which they become durable.
  void OnAdd(std::function<void(const TruthTxn&)> watch) { watch_ = std::move(watch); }
  const TruthTxn* Find(const Dot& dot) const;
  Seq LastOf(const Origin& origin) const;
  const std::map<Origin, std::vector<std::unique_ptr<TruthTxn>>>& logs() const { return logs_; }

  // Every change of a record, in the order the txns became durable.
  const std::vector<Written>& WrittenTo(std::string_view row_key) const;
  const std::map<std::string, std::vector<Written>, std::less<>>& rows() const { return rows_; }

  // What a region has durably applied; of one that was destroyed or rolled back, the most it had.
  Cut& durable(RegionId region) { return durable_[region]; }
  const std::map<RegionId, Cut>& durable() const { return durable_; }
  // The minimum over all regions.
  Cut EverywhereDurable() const;
  bool IsEverywhere(const Dot& dot) const;

  // The latest clock each region has told anybody, for all its restarts.
  Stamp& told_clock(RegionId region) { return told_clock_[region]; }

  // Regions that run on an older copy of their store: what they say of themselves is no truth.
  std::set<RegionId> forked;

 private:
  std::map<Origin, std::vector<std::unique_ptr<TruthTxn>>> logs_;
  std::map<std::string, std::vector<Written>, std::less<>> rows_;
  std::map<RegionId, Cut> durable_;
  std::map<RegionId, Stamp> told_clock_;
  std::function<void(const TruthTxn&)> watch_;
};

std::string Text(const Dot& dot);
std::string Text(const Cut& cut);

}  // namespace hawser::sim
