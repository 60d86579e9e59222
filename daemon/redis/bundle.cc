#include "daemon/redis/bundle.h"

#include <algorithm>
#include <functional>

#include "conflict/record_codec.h"

namespace hawser::redis {

void Bundle::Add(const Command& command, std::span<const std::string_view> args) {
  queued_.push_back({&command, slices_.size(), args.size()});
  for (const std::string_view arg : args) {
    slices_.push_back({bytes_.size(), arg.size()});
    bytes_.append(arg);
  }
}

std::span<const std::string_view> Bundle::args(std::size_t i) {
  views_.clear();
  const Queued& queued = queued_[i];
  for (const Slice& slice : std::span(slices_).subspan(queued.first, queued.count)) {
    views_.push_back(std::string_view(bytes_).substr(slice.begin, slice.size));
  }
  return views_;
}

WatchList::State WatchList::Look(std::string_view row_key, Session& session) {
  const auto row = session.Get(row_key);
  if (!row) return {};
  Record record;
  if (!DecodeRecord(*row, record)) return {};
  return {IsAlive(record, session.now_ms()), true, std::hash<std::string_view>{}(*row)};
}

void WatchList::Watch(std::string_view table, std::string_view key, Session& session) {
  std::string row_key;
  AppendRowKey(table, key, row_key);
  if (std::ranges::find(watched_, row_key, &Watched::row_key) != watched_.end()) return;
  const State state = Look(row_key, session);
  watched_.push_back({std::move(row_key), state});
}

bool WatchList::Changed(Session& session) const {
  return std::ranges::any_of(watched_, [&](const Watched& watched) {
    const State now = Look(watched.row_key, session);
    if (now.alive != watched.state.alive) return true;
    if (!now.alive && !now.present) return false;  // a dead row that was dropped is no change
    return now.hash != watched.state.hash;
  });
}

}  // namespace hawser::redis
