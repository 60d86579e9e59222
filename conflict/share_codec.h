#pragma once

// What rows and txns have in common: origins and counter shares as bytes.

#include <string>
#include <vector>

#include "conflict/bytes.h"
#include "conflict/record.h"

namespace hawser {

// In a record's own shares the stamp of the last txn goes along; in what a base has seen it does
// not.
enum class Stamps : bool { kNo, kYes };

void PutShares(ByteWriter& out, const std::vector<Share>& shares, Stamps stamps);
// More than the bytes of that many shares, their count included.
constexpr std::size_t SharesBytesMax(std::size_t shares) {
  return kVarintBytesMax + shares * 64;
}
// False, or a reader that is not ok, if the bytes are no list of shares sorted by origin.
bool GetShares(ByteReader& in, std::vector<Share>& shares, Stamps stamps);

// An origin as it stands in every format: the region's id, the incarnation.
inline void PutOrigin(ByteWriter& out, const Origin& origin) {
  out.Byte(Raw(origin.region));
  out.Fixed64(Raw(origin.incarnation));
}
inline bool GetOrigin(ByteReader& in, Origin& origin) {
  const std::uint8_t region = in.Byte();
  origin = {RegionId{region}, Incarnation{in.Fixed64()}};
  return in.ok() && region >= 1 && region <= kRegionIdMax;
}

}  // namespace hawser
