#include "storage/journal_format.h"

#define XXH_STATIC_LINKING_ONLY  // the streaming state on the stack
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "conflict/assert.h"
#include "conflict/bytes.h"

namespace hawser {
namespace {
constexpr std::uint8_t kBlockFormat = 2;
constexpr std::uint8_t kBlockFormatUntimed = 1;  // of 0.1 before it told when
constexpr std::size_t kChecksumBytes = 8;
}  // namespace

void PutBigEndian64(std::string& out, std::uint64_t value) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
  out.append(bytes, 8);
}

std::uint64_t GetBigEndian64(std::string_view bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) {
    value = (value << 8) | static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(i)]);
  }
  return value;
}

std::string BlockKey(Lsn first, std::uint32_t piece) {
  std::string key(1, kBlockRows);
  PutBigEndian64(key, Raw(first));
  for (int shift = 24; shift >= 0; shift -= 8) key.push_back(static_cast<char>(piece >> shift));
  return key;
}

bool ParseBlockKey(std::string_view key, BlockPlace& place) {
  if (key.size() != 13 || key[0] != kBlockRows) return false;
  place.first = Lsn{GetBigEndian64(key.substr(1))};
  place.piece = 0;
  for (const char byte : key.substr(9)) {
    place.piece = (place.piece << 8) | static_cast<std::uint8_t>(byte);
  }
  return true;
}

std::string IndexKey(const Origin& origin, Seq seq) {
  std::string key(1, kIndexRows);
  PutByte(key, Raw(origin.region));
  PutBigEndian64(key, Raw(origin.incarnation));
  PutBigEndian64(key, Raw(seq));
  return key;
}

const BlockOrigin* BlockHead::Find(const Origin& origin) const {
  const auto at = std::ranges::find(origins, origin, &BlockOrigin::origin);
  return at == origins.end() ? nullptr : &*at;
}

bool ParseBlockHead(std::string_view block, BlockHead& head) {
  ByteReader in(block);
  in.Fixed64();
  const std::uint8_t format = in.Byte();
  if (format != kBlockFormat && format != kBlockFormatUntimed) return false;
  head.applied_ms = format == kBlockFormat ? static_cast<std::int64_t>(in.Fixed64()) : 0;
  head.entries = in.Varint();
  const std::uint64_t origins = in.Varint();
  if (!in.ok() || head.entries == 0 || origins == 0 || origins > kBlockOriginsMax) return false;
  head.origins.clear();
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < origins; ++i) {
    BlockOrigin& origin = head.origins.emplace_back();
    origin.origin.region = RegionId{in.Byte()};
    origin.origin.incarnation = Incarnation{in.Fixed64()};
    origin.first = Seq{in.Varint()};
    origin.count = in.Varint();
    origin.hash_before = in.Fixed64();
    if (origin.count == 0 || origin.count > head.entries) return false;
    sum += origin.count;
  }
  head.bytes = block.size() - in.left();
  return in.ok() && sum == head.entries;
}

void BlockBuilder::Clear() {
  origins_.clear();
  head_bytes_.clear();
  body_.clear();
  entries_ = 0;
  applied_ms_ = 0;
}

bool BlockBuilder::Add(const JournalEntry& entry) {
  if (entries_ > 0 && body_.size() + entry.bytes.size() > kBlockBytesTarget) return false;
  auto origin = std::ranges::find(origins_, entry.origin, &BlockOrigin::origin);
  if (origin == origins_.end()) {
    if (origins_.size() == kBlockOriginsMax) return false;
    origins_.push_back({entry.origin, entry.seq, 0, entry.hash_before});
    origin = origins_.end() - 1;
  }
  HW_ASSERT(entry.seq == Seq{Raw(origin->first) + origin->count});
  ++origin->count;
  if (entries_++ == 0) applied_ms_ = entry.applied_ms;
  PutVarint(body_, static_cast<std::uint64_t>(origin - origins_.begin()));
  PutFixed64(body_, entry.hash);
  PutText(body_, entry.bytes);
  return true;
}

void BlockBuilder::Seal(Lsn first) {
  head_bytes_.assign(kChecksumBytes, '\0');
  PutByte(head_bytes_, kBlockFormat);
  PutFixed64(head_bytes_, static_cast<std::uint64_t>(applied_ms_));
  PutVarint(head_bytes_, entries_);
  PutVarint(head_bytes_, origins_.size());
  for (const BlockOrigin& origin : origins_) {
    PutByte(head_bytes_, Raw(origin.origin.region));
    PutFixed64(head_bytes_, Raw(origin.origin.incarnation));
    PutVarint(head_bytes_, Raw(origin.first));
    PutVarint(head_bytes_, origin.count);
    PutFixed64(head_bytes_, origin.hash_before);
  }
  HW_ASSERT(head_bytes_.size() <= kPieceBytesMax);
  XXH3_state_t state;
  XXH3_INITSTATE(&state);  // else the reset may believe what the stack happens to hold
  XXH3_64bits_reset_withSeed(&state, Raw(first));
  XXH3_64bits_update(&state, head_bytes_.data() + kChecksumBytes,
                     head_bytes_.size() - kChecksumBytes);
  XXH3_64bits_update(&state, body_.data(), body_.size());
  const std::uint64_t checksum = XXH3_64bits_digest(&state);
  std::memcpy(head_bytes_.data(), &checksum, kChecksumBytes);
}

std::expected<void, StorageError> ReadBlock(
    Lsn first, std::string_view block,
    const std::function<bool(Lsn lsn, const JournalEntry& entry)>& visit) {
  if (block.size() < kChecksumBytes + 1) return std::unexpected(StorageError::kCorrupt);
  const std::string_view rest = block.substr(kChecksumBytes);
  const std::uint64_t checksum = XXH3_64bits_withSeed(rest.data(), rest.size(), Raw(first));
  if (ByteReader(block).Fixed64() != checksum) return std::unexpected(StorageError::kCorrupt);
  const auto format = static_cast<std::uint8_t>(rest[0]);
  if (format > kBlockFormat) return std::unexpected(StorageError::kNewer);
  BlockHead head;
  if (!ParseBlockHead(block, head)) return std::unexpected(StorageError::kCorrupt);
  ByteReader in(block.substr(head.bytes));
  std::vector<std::uint64_t> taken(head.origins.size(), 0);
  std::vector<std::uint64_t> hashes;
  for (const BlockOrigin& origin : head.origins) hashes.push_back(origin.hash_before);
  for (std::uint64_t i = 0; i < head.entries; ++i) {
    const std::uint64_t origin = in.Varint();
    JournalEntry entry;
    entry.applied_ms = head.applied_ms;
    entry.hash = in.Fixed64();
    entry.bytes = in.Text();
    if (!in.ok() || origin >= taken.size()) return std::unexpected(StorageError::kCorrupt);
    entry.origin = head.origins[origin].origin;
    entry.seq = Seq{Raw(head.origins[origin].first) + taken[origin]++};
    entry.hash_before = std::exchange(hashes[origin], entry.hash);
    if (!visit(Lsn{Raw(first) + i}, entry)) return {};
  }
  return {};
}

}  // namespace hawser
