#include "daemon/config/units.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

namespace hawser::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kSizes = {Unit{"B", 1}, Unit{"KiB", 1ull << 10}, Unit{"MiB", 1ull << 20},
                               Unit{"GiB", 1ull << 30}, Unit{"TiB", 1ull << 40}};
constexpr std::array kDurations = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000},
                                   Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();

struct Kind {
  std::string_view noun;
  std::span<const Unit> units;
  std::string_view list;
  std::string_view example;
};
constexpr Kind kSize{"size", kSizes, "B, KiB, MiB, GiB or TiB", "64KiB"};
constexpr Kind kDuration{"duration", kDurations, "ms, s, m, h or d", "200ms"};

std::string Quote(std::string_view text) {
  return '"' + std::string(text.substr(0, 40)) + '"';
}

// The unit somebody meant by `unit`: same letters in another case, or the decimal or short form.
std::optional<std::string_view> Meant(const Kind& kind, std::string_view unit) {
  if (unit.empty()) return std::nullopt;
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  for (const Unit& known : kind.units) {
    const bool same = std::ranges::equal(unit, known.name, {}, lower, lower);
    const bool short_form = unit.size() <= 2 && known.name.size() == 3 &&
                            lower(unit[0]) == lower(known.name[0]) &&
                            (unit.size() == 1 || lower(unit[1]) == 'b');
    if (same || short_form) return known.name;
  }
  if (unit.starts_with("sec")) return "s";
  if (unit.starts_with("min")) return "m";
  if (unit.starts_with("hour")) return "h";
  if (unit.starts_with("day")) return "d";
  if (unit.starts_with("millis") || unit == "msec") return "ms";
  return std::nullopt;
}

std::expected<std::uint64_t, std::string> Parse(const Kind& kind, std::string_view text) {
  const auto fail = [&](const std::string& why) { return std::unexpected(why); };
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) {
    return fail(Quote(text) + " is too large a " + std::string(kind.noun));
  }
  if (error != std::errc{}) {
    return fail(Quote(text) + " is no " + std::string(kind.noun) +
                "; write a whole number and a unit, \"" + std::string(kind.example) + '"');
  }
  const std::string digits(text.data(), end);
  const std::string_view unit = text.substr(digits.size());
  if (unit.empty()) {
    return fail(Quote(text) + " has no unit; write one of " + std::string(kind.list) +
                ", such as \"" + std::string(kind.example) + '"');
  }
  if (unit.front() == '.') {
    return fail(Quote(text) +
                " has a fraction; write a whole number of a smaller unit, such as \"" +
                std::string(kind.example) + '"');
  }
  const auto known = std::ranges::find(kind.units, unit, &Unit::name);
  if (known == kind.units.end()) {
    std::string_view word = unit;
    while (word.starts_with(' ')) word.remove_prefix(1);
    if (const auto meant = Meant(kind, word)) {
      return fail(Quote(text) + " has the unknown unit \"" + std::string(unit.substr(0, 20)) +
                  "\"; did you mean \"" + digits + std::string(*meant) + "\"?");
    }
    return fail(Quote(text) + " has the unknown unit \"" + std::string(unit.substr(0, 20)) +
                "\"; write one of " + std::string(kind.list));
  }
  if (number > kMax / known->factor) {
    return fail(Quote(text) + " is too large a " + std::string(kind.noun));
  }
  return number * known->factor;
}

std::string Format(const Kind& kind, std::uint64_t value) {
  Unit best = kind.units.front();
  for (const Unit& unit : kind.units) {
    if (value != 0 && value % unit.factor == 0) best = unit;
  }
  return std::to_string(value / best.factor) + std::string(best.name);
}

}  // namespace

std::expected<std::uint64_t, std::string> ParseSize(std::string_view text) {
  if (text == "0") return 0;
  return Parse(kSize, text);
}

std::string FormatSize(std::uint64_t bytes) {
  return bytes == 0 ? "0" : Format(kSize, bytes);
}

std::expected<std::int64_t, std::string> ParseDuration(std::string_view text) {
  const auto value = Parse(kDuration, text);
  if (!value) return std::unexpected(value.error());
  return static_cast<std::int64_t>(*value);
}

std::string FormatDuration(std::int64_t ms) {
  return Format(kDuration, static_cast<std::uint64_t>(ms));
}

}  // namespace hawser::config
