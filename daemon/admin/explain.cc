// Why a record is what it is: its cells in every region, and what gave way to them.

#include <string>
#include <utility>

#include "daemon/admin/api.h"
#include "daemon/admin/text.h"
#include "daemon/admin/write_plan.h"

namespace hawser::admin {
namespace {

constexpr std::int64_t kBudgetMs = 1000;
constexpr std::int64_t kBudgetMsMax = 10'000;

}  // namespace

void Api::Explain(hawser::admin::Call call) {
  if (auto problem = CheckNames(call.params[0], call.params[1])) {
    return call.Fail(std::move(*problem));
  }
  std::int64_t budget_ms = kBudgetMs;
  if (const auto* asked = call.target.Query("timeout_ms")) {
    const auto number = ParseUint(*asked, kBudgetMsMax);
    if (!number || *number == 0) {
      return call.Fail({.status = 400,
                        .code = "BADREQUEST",
                        .detail = "timeout_ms is a number of milliseconds, 1 to 10000"});
    }
    budget_ms = static_cast<std::int64_t>(*number);
  }
  options_.explain(call.params[0], call.params[1], budget_ms,
                   [post = post_, call](std::string json) {
                     post([call, body = std::move(json)] { call.Send({.body = body}); });
                   });
}

}  // namespace hawser::admin
