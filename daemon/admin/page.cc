#include "daemon/admin/page.h"

#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

std::unexpected<Problem> Bad(std::string detail) {
  return std::unexpected(Problem{.status = 400, .code = "BADREQUEST", .detail = std::move(detail)});
}

}  // namespace

std::expected<PageWish, Problem> ReadPageWish(const Target& target, char mark) {
  PageWish wish;
  if (const std::string* token = target.Query("page_token")) {
    auto last = FromBase64Url(*token);
    if (!last || last->empty() || last->front() != mark) {
      return Bad("`page_token` must be the `next_page_token` of the page before");
    }
    wish.after = last->substr(1);
  }
  if (const std::string* limit = target.Query("limit")) {
    const auto number = ParseUint(*limit, kPageLimitMax);
    if (!number || *number == 0) return Bad("`limit` is a number from 1 to 1000");
    wish.limit = *number;
  }
  return wish;
}

std::string PageToken(char mark, const std::string& last) {
  return ToBase64Url(mark + last);
}

}  // namespace hawser::admin
