#pragma once

// SlowLane: one thread for what walks over many rows (KEYS, DBSIZE, RANDOMKEY), so that neither the
// engine nor the I/O thread does. Work is done in turn, on views that are given back every few
// milliseconds: a walk is not one moment's picture, but a row that is there all the time is met.
// Threads: Submit from the I/O thread; the work itself runs on the lane's.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "storage/store.h"

namespace hawser::redis {

class SlowLane {
 public:
  // The thread starts with the first work; `make_reader` is called on it.
  explicit SlowLane(std::function<std::unique_ptr<Reader>()> make_reader);
  ~SlowLane();
  using Work = std::function<void(SlowLane&)>;
  void Submit(Work work);

  // --- On the lane's thread
  // ----------------------------------------------------------------------- Rows of client tables
  // from `start` on, until `visit` says false or the lane is stopped. False: stopped before the
  // end.
  bool Walk(std::string_view start,
            const std::function<bool(std::string_view row_key, std::string_view record)>& visit);
  // Where RANDOMKEY goes on.
  std::string random_at;

 private:
  void Loop();

  std::function<std::unique_ptr<Reader>()> make_reader_;
  std::unique_ptr<Reader> reader_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> work_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hawser::redis
