#pragma once

// What the publisher of feeds is told, out of the configuration and other parts.

#include "daemon/config/config.h"
#include "daemon/feeds/publisher.h"
#include "wan/link.h"

namespace hawser {

// `link` must outlive the publisher. `self` is the opened store's.
FeedOptions FeedOptionsOf(const Config& config, const Origin& self, Link& link);

}  // namespace hawser
