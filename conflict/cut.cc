#include "conflict/cut.h"

namespace hawser {

void Cut::Raise(const Dot& dot) {
  if (dot.seq == Seq{0}) return;
  auto at = std::ranges::lower_bound(dots_, dot.origin, {}, &Dot::origin);
  if (at != dots_.end() && at->origin == dot.origin) {
    at->seq = std::max(at->seq, dot.seq);
  } else {
    dots_.insert(at, dot);
  }
}

void Cut::Meet(const Cut& other) {
  for (Dot& dot : dots_) dot.seq = std::min(dot.seq, other.Get(dot.origin));
  std::erase_if(dots_, [](const Dot& dot) { return dot.seq == Seq{0}; });
}

}  // namespace hawser
