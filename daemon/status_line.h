#pragma once

// StatusLine: how a region is, in one line for systemctl status. Pure.

#include <map>
#include <string>

#include "daemon/engine.h"

namespace hawser {

// "takes writes; eu-west up, 3 txns (0.2 s) behind; ap-south down since 14:02:11Z, 912 txns behind"
std::string StatusLine(const ReplicaStatus& status, Refusal gate,
                       const std::map<RegionId, std::string>& names);

// "takes writes", "refuses writes: full" …
std::string GateText(Refusal gate);

}  // namespace hawser
