// lag_probe WRITE_PORT READ_PORT SECONDS RATE: how long after it was sent is a write readable
// over there?
//
// One probe at a time: SET on one region (or Redis master), GET on the other until it shows the
// value. RATE further SETs per second of 128 bytes run beside it, in batches of a millisecond (0:
// idle). READ_PORT 0 measures the reply alone. Prints one line of JSON:
//   {"samples": N, "p50_ms": …, "p99_ms": …, "p999_ms": …, "max_ms": …, "rate": SETs per second
//   reached,
//    "late_ms": how far the load was behind its plan at most}
// Between two looks it sleeps 20 us, so that the looking costs the other side little.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::int64_t kLookNs = 20'000;
constexpr std::int64_t kProbeGapNs = 2'000'000;
constexpr std::int64_t kGiveUpNs = 5'000'000'000;

std::int64_t NowNs() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return std::int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

void SleepNs(std::int64_t ns) {
  if (ns <= 0) return;
  const timespec ts{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  nanosleep(&ts, nullptr);
}

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

class Connection {
 public:
  explicit Connection(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Die("connect");
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) Die("send");
      sent += static_cast<std::size_t>(n);
    }
  }
  // The next reply's bytes: simple strings, errors, integers and bulk strings.
  std::string Read() {
    while (true) {
      const std::size_t end = buffer_.find("\r\n", at_);
      if (end != std::string::npos) {
        std::size_t whole = end + 2;
        if (buffer_[at_] == '$' && buffer_[at_ + 1] != '-')
          whole += std::strtoul(buffer_.c_str() + at_ + 1, nullptr, 10) + 2;
        if (buffer_.size() >= whole) {
          std::string reply = buffer_.substr(at_, whole - at_);
          at_ = whole;
          if (at_ == buffer_.size()) {
            buffer_.clear();
            at_ = 0;
          }
          return reply;
        }
      }
      Fill(0);
    }
  }
  // Counts replies of one line that are here by now, without waiting.
  std::size_t DrainLines() {
    Fill(MSG_DONTWAIT);
    const auto lines = std::count(buffer_.begin(), buffer_.end(), '\n');
    if (!buffer_.empty() && buffer_.find('-') != std::string::npos) {
      std::fprintf(stderr, "refused: %s\n", buffer_.substr(0, 200).c_str());
      std::exit(1);
    }
    const std::size_t tail = buffer_.rfind('\n');
    buffer_.erase(0, tail == std::string::npos ? 0 : tail + 1);
    return static_cast<std::size_t>(lines);
  }

 private:
  void Fill(int flags) {
    char part[65536];
    const ssize_t n = recv(fd_, part, sizeof part, flags);
    if (n < 0 && flags != 0) return;
    if (n <= 0) Die("recv");
    buffer_.append(part, static_cast<std::size_t>(n));
  }

  int fd_;
  std::string buffer_;
  std::size_t at_ = 0;
};

std::string Command(std::initializer_list<std::string> args) {
  std::string out = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args)
    out += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  return out;
}

struct LoadResult {
  double rate = 0;
  double late_ms = 0;
};

LoadResult RunLoad(int port, int rate, const std::atomic<bool>& stop) {
  LoadResult result;
  if (rate == 0) return result;
  Connection connection(port);
  const std::string value(128, 'v');
  std::uint64_t sent = 0, answered = 0, state = 1;
  const std::int64_t begun = NowNs();
  while (!stop) {
    const double seconds = static_cast<double>(NowNs() - begun) / 1e9;
    const auto due = static_cast<std::uint64_t>(seconds * rate);
    std::string batch;
    for (; sent < due; ++sent) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      batch += Command({"SET", "load:" + std::to_string((state >> 33) % 1'000'000), value});
      if (batch.size() > 60'000) break;
    }
    if (!batch.empty()) connection.Send(batch);
    answered += connection.DrainLines();
    const double behind = static_cast<double>(sent - answered) / rate * 1000;
    result.late_ms = std::max(result.late_ms, behind);
    SleepNs(1'000'000);
  }
  result.rate = static_cast<double>(answered) / (static_cast<double>(NowNs() - begun) / 1e9);
  return result;
}

// Milliseconds until `value` is readable on `there`, counted from before it was sent.
double Probe(Connection& here, Connection* there, const std::string& key,
             const std::string& value) {
  const std::string get = Command({"GET", key});
  const std::string shown = "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
  const std::int64_t begun = NowNs();
  here.Send(Command({"SET", key, value}));
  if (there != nullptr) {
    while (true) {
      there->Send(get);
      if (there->Read() == shown) break;
      if (NowNs() - begun > kGiveUpNs) {
        std::fprintf(stderr, "not readable after 5 s\n");
        std::exit(1);
      }
      SleepNs(kLookNs);
    }
  }
  const std::int64_t readable = NowNs();
  if (here.Read() != "+OK\r\n") {
    std::fprintf(stderr, "a SET was refused\n");
    std::exit(1);
  }
  return static_cast<double>((there != nullptr ? readable : NowNs()) - begun) / 1e6;
}

double At(const std::vector<double>& sorted, double fraction) {
  const auto index = static_cast<std::size_t>(fraction * static_cast<double>(sorted.size()));
  return sorted[std::min(index, sorted.size() - 1)];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: lag_probe WRITE_PORT READ_PORT SECONDS RATE\n");
    return 64;
  }
  prctl(PR_SET_TIMERSLACK, 1UL);
  const int write_port = std::atoi(argv[1]), read_port = std::atoi(argv[2]);
  const double seconds = std::atof(argv[3]);
  const int rate = std::atoi(argv[4]);

  std::atomic<bool> stop = false;
  LoadResult load;
  std::thread loader([&] { load = RunLoad(write_port, rate, stop); });
  SleepNs(500'000'000);

  Connection here(write_port);
  std::unique_ptr<Connection> there;
  if (read_port != 0) there = std::make_unique<Connection>(read_port);
  std::vector<double> times;
  const std::int64_t end = NowNs() + static_cast<std::int64_t>(seconds * 1e9);
  std::uint64_t number = 0;
  while (NowNs() < end) {
    ++number;
    times.push_back(
        Probe(here, there.get(), "probe:" + std::to_string(number % 64), std::to_string(NowNs())));
    if (read_port != 0) SleepNs(kProbeGapNs);
  }
  stop = true;
  loader.join();
  std::sort(times.begin(), times.end());
  std::printf(
      "{\"samples\": %zu, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f, "
      "\"rate\": %.0f, \"late_ms\": %.1f}\n",
      times.size(), At(times, 0.5), At(times, 0.99), At(times, 0.999), times.back(), load.rate,
      load.late_ms);
  return 0;
}
