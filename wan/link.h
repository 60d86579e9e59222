#pragma once

// Link: the region's connections to every region's NATS (link_connection.cc alone sees nats.h).
// As a pipe NATS may lose, repeat and reorder; nothing here tries to hide that.
//
// One connection per distinct list of URLs (regions that name the same URLs share one). What region
// R publishes (log, beat) is subscribed on R's server; requests and answers to R are published on
// R's server; requests and answers to us are subscribed on our own server.
//
// Threads:   Publish may be called from any thread and never blocks: it puts the message into
//            the bounded queue of a sender thread per connection.
//            When that is full, the message is dropped and counted (the protocol fetches what
//            is missing). Callbacks of the NATS library copy the message out and call
//            `on_receive` from library threads; it must not block.
//
// Errors:    Start fails only on unusable options. Servers that are away are retried for ever; a
//            connection that the library closes for good is built anew.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wan/message.h"

namespace hawser {

struct LinkRegion {
  std::string name;
  RegionId id{};
  std::vector<std::string> nats_urls;
  std::string credentials_file;  // empty: none
};

struct LinkOptions {
  std::string cluster;  // `hw.<cluster>.0` is the prefix of every subject
  RegionId self{};
  Incarnation incarnation{};        // of our own log
  std::vector<LinkRegion> regions;  // self included
  // Waiting to be sent, per connection. 8 MiB is a quarter of a second at 32 MiB/s.
  std::uint64_t send_bytes_max = 8 * 1024 * 1024;
  std::int64_t write_deadline_ms = 2000;
  std::int64_t ping_interval_ms = 5000;
  // Received and not yet handed to `on_receive`, per subscription (two a region, two of our own).
  // More is dropped and counted.
  std::uint64_t receive_bytes_max = 16 * 1024 * 1024;
  // What an operator should read; level is "info", "warning" or "error". From any thread.
  std::function<void(std::string level, std::string text)> log;
};

// Of one region. Messages to all (log, beat), local ones, and requests and answers to us are
// counted at our own region; what others sent to all at theirs, and requests and answers at the
// region they go to.
struct LinkPeerStats {
  RegionId region{};
  bool connected = false;
  std::string last_error;
  std::uint64_t sent_bytes = 0, sent_messages = 0, dropped_messages = 0;
  std::uint64_t received_bytes = 0, received_messages = 0, receive_dropped_messages = 0;
  std::uint64_t reconnects = 0;
};

class Link {
 public:
  using OnReceive = std::function<void(Received)>;
  // Null, after a line to `log`, when the options are unusable: a name or id that cannot be or
  // comes twice, no self, no URL, or a tls:// one (the library is not safe with TLS: let the
  // servers carry it).
  static std::unique_ptr<Link> Start(LinkOptions options, OnReceive on_receive);
  // Drains for half a second, then closes; takes at most some 3 s, a frozen server included: a
  // library thread that does not come back by then is left behind, with a line to `log`. No
  // callback runs afterwards.
  virtual ~Link() = default;

  virtual void Publish(Send send) = 0;  // any thread
  // A message for local applications on the own region's NATS (feeds: changes, events); same queue.
  virtual void PublishLocal(std::string subject, std::string bytes) = 0;
  // Waiting to be sent to that region's server; any thread. Who has much to send waits while it is
  // high.
  virtual std::uint64_t QueuedBytes(RegionId region) const = 0;
  virtual std::vector<LinkPeerStats> Stats() const = 0;  // any thread
};

}  // namespace hawser
