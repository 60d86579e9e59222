#include "daemon/admin/http_server.h"

#include <pthread.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

#include "daemon/admin/http_session.h"

namespace hawser::admin {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

class AsioHttpServer : public HttpServer {
 public:
  AsioHttpServer(const HttpOptions& options, HttpHandler& handler)
      : acceptor_(io_),
        timer_(io_),
        pump_timer_(io_),
        beat_timer_(io_),
        mailbox_(std::make_shared<Mailbox>(io_)),
        shared_{.options = options,
                .handler = handler,
                .mailbox = mailbox_,
                .sessions = {},
                .buffered_bytes = 0,
                .in_flight = 0,
                .streams = 0,
                .stopping = false,
                .on_session_end = [this] { OnSessionEnd(); }} {
    auto& bytes_max = shared_.options.buffered_bytes_max;
    bytes_max = std::max(bytes_max, 4 * options.body_bytes_max);
  }
  ~AsioHttpServer() override { Stop(); }

  std::string Listen() override {
    if (const std::string reason = Open(); !reason.empty()) {
      return "cannot listen on " + shared_.options.host + ":" +
             std::to_string(shared_.options.port) + ": " + reason;
    }
    Accept();
    Beat();
    thread_ = std::thread([this] { io_.run(); });
    pthread_setname_np(thread_.native_handle(), "hawser-admin");
    return {};
  }

  std::uint16_t port() const override { return port_; }
  Poster poster() const override {
    return [mailbox = mailbox_](std::function<void()> work) { mailbox->Post(std::move(work)); };
  }

  void WakeStreams() override {
    if (shared_.streams.load(std::memory_order_relaxed) == 0) return;
    if (wake_posted_.exchange(true)) return;
    mailbox_->Post([this] { PumpSoon(); });
  }

  void Stop() override {
    if (!thread_.joinable()) return;
    mailbox_->Post([this] { WindUp(); });
    thread_.join();
    mailbox_->Close();
    // What is left belongs to connections that did not end in time.
    while (!shared_.sessions.empty()) std::shared_ptr(shared_.sessions.front())->Close();
  }

 private:
  // Empty, or why not.
  std::string Open() {
    Error error;
    const auto address = asio::ip::make_address(shared_.options.host, error);
    if (error) return "not an address";
    const tcp::endpoint endpoint(address, shared_.options.port);
    if (acceptor_.open(endpoint.protocol(), error); error) return error.message();
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (acceptor_.bind(endpoint, error); error) return error.message();
    if (acceptor_.listen(asio::socket_base::max_listen_connections, error); error) {
      return error.message();
    }
    port_ = acceptor_.local_endpoint(error).port();
    return {};
  }

  void Accept() {
    acceptor_.async_accept([this](Error error, tcp::socket socket) {
      if (shared_.stopping) return;
      if (error) return AcceptLater();  // out of descriptors: it would spin otherwise
      if (shared_.sessions.size() >= shared_.options.connections_max) MakeRoom();
      if (shared_.sessions.size() < shared_.options.connections_max) Begin(std::move(socket));
      Accept();
    });
  }

  void AcceptLater() {
    timer_.expires_after(std::chrono::milliseconds(100));
    timer_.async_wait([this](Error error) {
      if (!error && !shared_.stopping) Accept();
    });
  }

  void Begin(tcp::socket socket) {
    Error ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto session = std::make_shared<HttpSession>(shared_, std::move(socket));
    session->self = shared_.sessions.insert(shared_.sessions.end(), session);
    session->Start();
  }

  // The connection that has waited longest for its next request gives way.
  void MakeRoom() {
    std::shared_ptr<HttpSession> oldest;
    for (const auto& session : shared_.sessions) {
      if (!session->IsWaiting()) continue;
      if (!oldest || session->waiting_since() < oldest->waiting_since()) oldest = session;
    }
    if (oldest) oldest->Close();
  }

  // --- Streams: asked at once after a quiet time, at most once in kPumpEvery under load ---------
  static constexpr std::chrono::milliseconds kPumpEvery{2};

  void PumpSoon() {
    const auto now = std::chrono::steady_clock::now();
    if (now >= pumped_at_ + kPumpEvery) return PumpStreams();
    pump_timer_.expires_at(pumped_at_ + kPumpEvery);
    pump_timer_.async_wait([this](Error error) {
      if (!error && !shared_.stopping) PumpStreams();
    });
  }

  void PumpStreams() {
    wake_posted_ = false;  // what comes from here on wakes again
    pumped_at_ = std::chrono::steady_clock::now();
    if (shared_.streams.load(std::memory_order_relaxed) == 0) return;
    const auto sessions = shared_.sessions;  // a stream that ends takes itself off the list
    for (const auto& session : sessions) session->Wake();
  }

  // Heartbeats, and whatever nobody woke us for.
  void Beat() {
    beat_timer_.expires_after(std::chrono::seconds(1));
    beat_timer_.async_wait([this](Error error) {
      if (error || shared_.stopping) return;
      PumpStreams();
      Beat();
    });
  }

  void WindUp() {
    shared_.stopping = true;
    Error ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    pump_timer_.cancel();
    beat_timer_.cancel();
    const auto sessions = shared_.sessions;  // WindUp takes itself off the list
    for (const auto& session : sessions) session->WindUp();
    if (shared_.sessions.empty()) return io_.stop();
    timer_.expires_after(shared_.options.stop_ms);
    timer_.async_wait([this](Error) { io_.stop(); });
  }

  void OnSessionEnd() {
    if (shared_.stopping && shared_.sessions.empty()) io_.stop();
  }

  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer timer_, pump_timer_, beat_timer_;
  std::shared_ptr<Mailbox> mailbox_;
  HttpShared shared_;
  std::atomic<bool> wake_posted_{false};
  std::chrono::steady_clock::time_point pumped_at_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<HttpServer> HttpServer::Create(const HttpOptions& options, HttpHandler& handler) {
  return std::make_unique<AsioHttpServer>(options, handler);
}

}  // namespace hawser::admin
