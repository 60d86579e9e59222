// wan_proxy: a TCP link that tests can cut, silence, delay and narrow while it runs.
//
//   wan_proxy --listen 127.0.0.1:4301 --target 127.0.0.1:4222 [--listen … --target …]…
//             --control 127.0.0.1:4300 [--delay MS] [--rate BYTES_PER_SECOND]
//
// Every --listen goes with the --target after it and is a pair, counted from 0. Port 0 takes a free
// port. When all sockets listen, one line per socket is printed, then "ready":
//   pair 0 127.0.0.1:4301 127.0.0.1:4222
//   control 127.0.0.1:4300
//   ready
//
// Control: connect to the control port (any number of clients), send lines, get one line per line,
// "ok", "ok TEXT" or "error TEXT". A command takes effect before its answer is sent. PAIR may be
// left out: all pairs.
//   cut [PAIR]              loud: reset all connections, reset new ones at once
//   blackhole [up|down] [PAIR]  silent: nothing passes (up: from the client to the target; down:
//   back;
//                           neither: both), connections stay, new ones are accepted and hear
//                           nothing. What is under way waits and arrives after `heal`, as with TCP.
//   heal [PAIR]             ends cut and blackhole; delay and rate stay
//   drop [PAIR]             reset all connections once; new ones pass
//   delay MS [PAIR]         constant one-way delay, both directions, fractions allowed; what is
//   under
//                           way keeps its order
//   rate BYTES [PAIR]       bytes per second for each direction of each connection; 0: no limit
//   stats [PAIR]            ok connections=N accepted=N up=BYTES down=BYTES held=BYTES
//
// One thread. Bytes are not looked into. Ends on SIGTERM, or when its parent dies.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::uint64_t kHeldBytesMax = 16 * 1024 * 1024;  // per direction, when the rate is free
constexpr std::size_t kControlLineMax = 1024;
constexpr std::int64_t kParentCheckNs = 1'000'000'000;

std::int64_t NowNs() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return std::int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

[[noreturn]] void Die(const std::string& text) {
  std::fprintf(stderr, "wan_proxy: %s\n", text.c_str());
  std::exit(64);
}

std::optional<sockaddr_in> ParseAddress(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc{} || rest != end) return std::nullopt;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1)
    return std::nullopt;
  return address;
}

std::string Print(const sockaddr_in& address) {
  char host[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
  return std::string(host) + ":" + std::to_string(ntohs(address.sin_port));
}

const sockaddr* Generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

int Listen(const sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, Generic(address), sizeof address) != 0 || listen(fd, 128) != 0) {
    Die("cannot listen on " + Print(address) + ": " + std::strerror(errno));
  }
  return fd;
}

std::string LocalAddress(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return Print(address);
}

void SetNoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void CloseWithReset(int fd) {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(fd);
}

struct Settings {
  std::int64_t delay_ns = 0;
  std::uint64_t rate = 0;  // bytes/s; 0: no limit
  bool cut = false;
  bool silent[2] = {false, false};  // [up, down]
};

struct Pair {
  int listen_fd = -1;
  sockaddr_in target{};
  Settings settings;
  std::uint64_t accepted = 0;
  std::uint64_t passed[2] = {0, 0};
};

// One direction of one connection: bytes read, each with the time when it may arrive.
struct Direction {
  struct Chunk {
    std::int64_t due_ns = 0;
    std::string bytes;
    std::size_t written = 0;
  };
  std::deque<Chunk> held;
  std::uint64_t held_bytes = 0;
  std::int64_t line_free_ns = 0;  // when the last byte has left the sender at `rate`
  bool ended = false;             // the sender closed its side
  std::int64_t end_due_ns = 0;
  bool end_passed = false;

  void Take(std::string bytes, const Settings& settings, std::int64_t now) {
    if (settings.rate != 0) {
      const auto cost = static_cast<std::int64_t>(1e9 * static_cast<double>(bytes.size()) /
                                                  static_cast<double>(settings.rate));
      line_free_ns = std::max(line_free_ns, now) + cost;
    } else {
      line_free_ns = now;
    }
    std::int64_t due = line_free_ns + settings.delay_ns;
    if (!held.empty()) due = std::max(due, held.back().due_ns);
    held_bytes += bytes.size();
    held.push_back({due, std::move(bytes), 0});
  }

  bool Full(const Settings& settings) const {
    if (settings.rate == 0) return held_bytes >= kHeldBytesMax;
    const double seconds = 0.1 + static_cast<double>(settings.delay_ns) / 1e9;
    const auto room = static_cast<std::uint64_t>(static_cast<double>(settings.rate) * seconds);
    return held_bytes >= std::clamp<std::uint64_t>(room, kReadBytes, kHeldBytesMax);
  }
};

