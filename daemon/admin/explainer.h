#pragma once

// Explainer: asks every region, this one too, for its part of an explanation and puts the parts
// together. A region that does not answer in time is in the answer with the reason.
// Threads: Explain from any. Handler() is the other side: it runs on the call desk's thread.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/admin/server.h"
#include "daemon/calls/call_desk.h"
#include "daemon/explain.h"

namespace hawser::admin {

inline constexpr std::string_view kExplainVerb = "explain";

struct ExplainerOptions {
  RegionId self{};
  std::vector<AdminRegion> regions;  // self included
};

// Answers kExplainVerb with this region's part. `engine` must outlive what is given.
CallHandler ExplainHandler(ExplainerOptions options, Engine& engine);
// `engine` and `calls` must outlive what is given, and every call made with it.
ExplainRecord MakeExplainer(ExplainerOptions options, Engine& engine, Calls& calls);

}  // namespace hawser::admin
