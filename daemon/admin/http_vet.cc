#include "daemon/admin/http_vet.h"

#include "daemon/admin/problem.h"
#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

HttpResponse Bad(std::string detail) {
  return ToResponse({.status = 400, .code = "BADREQUEST", .detail = std::move(detail)});
}

}  // namespace

std::optional<HttpResponse> VetHead(const HttpRequest& request, const HttpHead& head) {
  if (head.version != 11) {
    return ToResponse({.status = 505, .code = "VERSION", .detail = "speak HTTP/1.1"});
  }
  if (request.Count("host") != 1) return Bad("send exactly one Host header");
  const std::size_t encodings = request.Count("transfer-encoding");
  const std::size_t lengths = request.Count("content-length");
  if (encodings > 0 && lengths > 0) {
    return Bad("send Content-Length or Transfer-Encoding, not both");
  }
  if (lengths > 1 || (lengths == 1 && !ParseUint(*request.Find("content-length"), ~0ULL))) {
    return Bad("send one Content-Length, a plain number");
  }
  if (encodings > 0) {
    const bool plain =
        encodings == 1 && EqualsIgnoringCase(Trim(*request.Find("transfer-encoding")), "chunked");
    if (!plain || !head.chunked) {
      return ToResponse({.status = 501,
                         .code = "ENCODING",
                         .detail = "the only Transfer-Encoding taken is `chunked`"});
    }
  }
  if (const std::string* encoding = request.Find("content-encoding");
      encoding && !EqualsIgnoringCase(Trim(*encoding), "identity")) {
    return ToResponse(
        {.status = 415, .code = "ENCODING", .detail = "send the body without Content-Encoding"});
  }
  if (const std::string* expect = request.Find("expect");
      expect && !EqualsIgnoringCase(Trim(*expect), "100-continue")) {
    return ToResponse(
        {.status = 417, .code = "EXPECTATION", .detail = "the only Expect met is `100-continue`"});
  }
  return std::nullopt;
}

}  // namespace hawser::admin
