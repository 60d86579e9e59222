#pragma once

// CallDesk: the thread beside the engine that makes calls to other regions and answers theirs. It
// shares no queue and no lock with local work: however slow a peer is, only calls to it wait.
//
// Threads: Call and OnReceived from any. Handlers run on the desk's thread and must be quick: what
//          takes longer goes elsewhere and answers from there.
// Order:   destroy it before what its handlers refer to, and after whoever calls; what is under way
//          then ends with kStopping.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

#include "daemon/calls/calls.h"
#include "daemon/engine/inbox.h"
#include "daemon/engine/wakeup.h"
#include "wan/call_book.h"
#include "wan/call_door.h"
#include "wan/message.h"

namespace hawser {

// What was asked of this region.
struct CallTask {
  RegionId from{};
  std::string body;
  std::int64_t deadline_mono_ms = 0;  // nobody waits for the answer after it
};
// Gives the answer; once, from any thread, also after the desk has gone. Not calling it at all
// lets the caller's budget run out, and counts as under way here until it does.
using CallAnswerer = std::function<void(std::string body)>;
using CallHandler = std::function<void(CallTask task, CallAnswerer answer)>;

struct CallDeskOptions {
  CallBookOptions book;
  CallDoorOptions door;
  std::map<std::string, CallHandler, std::less<>> handlers;  // by verb
  std::function<void(Send)> publish;                         // any thread, never blocks
  std::function<std::int64_t()> clock_ms;                    // the hybrid clock
  std::uint64_t inbox_bytes_max = 32 << 20;                  // received; more is dropped
};

class CallDesk final : public Calls {
 public:
  explicit CallDesk(CallDeskOptions options);
  ~CallDesk() override;

  void Call(RegionId to, std::string verb, std::string body, std::int64_t budget_ms,
            Done done) override;
  std::vector<CallCounts> Counts() const override;
  void OnReceived(Received message);

 private:
  struct Wish {
    RegionId to{};
    std::string verb;
    std::string body;
    std::int64_t deadline_ms = 0;
    Done done;
  };
  struct Finished {
    RegionId to{};
    std::uint64_t id = 0;
    std::string body;
  };
  struct OwnAnswer {
    std::string body;
    Done done;
  };
  using Item = std::variant<Wish, Received, Finished, OwnAnswer>;
  // Where answers of handlers go; outlives the desk in their hands.
  struct Mailbox {
    explicit Mailbox(std::uint64_t bytes_max) : items(bytes_max) {}
    Inbox<Item> items;
    Wakeup wakeup;
  };

  void Loop();
  void Take(Wish& wish);
  void Take(Received& message);
  void Take(Finished& finished);
  void Take(OwnAnswer& answer);
  void ServeSelf(Wish& wish);
  void Serve(CallRequest request);
  void SendAnswer(RegionId to, CallAnswer answer);
  void End(std::vector<CallEnded>& ended);

  const CallDeskOptions options_;
  CallBook book_;
  CallDoor door_;
  std::shared_ptr<Mailbox> mailbox_;
  std::map<std::uint64_t, Done> waiting_;
  // Admitted, not answered: given up when nobody waits any more, so that a handler that never
  // answers does not keep its place for ever.
  std::map<std::pair<RegionId, std::uint64_t>, std::int64_t> serving_;
  std::vector<Send> out_;
  std::vector<CallEnded> ended_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex counts_mutex_;
  std::vector<CallCounts> counts_;
  std::thread thread_;
};

}  // namespace hawser
