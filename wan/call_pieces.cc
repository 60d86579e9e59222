#include "wan/call_pieces.h"

#include <algorithm>

namespace hawser {

std::optional<std::string> CallPieces::Add(const Key& key, std::uint32_t piece,
                                           std::uint32_t pieces, std::string body,
                                           std::int64_t mono_ms) {
  auto [at, is_new] = unfinished_.try_emplace(key);
  Unfinished& unfinished = at->second;
  if (is_new) {
    unfinished.pieces.resize(pieces);
    unfinished.missing = pieces;
    unfinished.began_ms = mono_ms;
  }
  if (unfinished.pieces.size() != pieces || unfinished.pieces[piece]) return std::nullopt;
  unfinished.bytes += body.size();
  bytes_ += body.size();
  unfinished.pieces[piece] = std::move(body);
  if (--unfinished.missing > 0) {
    while (bytes_ > bytes_max_ && !unfinished_.empty()) {
      Drop(std::ranges::min_element(unfinished_, {},
                                    [](const auto& entry) { return entry.second.began_ms; }));
    }
    return std::nullopt;
  }
  std::string whole;
  whole.reserve(unfinished.bytes);
  for (const auto& part : unfinished.pieces) whole += *part;
  Drop(at);
  return whole;
}

void CallPieces::Drop(std::map<Key, Unfinished>::iterator at) {
  bytes_ -= at->second.bytes;
  unfinished_.erase(at);
}

void CallPieces::Forget(std::int64_t mono_ms) {
  for (auto at = unfinished_.begin(); at != unfinished_.end();) {
    const auto next = std::next(at);
    if (mono_ms - at->second.began_ms > patience_ms_) Drop(at);
    at = next;
  }
}

}  // namespace hawser
