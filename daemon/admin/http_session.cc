#include "daemon/admin/http_session.h"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <utility>

#include "daemon/admin/http_vet.h"
#include "daemon/admin/problem.h"
#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::uint64_t kSmallBytes = 64 * 1024;      // not counted against the shared bound
constexpr std::size_t kLingerBytesMax = 1024 * 1024;  // read and thrown away after a refusal
constexpr std::chrono::milliseconds kLingerMs{1000};

Method MethodOf(http::verb verb) {
  switch (verb) {
    case http::verb::get:
    case http::verb::head:
      return Method::kGet;
    case http::verb::put:
      return Method::kPut;
    case http::verb::patch:
      return Method::kPatch;
    case http::verb::post:
      return Method::kPost;
    case http::verb::delete_:
      return Method::kDelete;
    default:
      return Method::kOther;
  }
}

HttpRequest ToRequest(const http::request_header<>& header) {
  HttpRequest request;
  request.method = MethodOf(header.method());
  request.head = header.method() == http::verb::head;
  request.target = std::string(header.target());
  for (const auto& field : header) {
    request.headers.emplace_back(Lower(std::string_view(field.name_string())),
                                 std::string(field.value()));
  }
  return request;
}

// What a failed parse is answered with.
Problem ParseProblem(beast::error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return {.status = 431, .code = "TOOBIG", .detail = "the header is larger than 16 KiB"};
  }
  if (error == http::error::body_limit) {
    return {.status = 413,
            .code = "TOOBIG",
            .detail = "the body is larger than `[storage] max_txn`: send less at once"};
  }
  if (error == http::error::bad_version) {
    return {.status = 505, .code = "VERSION", .detail = "speak HTTP/1.1"};
  }
  return {.status = 400, .code = "BADREQUEST", .detail = "not HTTP/1.1: " + error.message()};
}

bool IsParseError(beast::error_code error) {
  return error.category() == http::make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

class SessionResponder : public Responder {
 public:
  SessionResponder(std::weak_ptr<HttpSession> session, std::shared_ptr<Mailbox> mailbox)
      : session_(std::move(session)), mailbox_(std::move(mailbox)) {}
  ~SessionResponder() override {
    if (!sent_) {
      Send(ToResponse({.status = 500, .code = "INTERNAL", .detail = "the request was dropped"}));
    }
  }
  void Send(HttpResponse response) override {
    sent_ = true;
    mailbox_->Post([weak = session_, response = std::move(response)]() mutable {
      if (const auto session = weak.lock()) session->Answer(std::move(response));
    });
  }

 private:
  std::weak_ptr<HttpSession> session_;
  std::shared_ptr<Mailbox> mailbox_;
  bool sent_ = false;
};

}  // namespace

void Mailbox::Post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (io_) asio::post(*io_, std::move(work));
}

void Mailbox::Close() {
  const std::lock_guard lock(mutex_);
  io_ = nullptr;
}

HttpSession::HttpSession(HttpShared& shared, asio::ip::tcp::socket socket)
    : shared_(shared),
      stream_(std::move(socket)),
      buffer_(shared.options.header_bytes_max + kSmallBytes),
      waiting_since_(std::chrono::steady_clock::now()) {}

void HttpSession::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  stream_.close();
  ReleaseBytes();
  if (std::exchange(counted_, false)) --shared_.in_flight;
  if (std::exchange(stream_body_, nullptr)) --shared_.streams;
  shared_.sessions.erase(self);  // `this` lives on by the operations pending
  shared_.on_session_end();
}

void HttpSession::WindUp() {
  if (IsWaiting() || phase_ == Phase::kLinger) Close();
  if (phase_ == Phase::kStream) EndStream();
}

bool HttpSession::Reserve(std::uint64_t bytes) {
  if (bytes <= kSmallBytes) return true;
  if (shared_.buffered_bytes + bytes > shared_.options.buffered_bytes_max) return false;
  shared_.buffered_bytes += bytes;
  reserved_bytes_ += bytes;
  return true;
}

void HttpSession::ReleaseBytes() {
  shared_.buffered_bytes -= std::exchange(reserved_bytes_, 0);
}

// --- Reading -------------------------------------------------------------------------------------

void HttpSession::WaitForRequest() {
  waiting_since_ = std::chrono::steady_clock::now();
  if (buffer_.size() > 0) return ReadHeader();
  phase_ = Phase::kIdle;
  stream_.expires_after(shared_.options.idle_ms);
  stream_.async_read_some(buffer_.prepare(4096),
                          [self = shared_from_this()](Error error, std::size_t bytes) {
                            if (self->phase_ == Phase::kClosed) return;
                            if (error) return self->Close();
                            self->buffer_.commit(bytes);
                            self->ReadHeader();
                          });
}

void HttpSession::ReadHeader() {
  phase_ = Phase::kHeader;
  parser_.emplace();
  parser_->header_limit(shared_.options.header_bytes_max);
  parser_->body_limit(shared_.options.body_bytes_max);
  stream_.expires_after(shared_.options.header_ms);
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](Error error, std::size_t) {
                            if (self->phase_ == Phase::kClosed) return;
                            if (error) return self->Fail(error);
                            self->OnHeader(error);
                          });
}

