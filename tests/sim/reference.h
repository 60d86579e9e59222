#pragma once

// Reference: what a reader must see of a record, computed from the set of its writes alone, without
// an order of arrival, without forgetting anything and without the product's merge. It follows the
// words of docs/design.md, section 5.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/record.h"
#include "tests/sim/truth.h"

namespace hawser::sim {

// What a reader sees: empty if the record is dead or expired.
using Seen = std::map<std::string, std::string, std::less<>>;

// Of the writes that `cut` covers, at the time `now_ms`.
Seen Expected(const std::vector<Written>& writes, const Cut& cut, std::int64_t now_ms);
// The writes whose cells and shares make up the record now; what gave way is not among them.
std::vector<Dot> Standing(const std::vector<Written>& writes, const Cut& cut);
// Of what a store holds.
Seen Held(std::optional<std::string_view> record_bytes, std::int64_t now_ms);

// The larger of two puts in the order of DESIGN 5; neither may be an add.
bool IsLarger(const TruthTxn& a_by, const Op& a, const TruthTxn& b_by, const Op& b);

std::string Text(const Seen& seen);
// A row key as people read it.
std::string RowText(std::string_view row_key);

}  // namespace hawser::sim
