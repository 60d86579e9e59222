#pragma once

// One connection of the HttpServer. Included by the two files that touch Boost.Beast, by no other.
// Threads: the server's only. Lives by the shared_ptr that pending operations hold.

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "daemon/admin/http_server.h"

namespace hawser::admin {

// Where other threads leave work for the server's; outlives it.
class Mailbox {
 public:
  explicit Mailbox(boost::asio::io_context& io) : io_(&io) {}
  void Post(std::function<void()> work);
  void Close();  // what comes later is dropped

 private:
  std::mutex mutex_;
  boost::asio::io_context* io_;
};

class HttpSession;

// What the connections of one server share.
struct HttpShared {
  HttpOptions options;
  HttpHandler& handler;
  std::shared_ptr<Mailbox> mailbox;
  std::list<std::shared_ptr<HttpSession>> sessions;
  std::uint64_t buffered_bytes = 0;
  std::size_t in_flight = 0;
  std::atomic<std::size_t> streams = 0;  // written by the server's thread
  bool stopping = false;
  std::function<void()> on_session_end;
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(HttpShared& shared, boost::asio::ip::tcp::socket socket);

  void Start() { WaitForRequest(); }
  void Close();
  // The server stops: an idle connection closes now, a busy one after its answer.
  void WindUp();
  // True while nothing but time is lost by closing; since when.
  bool IsWaiting() const { return phase_ == Phase::kIdle || phase_ == Phase::kHeader; }
  std::chrono::steady_clock::time_point waiting_since() const { return waiting_since_; }
  // There may be more for a stream to say.
  void Wake();
  // The handler's answer to the request in flight.
  void Answer(HttpResponse response);

  std::list<std::shared_ptr<HttpSession>>::iterator self;  // of HttpShared::sessions

 private:
  enum class Phase { kIdle, kHeader, kBody, kHandler, kWrite, kStream, kLinger, kClosed };
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Error = boost::beast::error_code;

  void WaitForRequest();
  void ReadHeader();
  void OnHeader(Error error);
  void ReadBody();
  void OnBody(Error error);
  void Dispatch();
  void Fail(Error error);              // of parsing or reading
  void Refuse(HttpResponse response);  // answers and closes
  void Write(HttpResponse response);
  void OnWritten(Error error);
  void Linger();
  // http_stream.cc
  void BeginStream(HttpResponse response);
  void Pump();
  void WritePiece();
  void OnPieceWritten(Error error);
  void ReadPastStream();
  void EndStream();
  bool Reserve(std::uint64_t bytes);
  void ReleaseBytes();

  HttpShared& shared_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  HttpRequest head_;
  Phase phase_ = Phase::kIdle;
  std::chrono::steady_clock::time_point waiting_since_;
  std::uint64_t reserved_bytes_ = 0;
  std::size_t linger_bytes_ = 0;
  std::shared_ptr<StreamBody> stream_body_;
  std::string piece_;
  std::chrono::steady_clock::time_point spoke_at_;  // a piece of the stream was written
  StreamBody::More more_ = StreamBody::More::kLater;
  bool piece_under_way_ = false;
  bool keep_alive_ = false;
  bool counted_ = false;  // in shared_.in_flight
};

}  // namespace hawser::admin
