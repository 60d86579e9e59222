#pragma once

// A dot as calls between regions carry it: byte region, fixed64 incarnation, varint seq. Seq 0 and
// region 0 stand for "none". Read it with GetDot and judge the reader afterwards.

#include <string>

#include "conflict/bytes.h"
#include "conflict/types.h"

namespace hawser {

inline void PutDot(std::string& out, const Dot& dot) {
  PutByte(out, Raw(dot.origin.region));
  PutFixed64(out, Raw(dot.origin.incarnation));
  PutVarint(out, Raw(dot.seq));
}
inline Dot GetDot(ByteReader& in) {
  Dot dot;
  dot.origin.region = RegionId{in.Byte()};
  dot.origin.incarnation = Incarnation{in.Fixed64()};
  dot.seq = Seq{in.Varint()};
  return dot;
}

}  // namespace hawser
