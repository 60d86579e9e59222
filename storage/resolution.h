#pragma once

// Resolutions: an operator's word on a logged conflict, as a record of the replicated table
// kResolutionTable, key = the conflict's id. It is written in the txn that overrides the field, so
// both carry the same dot: a resolution is in effect as long as the field's cell has that dot. As a
// record it merges like every other: of two at once the later stands. The bytes of its one field
// are format (docs/formats.md, 7).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conflict/record.h"

namespace hawser {

inline constexpr std::string_view kResolutionTable = "!resolution";

enum class Take : std::uint8_t { kWinner = 0, kLoser = 1, kValue = 2 };
const char* Text(Take take);

// A value as it was or became; nullopt in `text`: none. Long ones are cut.
inline constexpr std::size_t kResolutionTextBytesMax = 4096;
struct ResolvedText {
  std::optional<std::string_view> text;
  std::uint64_t bytes = 0;  // of the whole value
};

struct Resolution {
  Take take = Take::kWinner;
  std::int64_t at_ms = 0;
  std::string_view table, key, field;
  bool expiry = false;         // the record's expiry, `field` is empty; values as ExpiryMs has them
  ResolvedText before, after;  // what the region that resolved it showed
  std::string_view by, reason;  // a token's name or "local"; as given
};

std::string EncodeResolution(const Resolution& resolution);
// Borrows from `bytes`. nullopt: no resolution that this software knows.
std::optional<Resolution> DecodeResolution(std::string_view bytes);
// The resolution that a row of the table holds, with the cell that holds it.
struct HeldResolution {
  Resolution resolution;
  Version version;
  Dot dot;
};
std::optional<HeldResolution> ParseResolution(const Record& record);

}  // namespace hawser
