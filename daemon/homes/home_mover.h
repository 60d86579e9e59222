#pragma once

// HomeMover: moves the home of a unit. A planned move is carried out by the present home, whichever
// region was asked; a takeover by the region that was asked. Threads: Move from any; `done` is
// called once, on some other thread.

#include <functional>
#include <string>
#include <string_view>

#include "daemon/calls/call_desk.h"
#include "daemon/engine.h"
#include "homing/home.h"

namespace hawser {

inline constexpr std::string_view kHomeMoveVerb = "home_move";

struct HomeMoveWish {
  std::string table, unit;
  RegionId to{};
  bool takeover = false;
  std::string by, reason;
};

enum class HomeMoveOutcome : std::uint8_t {
  kMoved = 0,        // durable at the old home (of a takeover: here), and applied here
  kSame = 1,         // it was at home there already
  kNotHomed = 2,     // no such homed table: nothing was done
  kElsewhere = 3,    // the home changed meanwhile: nothing was done, ask again
  kRefused = 4,      // no room, read only …: nothing was done
  kUnreachable = 5,  // the home, or the region it should move to, is not reached: nothing was done
  kUnknown = 6,      // may or may not have been done
};
struct HomeMoved {
  HomeMoveOutcome outcome = HomeMoveOutcome::kUnknown;
  Home home;         // as it is then, as far as it is known here
  std::string text;  // for people; empty when moved
};

struct HomeMover {
  RegionId self{};
  Engine& engine;
  Calls& calls;
  void Move(HomeMoveWish wish, std::function<void(HomeMoved)> done) const;
};

// The home's side, for kHomeMoveVerb. `engine` must outlive what is given.
CallHandler HomeMoveHandler(RegionId self, Engine& engine);

}  // namespace hawser
