#include "daemon/redis/round.h"

namespace hawser::redis {

void Inbox::PutBatches(Batches&& batches) {
  const std::lock_guard lock(mutex_);  // held while waking, so that Close knows no waker is left
  if (closed_) return;
  batches_.push_back(std::move(batches));
  if (!waiting_.exchange(true)) wake_();
}

void Inbox::PutCall(std::function<void()> call) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  calls_.push_back(std::move(call));
  if (!waiting_.exchange(true)) wake_();
}

bool Inbox::Take(std::vector<Batches>& batches, std::vector<std::function<void()>>& calls) {
  if (!waiting_.exchange(false)) return false;
  const std::lock_guard lock(mutex_);
  batches.swap(batches_);
  calls.swap(calls_);
  return true;
}

void Inbox::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  batches_.clear();
  calls_.clear();
}

void Round::Run(Session& session) {
  thread_local Scratch scratch;
  for (const auto& batch : batches_) batch->Run(session, scratch);
}

void Round::Done(Outcome outcome) {
  if (outcome == Outcome::kUnknown) {
    for (const auto& batch : batches_) batch->BecomeUnknown();
  }
  inbox_->PutBatches(std::move(batches_));
}

}  // namespace hawser::redis
