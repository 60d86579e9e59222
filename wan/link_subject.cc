#include "wan/link_subject.h"

#include <algorithm>
#include <cstdint>

namespace hawser {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kIncarnationDigits = 16;

}  // namespace

bool IsSubjectToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

std::string SubjectPrefix(std::string_view cluster) {
  return "hw." + std::string(cluster) + ".0.";
}

std::string LogSubject(std::string_view prefix, std::string_view region, Incarnation incarnation) {
  std::string subject(prefix);
  subject.append("log.").append(region).push_back('.');
  for (int shift = 60; shift >= 0; shift -= 4) {
    subject.push_back(kHexDigits[Raw(incarnation) >> shift & 15]);
  }
  return subject;
}

std::optional<Incarnation> LogSubjectIncarnation(std::string_view subject) {
  const std::size_t dot = subject.rfind('.');
  if (dot == std::string_view::npos || subject.size() - dot - 1 != kIncarnationDigits) {
    return std::nullopt;
  }
  std::uint64_t raw = 0;
  for (const char c : subject.substr(dot + 1)) {
    const std::size_t digit = kHexDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    raw = raw << 4 | digit;
  }
  return Incarnation{raw};
}

}  // namespace hawser
