// What the wire format and the link cost by themselves: two links in one process over one
// nats-server.
//
//   build/link_bench [SECONDS_PER_PART]
//
// One-way figures of the ping-pong are half of the round trip. CPU is this process's user and
// system time, both links together, without the server's.

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/nats_server.h"
#include "tests/wan/wire_examples.h"
#include "wan/link.h"
#include "wan/wire.h"

using namespace hawser;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

double g_seconds = 2;

double Seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Times that a thread of this process went to sleep.
double Sleeps() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_nvcsw);
}

double Percentile(std::vector<double>& values, double percent) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const double at = percent / 100 * static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(at)];
}

std::string RandomBytes(std::size_t size) {
  static std::mt19937_64 random(1);
  std::string out(size, '\0');
  for (char& byte : out) byte = static_cast<char>(random());
  return out;
}

// ---- the wire format
// --------------------------------------------------------------------------------

enum class Values { kText, kOneLetter, kRandom };

Batch BatchOf(Values values, std::size_t value_bytes) {
  Batch batch = test::ExampleBatch();
  batch.count = 0;
  batch.body.clear();
  while (batch.body.size() + value_bytes + 64 < kBatchBodyBytesAim) {
    std::string txn =
        RandomBytes(12) + "key:" + std::to_string(100000000 + batch.count * 7919 % 1000000);
    switch (values) {
      case Values::kText:
        while (txn.size() < value_bytes + 24)
          txn += " name=" + std::to_string(txn.size() * batch.count);
        break;
      case Values::kOneLetter:
        txn.append(value_bytes, 'x');
        break;
      case Values::kRandom:
        txn += RandomBytes(value_bytes);
        break;
    }
    batch.body.push_back(static_cast<char>(txn.size() | 0x80));
    batch.body.push_back(static_cast<char>(txn.size() >> 7));
    batch.body += txn;
    ++batch.count;
  }
  return batch;
}

void MeasureWire(const char* name, const Batch& batch, bool compress) {
  const Message message = batch;
  const std::string bytes = Encode(message, {.compress = compress});
  const auto run = [&](auto&& work) {
    const auto start = Clock::now();
    std::size_t rounds = 0;
    while (Seconds(Clock::now() - start) < g_seconds / 8) {
      for (int i = 0; i < 20; ++i, ++rounds) work();
    }
    return Seconds(Clock::now() - start) / static_cast<double>(rounds) * 1e6;
  };
  const double encode_us = run([&] { return Encode(message, {.compress = compress}).size(); });
  const double decode_us = run([&] { return Decode(bytes).has_value(); });
  std::printf("wire  %-28s %6zu -> %6zu bytes, %3u txns: encode %6.1f us, decode %6.1f us\n", name,
              batch.body.size(), bytes.size(), batch.count, encode_us, decode_us);
}

// ---- the link
// ---------------------------------------------------------------------------------------

std::unique_ptr<Link> StartLink(RegionId self, const std::string& url, Link::OnReceive on_receive) {
  LinkOptions options;
  options.cluster = "bench";
  options.self = self;
  options.incarnation = Incarnation{Raw(self)};
  options.send_bytes_max = 64 << 20;
  options.receive_bytes_max = 64 << 20;
  options.regions = {{"us-east", RegionId{1}, {url}, {}}, {"eu-west", RegionId{2}, {url}, {}}};
  return Link::Start(options, std::move(on_receive));
}

void AwaitConnected(const Link& link) {
  const auto connected = [&] {
    return std::ranges::all_of(link.Stats(),
                               [](const LinkPeerStats& stats) { return stats.connected; });
  };
  while (!connected()) std::this_thread::sleep_for(5ms);
  std::this_thread::sleep_for(50ms);  // until the server knows the subscriptions
}

