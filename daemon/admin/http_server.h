#pragma once

// HttpServer: HTTP/1.1 on one thread, with a bound on everything a client can make it hold:
// connections, header and body bytes, the bytes of all bodies together, and the time of every step.
//
// Threads:  Listen, Stop and the destructor by one owner; port from any thread.
// Bounds:   at connections_max the connection that has waited longest for a request gives way.
//           When more than three quarters are being answered, Admit is told `busy`.
//           Bodies over 64 KiB count against buffered_bytes_max; past it they get 503,
//           or, where it is an answer that is so large, a closed connection.
//           A stream holds one piece; a client that takes none of it for write_ms is closed.
//

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "daemon/admin/http_message.h"

namespace hawser::admin {

struct HttpOptions {
  std::string host = "127.0.0.1";  // an address, not a name
  std::uint16_t port = 0;          // 0: any free one
  std::uint32_t header_bytes_max = 16 * 1024;
  std::uint64_t body_bytes_max = 8 * 1024 * 1024;
  std::uint64_t buffered_bytes_max = 64 * 1024 * 1024;  // at least 4 bodies; raised if smaller
  std::size_t connections_max = 512;
  std::chrono::milliseconds idle_ms{60'000};    // between requests
  std::chrono::milliseconds header_ms{10'000};  // from a header's first byte to its last
  std::chrono::milliseconds body_ms{30'000};
  std::chrono::milliseconds write_ms{30'000};
  std::chrono::milliseconds heartbeat_ms{15'000};  // a stream says at least that it is there
  std::chrono::milliseconds stop_ms{2'000};        // requests in flight at Stop
};

class HttpServer {
 public:
  // `handler` must live until Stop has returned.
  static std::unique_ptr<HttpServer> Create(const HttpOptions& options, HttpHandler& handler);
  virtual ~HttpServer() = default;

  // Begins to answer; empty, or an error that names the address and the reason. Call it once.
  virtual std::string Listen() = 0;
  virtual std::uint16_t port() const = 0;
  // Runs what it is given on the server's thread; after Stop that is dropped. May be called from
  // any thread and outlive the server: other threads may still hold it when the server is gone.
  using Poster = std::function<void(std::function<void()>)>;
  virtual Poster poster() const = 0;
  // There may be something new for streams: they are asked soon, a few ms later at the most.
  // Any thread, cheap, also when it comes often.
  virtual void WakeStreams() = 0;
  // Lets requests in flight end within stop_ms, then closes everything. Nothing runs afterwards.
  virtual void Stop() = 0;
};

}  // namespace hawser::admin
