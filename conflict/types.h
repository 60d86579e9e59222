#pragma once

// The names of things that must not be mixed up. Words are those of docs/design.md:
//   origin  a region's store in one incarnation; its log counts txns 1, 2, 3 … without gaps
//   dot     names one txn

#include <compare>
#include <cstdint>

namespace hawser {

enum class RegionId : std::uint8_t {};      // 1..63, never reused; 0 is nobody
enum class Incarnation : std::uint64_t {};  // random, new whenever a region's store is new
enum class Seq : std::uint64_t {};          // counts one origin's txns from 1; 0 is "none yet"

inline constexpr std::uint8_t kRegionIdMax = 63;

constexpr std::uint8_t Raw(RegionId id) {
  return static_cast<std::uint8_t>(id);
}
constexpr std::uint64_t Raw(Incarnation id) {
  return static_cast<std::uint64_t>(id);
}
constexpr std::uint64_t Raw(Seq seq) {
  return static_cast<std::uint64_t>(seq);
}
constexpr Seq Next(Seq seq) {
  return Seq{Raw(seq) + 1};
}
constexpr Seq Before(Seq seq) {
  return Seq{Raw(seq) - 1};
}  // REQUIRES: seq > 0

struct Origin {
  RegionId region{};
  Incarnation incarnation{};
  auto operator<=>(const Origin&) const = default;
};

struct Dot {
  Origin origin;
  Seq seq{};
  auto operator<=>(const Dot&) const = default;
};

}  // namespace hawser
