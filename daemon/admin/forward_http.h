#pragma once

// Requests that travel to the home of their units, and the answers that come back. Pure;
// docs/formats.md, section 4.

#include <optional>
#include <string>
#include <string_view>

#include "daemon/admin/http_message.h"

namespace hawser::admin {

inline constexpr std::string_view kForwardHttpVerb = "rest";
// Says that a request was forwarded once and is not to be forwarded again; the value is the region
// that its client asked.
inline constexpr std::string_view kForwardedHeader = "hawser-forwarded";

// The part of a request that decides what it does.
std::string EncodeForwardedRequest(const HttpRequest& request);
// nullopt: not understood, or no request that may be forwarded (only writes of records may).
std::optional<HttpRequest> DecodeForwardedRequest(std::string_view bytes);

std::string EncodeForwardedResponse(const HttpResponse& response);
std::optional<HttpResponse> DecodeForwardedResponse(std::string_view bytes);

}  // namespace hawser::admin
