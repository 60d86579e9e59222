#pragma once

// FetchServer: answers "origin O from seq n" out of the journal, for any origin whose log is still
// here (relay). The asker sets the pace: one request is answered with at most the bytes it asked
// for, the last batch says so, and the asker asks again. Threads: a plain value with a journal
// reader of its own; in the daemon on a thread of its own, so
//          that a peer that catches up takes no time from local writes.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "storage/store.h"
#include "wan/message.h"

namespace hawser {

struct FetchServerOptions {
  std::uint64_t bytes_max_per_request = 16 * 1024 * 1024;
  std::uint64_t requests_max = 256;    // waiting; more are dropped, the asker asks again
  std::uint64_t bytes_per_second = 0;  // per peer; 0: no limit
  bool compress = true;                // batches, where that pays
};

class FetchServer {
 public:
  FetchServer(FetchServerOptions options, std::unique_ptr<JournalReader> journal);

  // A newer request of the same region for the same origin replaces the older. `near`: the asker is
  // where bandwidth costs less than compressing.
  void OnFetch(const Fetch& fetch, bool near = false);
  bool HasWork() const { return !requests_.empty(); }
  // Encoded answers worth about `bytes_aim`, one request after the other; honours the budget of
  // each peer, so it may give nothing although HasWork().
  // `has_room`: whether more may be handed to the link for that region now; empty means always.
  std::vector<Send> Serve(std::uint64_t bytes_aim, std::int64_t mono_ms,
                          const std::function<bool(RegionId)>& has_room = {});

  std::uint64_t relayed_txns() const { return relayed_txns_; }

 private:
  struct Request {
    Fetch fetch;
    bool near = false;
    Seq next{};
    std::uint64_t bytes_left = 0;
  };
  struct Budget {
    double bytes = 0;
    std::int64_t at_ms = 0;
  };
  bool HasBudget(RegionId region, std::int64_t mono_ms);
  bool ServeSome(Request& request, std::uint64_t bytes_aim, std::vector<Send>& out);

  FetchServerOptions options_;
  std::unique_ptr<JournalReader> journal_;
  std::deque<Request> requests_;
  std::map<RegionId, Budget> budgets_;
  std::uint64_t relayed_txns_ = 0;
};

}  // namespace hawser
