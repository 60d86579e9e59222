#pragma once

// Exit codes of hawserctl; part of its contract.

namespace hawser::ctl {

enum class Exit : int {
  kOk = 0,
  kFailed = 1,  // the daemon cannot be reached, or failed
  kUsage = 2,
  kConditionNotMet = 3,  // asked whether something holds, and it does not
  kNotFound = 4,
  kRefused = 5,  // the daemon understood and said no
  kTimedOut = 6,
};

}  // namespace hawser::ctl
