#include "conflict/cell.h"

#include <charconv>
#include <cmath>

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
      return a.rank <=> b.rank;
    case Kind::kFirst:
      return Reverse(a.version <=> b.version);
    case Kind::kMax:
      return ToStrong(CompareValues(a.value, b.value));
    case Kind::kMin:
      return Reverse(ToStrong(CompareValues(a.value, b.value)));
  }
  return std::strong_ordering::equal;
}

}  // namespace

std::strong_ordering Compare(const Cell& a, const Cell& b) {
  if (!HW_VARIANT(kGenerationIgnored)) {
    if (auto order = a.generation <=> b.generation; order != 0) return order;
  }
  if (auto order = a.kind <=> b.kind; order != 0) return order;
  if (a.kind != Kind::kLww) {
    if (auto order = b.null <=> a.null; order != 0) return order;
    if (!a.null) {
      if (auto order = CompareByKind(a, b); order != 0) return order;
    }
  }
  return a.version <=> b.version;
}

std::weak_ordering CompareValues(std::string_view a, std::string_view b) {
  const auto int_a = ParseInt(a), int_b = ParseInt(b);
  if (int_a && int_b) return *int_a <=> *int_b;
  const auto number_a = ParseFloat(a), number_b = ParseFloat(b);
  if (number_a && number_b) {
    if (*number_a < *number_b) return std::weak_ordering::less;
    if (*number_a > *number_b) return std::weak_ordering::greater;
    return std::weak_ordering::equivalent;
  }
  if (number_a) return std::weak_ordering::less;
  if (number_b) return std::weak_ordering::greater;
  return a <=> b;
}

}  // namespace hawser
