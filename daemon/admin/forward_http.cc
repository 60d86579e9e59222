#include "daemon/admin/forward_http.h"

#include <algorithm>

#include "conflict/bytes.h"

namespace hawser::admin {
namespace {

// Waiting for other regions is not the home's to do: the caller's patience is over before.
constexpr std::string_view kHeaders[] = {"content-type",    "hawser-forwarded", "hawser-token",
                                         "idempotency-key", "if-match",         "if-none-match"};
constexpr std::uint64_t kHeadersMax = 64;

void PutHeaders(std::string& out, const Headers& headers) {
  PutVarint(out, headers.size());
  for (const auto& [name, value] : headers) {
    PutText(out, name);
    PutText(out, value);
  }
}

bool GetHeaders(ByteReader& in, Headers& headers) {
  const std::uint64_t count = in.Varint();
  if (!in.ok() || count > kHeadersMax) return false;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    std::string name(in.Text());
    headers.emplace_back(std::move(name), in.Text());
  }
  return in.ok();
}

bool IsWriteOfRecords(const HttpRequest& request) {
  switch (request.method) {
    case Method::kPut:
    case Method::kPatch:
    case Method::kDelete:
      return request.target.starts_with("/v1/tables/");
    case Method::kPost:
      return request.target == "/v1/txn";
    default:
      return false;
  }
}

}  // namespace

std::string EncodeForwardedRequest(const HttpRequest& request) {
  std::string out;
  PutByte(out, static_cast<std::uint8_t>(request.method));
  PutText(out, request.target);
  Headers headers;
  for (const auto& header : request.headers) {
    if (std::ranges::find(kHeaders, header.first) != std::end(kHeaders)) headers.push_back(header);
  }
  PutHeaders(out, headers);
  PutByte(out, request.has_body ? 1 : 0);
  PutText(out, request.body);
  return out;
}

std::optional<HttpRequest> DecodeForwardedRequest(std::string_view bytes) {
  ByteReader in(bytes);
  HttpRequest request;
  const std::uint8_t method = in.Byte();
  if (method > static_cast<std::uint8_t>(Method::kOther)) return std::nullopt;
  request.method = static_cast<Method>(method);
  request.target = in.Text();
  if (!GetHeaders(in, request.headers)) return std::nullopt;
  request.has_body = in.Byte() == 1;
  request.body = in.Text();
  if (!in.done() || !IsWriteOfRecords(request)) return std::nullopt;
  return request;
}

std::string EncodeForwardedResponse(const HttpResponse& response) {
  std::string out;
  PutVarint(out, static_cast<std::uint64_t>(response.status));
  PutText(out, response.content_type);
  PutHeaders(out, response.headers);
  PutText(out, response.body);
  return out;
}

std::optional<HttpResponse> DecodeForwardedResponse(std::string_view bytes) {
  ByteReader in(bytes);
  HttpResponse response;
  const std::uint64_t status = in.Varint();
  response.content_type = in.Text();
  if (!GetHeaders(in, response.headers)) return std::nullopt;
  response.body = in.Text();
  if (!in.done() || status < 200 || status > 599) return std::nullopt;
  response.status = static_cast<int>(status);
  return response;
}

}  // namespace hawser::admin