// Ends: 0 is the client that connected to us, 1 the target. Direction d reads from end d and writes
// to end 1 - d.
struct Connection {
  Pair* pair = nullptr;
  int fd[2] = {-1, -1};
  std::uint32_t armed[2] = {0, 0};   // epoll events asked for
  bool blocked[2] = {false, false};  // writing to that end would block
  bool connected = false;            // the target has accepted
  Direction direction[2];
  bool dead = false;
};

struct Control {
  int fd = -1;
  std::string line;
  bool dead = false;
};

class Proxy {
 public:
  Proxy() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

  void AddPair(const sockaddr_in& listen, const sockaddr_in& target, const Settings& settings) {
    auto pair = std::make_unique<Pair>();
    pair->listen_fd = Listen(listen);
    pair->target = target;
    pair->settings = settings;
    Watch(pair->listen_fd, EPOLLIN, EPOLL_CTL_ADD);
    std::printf("pair %zu %s %s\n", pairs_.size(), LocalAddress(pair->listen_fd).c_str(),
                Print(target).c_str());
    pairs_.push_back(std::move(pair));
  }

  void AddControl(const sockaddr_in& listen) {
    control_fd_ = Listen(listen);
    Watch(control_fd_, EPOLLIN, EPOLL_CTL_ADD);
    std::printf("control %s\n", LocalAddress(control_fd_).c_str());
  }

  // Until the parent process is gone.
  void Run() {
    std::printf("ready\n");
    std::fflush(stdout);
    const pid_t parent = getppid();
    while (getppid() == parent) {
      epoll_event events[64];
      const std::int64_t wait = WaitNs();
      const timespec timeout{wait / 1'000'000'000, wait % 1'000'000'000};
      const int n = epoll_pwait2(epoll_, events, 64, &timeout, nullptr);
      for (int i = 0; i < n; ++i) Handle(events[i].data.fd, events[i].events);
      for (Connection& connection : connections_) Pass(connection);
      Sweep();
    }
  }

 private:
  void Watch(int fd, std::uint32_t events, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void Handle(int fd, std::uint32_t events) {
    if (fd == control_fd_) return AcceptControl();
    for (const auto& pair : pairs_) {
      if (fd == pair->listen_fd) return Accept(*pair);
    }
    if (const auto it = controls_.find(fd); it != controls_.end()) return ReadControl(it->second);
    if (const auto it = by_fd_.find(fd); it != by_fd_.end()) {
      Connection& connection = *it->second;
      const int end = fd == connection.fd[0] ? 0 : 1;
      if ((events & EPOLLOUT) != 0) Writable(connection, end);
      if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) Read(connection, end);
    }
  }

