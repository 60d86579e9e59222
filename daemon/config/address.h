#pragma once

// Addresses in the configuration. Threads: free functions without state. Nothing is resolved.

#include <expected>
#include <string>
#include <string_view>

#include "daemon/config/config.h"

namespace hawser::config {

// "127.0.0.1:7379", "[::1]:7379" or "localhost:7379". The error says what to write.
std::expected<ListenAddress, std::string> ParseListen(std::string_view text);
std::string Format(const ListenAddress& address);
// True for 127.0.0.0/8, ::1 and localhost.
bool IsLoopback(const ListenAddress& address);

// Empty if `url` is nats://host[:port]; else what is wrong. A user or password
// inside is refused, and never repeated in the message.
std::string NatsUrlProblem(std::string_view url);

}  // namespace hawser::config
