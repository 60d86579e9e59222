#pragma once

// Problems: error responses as RFC 9457 problem+json. `code` is the stable word a program looks at,
// `type` is "urn:hawser:" and the code in lower case, `detail` says to a person what to do.

#include <string>
#include <string_view>

#include "daemon/admin/http_message.h"

namespace hawser::admin {

struct Problem {
  int status = 400;
  std::string code;
  std::string detail;
  int retry_after_seconds = 0;  // 0: no such header
  Headers headers;              // further ones
  std::string request_id;       // names this one request, for logs; empty: left out
};

HttpResponse ToResponse(const Problem& problem);
// The reason phrase of a status.
const char* StatusText(int status);

}  // namespace hawser::admin
