#pragma once

// Webhook: POSTs JSON to one URL, signed, so that the receiver knows who sent it and when.
//   Hawser-Timestamp: seconds since 1970      Hawser-Event: the event's kind
//   Hawser-Signature: sha256=<hex of HMAC-SHA256(secret, timestamp "." body)>
// Threads: one.

#include <expected>
#include <string>
#include <string_view>

namespace hawser {

struct WebhookOptions {
  std::string url;     // http:// or https://; empty: no webhook
  std::string secret;  // empty: not signed
  int timeout_ms = 5000;
};

std::string WebhookSignature(std::string_view secret, std::string_view timestamp,
                             std::string_view body);
// Nothing on an answer of the 200s; else what went wrong. Redirects are not followed.
std::expected<void, std::string> PostWebhook(const WebhookOptions& options, std::string_view event,
                                             const std::string& body, std::int64_t now_s);

}  // namespace hawser
