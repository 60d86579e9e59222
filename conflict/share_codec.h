#pragma once

// Counter shares as bytes; the same in rows and in txns.

#include <string>
#include <vector>

#include "conflict/bytes.h"
#include "conflict/record.h"

namespace hawser {

void PutShares(std::string& out, const std::vector<Share>& shares);
// False, or a reader that is not ok, if the bytes are no list of shares sorted by origin.
bool GetShares(ByteReader& in, std::vector<Share>& shares);

}  // namespace hawser
