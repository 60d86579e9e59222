#pragma once

// The journal's rows. All live in one table, told apart by the first byte of the key:
//   'A' + name                                  facts about the journal itself (journal.cc)
//   'I' + region, incarnation, seq (big endian) sparse index: the block that begins with that entry
//                                               of the origin -> the block's first LSN
//   'J' + first LSN, piece (big endian)         blocks, cut in pieces
// A block holds consecutive entries of one commit. A piece is at most kPieceBytesMax, so that two
// fill a page and LMDB never needs overflow pages, whose search for contiguous room slows it down
// and makes its file grow. 'J' sorts last: blocks are always appended.
//
// Block: checksum (fixed64, XXH3-64 of the rest, seeded with the first LSN), format (byte, 2),
// when it was applied here (fixed64, Unix milliseconds; not in format 1), number of entries
// (varint), number of origins (varint), per origin {region byte, incarnation fixed64, first seq
// varint, count varint, running hash before it fixed64}; then per entry {place of its origin in the
// list (varint), hash (fixed64), length (varint), bytes}. LSNs and seqs are implied.

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.h"

namespace hawser {

inline constexpr std::size_t kPieceBytesMax = 2016;
inline constexpr std::size_t kBlockBytesTarget = 64 << 10;
inline constexpr std::size_t kBlockOriginsMax = 48;  // so that the head fits the first piece

inline constexpr char kMetaRows = 'A';
inline constexpr char kIndexRows = 'I';
inline constexpr char kBlockRows = 'J';

void PutBigEndian64(std::string& out, std::uint64_t value);
std::uint64_t GetBigEndian64(std::string_view bytes);  // REQUIRES: 8 bytes

std::string BlockKey(Lsn first, std::uint32_t piece);
struct BlockPlace {
  Lsn first{};
  std::uint32_t piece = 0;
};
bool ParseBlockKey(std::string_view key, BlockPlace& place);
std::string IndexKey(const Origin& origin, Seq seq);

struct BlockOrigin {
  Origin origin;
  Seq first{};
  std::uint64_t count = 0;
  std::uint64_t hash_before = 0;  // the origin's running hash before `first`
  Seq last() const { return Seq{Raw(first) + count - 1}; }
};
struct BlockHead {
  std::int64_t applied_ms = 0;  // 0: not known
  std::uint64_t entries = 0;
  std::vector<BlockOrigin> origins;
  std::size_t bytes = 0;  // of the head
  const BlockOrigin* Find(const Origin& origin) const;
};
// Reads a head from a block or its first piece; nothing is verified but the structure.
bool ParseBlockHead(std::string_view block, BlockHead& head);

// Entries of a block in the making.
class BlockBuilder {
 public:
  void Clear();
  // False: the block is full, start another.
  bool Add(const JournalEntry& entry);
  // Ends the block: from here on it is the two parts one after the other.
  void Seal(Lsn first);
  std::string_view head() const { return head_bytes_; }
  std::string_view body() const { return body_; }
  std::size_t bytes() const { return head_bytes_.size() + body_.size(); }
  std::uint64_t entries() const { return entries_; }
  const std::vector<BlockOrigin>& origins() const { return origins_; }

 private:
  std::vector<BlockOrigin> origins_;
  std::string head_bytes_;
  std::string body_;
  std::uint64_t entries_ = 0;
  std::int64_t applied_ms_ = 0;  // of the first entry: a block is of one commit
};

// Verifies a whole block and visits its entries in order, until `visit` says false.
// kCorrupt: the checksum or the structure is wrong; nothing was visited. kNewer: another format.
std::expected<void, StorageError> ReadBlock(
    Lsn first, std::string_view block,
    const std::function<bool(Lsn lsn, const JournalEntry& entry)>& visit);

}  // namespace hawser
