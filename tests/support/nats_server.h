#pragma once

// A nats-server of a test's own, on a free loopback port, without JetStream, cluster or log.
// Threads: use it from the thread that made it; the server dies with that thread.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace hawser::test {

class NatsServer {
 public:
  // Ready to take connections on return. `config` is the text of a configuration file, may be
  // empty.
  explicit NatsServer(std::string config = {});
  ~NatsServer();
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

  void Kill();                                  // SIGKILL; the port stays ours
  void Restart();                               // on the same port; also starts it after Kill
  void Reconfigure(const std::string& config);  // Restart with another configuration
  void Freeze();  // SIGSTOP: connections stay open and nothing answers
  void Thaw();

 private:
  void WriteConfig(const std::string& config);
  void Launch();

  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
  std::string config_path_;
};

// A port on which nobody listens at the moment.
std::uint16_t FreePort();

}  // namespace hawser::test
