#pragma once

// RawClient: a socket that speaks RESP, for tests. Replies are shown as text: simple strings as
// they are, errors with "-", numbers as ":1", bulk strings quoted, null as "nil", arrays as [a, b],
// maps as {a: b}, sets as ~[a], pushes as >[a].

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::test {

class RawClient {
 public:
  RawClient();  // not connected yet
  explicit RawClient(std::uint16_t port) : RawClient() { Connect(port); }
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void Connect(std::uint16_t port);
  void Send(std::string_view bytes);
  // The next reply as text; "(closed)" when the server hung up, "(nothing)" if none comes in time.
  std::string Next(std::chrono::milliseconds wait = std::chrono::seconds(5));
  // One inline-like line, split at blanks ('' is an empty word), sent as an array; its reply.
  std::string Do(std::string_view line);
  std::string Do(const std::vector<std::string>& words);

 private:
  bool Fill(std::chrono::milliseconds wait);
  bool Line(std::string& line, std::chrono::milliseconds wait);
  std::string Parse(std::chrono::milliseconds wait);

  int fd_ = -1;
  std::string in_;
  bool closed_ = false;
};

std::string Encode(const std::vector<std::string>& words);
std::vector<std::string> Words(std::string_view line);

}  // namespace hawser::test