  void Accept(Pair& pair) {
    const int fd = accept4(pair.listen_fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (pair.settings.cut) return CloseWithReset(fd);
    const int target = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    SetNoDelay(fd);
    SetNoDelay(target);
    const int rc = connect(target, Generic(pair.target), sizeof pair.target);
    if (rc != 0 && errno != EINPROGRESS) {
      CloseWithReset(fd);
      close(target);
      return;
    }
    ++pair.accepted;
    Connection& connection = connections_.emplace_back();
    connection.pair = &pair;
    connection.fd[0] = fd;
    connection.fd[1] = target;
    connection.blocked[1] = true;  // until connected
    by_fd_[fd] = &connection;
    by_fd_[target] = &connection;
    for (int end = 0; end < 2; ++end) Watch(connection.fd[end], 0, EPOLL_CTL_ADD);
  }

  void Writable(Connection& connection, int end) {
    if (end == 1 && !connection.connected) {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(connection.fd[1], SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) {
        connection.dead = true;
        return;
      }
      connection.connected = true;
    }
    connection.blocked[end] = false;
  }

  bool MayRead(const Connection& connection, int d) const {
    const Settings& settings = connection.pair->settings;
    const Direction& direction = connection.direction[d];
    return !settings.silent[d] && !direction.ended && !direction.Full(settings);
  }

  void Read(Connection& connection, int end) {
    if (connection.dead || !MayRead(connection, end)) return;
    if (end == 1 && !connection.connected) return Writable(connection, end);
    std::string bytes(kReadBytes, '\0');
    const ssize_t n = read(connection.fd[end], bytes.data(), bytes.size());
    Direction& direction = connection.direction[end];
    if (n > 0) {
      bytes.resize(static_cast<std::size_t>(n));
      connection.pair->passed[end] += bytes.size();
      direction.Take(std::move(bytes), connection.pair->settings, NowNs());
    } else if (n == 0) {
      direction.ended = true;
      direction.end_due_ns =
          std::max(NowNs(), direction.line_free_ns) + connection.pair->settings.delay_ns;
    } else if (errno != EAGAIN && errno != EINTR) {
      connection.dead = true;
    }
  }

  // Writes what is due, then asks epoll for what can be waited for.
  void Pass(Connection& connection) {
    if (connection.dead) return;
    for (int d = 0; d < 2; ++d) PassDirection(connection, d);
    if (connection.dead) return;
    if (connection.direction[0].end_passed && connection.direction[1].end_passed) {
      connection.dead = true;
      return;
    }
    for (int end = 0; end < 2; ++end) {
      std::uint32_t events = 0;
      if (MayRead(connection, end) && (end == 0 || connection.connected)) events |= EPOLLIN;
      if (connection.blocked[end]) events |= EPOLLOUT;
      if (events == connection.armed[end]) continue;
      // A silenced socket that hung up would wake us for ever: it is taken out instead.
      if (events == 0 || connection.armed[end] == 0) {
        Watch(connection.fd[end], 0, EPOLL_CTL_DEL);
        if (events != 0) Watch(connection.fd[end], events, EPOLL_CTL_ADD);
      } else {
        Watch(connection.fd[end], events, EPOLL_CTL_MOD);
      }
      connection.armed[end] = events;
    }
  }

  void PassDirection(Connection& connection, int d) {
    Direction& direction = connection.direction[d];
    const int to = 1 - d;
    if (connection.pair->settings.silent[d]) return;
    const std::int64_t now = NowNs();
    while (!connection.blocked[to] && !direction.held.empty()) {
      Direction::Chunk& chunk = direction.held.front();
      if (chunk.due_ns > now) return;
      const ssize_t n = send(connection.fd[to], chunk.bytes.data() + chunk.written,
                             chunk.bytes.size() - chunk.written, MSG_NOSIGNAL);
      if (n < 0) {
        if (errno == EAGAIN || errno == EINTR) {
          connection.blocked[to] = true;
        } else {
          connection.dead = true;
        }
        return;
      }
      chunk.written += static_cast<std::size_t>(n);
      direction.held_bytes -= static_cast<std::uint64_t>(n);
      if (chunk.written == chunk.bytes.size()) direction.held.pop_front();
    }
    if (direction.ended && !direction.end_passed && direction.held.empty() &&
        direction.end_due_ns <= now && !connection.blocked[to]) {
      shutdown(connection.fd[to], SHUT_WR);
      direction.end_passed = true;
    }
  }

  std::int64_t WaitNs() const {
    std::int64_t due = INT64_MAX;
    for (const Connection& connection : connections_) {
      for (int d = 0; d < 2; ++d) {
        if (connection.pair->settings.silent[d] || connection.blocked[1 - d]) continue;
        const Direction& direction = connection.direction[d];
        if (!direction.held.empty()) {
          due = std::min(due, direction.held.front().due_ns);
        } else if (direction.ended && !direction.end_passed) {
          due = std::min(due, direction.end_due_ns);
        }
      }
    }
    if (due == INT64_MAX) return kParentCheckNs;
    return std::clamp<std::int64_t>(due - NowNs(), 0, kParentCheckNs);
  }

  void Sweep() {
    for (auto it = connections_.begin(); it != connections_.end();) {
      if (!it->dead) {
        ++it;
        continue;
      }
      for (const int fd : it->fd) {
        by_fd_.erase(fd);
        CloseWithReset(fd);
      }
      it = connections_.erase(it);
    }
    std::erase_if(controls_, [](const auto& entry) {
      if (entry.second.dead) close(entry.first);
      return entry.second.dead;
    });
  }

  void AcceptControl() {
    const int fd = accept4(control_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    SetNoDelay(fd);
    controls_[fd] = Control{fd, {}, false};
    Watch(fd, EPOLLIN, EPOLL_CTL_ADD);
  }

  void ReadControl(Control& control) {
    char buffer[512];
    const ssize_t n = read(control.fd, buffer, sizeof buffer);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      control.dead = true;
      return;
    }
    control.line.append(buffer, static_cast<std::size_t>(n));
    for (std::size_t end; !control.dead && (end = control.line.find('\n')) != std::string::npos;) {
      const std::string answer = Command(control.line.substr(0, end)) + "\n";
      control.line.erase(0, end + 1);
      if (send(control.fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) control.dead = true;
    }
    if (control.line.size() > kControlLineMax) control.dead = true;
  }

  std::string Command(const std::string& line) {
    std::istringstream words_in(line);
    std::vector<std::string> words;
    for (std::string word; words_in >> word;) words.push_back(word);
    if (words.empty()) return "error empty line";
    const std::string verb = words.front();
    std::size_t next = 1;

    double number = 0;
    const bool takes_number = verb == "delay" || verb == "rate";
    if (takes_number) {
      if (next >= words.size() || !ParseNumber(words[next++], number)) return "error bad number";
    }
    bool up = true;
    bool down = true;
    if (verb == "blackhole" && next < words.size() &&
        (words[next] == "up" || words[next] == "down")) {
      up = words[next] == "up";
      down = !up;
      ++next;
    }
    std::vector<Pair*> pairs;
    if (next < words.size()) {
      double index = -1;
      if (!ParseNumber(words[next++], index) || index >= static_cast<double>(pairs_.size())) {
        return "error no such pair";
      }
      pairs.push_back(pairs_[static_cast<std::size_t>(index)].get());
    } else {
      for (const auto& pair : pairs_) pairs.push_back(pair.get());
    }
    if (next < words.size()) return "error too many words";
    if (verb == "stats") return Stats(pairs);
    for (Pair* pair : pairs) {
      Settings& settings = pair->settings;
      if (verb == "cut") {
        settings.cut = true;
        ResetAll(*pair);
      } else if (verb == "drop") {
        ResetAll(*pair);
      } else if (verb == "blackhole") {
        settings.silent[0] = settings.silent[0] || up;
        settings.silent[1] = settings.silent[1] || down;
      } else if (verb == "heal") {
        settings.cut = settings.silent[0] = settings.silent[1] = false;
      } else if (verb == "delay") {
        settings.delay_ns = static_cast<std::int64_t>(number * 1e6);
      } else if (verb == "rate") {
        settings.rate = static_cast<std::uint64_t>(number);
      } else {
        return "error unknown command " + verb;
      }
    }
    return "ok";
  }

  static bool ParseNumber(const std::string& word, double& number) {
    const char* end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, number);
    return error == std::errc{} && rest == end && number >= 0 && number < 1e15;
  }

  std::string Stats(const std::vector<Pair*>& pairs) const {
    std::uint64_t count = 0, accepted = 0, up = 0, down = 0, held = 0;
    for (const Pair* pair : pairs) {
      accepted += pair->accepted;
      up += pair->passed[0];
      down += pair->passed[1];
      for (const Connection& connection : connections_) {
        if (connection.pair != pair || connection.dead) continue;
        ++count;
        held += connection.direction[0].held_bytes + connection.direction[1].held_bytes;
      }
    }
    return "ok connections=" + std::to_string(count) + " accepted=" + std::to_string(accepted) +
           " up=" + std::to_string(up) + " down=" + std::to_string(down) +
           " held=" + std::to_string(held);
  }

  // At once, so that the command's answer tells the truth; Sweep frees what is left.
  void ResetAll(Pair& pair) {
    for (Connection& connection : connections_) {
      if (connection.pair == &pair) connection.dead = true;
    }
    Sweep();
  }

  int epoll_;
  int control_fd_ = -1;
  std::vector<std::unique_ptr<Pair>> pairs_;
  std::list<Connection> connections_;
  std::unordered_map<int, Connection*> by_fd_;
  std::unordered_map<int, Control> controls_;
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<sockaddr_in> listens;
  std::vector<sockaddr_in> targets;
  std::optional<sockaddr_in> control;
  Settings settings;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (i + 1 >= argc) Die("no value after " + std::string(flag));
    const std::string value = argv[i + 1];
    if (flag == "--delay") {
      settings.delay_ns = static_cast<std::int64_t>(std::strtod(value.c_str(), nullptr) * 1e6);
      continue;
    }
    if (flag == "--rate") {
      settings.rate = std::strtoull(value.c_str(), nullptr, 10);
      continue;
    }
    const std::optional<sockaddr_in> address = ParseAddress(value);
    if (!address) Die("not an IPv4 address with a port: " + value);
    if (flag == "--listen") {
      listens.push_back(*address);
    } else if (flag == "--target") {
      targets.push_back(*address);
    } else if (flag == "--control") {
      control = address;
    } else {
      Die("unknown flag " + std::string(flag));
    }
  }
  if (listens.empty() || listens.size() != targets.size())
    Die("as many --target as --listen, please");

  std::signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1000);
  Proxy proxy;
  for (std::size_t i = 0; i < listens.size(); ++i) proxy.AddPair(listens[i], targets[i], settings);
  if (control) proxy.AddControl(*control);
  proxy.Run();
}
