#pragma once

// Commands: what hawserctl does once it knows what is asked.

#include "daemon/ctl/exit.h"
#include "daemon/ctl/options.h"

namespace hawser::ctl {

// Results go to stdout, everything else to stderr.
Exit Execute(const Options& options);

// The exit code for an HTTP status of the daemon.
Exit ExitOf(int http_status);

}  // namespace hawser::ctl
