#pragma once

// FakeServer: an HTTP server on loopback that gives the answers it was told, and remembers the
// requests.

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace hawser::ctl {

class FakeServer {
 public:
  // `answer` gets the whole request and returns the whole response; empty: never answers.
  explicit FakeServer(std::function<std::string(const std::string& request)> answer);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> requests() const;

 private:
  void Loop();

  std::function<std::string(const std::string&)> answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

std::string HttpAnswer(int status, const std::string& body);

}  // namespace hawser::ctl
