#pragma once

// Forward: commands on units whose home is another region. The caller's side sends them to that
// home and answers the client when the home has the write durably and this region has applied it
// too, so that the client's next local read sees it. The home's side runs them as its own clients'.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/calls/call_desk.h"
#include "daemon/engine.h"

namespace hawser::redis {

inline constexpr std::string_view kForwardVerb = "redis";
inline constexpr std::int64_t kForwardMs = 2000;    // for the home to answer
inline constexpr std::int64_t kLocalWaitMs = 1000;  // for this region to apply what the home wrote

struct Forwarding {
  RegionId to{};
  std::string home_name;
  std::string body;  // of forward_body.h
  int protocol = 2;
};
// `answer` gets the reply's bytes and the dot of what was written (seq 0: nothing), once, from some
// thread.
using ForwardAnswered = std::function<void(std::string reply, Dot last_write)>;
void Forward(Forwarding what, Engine& engine, Calls& calls, ForwardAnswered answer);

// The home's side, for kForwardVerb. `engine` must outlive what is given.
CallHandler ForwardHandler(Engine& engine);

}  // namespace hawser::redis
