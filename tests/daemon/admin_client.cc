#include "tests/daemon/admin_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {
constexpr int kPatienceMs = 10'000;
}

Client::Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(fd_);
    fd_ = -1;
  }
}

Client::~Client() {
  if (fd_ >= 0) close(fd_);
}

void Client::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Client::FinishSending() {
  shutdown(fd_, SHUT_WR);
}

bool Client::Fill(int ms) {
  pollfd poll_fd{.fd = fd_, .events = POLLIN, .revents = 0};
  if (poll(&poll_fd, 1, ms) <= 0) return false;
  char bytes[16384];
  const ssize_t got = recv(fd_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  input_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::string Client::ReadUntil(std::string_view text, int ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  std::size_t at = 0;
  while ((at = input_.find(text)) == std::string::npos) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !Fill(static_cast<int>(left.count()))) return {};
  }
  std::string got = input_.substr(0, at + text.size());
  input_.erase(0, got.size());
  return got;
}

bool Client::ClosesWithin(int ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd poll_fd{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&poll_fd, 1, static_cast<int>(left.count())) <= 0) return false;
    char bytes[16384];
    if (recv(fd_, bytes, sizeof bytes, 0) <= 0) return true;
  }
}

Reply Client::Read(bool head) {
  Reply reply;
  std::size_t end = 0;
  while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill(kPatienceMs)) return reply;
  }
  std::string_view text = std::string_view(input_).substr(0, end + 2);
  const std::string status_line(text.substr(0, text.find("\r\n")));
  if (status_line.size() < 12) return reply;
  text.remove_prefix(status_line.size() + 2);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      reply.headers[Lower(line.substr(0, colon))] = std::string(Trim(line.substr(colon + 1)));
    }
    text.remove_prefix(line.size() + 2);
  }
  input_.erase(0, end + 4);
  const int status = std::atoi(status_line.c_str() + 9);
  const bool bare = head || status == 304 || status == 100;
  const auto length =
      bare ? std::size_t{0} : std::strtoul(reply.Header("content-length").c_str(), nullptr, 10);
  while (input_.size() < length) {
    if (!Fill(kPatienceMs)) return reply;  // status 0: cut short
  }
  reply.status = status;
  reply.body = input_.substr(0, length);
  input_.erase(0, length);
  return reply;
}

Reply Client::Call(std::string_view method, std::string_view target, std::string_view body,
                   const Headers& headers) {
  std::string request(method);
  request.append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  for (const auto& [name, value] : headers)
    request.append(name).append(": ").append(value).append("\r\n");
  if (!body.empty() || method == "PUT" || method == "POST" || method == "PATCH") {
    request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  request.append("\r\n").append(body);
  Send(request);
  return Read(method == "HEAD");
}

}  // namespace hawser::admin
