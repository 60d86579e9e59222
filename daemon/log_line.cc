#include "daemon/log_line.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace hawser {
namespace {

std::string_view Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

// The priority of sd-daemon(3).
char JournalLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return '7';
    case LogLevel::kInfo:
      return '6';
    case LogLevel::kWarning:
      return '4';
    case LogLevel::kError:
      return '3';
  }
  return '3';
}

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none.
std::size_t Utf8Length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  std::size_t length = 0;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) length = 2;
  if (first >= 0xe0 && first <= 0xef) length = 3;
  if (first >= 0xf0 && first <= 0xf4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

void AppendEscaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    std::size_t length = Utf8Length(text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text.front();
    } else if (c < 0x20 || c == 0x7f) {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else if (length == 0) {
      out += "\\ufffd";
      length = 1;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
}

void AppendJson(std::string& out, std::string_view name, std::string_view value) {
  out += out.back() == '{' ? "\"" : ",\"";
  AppendEscaped(out, name);
  out += "\":\"";
  AppendEscaped(out, value);
  out += '"';
}

std::string Shown(const LogField& field, bool mask) {
  if (!field.of_user || !mask) return field.value;
  return "(" + std::to_string(field.value.size()) + " bytes)";
}

std::string FormatJson(const LogEvent& event, std::string_view region, std::int64_t unix_us,
                       const LineStyle& style) {
  std::string out = "{";
  AppendJson(out, "time", FormatLogTime(unix_us));
  AppendJson(out, "level", Name(event.level));
  AppendJson(out, "msg", event.message);
  AppendJson(out, "component", event.component);
  if (!region.empty()) AppendJson(out, "region", region);
  AppendJson(out, "code", event.code);
  for (const LogField& field : event.fields)
    AppendJson(out, field.name, Shown(field, style.mask_values));
  if (event.repeated > 0) out += ",\"repeated\":" + std::to_string(event.repeated);
  return out + '}';
}

std::string FormatText(const LogEvent& event, std::int64_t unix_us, const LineStyle& style) {
  std::string out;
  if (!style.journal) out += FormatLogTime(unix_us) + ' ';
  out += std::string(Name(event.level)) + ' ' + std::string(event.component) + ": ";
  out += event.message;
  for (const LogField& field : event.fields) {
    out += ' ' + std::string(field.name) + "=\"";
    AppendEscaped(out, Shown(field, style.mask_values));
    out += '"';
  }
  if (event.repeated > 0) out += " repeated=" + std::to_string(event.repeated);
  return out + " [" + std::string(event.code) + ']';
}

std::string KindOf(const LogEvent& event) {
  std::string kind;
  for (const std::string_view part : {event.component, event.code, event.message}) {
    kind += part;
    kind += '\0';
  }
  for (const LogField& field : event.fields) {
    kind += field.name;
    kind += '\0';
    kind += field.value;
    kind += '\0';
  }
  return kind;
}

}  // namespace

std::string FormatLogTime(std::int64_t unix_us) {
  const std::time_t seconds = unix_us / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> day{};
  std::strftime(day.data(), day.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%06dZ", static_cast<int>(unix_us % 1'000'000));
  return std::string(day.data()) + fraction.data();
}

std::string FormatLine(const LogEvent& event, std::string_view region, std::int64_t unix_us,
                       const LineStyle& style) {
  std::string prefix;
  if (style.journal) prefix = {'<', JournalLevel(event.level), '>'};
  if (style.format == LogFormat::kText) return prefix + FormatText(event, unix_us, style);
  return prefix + FormatJson(event, region, unix_us, style);
}

std::optional<std::uint64_t> RepeatFilter::Offer(const LogEvent& event, std::int64_t mono_ms) {
  const std::string kind = KindOf(event);
  const auto at = kinds_.find(kind);
  if (at == kinds_.end()) {
    if (kinds_.size() >= kKindsMax) return 0;
    Held held{event.level,
              std::string(event.component),
              std::string(event.code),
              std::string(event.message),
              {},
              0,
              mono_ms};
    for (const LogField& field : event.fields) held.fields.emplace_back(field.name, field);
    kinds_.emplace(kind, std::move(held));
    return 0;
  }
  if (mono_ms - at->second.since_mono_ms < kWindowMs) {
    ++at->second.count;
    return std::nullopt;
  }
  const std::uint64_t left_out = at->second.count;
  at->second.count = 0;
  at->second.since_mono_ms = mono_ms;
  return left_out;
}

std::vector<RepeatFilter::Held> RepeatFilter::Drain(std::int64_t mono_ms, bool all) {
  std::vector<Held> due;
  for (auto at = kinds_.begin(); at != kinds_.end();) {
    if (!all && mono_ms - at->second.since_mono_ms < kWindowMs) {
      ++at;
      continue;
    }
    if (at->second.count > 0) due.push_back(std::move(at->second));
    at = kinds_.erase(at);
  }
  for (Held& held : due) {
    for (auto& [name, field] : held.fields) field.name = name;
  }
  return due;
}

}  // namespace hawser
