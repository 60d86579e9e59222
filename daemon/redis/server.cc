#include "daemon/redis/server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "daemon/redis/connection.h"
#include "daemon/redis/service.h"

namespace hawser {
namespace {

constexpr std::uint32_t kReservedFds = 64;  // for journal, tables, NATS, REST

// A listening socket; the error says why not.
std::expected<int, std::string> Listen(const RedisOptions& options) {
  const std::string where = options.host + ":" + std::to_string(options.port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int rc = getaddrinfo(options.host.empty() ? nullptr : options.host.c_str(),
                             std::to_string(options.port).c_str(), &hints, &found);
  if (rc != 0) return std::unexpected("redis.listen " + where + ": " + gai_strerror(rc));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(found, freeaddrinfo);
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::unexpected("redis.listen " + where + ": " + std::strerror(errno));
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1024) != 0) {
    const std::string error = "redis.listen " + where + ": " + std::strerror(errno);
    close(fd);
    return std::unexpected(error);
  }
  return fd;
}

std::uint16_t PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

// Clients may not take the file descriptors that the journal and the peers need.
void CapClientsByFds(RedisOptions& options) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const std::uint64_t usable =
      limit.rlim_cur > 2 * kReservedFds ? limit.rlim_cur - kReservedFds : limit.rlim_cur / 2;
  if (options.clients_max > usable) options.clients_max = static_cast<std::uint32_t>(usable);
}

}  // namespace

std::string RedisOptions::Problem() const {
  if (clients_max == 0) return "redis.clients_max = 0: at least 1 is needed";
  if (bulk_bytes_max < 1024) return "redis: one argument must be allowed 1 KiB at least";
  if (command_bytes_max < bulk_bytes_max) return "redis: a command must hold its largest argument";
  if (output_bytes_max < bulk_bytes_max) return "redis: the output must hold the largest value";
  return {};
}

struct RedisServer::Impl {
  std::unique_ptr<redis::Service> service;
  std::uint16_t port = 0;
  std::thread thread;
};

RedisServer::RedisServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::expected<std::unique_ptr<RedisServer>, std::string> RedisServer::Start(RedisOptions options,
                                                                            Engine& engine) {
  if (std::string problem = options.Problem(); !problem.empty()) return std::unexpected(problem);
  CapClientsByFds(options);
  const auto listener = Listen(options);
  if (!listener) return std::unexpected(listener.error());
  auto impl = std::make_unique<Impl>();
  impl->port = PortOf(*listener);
  options.port = impl->port;
  impl->service = std::make_unique<redis::Service>(std::move(options), engine, *listener);
  if (!impl->service->ok())
    return std::unexpected("redis: no epoll: " + std::string(std::strerror(errno)));
  impl->thread = std::thread([service = impl->service.get()] { service->Run(); });
  return std::unique_ptr<RedisServer>(new RedisServer(std::move(impl)));
}

RedisServer::~RedisServer() {
  Stop();
}

std::uint16_t RedisServer::port() const {
  return impl_->port;
}
RedisStats RedisServer::stats() const {
  return impl_->service->counters().Read();
}

void RedisServer::Stop() {
  if (!impl_->thread.joinable()) return;
  impl_->service->Stop();
  impl_->thread.join();
}

}  // namespace hawser
