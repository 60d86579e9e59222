#include "wan/inbound.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "conflict/assert.h"
#include "conflict/bytes.h"
#include "conflict/txn.h"
#include "conflict/variant.h"

namespace hawser {
namespace {

Seq LastOf(const Batch& batch) {
  return Seq{Raw(batch.first) + batch.count - 1};
}

// True if the body is `count` texts, one after the other, and nothing else.
bool BodyIsWhole(const Batch& batch) {
  ByteReader in(batch.body);
  for (std::uint32_t i = 0; i < batch.count && in.ok(); ++i) (void)in.Text();
  return in.done();
}

}  // namespace

Inbound::Inbound(Seq applied, std::uint64_t hash, std::uint64_t bytes_max)
    : applied_(applied), hash_(hash), bytes_max_(bytes_max) {}

Inbound::Intake Inbound::Take(Batch batch) {
  if (batch.count == 0 || batch.first == Seq{0}) return Intake::kMalformed;
  if (LastOf(batch) <= applied_ && !HW_VARIANT(kNoDedupe)) return Intake::kDuplicate;
  if (batch.fragments > 1) return TakeFragment(std::move(batch));
  if (!BodyIsWhole(batch)) return Intake::kMalformed;
  return Enqueue(std::move(batch));
}

Inbound::Intake Inbound::Enqueue(Batch batch) {
  const auto at = pending_.find(batch.first);
  if (at != pending_.end()) {
    if (at->second.count >= batch.count) return Intake::kDuplicate;
    if (at == pending_.begin() && open_)
      return Intake::kDuplicate;  // being read; the rest comes again
    Forget(at);
  }
  // A batch that begins before the open one must not become the front: what it adds comes again.
  if (open_ && batch.first < pending_.begin()->first) return Intake::kDuplicate;
  if (!MakeRoom(batch.first, batch.body.size())) return Intake::kOverflow;
  bytes_ += batch.body.size();
  const Seq first = batch.first;
  pending_.emplace(first, std::move(batch));
  return Intake::kQueued;
}

// Drops what is further away than `first`, the furthest first, until `size` more bytes fit. True if
// they do, or if `first` is next in line.
bool Inbound::MakeRoom(Seq first, std::uint64_t size) {
  const Seq keep = std::max(first, Next_());
  while (bytes_ + size > bytes_max_) {
    const bool batch = !pending_.empty() && pending_.rbegin()->first > keep;
    const bool parts = !fragments_.empty() && fragments_.rbegin()->first > keep;
    if (!batch && !parts) return first <= Next_();
    if (batch && (!parts || pending_.rbegin()->first >= fragments_.rbegin()->first)) {
      Forget(std::prev(pending_.end()));
    } else {
      const auto last = std::prev(fragments_.end());
      bytes_ -= last->second.bytes;
      fragments_.erase(last);
    }
  }
  return true;
}

Inbound::Intake Inbound::TakeFragment(Batch batch) {
  if (batch.count != 1 || batch.fragment >= batch.fragments) return Intake::kMalformed;
  if (pending_.contains(batch.first)) return Intake::kDuplicate;
  if (!MakeRoom(batch.first, batch.body.size())) return Intake::kOverflow;
  Fragments& parts = fragments_[batch.first];
  if (parts.count != batch.fragments || parts.hash_after != batch.hash_after) {
    bytes_ -= parts.bytes;
    parts = Fragments{.count = batch.fragments,
                      .hash_before = batch.hash_before,
                      .hash_after = batch.hash_after,
                      .pieces = {},
                      .bytes = 0};
  }
  const std::size_t size = batch.body.size();
  if (!parts.pieces.emplace(batch.fragment, std::move(batch.body)).second)
    return Intake::kDuplicate;
  parts.bytes += size;
  bytes_ += size;
  if (parts.pieces.size() < parts.count) return Intake::kQueued;

  Batch whole = std::move(batch);
  whole.fragment = 0;
  whole.fragments = 1;
  whole.body.clear();
  std::uint64_t total = 0;
  for (const auto& [index, piece] : parts.pieces) total += piece.size();
  PutVarint(whole.body, total);
  for (const auto& [index, piece] : parts.pieces) whole.body += piece;
  bytes_ -= parts.bytes;
  fragments_.erase(whole.first);
  return Enqueue(std::move(whole));
}

void Inbound::Forget(std::map<Seq, Batch>::iterator at) {
  if (at == pending_.begin()) open_ = peeked_ = false;
  bytes_ -= at->second.body.size();
  pending_.erase(at);
}

// Opens the front batch at the next txn; false if it does not continue the branch we have.
bool Inbound::SkipTo(const Batch& batch) {
  open_ = true;
  peeked_ = false;
  std::uint64_t hash = batch.hash_before;
  ByteReader in(batch.body);
  const std::uint64_t skip = Raw(Next_()) - Raw(batch.first);
  for (std::uint64_t i = 0; i < skip; ++i) hash = HashNext(hash, in.Text());
  offset_ = batch.body.size() - in.left();
  return hash == hash_ || HW_VARIANT(kHashNotChecked);
}

std::optional<Inbound::Next> Inbound::Peek() {
  while (!pending_.empty()) {
    const Batch& batch = pending_.begin()->second;
    if (HW_VARIANT(kNoGapCheck) && batch.first > Next_()) applied_ = Before(batch.first);
    if (batch.first > Next_()) return std::nullopt;
    if (!open_) {
      if (HW_VARIANT(kNoDedupe) && LastOf(batch) <= applied_) applied_ = Before(batch.first);
      if (LastOf(batch) <= applied_) {
        Forget(pending_.begin());
        continue;
      }
      if (!SkipTo(batch)) {
        forked_ = true;
        Forget(pending_.begin());
        continue;
      }
    }
    ByteReader in(std::string_view(batch.body).substr(offset_));
    const std::string_view bytes = in.Text();
    HW_ASSERT(in.ok());
    next_offset_ = batch.body.size() - in.left();
    if (!peeked_) peeked_hash_ = HashNext(hash_, bytes);
    peeked_ = true;
    return Next{.seq = Next_(), .bytes = bytes, .hash = peeked_hash_, .hash_before = hash_};
  }
  return std::nullopt;
}

void Inbound::Pop() {
  HW_ASSERT(open_ && peeked_);
  applied_ = Next_();
  hash_ = peeked_hash_;
  peeked_ = false;
  offset_ = next_offset_;
  while (!fragments_.empty() && fragments_.begin()->first <= applied_) {
    bytes_ -= fragments_.begin()->second.bytes;
    fragments_.erase(fragments_.begin());
  }
  const auto front = pending_.begin();
  if (offset_ == front->second.body.size()) Forget(front);
}

std::uint64_t Inbound::Room() const {
  std::uint64_t waiting = 0;
  Seq last = applied_;
  for (const auto& [first, batch] : pending_) {
    if (first > hawser::Next(last)) break;
    waiting += batch.body.size();
    last = std::max(last, LastOf(batch));
  }
  if (last == applied_) return std::max<std::uint64_t>(bytes_max_, 1);
  return bytes_max_ - std::min(bytes_max_, waiting);
}

Seq Inbound::contiguous() const {
  Seq last = applied_;
  for (const auto& [first, batch] : pending_) {
    if (first > hawser::Next(last)) break;
    last = std::max(last, LastOf(batch));
  }
  return last;
}

}  // namespace hawser
