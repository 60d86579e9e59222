#pragma once

// Round: the batches of all connections that were ready in one turn of the I/O loop, as one engine
// job: one submission, one completion, one wake-up, however many clients there are. Inbox: what
// comes back to the I/O thread.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "daemon/redis/batch.h"
#include "wan/session.h"

namespace hawser::redis {

using Batches = std::vector<std::unique_ptr<Batch>>;

// Threads: Put… from any thread, Take from the I/O thread. `wake` is called by whoever puts
// something into an inbox that nobody has been woken for.
class Inbox {
 public:
  explicit Inbox(std::function<void()> wake) : wake_(std::move(wake)) {}
  void PutBatches(Batches&& batches);
  void PutCall(std::function<void()> call);
  // False: nothing was there.
  bool Take(std::vector<Batches>& batches, std::vector<std::function<void()>>& calls);
  // Nobody will take any more; what is put is dropped.
  void Close();

 private:
  std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<Batches> batches_;
  std::vector<std::function<void()>> calls_;
  std::atomic<bool> waiting_{false};
  bool closed_ = false;
};

class Round final : public Job {
 public:
  Round(Batches batches, std::shared_ptr<Inbox> inbox)
      : batches_(std::move(batches)), inbox_(std::move(inbox)) {}
  void Run(Session& session) override;
  void Done(Outcome outcome) override;

 private:
  Batches batches_;
  std::shared_ptr<Inbox> inbox_;
};

}  // namespace hawser::redis
