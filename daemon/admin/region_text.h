#pragma once

// The words for states of links, regions and the write gate, as JSON and metrics show them.

#include "daemon/engine.h"
#include "wan/message.h"
#include "wan/status.h"

namespace hawser::admin {

const char* Text(LinkState state);
const char* Text(Lifecycle lifecycle);
const char* Text(Refusal gate);  // kNone: "open"

}  // namespace hawser::admin
