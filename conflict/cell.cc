#include "conflict/cell.h"

#include <cmath>
#include <variant>

#include "conflict/record.h"
#include "conflict/variant.h"

namespace hawser {
namespace {

std::strong_ordering Reverse(std::strong_ordering order) {
  return 0 <=> order;
}

std::strong_ordering ToStrong(std::weak_ordering order) {
  if (order < 0) return std::strong_ordering::less;
  return order > 0 ? std::strong_ordering::greater : std::strong_ordering::equal;
}

// The order of the kind, of two values of that kind.
std::strong_ordering CompareByKind(const Cell& a, const Cell& b) {
  switch (a.kind) {
    case Kind::kLww:
      return std::strong_ordering::equal;
    case Kind::kStates:
      return HW_VARIANT(kRankIgnored) ? std::strong_ordering::equal : a.rank <=> b.rank;
    case Kind::kFirst:
      return HW_VARIANT(kFirstIsLast) ? a.version <=> b.version : Reverse(a.version <=> b.version);
    case Kind::kMax:
      return ToStrong(CompareValues(a.value, b.value));
    case Kind::kMin:
      return HW_VARIANT(kMinIsMax) ? ToStrong(CompareValues(a.value, b.value))
                                   : Reverse(ToStrong(CompareValues(a.value, b.value)));
  }
  return std::strong_ordering::equal;
}

// A number as exactly as its text can be held.
using Number = std::variant<std::int64_t, double>;

std::optional<Number> ParseNumber(std::string_view text) {
  if (const auto whole = ParseInt(text)) return Number(*whole);
  if (const auto number = ParseFloat(text)) return Number(*number);
  return std::nullopt;
}

// By size, exactly: rounding the whole number first would make 2^53 + 1, "9007199254740992.0" and
// 2^53 a circle, and regions would settle on different ones.
std::weak_ordering CompareMixed(std::int64_t whole, double number) {
  constexpr double kPast = 9223372036854775808.0;  // 2^63, the first beyond
  if (number >= kPast) return std::weak_ordering::less;
  if (number < -kPast) return std::weak_ordering::greater;
  const double floor = std::floor(number);
  const auto number_whole = static_cast<std::int64_t>(floor);
  if (whole != number_whole) return whole <=> number_whole;
  return floor < number ? std::weak_ordering::less : std::weak_ordering::equivalent;
}

std::weak_ordering CompareNumbers(const Number& a, const Number& b) {
  const auto* whole_a = std::get_if<std::int64_t>(&a);
  const auto* whole_b = std::get_if<std::int64_t>(&b);
  if (whole_a && whole_b) return *whole_a <=> *whole_b;
  if (whole_a) return CompareMixed(*whole_a, std::get<double>(b));
  if (whole_b) return 0 <=> CompareMixed(*whole_b, std::get<double>(a));
  const double x = std::get<double>(a), y = std::get<double>(b);
  if (x < y) return std::weak_ordering::less;
  return x > y ? std::weak_ordering::greater : std::weak_ordering::equivalent;
}

}  // namespace

std::strong_ordering Compare(const Cell& a, const Cell& b) {
  if (!HW_VARIANT(kGenerationIgnored)) {
    if (auto order = a.generation <=> b.generation; order != 0) return order;
  }
  if (auto order = a.kind <=> b.kind; order != 0) return order;
  if (a.kind != Kind::kLww && !(HW_VARIANT(kNullByVersion) && a.null != b.null)) {
    if (auto order = b.null <=> a.null; order != 0) return order;
    if (!a.null) {
      if (auto order = CompareByKind(a, b); order != 0) return order;
    }
  }
  return a.version <=> b.version;
}

std::weak_ordering CompareValues(std::string_view a, std::string_view b) {
  const auto number_a = ParseNumber(a), number_b = ParseNumber(b);
  if (number_a && number_b) return CompareNumbers(*number_a, *number_b);
  if (number_a) return std::weak_ordering::less;
  if (number_b) return std::weak_ordering::greater;
  return a <=> b;
}

}  // namespace hawser
