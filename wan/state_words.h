#pragma once

// The words for states of links, regions and the write gate, as everything that shows them says
// them.

#include "wan/message.h"
#include "wan/session.h"
#include "wan/status.h"

namespace hawser {

const char* Text(LinkState state);
const char* Text(Lifecycle lifecycle);
const char* Text(Refusal gate);  // kNone: "open"

}  // namespace hawser
