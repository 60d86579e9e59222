#pragma once

// Cut: per origin, the highest seq such that every txn up to it is applied. An origin that is not
// listed stands at 0. The list is sorted by origin and never holds a 0.
// Threads: a plain value.

#include <algorithm>
#include <initializer_list>
#include <span>
#include <vector>

#include "conflict/types.h"

namespace hawser {

class Cut {
 public:
  Cut() = default;
  Cut(std::initializer_list<Dot> dots) {
    for (const Dot& dot : dots) Raise(dot);
  }

  Seq Get(const Origin& origin) const {
    for (const Dot& dot : dots_) {
      if (dot.origin == origin) return dot.seq;
    }
    return Seq{0};
  }
  bool Covers(const Dot& dot) const { return Get(dot.origin) >= dot.seq; }
  bool Covers(const Cut& other) const {
    return std::ranges::all_of(other.dots_, [this](const Dot& dot) { return Covers(dot); });
  }

  // Moves one origin forward; a smaller seq changes nothing.
  void Raise(const Dot& dot);
  void Join(const Cut& other) {
    for (const Dot& dot : other.dots_) Raise(dot);
  }
  // Keeps the smaller seq of every origin.
  void Meet(const Cut& other);
  void Clear() { dots_.clear(); }

  bool empty() const { return dots_.empty(); }
  std::span<const Dot> dots() const { return dots_; }
  bool operator==(const Cut&) const = default;

 private:
  std::vector<Dot> dots_;
};

}  // namespace hawser
