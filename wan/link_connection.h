#pragma once

// LinkConnection: one NATS connection with the thread that sends on it. Part of the Link.
//
// Threads:   Send, the getters: any. The sender thread alone builds, uses and closes the library's
//            connection, because any of these may block for seconds. Library threads only set
//            flags, count, and hand received messages to LinkShared.
// Lifetime:  objects that library threads may still point at are never freed: Retire keeps them.

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "wan/link.h"

struct __natsConnection;
struct __natsSubscription;
struct __natsMsg;

namespace hawser {

struct LinkCounters {
  std::atomic<std::uint64_t> sent_bytes = 0, sent_messages = 0, dropped_messages = 0;
  std::atomic<std::uint64_t> received_bytes = 0, received_messages = 0;
};

// What all connections of a Link share, and the gate that keeps late callbacks out.
class LinkShared {
 public:
  LinkShared(Link::OnReceive on_receive, std::function<void(std::string, std::string)> log)
      : on_receive_(std::move(on_receive)), log_(std::move(log)) {}

  void Receive(Received received);
  void Log(std::string level, std::string text);
  void CloseGate();  // waits for callbacks that run; none runs afterwards

  LinkCounters& counters(RegionId region) { return counters_[Raw(region)]; }

 private:
  std::shared_mutex gate_;
  bool open_ = true;
  const Link::OnReceive on_receive_;
  const std::function<void(std::string, std::string)> log_;
  std::array<LinkCounters, kRegionIdMax + 1> counters_;
};

struct LinkSubscription {
  std::string subject;
  Address::Kind kind = Address::Kind::kBeat;
  RegionId region{};  // whose counters; for kLog and kBeat the publisher
};

struct LinkConnectionOptions {
  std::string name;               // shown in the server's list of connections, and in our log
  std::vector<std::string> urls;  // tried in this order
  std::string credentials_file;
  std::vector<LinkSubscription> subscriptions;
  std::uint64_t send_bytes_max = 0;
  std::uint64_t receive_bytes_max = 0;
  std::int64_t write_deadline_ms = 0;
  std::int64_t ping_interval_ms = 0;
};

class LinkConnection : public std::enable_shared_from_this<LinkConnection> {
 public:
  using Clock = std::chrono::steady_clock;

  LinkConnection(LinkConnectionOptions options, std::shared_ptr<LinkShared> shared);
  ~LinkConnection();

  void Start();
  void Send(std::string subject, std::string bytes, RegionId counted_at);
  void Stop();
  // False: the sender did not end in time and was left behind.
  bool AwaitStopped(Clock::time_point deadline);
  static void Retire(std::shared_ptr<LinkConnection> connection);

  bool connected() const { return connected_.load(std::memory_order_relaxed); }
  std::uint64_t queued_bytes() const { return queued_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t reconnects() const { return reconnects_.load(std::memory_order_relaxed); }
  std::string last_error() const;
  std::uint64_t receive_dropped(RegionId region) const;

  // For callbacks of the library.
  static void HandleMessage(void* subscribed, __natsMsg* message);
  void OnStateChange();
  void OnError(const std::string& text);

 private:
  struct Outgoing {
    std::string subject;
    std::string bytes;
    RegionId counted_at{};
  };
  struct Subscribed {  // what a message callback is given
    LinkConnection* connection = nullptr;
    LinkSubscription wanted;
    __natsSubscription* handle = nullptr;  // guarded by subscriptions_mutex_
    std::uint64_t dropped_before = 0;      // by earlier connections; guarded too
    // Messages we are through with; touched by this subscription's callbacks alone.
    std::vector<__natsMsg*> spent;
    std::size_t spent_bytes = 0;
  };
  enum class Sent { kYes, kDropped, kBroken };

  void OnMessage(const LinkSubscription& subscription, __natsMsg* message);
  void Run();
  bool Connect();     // true: there is a library connection, perhaps not connected yet
  void Disconnect();  // closes and frees it
  bool Subscribe();
  void ReadState();
  Sent SendOne(const Outgoing& outgoing);
  void SendAll(std::deque<Outgoing> batch);
  void Drain(std::deque<Outgoing> batch);
  void Drop(const Outgoing& outgoing);
  void SetError(std::string text);

  const LinkConnectionOptions options_;
  const std::shared_ptr<LinkShared> shared_;
  std::vector<std::unique_ptr<Subscribed>> subscribed_;

  // Sender thread only.
  __natsConnection* nats_ = nullptr;
  bool ever_connected_ = false;
  Clock::time_point next_try_{};        // while there is no connection
  std::set<std::string> away_reasons_;  // logged since it was lost

  std::atomic<bool> connected_ = false;
  std::atomic<std::uint64_t> reconnects_ = 0;
  std::atomic<std::uint64_t> queued_bytes_ = 0;  // what the sender holds in hand included

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable stopped_;
  std::deque<Outgoing> queue_;
  bool sender_waits_ = false;
  bool state_changed_ = false;
  bool stopping_ = false;
  bool done_ = false;
  Clock::time_point drain_until_{};
  std::string last_error_;
  Clock::time_point error_logged_at_{};
  std::uint64_t errors_unlogged_ = 0;
  std::string last_unlogged_;  // of them

  mutable std::mutex subscriptions_mutex_;
  std::thread thread_;
};

}  // namespace hawser
