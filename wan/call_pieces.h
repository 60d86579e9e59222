#pragma once

// CallPieces: the pieces of requests, or of answers, back into wholes. Pieces may come in any
// order and more than once; a body that never completes is forgotten after a while.
// Bounds: bytes held, and what one body may have (kCallPiecesMax pieces); over them the oldest
// unfinished body is forgotten, and its caller hears nothing.
// Threads: a plain value, the call desk's. Times are the monotonic clock's milliseconds.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wan/message.h"

namespace hawser {

class CallPieces {
 public:
  explicit CallPieces(std::uint64_t bytes_max, std::int64_t patience_ms = 60'000)
      : bytes_max_(bytes_max), patience_ms_(patience_ms) {}

  // The whole message once this was its last missing piece. A message of one piece comes straight
  // back.
  template <typename Message>
  std::optional<Message> Add(Message piece, std::int64_t mono_ms) {
    if (piece.pieces == 1) return piece;
    auto body =
        Add({piece.from, piece.id}, piece.piece, piece.pieces, std::move(piece.body), mono_ms);
    if (!body) return std::nullopt;
    piece.body = std::move(*body);
    piece.piece = 0;
    piece.pieces = 1;
    return piece;
  }
  void Forget(std::int64_t mono_ms);  // what waited too long
  std::uint64_t bytes() const { return bytes_; }

 private:
  using Key = std::pair<RegionId, std::uint64_t>;
  struct Unfinished {
    std::vector<std::optional<std::string>> pieces;
    std::size_t missing = 0;
    std::uint64_t bytes = 0;
    std::int64_t began_ms = 0;
  };
  std::optional<std::string> Add(const Key& key, std::uint32_t piece, std::uint32_t pieces,
                                 std::string body, std::int64_t mono_ms);
  void Drop(std::map<Key, Unfinished>::iterator at);

  const std::uint64_t bytes_max_;
  const std::int64_t patience_ms_;
  std::map<Key, Unfinished> unfinished_;
  std::uint64_t bytes_ = 0;
};

// Cuts a body into messages that each fit the wire; `whole` without its body is the head of each.
template <typename Message>
std::vector<Message> CutIntoPieces(Message whole, std::size_t piece_bytes) {
  std::vector<Message> pieces;
  const std::string body = std::exchange(whole.body, {});
  const std::size_t count = body.empty() ? 1 : (body.size() + piece_bytes - 1) / piece_bytes;
  for (std::size_t i = 0; i < count; ++i) {
    whole.piece = static_cast<std::uint32_t>(i);
    whole.pieces = static_cast<std::uint32_t>(count);
    pieces.push_back(whole);
    pieces.back().body = body.substr(i * piece_bytes, piece_bytes);
  }
  return pieces;
}

}  // namespace hawser
