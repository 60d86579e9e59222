#include "daemon/engine/fetch_thread.h"

#include <chrono>

namespace hawser {
namespace {

constexpr std::uint64_t kTurnBytes = 256 * 1024;
constexpr long kIdleUs = 200'000;
constexpr long kPausedUs = 1'000;  // the link or a budget is behind

std::int64_t MonoMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

FetchThread::FetchThread(FetchServerOptions options, std::unique_ptr<JournalReader> journal,
                         FetchOutlet outlet)
    : server_(options, std::move(journal)),
      outlet_(std::move(outlet)),
      thread_([this] { Loop(); }) {}

FetchThread::~FetchThread() {
  stopping_ = true;
  wakeup_.Notify();
  thread_.join();
}

void FetchThread::Submit(Serve request) {
  inbox_.Push(request);
  wakeup_.Notify();
}

void FetchThread::Loop() {
  std::vector<Serve> requests;
  const auto has_room = [this](RegionId region) {
    return outlet_.queued_bytes(region) < outlet_.queued_bytes_max;
  };
  while (!stopping_) {
    inbox_.TakeAll(requests);
    for (const Serve& request : requests) server_.OnFetch(request.fetch, request.near);
    bool sent = false;
    if (server_.HasWork()) {
      for (Send& send : server_.Serve(kTurnBytes, MonoMs(), has_room)) {
        outlet_.publish(std::move(send));
        sent = true;
      }
      relayed_txns_.store(server_.relayed_txns(), std::memory_order_relaxed);
    }
    if (sent) continue;
    const long timeout_us = server_.HasWork() ? kPausedUs : kIdleUs;
    wakeup_.Sleep(timeout_us, [&] { return !inbox_.empty() || stopping_; });
  }
}

}  // namespace hawser
