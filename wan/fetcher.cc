#include "wan/fetcher.h"

#include <algorithm>

#include "wan/wire.h"

namespace hawser {

std::int64_t Fetcher::TimeoutMs(const State& state) const {
  return options_.timeout_ms << std::min<std::uint32_t>(state.failures, 3);
}

std::optional<Send> Fetcher::Plan(const LogProgress& log, const std::vector<RegionId>& sources,
                                  std::int64_t mono_ms) {
  State& state = states_[log.origin];
  if (log.contiguous >= log.head && !log.gap) {  // nothing is missing
    state = State{.source = state.source};
    return std::nullopt;
  }
  if (state.active) {
    if (mono_ms - state.quiet_since_ms < TimeoutMs(state)) return std::nullopt;
    state.active = false;  // no answer: the next source, with more patience
    ++state.failures;
    ++state.source;
    ++retries_;
  } else if (!state.catching_up) {
    if (state.behind_since_ms < 0 || state.behind_at != log.contiguous) {
      state.behind_since_ms = mono_ms;
      state.behind_at = log.contiguous;
    }
    const std::int64_t patience_ms =
        log.gap ? options_.gap_patience_ms : options_.behind_patience_ms;
    const std::int64_t backoff_ms = state.failures == 0 ? 0 : TimeoutMs(state) / 2;
    if (mono_ms - state.behind_since_ms < std::max(patience_ms, backoff_ms)) return std::nullopt;
  }
  if (sources.empty() || log.room == 0) return std::nullopt;
  state.active = true;
  state.catching_up = false;
  state.id = ++id_last_;
  state.quiet_since_ms = mono_ms;
  state.behind_since_ms = -1;
  state.asked = sources[state.source % sources.size()];
  ++fetches_;
  const Fetch fetch{.from = options_.self,
                    .id = state.id,
                    .origin = log.origin,
                    .first = Next(log.contiguous),
                    .bytes_max = std::min(options_.window_bytes, log.room)};
  return Send{.to = {.kind = Address::Kind::kTo, .region = state.asked},
              .bytes = Encode(Message(fetch))};
}

void Fetcher::OnAnswer(const Batch& batch, std::int64_t mono_ms) {
  const auto at = states_.find(batch.origin);
  if (at == states_.end() || !at->second.active || at->second.id != batch.fetch_id) return;
  State& state = at->second;
  state.quiet_since_ms = mono_ms;
  if (batch.count > 0) {
    state.failures = 0;
    state.missing = false;
  }
  if (!batch.fetch_end) return;
  state.active = false;
  if (batch.fetch_missing) {
    state.missing = true;
    ++state.failures;
    ++state.source;
  } else {
    state.catching_up = batch.count > 0;
  }
}

void Fetcher::OnReturn(RegionId region) {
  for (auto& [origin, state] : states_) {
    state.failures = 0;
    if (state.active && state.asked == region) state.active = false;
  }
}

void Fetcher::Distrust(const Origin& origin, std::int64_t mono_ms) {
  const auto at = states_.find(origin);
  if (at == states_.end()) return;
  State& state = at->second;
  state.active = state.catching_up = false;
  state.behind_since_ms = mono_ms;
  ++state.failures;
  ++state.source;
}

bool Fetcher::IsMissing(const Origin& origin) const {
  const auto at = states_.find(origin);
  return at != states_.end() && at->second.missing;
}

}  // namespace hawser
