#include "wan/batcher.h"

#include <algorithm>
#include <utility>

#include "conflict/assert.h"
#include "conflict/bytes.h"
#include "wan/wire.h"

namespace hawser {
namespace {

// Room in a message for everything but the body.
constexpr std::size_t kEnvelopeBytesMax = 1024;
constexpr std::size_t kFragmentBytes = kMessageBytesMax - kEnvelopeBytesMax;

}  // namespace

void Batcher::Add(Seq seq, std::uint64_t hash_before, std::uint64_t hash, std::string_view bytes,
                  std::vector<Batch>& out) {
  if (bytes.size() + 10 > kFragmentBytes) {
    Flush(out);
    // Never a single one: a batch of one fragment is a whole batch, its txn preceded by a length.
    const auto fragments = std::max<std::uint32_t>(
        2, static_cast<std::uint32_t>((bytes.size() + kFragmentBytes - 1) / kFragmentBytes));
    const std::size_t piece = (bytes.size() + fragments - 1) / fragments;
    for (std::uint32_t i = 0; i < fragments; ++i) {
      Batch& part = out.emplace_back();
      part.origin = origin_;
      part.first = seq;
      part.count = 1;
      part.hash_before = hash_before;
      part.hash_after = hash;
      part.fragment = i;
      part.fragments = fragments;
      part.body = bytes.substr(i * piece, piece);
    }
    return;
  }
  if (open_.count > 0 && open_.body.size() + bytes.size() + 10 > kBatchBodyBytesAim) Flush(out);
  if (open_.count == 0) {
    open_.origin = origin_;
    open_.first = seq;
    open_.hash_before = hash_before;
    open_.body.reserve(bytes.size() + 10);
  }
  HW_ASSERT(Raw(seq) == Raw(open_.first) + open_.count);
  ++open_.count;
  open_.hash_after = hash;
  PutText(open_.body, bytes);
}

void Batcher::Flush(std::vector<Batch>& out) {
  if (open_.count > 0) out.push_back(std::exchange(open_, Batch{}));
}

}  // namespace hawser
