#pragma once

// Who may call what: origin and host checks against web pages that reach for a loopback port, and
// roles by bearer token. Pure, apart from the token check it is given.

#include <optional>

#include "daemon/admin/http_message.h"
#include "daemon/admin/problem.h"
#include "daemon/admin/server.h"

namespace hawser::admin {

std::optional<Problem> CheckCaller(const HttpRequest& request, Role needed,
                                   const AdminOptions& options);

}  // namespace hawser::admin
