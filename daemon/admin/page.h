#pragma once

// Pages of a list: `limit` and `page_token` of a request. Pure.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "daemon/admin/problem.h"
#include "daemon/admin/target.h"

namespace hawser::admin {

inline constexpr std::uint64_t kPageLimitDefault = 100;
inline constexpr std::uint64_t kPageLimitMax = 1000;

struct PageWish {
  std::optional<std::string> after;  // the last name of the page before
  std::uint64_t limit = kPageLimitDefault;
};
// The error is a 400. `mark`: the first byte of this list's tokens, so that no other list's passes.
std::expected<PageWish, Problem> ReadPageWish(const Target& target, char mark);
// What `next_page_token` says of a page that ended with `last`.
std::string PageToken(char mark, const std::string& last);

}  // namespace hawser::admin
