#include "conflict/extension.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include "conflict/variant.h"

namespace hawser {
namespace {

constexpr std::uint64_t kStep = std::uint64_t{1} << 16;
constexpr std::uint64_t kRankMax = std::numeric_limits<std::int64_t>::max();

// FNV-1a, its bits mixed. Not format: whoever adds a state says its rank.
std::uint64_t HashOf(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93;
  return hash ^ hash >> 32;
}

std::string Line(const std::vector<std::string>& states) {
  std::string text;
  for (const std::string& state : states) text += (text.empty() ? "\"" : ", \"") + state + "\"";
  return "[" + text + "]";
}

// Ranks strictly between `low` and `high` for `states`, rising; nothing if there is no room.
// Without `high`, behind everything.
std::optional<std::vector<std::uint64_t>> RanksBetween(std::uint64_t low,
                                                       std::optional<std::uint64_t> high,
                                                       const std::vector<std::string>& states) {
  const std::uint64_t count = states.size();
  if (!high) {
    if ((kRankMax - low) / kStep <= count) return std::nullopt;
    high = low + count * kStep + 1;
  }
  if (*high <= low) return std::nullopt;
  const std::uint64_t part = (*high - low - 1) / count;
  if (part == 0) return std::nullopt;
  std::vector<std::uint64_t> ranks;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t middle = std::max<std::uint64_t>(1, part / 4);
    ranks.push_back(low + 1 + i * part + part * 3 / 8 + HashOf(states[i]) % middle);
  }
  return ranks;
}

}  // namespace

std::expected<Extension, std::string> Extend(const FieldDeclaration& declared,
                                             const std::vector<std::string>& wanted) {
  const FieldRule rule = declared.Effective();
  const auto named = [&](const std::string& state) {
    return std::ranges::find(wanted, state) != wanted.end();
  };
  Extension extension;
  for (const std::string& state : rule.states) {
    if (named(state)) continue;
    if (declared.first().RankOf(state)) {
      return std::unexpected("leaves out \"" + state + "\", which was declared: the line is " +
                             Line(rule.states) + "; a declared state stays, put it back");
    }
    extension.unnamed.push_back(state);
  }

  std::uint64_t low = 0;
  std::string_view before;
  for (std::size_t i = 0; i < wanted.size();) {
    if (const auto rank = rule.RankOf(wanted[i])) {
      if (*rank < low) {
        return std::unexpected("puts \"" + wanted[i] + "\" behind \"" + std::string(before) +
                               "\", but it was declared before it: the line is " +
                               Line(rule.states) + "; keep the declared states in that order");
      }
      low = *rank;
      before = wanted[i++];
      continue;
    }
    std::vector<std::string> fresh;
    while (i < wanted.size() && !rule.RankOf(wanted[i])) fresh.push_back(wanted[i++]);
    std::optional<std::uint64_t> high;
    if (i < wanted.size()) high = rule.RankOf(wanted[i]);
    const auto ranks = HW_VARIANT(kAddedStateLast)
                           ? RanksBetween(rule.ranks.back(), std::nullopt, fresh)
                           : RanksBetween(low, high, fresh);
    if (!ranks && high && *high < low) continue;  // said of the declared state that follows
    if (!ranks) {
      return std::unexpected(
          "leaves no room for " + Line(fresh) + (before.empty() ? "" : " behind \"") +
          std::string(before) + (before.empty() ? "" : "\"") +
          (high ? " before \"" + wanted[i] + "\"" : std::string()) +
          ": the gap between declared ranks is used up; put new states elsewhere in the line");
    }
    for (std::size_t j = 0; j < fresh.size(); ++j) {
      extension.added.emplace_back(fresh[j], (*ranks)[j]);
    }
  }
  return extension;
}

}  // namespace hawser
