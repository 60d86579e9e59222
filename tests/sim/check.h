#pragma once

// HW_CHECK states what must be true of every region at every moment. A broken one ends the run of
// this seed; the runner adds the seed, the time and the command that repeats it.

#include <stdexcept>
#include <string>

namespace hawser::sim {

class Failure : public std::runtime_error {
 public:
  Failure(std::string check, const std::string& detail)
      : std::runtime_error(check + ": " + detail), check_(std::move(check)) {}
  const std::string& check() const { return check_; }

 private:
  std::string check_;
};

}  // namespace hawser::sim

// `name` is short and stays the same (the variants' table shows it); `detail` is evaluated only on
// failure.
#define HW_CHECK(condition, name, detail)                             \
  do {                                                                \
    if (!(condition)) throw ::hawser::sim::Failure((name), (detail)); \
  } while (false)
