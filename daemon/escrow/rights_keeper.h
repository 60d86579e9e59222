#pragma once

// RightsKeeper: asks other regions for rights to scarce fields, when a write lacked some or a field
// runs low, and knows when they have arrived. One question per field is under way at a time.
// Threads: Wish from any, it never blocks. Close it before the engine goes; calls may end after it
// is gone. `calls` must outlive all of that.

#include <functional>
#include <memory>

#include "daemon/calls/call_desk.h"
#include "daemon/engine.h"
#include "homing/escrow.h"

namespace hawser {

inline constexpr std::string_view kRightsVerb = "rights";

class RightsKeeper {
 public:
  RightsKeeper(const Origin& self, Calls& calls);
  ~RightsKeeper();
  // Until Open, and after Close, wishes are passed over.
  void Open(Engine& engine);
  void Close();
  void Wish(RightsWish wish);
  // True while rights to the field are on their way here.
  bool Awaits(std::string_view table, std::string_view key, std::string_view field) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The giver's side, for kRightsVerb. Of two regions that lack rights and ask each other, the one
// with the lower id gets them. `engine` and `keeper` must outlive what is given.
CallHandler RightsHandler(RegionId self, Engine& engine, const RightsKeeper& keeper);

}  // namespace hawser
