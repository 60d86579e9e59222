#pragma once

// Plain HTTP requests and responses: all that the rest of the admin code sees of HTTP.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawser::admin {

enum class Method { kGet, kPut, kPatch, kPost, kDelete, kOther };
const char* Text(Method method);

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  Method method = Method::kOther;
  bool head = false;   // HEAD: method is kGet, the body of the response stays away
  std::string target;  // as sent: path and query
  Headers headers;     // names in lower case, in the order sent
  std::string body;
  bool has_body = false;  // a body was announced (known before it is read)

  // The first header of that (lower-case) name; null if there is none.
  const std::string* Find(std::string_view name) const;
  std::size_t Count(std::string_view name) const;
};

// A body without an end, made piece by piece: the next one is asked for when the socket has taken
// the last, so that a slow reader holds one piece and no more. Server's thread only; Next must be
// as quick as any handler.
class StreamBody {
 public:
  enum class More {
    kNow,    // ask again when this is sent
    kLater,  // ask again when something was committed, or in a second
    kEnd,    // this is the last piece
  };
  virtual ~StreamBody() = default;
  // Appends what there is, about a piece. `quiet`: nothing was sent for a while; say something.
  virtual More Next(std::string& out, bool quiet) = 0;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;
  std::shared_ptr<StreamBody> stream = {};  // not null: goes on after `body`, ends the connection

  HttpResponse& With(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

// The way back to one waiting client. Send from any thread, once; what is never sent is answered
// with 500 when the last reference goes.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void Send(HttpResponse response) = 0;
};

// Who answers. Both are called on the server's thread and must not block.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // After the header, before the body is read: a response here ends the request.
  virtual std::optional<HttpResponse> Admit(const HttpRequest& head, bool busy) = 0;
  virtual void Handle(HttpRequest request, std::shared_ptr<Responder> responder) = 0;
};

}  // namespace hawser::admin
