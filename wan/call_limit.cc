#include "wan/call_limit.h"

#include <algorithm>

#include "conflict/assert.h"

namespace hawser {
namespace {

constexpr double kRetryShare = 0.1;
constexpr double kRetriesMax = 10;
constexpr double kUsualDoublesMs = 30'000;

}  // namespace

void CallLimit::Answered(std::int64_t began_ms, std::int64_t now_ms) {
  HW_ASSERT(under_way_ > 0);
  const bool was_full = under_way_ * 2 >= static_cast<std::uint64_t>(limit_);
  --under_way_;
  silent_ = false;
  retries_ = std::min(kRetriesMax, retries_ + kRetryShare);
  const auto took_ms = static_cast<double>(now_ms - began_ms);
  const bool slow =
      usual_ms_ >= 0 && took_ms > std::max(options_.slow_ms_min, usual_ms_ * options_.slow_factor);
  // It falls at once and rises only slowly, however many are slow meanwhile: a peer that has become
  // slow for good is the usual case after some minutes.
  const double rise =
      std::max(usual_ms_, 1.0) * static_cast<double>(now_ms - usual_at_ms_) / kUsualDoublesMs;
  usual_ms_ = usual_ms_ < 0 ? took_ms : std::min(took_ms, usual_ms_ + rise);
  usual_at_ms_ = now_ms;
  if (slow) return Shrink(0.7, began_ms, now_ms);
  if (!was_full) return;  // what is not used up is not known to be too little
  limit_ += limit_ < slow_start_to_ ? 1 : 1 / limit_;
  limit_ = std::min(limit_, options_.max);
}

void CallLimit::Refused(std::int64_t began_ms, std::int64_t now_ms) {
  HW_ASSERT(under_way_ > 0);
  --under_way_;
  silent_ = false;
  Shrink(0.7, began_ms, now_ms);
}

void CallLimit::Silent(std::int64_t began_ms, std::int64_t now_ms) {
  HW_ASSERT(under_way_ > 0);
  --under_way_;
  silent_ = true;
  Shrink(0.3, began_ms, now_ms);
}

void CallLimit::Shrink(double factor, std::int64_t began_ms, std::int64_t now_ms) {
  if (began_ms < shrunk_at_ms_) return;
  shrunk_at_ms_ = now_ms;
  slow_start_to_ = std::max(slow_start_to_ * 0.9, std::max(limit_ / 2, options_.start / 2));
  limit_ = std::max(1.0, limit_ * factor);
}

bool CallLimit::TakeRetry() {
  if (retries_ < 1) return false;
  retries_ -= 1;
  return true;
}

}  // namespace hawser
