#pragma once

// The audit log: who did what, when, why, with before and after; append-only, each entry bound to
// the one before by a hash. Local tables, derived from the txns applied here (so a resolution made
// in another region is in every region's log) and thus, like rows, a function of the journal.
//   kAuditTable      key: AuditKey(seq), newest first   fields "" (the entry's bytes), "hash"
//   kAuditHeadTable  key: empty                         fields "hash", "seq" of the newest entry
// The head's name sorts behind the entries': a checkpoint never has a head without its entries.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/internal_tables.h"
#include "conflict/merge.h"
#include "conflict/record.h"
#include "conflict/txn.h"
#include "storage/resolution.h"

namespace hawser {

inline constexpr std::string_view kAuditTable = "!audit";
inline constexpr std::string_view kAuditHeadTable = "!audit_head";

struct AuditEntry {
  std::string_view what;  // "conflict.resolve", "home.move", "home.takeover"
  RegionId region{};      // where it was done
  Dot dot;                // the txn that did it
  std::int64_t at_ms = 0;
  std::string_view subject;  // of a resolution the conflict's id; of a home its key (homing/home.h)
  std::string_view content;  // of a resolution its bytes (resolution.h); of a home its text
};
std::string EncodeAuditEntry(const AuditEntry& entry);
std::optional<AuditEntry> DecodeAuditEntry(std::string_view bytes);

// SHA-256 over both. Before the first entry the hash is empty.
std::string AuditHash(std::string_view hash_before, std::string_view entry_bytes);
std::string AuditKey(std::uint64_t seq);
std::optional<std::uint64_t> ParseAuditKey(std::string_view key);

struct AuditHead {
  std::uint64_t seq = 0;  // of the newest entry; 0: none
  std::string hash;
};
std::optional<AuditHead> ParseAuditHead(const Record& record);
// One row of the log; borrows from the record.
struct AuditRow {
  std::string_view entry, hash;
};
std::optional<AuditRow> ParseAuditRow(const Record& record);

// True if a change is one that the audit log must tell of. Cheap: asked for every change.
inline bool IsAudited(const Change& change) {
  return change.table == kResolutionTable || change.table == kHomeTable;
}
// The rows that a txn adds behind `head`, which moves on: entries first, the head last.
struct AuditRows {
  struct Each {
    std::string_view table;
    std::string key;
    std::string bytes;
  };
  std::vector<Each> rows;
};
AuditRows AppendAudit(const Writer& writer, const Txn& txn, AuditHead& head);

}  // namespace hawser
