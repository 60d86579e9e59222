#include "tests/daemon/redis_client.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hawser::test {

RawClient::RawClient() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

void RawClient::Connect(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

RawClient::~RawClient() {
  close(fd_);
}

void RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool RawClient::Fill(std::chrono::milliseconds wait) {
  pollfd poll_fd{fd_, POLLIN, 0};
  if (poll(&poll_fd, 1, static_cast<int>(wait.count())) <= 0) return false;
  char buffer[65536];
  const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
  if (got <= 0) {
    closed_ = true;
    return false;
  }
  in_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

bool RawClient::Line(std::string& line, std::chrono::milliseconds wait) {
  std::size_t end;
  while ((end = in_.find("\r\n")) == std::string::npos) {
    if (!Fill(wait)) return false;
  }
  line = in_.substr(0, end);
  in_.erase(0, end + 2);
  return true;
}

std::string RawClient::Next(std::chrono::milliseconds wait) {
  return Parse(wait);
}

std::string RawClient::Parse(std::chrono::milliseconds wait) {
  std::string line;
  if (!Line(line, wait)) return closed_ ? "(closed)" : "(nothing)";
  const char type = line[0];
  const std::string rest = line.substr(1);
  if (type == '+') return rest;
  if (type == '-' || type == ':' || type == ',') return line;
  if (type == '_') return "nil";
  const long long size = std::stoll(rest);
  if (size < 0) return "nil";
  if (type == '$' || type == '=') {
    const auto length = static_cast<std::size_t>(size);
    while (in_.size() < length + 2) {
      if (!Fill(wait)) return "(cut off)";
    }
    const std::size_t label = type == '=' ? 4 : 0;  // "txt:"
    const std::string text = in_.substr(label, length - label);
    in_.erase(0, length + 2);
    return "\"" + text + "\"";
  }
  std::string shown = type == '%' ? "{" : type == '~' ? "~[" : type == '>' ? ">[" : "[";
  for (long long i = 0; i < size; ++i) {
    if (i > 0) shown += ", ";
    shown += Parse(wait);
    if (type == '%') shown += ": " + Parse(wait);
  }
  return shown + (type == '%' ? "}" : "]");
}

std::string Encode(const std::vector<std::string>& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return bytes;
}

std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at < line.size()) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    std::string word(line.substr(at, end - at));
    if (word == "''") word.clear();
    words.push_back(std::move(word));
    at = end + 1;
  }
  return words;
}

std::string RawClient::Do(std::string_view line) {
  return Do(Words(line));
}
std::string RawClient::Do(const std::vector<std::string>& words) {
  Send(Encode(words));
  return Next();
}

}  // namespace hawser::test
