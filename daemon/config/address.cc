#include "daemon/config/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace hawser::config {
namespace {

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool IsIp(int family, const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(family, host.c_str(), bytes.data()) == 1;
}

bool IsHostName(std::string_view host) {
  return !host.empty() && host.size() <= 253 && host.front() != '-' && host.front() != '.' &&
         std::ranges::all_of(host, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

// True if all of it is digits and dots: meant as an IPv4 address, not as a name.
bool LooksLikeIp(std::string_view host) {
  return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Splits "host:port" and "[v6]:port"; the port is empty if there is none.
struct HostPort {
  std::string host;
  std::string_view port;
  bool has_port = false;
  bool is_v6 = false;
};
std::optional<HostPort> Split(std::string_view text) {
  HostPort result;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    result.host = text.substr(1, close - 1);
    result.is_v6 = true;
    rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
  } else {
    const std::size_t colon = text.find(':');
    result.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
    if (rest.find(':', 1) != std::string_view::npos) return std::nullopt;  // v6 without brackets
  }
  result.has_port = !rest.empty();
  if (result.has_port) result.port = rest.substr(1);
  return result;
}

}  // namespace

std::expected<ListenAddress, std::string> ParseListen(std::string_view text) {
  const std::string shown = '"' + std::string(text.substr(0, 60)) + '"';
  const std::string hint = "; write ADDRESS:PORT, such as \"127.0.0.1:7070\" or \"[::1]:7070\"";
  const auto split = Split(text);
  if (!split) return std::unexpected(shown + " is no address" + hint);
  if (!split->has_port) return std::unexpected(shown + " has no port" + hint);
  const auto port = ParsePort(split->port);
  if (!port) return std::unexpected(shown + " has a bad port; write one from 1 to 65535");
  const bool good = split->is_v6 ? IsIp(AF_INET6, split->host)
                                 : IsIp(AF_INET, split->host) || split->host == "localhost";
  if (!good) {
    return std::unexpected(shown + " does not begin with an IP address of this machine" + hint);
  }
  return ListenAddress{split->host, *port};
}

std::string Format(const ListenAddress& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return (is_v6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

bool IsLoopback(const ListenAddress& address) {
  return address.host == "localhost" || address.host == "::1" || address.host.starts_with("127.");
}

std::string NatsUrlProblem(std::string_view url) {
  const std::string hint = "write nats://HOST:PORT, such as \"nats://127.0.0.1:4222\"";
  const std::size_t scheme_end = url.find("://");
  if (url.find('@') != std::string_view::npos) {
    return "a NATS URL must not carry a user, password or token; put them into a credentials file "
           "and "
           "name it with `credentials`";
  }
  const std::string shown = '"' + std::string(url.substr(0, 80)) + '"';
  if (scheme_end == std::string_view::npos) return shown + " has no scheme; " + hint;
  const std::string_view scheme = url.substr(0, scheme_end);
  if (scheme == "tls") {
    return shown +
           " asks for TLS, which this daemon does not speak to NATS; name the region's own server, "
           "on "
           "loopback or a private network, and let the servers carry TLS between regions";
  }
  if (scheme != "nats") {
    return shown + " has the scheme \"" + std::string(scheme) + "\", not nats; " + hint;
  }
  std::string_view rest = url.substr(scheme_end + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto split = Split(rest);
  if (!split || split->host.empty()) return shown + " has no host; " + hint;
  if (split->has_port && !ParsePort(split->port)) {
    return shown + " has a bad port; write one from 1 to 65535";
  }
  const bool good = split->is_v6               ? IsIp(AF_INET6, split->host)
                    : LooksLikeIp(split->host) ? IsIp(AF_INET, split->host)
                                               : IsHostName(split->host);
  if (!good) return shown + " has a bad host; " + hint;
  return {};
}

}  // namespace hawser::config
