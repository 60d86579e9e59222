#include "daemon/redis/slow_lane.h"

#include <algorithm>
#include <chrono>

#include "daemon/redis/key_name.h"

namespace hawser::redis {
namespace {

constexpr std::chrono::milliseconds kViewHeld{10};
constexpr int kRowsPerLook = 256;  // between two looks at the clock

}  // namespace

SlowLane::SlowLane(std::function<std::unique_ptr<Reader>()> make_reader)
    : make_reader_(std::move(make_reader)) {}

SlowLane::~SlowLane() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SlowLane::Submit(Work work) {
  const std::lock_guard lock(mutex_);
  work_.push_back(std::move(work));
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { Loop(); });
  }
  changed_.notify_one();
}

void SlowLane::Loop() {
  reader_ = make_reader_();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !work_.empty(); });
    if (stopping_) break;
    const Work work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work(*this);
    lock.lock();
  }
  reader_.reset();
}

bool SlowLane::Walk(std::string_view start,
                    const std::function<bool(std::string_view, std::string_view)>& visit) {
  std::string next(std::max(start, kFirstClientRow));
  while (true) {
    bool paused = false;
    const std::unique_ptr<View> view = reader_->Take();
    const auto until = std::chrono::steady_clock::now() + kViewHeld;
    int rows = 0;
    view->Scan(next, [&](std::string_view row_key, std::string_view record) {
      if (++rows % kRowsPerLook == 0 && std::chrono::steady_clock::now() > until) {
        next = row_key;
        paused = true;
        return false;
      }
      return visit(row_key, record);
    });
    if (!paused) return true;
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
  }
}

}  // namespace hawser::redis