void HttpSession::OnHeader(Error) {
  phase_ = Phase::kBody;
  keep_alive_ = parser_->keep_alive();
  const auto& message = parser_->get();
  head_ = ToRequest(message);
  head_.has_body = !parser_->is_done();
  const HttpHead head{.version = message.version(), .chunked = parser_->chunked()};
  if (auto refusal = VetHead(head_, head)) return Refuse(std::move(*refusal));
  const bool busy = shared_.in_flight >= shared_.options.connections_max / 4 * 3;
  if (auto refusal = shared_.handler.Admit(head_, busy)) {
    // With the body unread the next request cannot be found.
    return head_.has_body ? Refuse(std::move(*refusal)) : Write(std::move(*refusal));
  }
  if (!head_.has_body) return Dispatch();
  const std::uint64_t bytes = parser_->content_length().value_or(shared_.options.body_bytes_max);
  if (!Reserve(bytes)) {
    return Refuse(ToResponse({.status = 503,
                              .code = "BUSY",
                              .detail = "too many large bodies at once: try again",
                              .retry_after_seconds = 1}));
  }
  const bool must_ask = head_.Find("expect") && buffer_.size() == 0;
  if (!must_ask) return ReadBody();
  stream_.expires_after(shared_.options.write_ms);
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(kContinue),
                    [self = shared_from_this()](Error error, std::size_t) {
                      if (self->phase_ == Phase::kClosed) return;
                      if (error) return self->Close();
                      self->ReadBody();
                    });
}

void HttpSession::ReadBody() {
  stream_.expires_after(shared_.options.body_ms);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](Error error, std::size_t) {
                     if (self->phase_ == Phase::kClosed) return;
                     self->OnBody(error);
                   });
}

void HttpSession::OnBody(Error error) {
  if (error) return Fail(error);
  Dispatch();
}

void HttpSession::Fail(Error error) {
  if (!IsParseError(error)) return Close();  // gone, or too slow: the stream has closed itself
  Refuse(ToResponse(ParseProblem(error)));
}

// --- Answering -----------------------------------------------------------------------------------

void HttpSession::Dispatch() {
  phase_ = Phase::kHandler;
  stream_.expires_never();
  head_.body = std::move(parser_->get().body());
  counted_ = true;
  ++shared_.in_flight;
  shared_.handler.Handle(std::move(head_),
                         std::make_shared<SessionResponder>(weak_from_this(), shared_.mailbox));
}

void HttpSession::Answer(HttpResponse response) {
  if (phase_ != Phase::kHandler) return;
  if (!Reserve(response.body.size())) return Close();
  Write(std::move(response));
}

void HttpSession::Refuse(HttpResponse response) {
  keep_alive_ = false;
  Write(std::move(response));
}

void HttpSession::Write(HttpResponse response) {
  const bool head = parser_->get().method() == http::verb::head;
  if (std::exchange(counted_, false)) --shared_.in_flight;
  if (response.stream && !head) return BeginStream(std::move(response));
  phase_ = Phase::kWrite;
  if (shared_.stopping) keep_alive_ = false;
  auto message = std::make_shared<http::response<http::string_body>>();
  message->version(11);
  message->result(static_cast<unsigned>(response.status));
  message->reason(StatusText(response.status));
  message->keep_alive(keep_alive_);
  if (response.status != 304) message->set(http::field::content_type, response.content_type);
  message->set(http::field::cache_control, "no-store");
  message->set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : response.headers) message->insert(name, value);
  const auto done = [self = shared_from_this(), message](Error error, std::size_t) {
    if (self->phase_ != Phase::kClosed) self->OnWritten(error);
  };
  stream_.expires_after(shared_.options.write_ms);
  if (response.status != 304) message->content_length(response.body.size());
  if (!head && response.status != 304) message->body() = std::move(response.body);
  if (!head) {
    http::async_write(stream_, *message, done);
    return;
  }
  auto serializer = std::make_shared<http::response_serializer<http::string_body>>(*message);
  http::async_write_header(stream_, *serializer,
                           [done, serializer](Error error, std::size_t n) { done(error, n); });
}

void HttpSession::OnWritten(Error error) {
  ReleaseBytes();
  if (error) return Close();
  if (!keep_alive_ || shared_.stopping) return Linger();
  WaitForRequest();
}

// A close with unread input would reset the connection and could take the answer with it.
void HttpSession::Linger() {
  if (phase_ != Phase::kLinger) {
    phase_ = Phase::kLinger;
    Error ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kLingerMs);
    buffer_.clear();
    linger_bytes_ = 0;
  }
  stream_.async_read_some(buffer_.prepare(16 * 1024),
                          [self = shared_from_this()](Error error, std::size_t bytes) {
                            if (self->phase_ == Phase::kClosed) return;
                            self->linger_bytes_ += bytes;
                            const bool enough = self->linger_bytes_ > kLingerBytesMax;
                            if (error || enough) return self->Close();
                            self->Linger();
                          });
}

}  // namespace hawser::admin
