#pragma once

// A small HTTP client for tests that can also send what is no HTTP.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawser::admin {

struct Reply {
  int status = 0;                              // 0: the connection closed without a reply
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string Header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? std::string() : at->second;
  }
  bool Has(std::string_view text) const { return body.find(text) != std::string::npos; }
};

// One connection to 127.0.0.1. Every wait ends after ten seconds.
class Client {
 public:
  explicit Client(std::uint16_t port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view bytes);  // as they are; a closed connection is no error
  // The next reply; its body is read by Content-Length (none for HEAD and 304).
  Reply Read(bool head = false);
  // What comes up to and with `text`, for bodies without an end; empty if it does not come.
  std::string ReadUntil(std::string_view text, int ms = 10'000);
  // True if the server closes within the time, whatever it sends before.
  bool ClosesWithin(int ms);
  void FinishSending();

  using Headers = std::vector<std::pair<std::string, std::string>>;
  Reply Call(std::string_view method, std::string_view target, std::string_view body = {},
             const Headers& headers = {});

 private:
  bool Fill(int ms);  // false: closed or nothing came

  int fd_ = -1;
  std::string input_;
};

}  // namespace hawser::admin
