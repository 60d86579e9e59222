#include "daemon/admin/api.h"
#include "daemon/admin/text.h"
#include "daemon/token.h"

namespace hawser::admin {

std::int64_t DeadlineMonoMs(std::chrono::seconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline.time_since_epoch()).count();
}

std::optional<int> PreferWaitSeconds(const HttpRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if (name != "prefer") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string preference = Lower(Trim(rest.substr(0, comma)));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
      if (!preference.starts_with("wait=")) continue;
      const auto seconds = ParseUint(std::string_view(preference).substr(5), 1'000'000'000);
      if (seconds) return static_cast<int>(std::min<std::uint64_t>(*seconds, kWaitSecondsMax));
    }
  }
  return std::nullopt;
}

void Api::AfterToken(Call call, std::chrono::seconds wait, std::function<void(Call)> next) {
  const std::string* token = call.request.Find("hawser-token");
  if (!token) return next(std::move(call));
  const auto cut =
      call.request.Count("hawser-token") == 1 ? DecodeToken(Trim(*token)) : std::nullopt;
  if (!cut) {
    return call.Fail({.status = 400,
                      .code = "BADTOKEN",
                      .detail = "Hawser-Token must be what an earlier answer carried, once"});
  }
  if (reader_->Take()->cut().Covers(*cut)) return next(std::move(call));
  CutWait cut_wait{.cut = *cut, .deadline_mono_ms = DeadlineMonoMs(wait), .done = {}};
  auto shared = std::make_shared<Call>(std::move(call));
  cut_wait.done = [post = post_, shared, next = std::move(next)](bool reached) {
    post([shared, next, reached] {
      if (reached) return next(std::move(*shared));
      shared->Fail({.status = 503,
                    .code = "TOKEN_NOT_REACHED",
                    .detail = "this region has not yet applied what the token names: wait longer "
                              "(`Prefer: wait=S` on reads), or ask the region it came from",
                    .retry_after_seconds = 1});
    });
  };
  engine_.Submit(std::move(cut_wait));
}

}  // namespace hawser::admin
