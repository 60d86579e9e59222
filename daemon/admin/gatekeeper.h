#pragma once

// Who may call what: origin and host checks against web pages that reach for a loopback port, and
// roles by bearer token. Pure, apart from the token check it is given.

#include <optional>
#include <string>

#include "daemon/admin/http_message.h"
#include "daemon/admin/problem.h"
#include "daemon/admin/server.h"

namespace hawser::admin {

std::optional<Problem> CheckCaller(const HttpRequest& request, Role needed,
                                   const AdminOptions& options);

// Who calls, for the audit log: the token's name; "local" where no tokens are asked for. REQUIRES:
// CheckCaller let the request pass.
std::string CallerName(const HttpRequest& request, const AdminOptions& options);

}  // namespace hawser::admin
