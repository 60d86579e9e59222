#pragma once

// LookUp: the records of a table that show a value in an indexed field.
// Threads: any, on a view of its own.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.h"

namespace hawser {

struct IndexQuery {
  std::string_view table;
  std::string_view field;
  std::string_view value;
  std::optional<std::string_view> after;  // keys behind this one only
  std::size_t keys_max = 100;
  std::int64_t now_ms = 0;  // records that have expired by then are no hits
};

struct IndexPage {
  std::vector<std::string> keys;    // in byte order
  std::optional<std::string> next;  // there may be more: ask again, after this key
};

struct IndexRefusal {
  enum class Why {
    kNotDeclared,
    kBuilding,  // it will be there
    kDamaged,   // a record could not be read
  };
  Why why{};
  std::uint64_t looked_at = 0;        // kBuilding: records so far
  std::vector<std::string> declared;  // kNotDeclared: what the table has
};
// For people: what is wrong and what to do.
std::string Text(const IndexRefusal& refusal, const IndexQuery& query);

// Looks at no more than kIndexEntriesMax entries: a page of records that expired together may be
// short, or empty, and yet name a `next`.
inline constexpr std::size_t kIndexEntriesMax = 2'000;
inline constexpr std::size_t kLookUpBytesMax = 4 * 1024 * 1024;  // of records; then the page ends
std::expected<IndexPage, IndexRefusal> LookUp(View& view, const IndexQuery& query);

}  // namespace hawser
