#pragma once

// FeedPublisher: tells local applications on the region's NATS what is applied and which conflicts
// are logged. A thread of its own, at low priority, that follows the journal and the conflict log
// from where they are when it starts.
// Best effort: NATS may lose what nobody listens to, and what a stopped daemon had not told yet is
// not told. Messages carry positions, by which a reader sees that it lost some and finds the rest
// over REST. A publisher that falls behind, or whose NATS is away, goes on from the journal later;
// what was trimmed by then is told as a gap.
// Bounds:  holds one message per table under way, of about 32 KiB, and 128 KiB of them all; the
//          engine never waits for it.
// Threads: one owner; stats from any thread.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "daemon/engine.h"
#include "daemon/engine/wakeup.h"
#include "daemon/feeds/change_follower.h"
#include "daemon/feeds/conflict_follower.h"
#include "daemon/feeds/feed_message.h"

namespace hawser {

struct FeedOptions {
  std::string cluster, region;
  bool changes = true;  // else only conflicts are told
  std::function<std::string(RegionId)> region_name;
  std::function<void(std::string subject, std::string bytes)> publish;
  // True while NATS is there and takes messages; asked before each batch.
  std::function<bool()> ready;
  // An event about the conflict at that order key; empty: nothing to tell.
  std::function<std::string(View& view, const std::string& order_key)> conflict_event;
  // Names a place to clients of REST.
  std::function<std::string(const ChangePlace& place)> position_text;
};

struct FeedStats {
  std::uint64_t changes = 0, conflicts = 0, messages = 0, gaps = 0;
};

class FeedPublisher {
 public:
  // Everything referred to must outlive it.
  FeedPublisher(FeedOptions options, Engine& engine);
  ~FeedPublisher();  // stops and joins
  FeedStats stats() const;

 private:
  void Loop();
  bool TellConflicts();  // true: there is more
  bool TellChanges();
  void Add(const AppliedChange& applied);
  void Send(const std::string& table);
  void SendAll();

  const FeedOptions options_;
  Engine& engine_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<JournalReader> journal_;
  ConflictFollower conflicts_;
  ChangeFollower changes_;
  std::map<std::string, ChangesMessage, std::less<>> under_way_;  // by table
  struct Told {
    std::string position;          // of the last message
    std::uint64_t gaps_known = 0;  // of change_gaps_, when it was sent
  };
  std::uint64_t change_gaps_ = 0;
  std::map<std::string, Told, std::less<>> told_;  // by table; forgotten past a bound on tables

  // Of Engine::conflicts_logged: told to its end.
  std::atomic<std::uint64_t> conflicts_seen_{~std::uint64_t{0}};
  std::atomic<std::uint64_t> changes_told_{0}, conflicts_told_{0}, messages_{0}, gaps_{0};
  std::atomic<bool> rung_{true}, stopping_{false};
  Wakeup wakeup_;
  std::unique_ptr<CommitBell::Ear> ear_;
  std::thread thread_;
};

}  // namespace hawser
