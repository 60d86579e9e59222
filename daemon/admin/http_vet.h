#pragma once

// Vets the head of a request for what makes two HTTP implementations disagree about where it ends
// (request smuggling) and for what this server does not speak. Pure.

#include <optional>

#include "daemon/admin/http_message.h"

namespace hawser::admin {

struct HttpHead {
  unsigned version = 11;  // 11: HTTP/1.1
  bool chunked = false;   // as the parser understood it
};

// The response that refuses it; the connection must close afterwards.
std::optional<HttpResponse> VetHead(const HttpRequest& request, const HttpHead& head);

}  // namespace hawser::admin
