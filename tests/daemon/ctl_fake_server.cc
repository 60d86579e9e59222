#include "tests/daemon/ctl_fake_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "conflict/assert.h"

namespace hawser::ctl {
namespace {

// Reads one request: the header, and the body that Content-Length announces.
std::string ReadRequest(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const std::size_t header_end = text.find("\r\n\r\n");
    if (header_end != std::string::npos) {
      const std::size_t at = text.find("Content-Length: ");
      const std::size_t body =
          at == std::string::npos ? 0 : std::strtoul(text.c_str() + at + 16, nullptr, 10);
      if (text.size() >= header_end + 4 + body) return text;
    }
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

FakeServer::FakeServer(std::function<std::string(const std::string&)> answer)
    : answer_(std::move(answer)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  HW_ASSERT(bind(listener_, generic, length) == 0 && listen(listener_, 8) == 0);
  HW_ASSERT(getsockname(listener_, generic, &length) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Loop(); });
}

FakeServer::~FakeServer() {
  stopping_ = true;
  thread_.join();
  close(listener_);
}

std::vector<std::string> FakeServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void FakeServer::Loop() {
  std::vector<int> silent;
  while (!stopping_) {
    pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, 20) <= 0) continue;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const std::string request = ReadRequest(fd);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const std::string answer = answer_(request);
    if (answer.empty()) {
      silent.push_back(fd);
      continue;
    }
    send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    close(fd);
  }
  for (const int fd : silent) close(fd);
}

std::string HttpAnswer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

}  // namespace hawser::ctl
