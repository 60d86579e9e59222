// Bodies without an end: the part of an HttpSession that writes them.

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "daemon/admin/http_session.h"
#include "daemon/admin/problem.h"

namespace hawser::admin {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kUnaskedBytesMax = 64 * 1024;  // that a client sends while it should read

}  // namespace

// The connection's end is the body's, as HTTP/1.0 knows it too.
void HttpSession::BeginStream(HttpResponse response) {
  phase_ = Phase::kStream;
  keep_alive_ = false;
  stream_body_ = std::move(response.stream);
  ++shared_.streams;
  piece_ = "HTTP/1.1 " + std::to_string(response.status) + ' ' + StatusText(response.status) +
           "\r\nContent-Type: " + response.content_type +
           "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
           "X-Accel-Buffering: no\r\nConnection: close\r\n";
  for (const auto& [name, value] : response.headers) {
    piece_.append(name).append(": ").append(value).append("\r\n");
  }
  piece_.append("\r\n").append(response.body);
  linger_bytes_ = 0;
  buffer_.clear();
  stream_.expires_never();
  ReadPastStream();
  more_ = StreamBody::More::kNow;
  WritePiece();
}

// Nothing is expected; what comes tells that the client has gone.
void HttpSession::ReadPastStream() {
  stream_.async_read_some(buffer_.prepare(4096),
                          [self = shared_from_this()](Error error, std::size_t bytes) {
                            if (self->phase_ == Phase::kClosed) return;
                            self->linger_bytes_ += bytes;
                            if (error || self->linger_bytes_ > kUnaskedBytesMax) {
                              return self->Close();
                            }
                            self->ReadPastStream();
                          });
}

void HttpSession::Wake() {
  if (phase_ == Phase::kStream && !piece_under_way_) Pump();
}

void HttpSession::Pump() {
  const auto silence = std::chrono::steady_clock::now() - spoke_at_;
  const bool quiet = silence >= shared_.options.heartbeat_ms;
  more_ = stream_body_->Next(piece_, quiet);
  if (piece_.empty()) {
    if (more_ == StreamBody::More::kEnd) return EndStream();
    if (more_ == StreamBody::More::kLater) return;
    // It looked at much and found nothing to say: others first.
    piece_under_way_ = true;
    return asio::post(stream_.get_executor(), [self = shared_from_this()] {
      self->piece_under_way_ = false;
      self->Wake();
    });
  }
  WritePiece();
}

void HttpSession::WritePiece() {
  spoke_at_ = std::chrono::steady_clock::now();
  piece_under_way_ = true;
  // The read under way has no limit of time; this sets the write's alone.
  stream_.expires_after(shared_.options.write_ms);
  asio::async_write(
      stream_, asio::buffer(piece_),
      [self = shared_from_this()](Error error, std::size_t) { self->OnPieceWritten(error); });
}

void HttpSession::OnPieceWritten(Error error) {
  if (phase_ == Phase::kClosed) return;
  if (error) return Close();
  piece_under_way_ = false;
  piece_.clear();
  if (more_ == StreamBody::More::kEnd || shared_.stopping) return EndStream();
  if (more_ == StreamBody::More::kNow) Pump();
}

void HttpSession::EndStream() {
  if (piece_under_way_) return;  // after it
  Error ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  Close();
}

}  // namespace hawser::admin