void MeasurePingPong(const std::string& url, std::size_t bytes, std::chrono::microseconds pause) {
  std::mutex mutex;
  std::condition_variable heard;
  bool back = false;
  std::unique_ptr<Link> west;
  // Publishing is for one thread at a time: here the delivery thread is the only one that does.
  west = StartLink(RegionId{2}, url, [&](Received received) {
    west->Publish({{Address::Kind::kLog, {}}, std::move(received.bytes)});
  });
  auto east = StartLink(RegionId{1}, url, [&](Received) {
    const std::lock_guard lock(mutex);
    back = true;
    heard.notify_one();
  });
  AwaitConnected(*east);
  AwaitConnected(*west);
  std::vector<double> one_way_us;
  const auto end = Clock::now() + std::chrono::duration<double>(g_seconds);
  const double cpu_before = CpuSeconds();
  const double sleeps_before = Sleeps();
  while (Clock::now() < end) {
    const auto start = Clock::now();
    east->Publish({{Address::Kind::kLog, {}}, std::string(bytes, 'x')});
    std::unique_lock lock(mutex);
    if (!heard.wait_for(lock, 2s, [&] { return back; })) {
      std::printf("link  a message was lost\n");
      return;
    }
    back = false;
    one_way_us.push_back(Seconds(Clock::now() - start) * 1e6 / 2);
    lock.unlock();
    if (pause > 0us) std::this_thread::sleep_for(pause);
  }
  const auto messages = static_cast<double>(one_way_us.size()) * 2;
  std::printf(
      "link  ping-pong %5zu bytes, pause %5ld us: one way p50 %6.0f us, p99 %6.0f us, "
      "CPU %4.0f us and %4.1f sleeps a message\n",
      bytes, static_cast<long>(pause.count()), Percentile(one_way_us, 50),
      Percentile(one_way_us, 99), (CpuSeconds() - cpu_before) * 1e6 / messages,
      (Sleeps() - sleeps_before) / messages);
}

void MeasureThroughput(const std::string& url, std::size_t bytes, std::uint64_t window) {
  std::atomic<std::uint64_t> heard = 0;
  auto west = StartLink(RegionId{2}, url, [&](Received) { heard.fetch_add(1); });
  auto east = StartLink(RegionId{1}, url, [](Received) {});
  AwaitConnected(*east);
  AwaitConnected(*west);
  std::uint64_t said = 0;
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration<double>(g_seconds);
  const double cpu_before = CpuSeconds();
  while (Clock::now() < end) {
    if (said - heard.load() < window) {
      east->Publish({{Address::Kind::kLog, {}}, std::string(bytes, 'x')});
      ++said;
    } else {
      std::this_thread::sleep_for(100us);
    }
  }
  while (heard.load() < said && Clock::now() < end + 3s) std::this_thread::sleep_for(1ms);
  const double seconds = Seconds(Clock::now() - start);
  const auto count = static_cast<double>(heard.load());
  std::printf(
      "link  throughput %6zu bytes: %8.0f messages/s, %6.0f MB/s, CPU %5.1f us a message, "
      "%llu lost\n",
      bytes, count / seconds, count * static_cast<double>(bytes) / seconds / 1e6,
      (CpuSeconds() - cpu_before) * 1e6 / count, static_cast<unsigned long long>(said - heard));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) g_seconds = std::max(0.1, std::strtod(argv[1], nullptr));
  MeasureWire("text, 200 bytes", BatchOf(Values::kText, 200), true);
  MeasureWire("text, not compressed", BatchOf(Values::kText, 200), false);
  MeasureWire("one letter, 128 bytes", BatchOf(Values::kOneLetter, 128), true);
  MeasureWire("one letter, not compressed", BatchOf(Values::kOneLetter, 128), false);
  MeasureWire("random, 200 bytes", BatchOf(Values::kRandom, 200), true);
  MeasureWire("random, not compressed", BatchOf(Values::kRandom, 200), false);

  test::NatsServer server;
  MeasurePingPong(server.url(), 200, 0us);
  MeasurePingPong(server.url(), 200, 1000us);
  MeasurePingPong(server.url(), 200, 10000us);
  MeasurePingPong(server.url(), kBatchBodyBytesAim, 1000us);
  MeasureThroughput(server.url(), 200, 20'000);
  MeasureThroughput(server.url(), kBatchBodyBytesAim, 400);
  MeasureThroughput(server.url(), kMessageBytesMax, 100);
}
