#include "tests/support/nats_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace hawser::test {

namespace {

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::abort();
}

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// True when a server greets on that port.
bool Greets(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  char first = 0;
  const bool greets =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      recv(fd, &first, 1, 0) == 1 && first == 'I';
  close(fd);
  return greets;
}

const char* ServerPath() {
  for (const char* path :
       {"/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"}) {
    if (access(path, X_OK) == 0) return path;
  }
  Fail("nats-server is not installed");
}

}  // namespace

std::uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) Fail("bind");
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

NatsServer::NatsServer(std::string config) : port_(FreePort()) {
  if (!config.empty()) WriteConfig(config);
  Launch();
}

void NatsServer::WriteConfig(const std::string& config) {
  if (config_path_.empty()) {
    char path[] = "/tmp/hawser-nats-XXXXXX";
    close(mkstemp(path));
    config_path_ = path;
  }
  std::ofstream(config_path_) << config;
}

NatsServer::~NatsServer() {
  Kill();
  if (!config_path_.empty()) unlink(config_path_.c_str());
}

void NatsServer::Launch() {
  const std::string port = std::to_string(port_);
  std::vector<const char*> argv = {ServerPath(), "-a", "127.0.0.1", "-p", port.c_str()};
  if (!config_path_.empty()) argv.insert(argv.end(), {"-c", config_path_.c_str()});
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) Fail("fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 1);
    dup2(null, 2);
    execv(argv[0], const_cast<char* const*>(argv.data()));
    _exit(127);
  }
  for (int tries = 0; tries < 1000; ++tries) {
    if (Greets(port_)) return;
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  Fail("nats-server did not come up");
}

void NatsServer::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void NatsServer::Restart() {
  Kill();
  Launch();
}

void NatsServer::Reconfigure(const std::string& config) {
  WriteConfig(config);
  Restart();
}

void NatsServer::Freeze() {
  kill(pid_, SIGSTOP);
  int status = 0;
  waitpid(pid_, &status, WUNTRACED);
}

void NatsServer::Thaw() {
  kill(pid_, SIGCONT);
}

}  // namespace hawser::test
