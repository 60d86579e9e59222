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

// True if this share still says something that the base has not folded in.
bool CountsBeyond(const Share& share, const Share* seen) {
  if (!seen) return true;
  if (share.start != seen->start) return share.start > seen->start;
  return share.seq != seen->seq;
}

// Sums of finite numbers stay finite: past the largest they stand at it, in the same way
// everywhere.
double Bounded(double value) {
  constexpr double kMost = std::numeric_limits<double>::max();
  return std::clamp(value, -kMost, kMost);
}

// What a base has folded in adds nothing, not even a rounding: a region that has dropped both must
// show the same.
void AddShare(const Share& share, const Share* seen, Total& total) {
  if (HW_VARIANT(kSeenSharesIgnored)) seen = nullptr;
  if (!CountsBeyond(share, seen)) return;
  const bool same_start = seen && share.start == seen->start;
  total.whole += share.sum;
  if (same_start) total.whole -= seen->sum;
  if (!share.has_float) return;
  total.is_float = true;
  const double before = same_start && seen->has_float ? seen->float_sum : 0;
  total.fraction = Bounded(total.fraction + Bounded(share.float_sum - before));
}

std::string FormatTotal(const Total& total) {
  if (total.is_float)
    return FormatFloat(Bounded(static_cast<double>(total.whole) + total.fraction));
  constexpr Int128 kMost = std::numeric_limits<std::int64_t>::max();
  constexpr Int128 kLeast = std::numeric_limits<std::int64_t>::min();
  return std::to_string(static_cast<std::int64_t>(std::clamp(total.whole, kLeast, kMost)));
}

bool AnyShareCounts(const Field& field) {
  return std::ranges::any_of(field.shares, [&](const Share& share) {
    return CountsBeyond(share, FindShare(field.seen, share.origin));
  });
}

}  // namespace

const Field* Record::Find(std::string_view name) const {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
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

Shown Show(const Field& field) {
  const bool has_value = field.has_cell && !field.cell.null;
  const bool takes_shares = !field.has_cell || field.cell.kind == Kind::kLww;
  if (field.shares.empty() || !takes_shares) {
    return Shown{.visible = has_value, .is_counter = false, .value = field.cell.value, .text = {}};
  }
  Total total;
  if (has_value) {
    if (auto whole = ParseInt(field.cell.value)) {
      total.whole = *whole;
    } else if (auto number = ParseFloat(field.cell.value)) {
      total.fraction = *number;
      total.is_float = true;
    } else {  // a base that is no number takes no shares
      return Shown{.visible = true, .is_counter = false, .value = field.cell.value, .text = {}};
    }
  } else if (!AnyShareCounts(field)) {
    return {};
  }
  for (const Share& share : field.shares) {
    AddShare(share, FindShare(field.seen, share.origin), total);
  }
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

std::optional<std::int64_t> ExpiryMs(const Record& record) {
  if (!record.expiry || record.expiry->null || record.expiry->value.size() != 8)
    return std::nullopt;
  std::int64_t unix_ms;
  std::memcpy(&unix_ms, record.expiry->value.data(), 8);
  return unix_ms;
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
  }
  return version;
}

}  // namespace hawser
