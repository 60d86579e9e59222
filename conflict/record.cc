#include "conflict/record.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "conflict/variant.h"

namespace hawser {
namespace {

__extension__ using Int128 = __int128;

// A counter's total while it is being summed: whole numbers exactly, floats once one takes part.
struct Total {
  Int128 whole = 0;
  double fraction = 0;
  bool is_float = false;
};

const Share* FindShare(const std::vector<Share>& shares, const Origin& origin) {
  for (const Share& share : shares) {
    if (share.origin == origin) return &share;
  }
  return nullptr;
}

// Sums of finite numbers stay finite: past the largest they stand at it, in the same way
// everywhere.
double Bounded(double value) {
  constexpr double kMost = std::numeric_limits<double>::max();
  return std::clamp(value, -kMost, kMost);
}

std::int64_t BoundedDifference(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return a < 0 ? std::numeric_limits<std::int64_t>::min()
               : std::numeric_limits<std::int64_t>::max();
}

std::string FormatTotal(const Total& total) {
  if (total.is_float)
    return FormatFloat(Bounded(static_cast<double>(total.whole) + total.fraction));
  constexpr Int128 kMost = std::numeric_limits<std::int64_t>::max();
  constexpr Int128 kLeast = std::numeric_limits<std::int64_t>::min();
  return std::to_string(static_cast<std::int64_t>(std::clamp(total.whole, kLeast, kMost)));
}

bool AnyShareCounts(const Field& field) {
  return std::ranges::any_of(
      field.shares, [&](const Share& share) { return BeyondSeen(share, field.seen).has_value(); });
}

}  // namespace

const Field* Record::Find(std::string_view name) const {
  const auto at = std::ranges::lower_bound(fields, name, {}, &Field::name);
  return at != fields.end() && at->name == name ? &*at : nullptr;
}

Field* Record::Find(std::string_view name) {
  return const_cast<Field*>(static_cast<const Record*>(this)->Find(name));
}

Field& Record::At(std::string_view name) {
  auto at = std::ranges::lower_bound(fields, name, {}, &Field::name);
  if (at == fields.end() || at->name != name) {
    at = fields.insert(at, Field{});
    at->name = name;
  }
  return *at;
}

// What a base has folded in whole adds nothing, not even a rounding: a region that has dropped both
// must show the same.
std::optional<Beyond> BeyondSeen(const Share& share, const std::vector<Share>& seen_shares) {
  const Share* seen = FindShare(seen_shares, share.origin);
  if (HW_VARIANT(kSeenSharesIgnored)) seen = nullptr;
  Beyond beyond{.sum = share.sum, .float_sum = share.float_sum, .is_float = share.has_float};
  if (!seen || share.start > seen->start) return beyond;
  if (share.start < seen->start || share.seq == seen->seq) return std::nullopt;
  beyond.sum = BoundedDifference(share.sum, seen->sum);
  if (seen->has_float) beyond.float_sum = Bounded(share.float_sum - seen->float_sum);
  return beyond;
}

bool TakesShares(const Field& field) {
  if (!field.has_cell) return true;
  if (field.cell.kind != Kind::kLww) return false;
  return field.cell.null || ParseInt(field.cell.value) || ParseFloat(field.cell.value);
}

Shown Show(const Field& field) {
  const bool has_value = field.has_cell && !field.cell.null;
  if (field.shares.empty() || !TakesShares(field)) {
    return Shown{.visible = has_value, .is_counter = false, .value = field.cell.value, .text = {}};
  }
  Total total;
  if (has_value) {
    if (const auto whole = ParseInt(field.cell.value)) {
      total.whole = *whole;
    } else {
      total.fraction = ParseFloat(field.cell.value).value_or(0);
      total.is_float = true;
    }
  }
  bool visible = has_value;
  for (const Share& share : field.shares) {
    const auto beyond = BeyondSeen(share, field.seen);
    if (!beyond) continue;
    visible = true;
    total.whole += beyond->sum;
    if (!beyond->is_float) continue;
    total.fraction = Bounded(total.fraction + beyond->float_sum);
    total.is_float = true;
  }
  if (!visible) return {};
  return Shown{.visible = true, .is_counter = true, .value = {}, .text = FormatTotal(total)};
}

bool IsVisible(const Field& field) {
  if (field.has_cell && !field.cell.null) return true;
  if (field.has_cell && field.cell.kind != Kind::kLww) return false;
  return AnyShareCounts(field);
}

std::optional<std::int64_t> ParseInt(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end || text.empty()) return std::nullopt;
  const std::string_view digits = text[0] == '-' ? text.substr(1) : text;
  if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
  if (text == "-0") return std::nullopt;
  return value;
}

std::optional<double> ParseFloat(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end || text.empty() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::string FormatFloat(double value) {
  if (value == 0) return "0";  // also -0
  char buffer[400];
  if (std::fabs(value) < 1e17 && value == std::floor(value)) {
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, static_cast<std::int64_t>(value));
    return {buffer, end.ptr};
  }
  // The shortest text that reads back as the same number, without an exponent.
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  return {buffer, end.ptr};
}

std::optional<std::int64_t> ParseExpiry(const Cell& cell) {
  if (cell.null || cell.value.size() != 8) return std::nullopt;
  std::int64_t unix_ms;
  std::memcpy(&unix_ms, cell.value.data(), 8);
  return unix_ms;
}

std::optional<std::int64_t> ExpiryMs(const Record& record) {
  return record.expiry ? ParseExpiry(*record.expiry) : std::nullopt;
}

std::string EncodeExpiry(std::int64_t unix_ms) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &unix_ms, 8);
  return bytes;
}

bool IsExpired(const Record& record, std::int64_t now_ms) {
  const auto expiry_ms = ExpiryMs(record);
  return expiry_ms && now_ms >= *expiry_ms;
}

bool IsAlive(const Record& record, std::int64_t now_ms) {
  return !IsExpired(record, now_ms) && std::ranges::any_of(record.fields, IsVisible);
}

Version RecordVersion(const Record& record) {
  Version version;
  if (record.expiry) version = record.expiry->version;
  for (const Field& field : record.fields) {
    if (field.has_cell) version = std::max(version, field.cell.version);
    for (const Share& share : field.shares) {
      version = std::max(version, Version{share.stamp, share.origin.region});
    }
  }
  return version;
}

}  // namespace hawser
