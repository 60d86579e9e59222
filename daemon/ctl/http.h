#pragma once

// Http: one request to the daemon. http.cc is the only file that includes libcurl.
// Bounds:  responses up to kResponseBytesMax; only http and https; redirects are not followed.
// Threads: one caller.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawser::ctl {

inline constexpr std::size_t kResponseBytesMax = 64 * 1024 * 1024;

struct Request {
  std::string method = "GET";
  std::string path;  // "/v1/lag?peer=x"; parts already percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct Response {
  int status = 0;
  std::string body;
};

struct HttpFailure {
  bool timed_out = false;
  std::string text;  // what happened and what to do
};

class Http {
 public:
  Http(std::string server, std::string token, std::int64_t timeout_ms)
      : server_(std::move(server)), token_(std::move(token)), timeout_ms_(timeout_ms) {}
  std::expected<Response, HttpFailure> Send(const Request& request) const;

 private:
  std::string server_, token_;
  std::int64_t timeout_ms_;
};

// Everything but letters, digits and -._~ as %XX: safe as one part of a path or a query.
std::string PercentEncoded(std::string_view text);

}  // namespace hawser::ctl
