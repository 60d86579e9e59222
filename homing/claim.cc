#include "homing/claim.h"

#include "conflict/assert.h"
#include "conflict/internal_tables.h"
#include "conflict/record_codec.h"
#include "conflict/variant.h"

namespace hawser {
namespace {

constexpr std::string_view kRequestScope = "unique";

bool IsProved(const Cell& cell, const Proof& proof) {
  if (!proof.compared && !HW_VARIANT(kClaimUncompared)) return false;
  if (HW_VARIANT(kClaimAtOnce)) return true;
  if (HW_VARIANT(kClaimByClock)) return proof.stable.clock_ms > cell.version.stamp.ms();
  return proof.stable.cut.Covers(cell.dot);
}

}  // namespace

const char* Text(ClaimState state) {
  switch (state) {
    case ClaimState::kFree:
      return "free";
    case ClaimState::kPending:
      return "pending";
    case ClaimState::kConfirmed:
      return "confirmed";
  }
  return "?";
}

Claim ClaimOf(const Record& record, const Proof& proof) {
  const Field* field = record.Find(kOwnerField);
  if (!field || !field->has_cell || field->cell.null) return {};
  const Cell& cell = field->cell;
  return {.state = IsProved(cell, proof) ? ClaimState::kConfirmed : ClaimState::kPending,
          .owner = std::string(cell.value),
          .version = cell.version,
          .dot = cell.dot};
}

Claim ClaimOf(std::optional<std::string_view> record_bytes, const Proof& proof) {
  Record record;
  if (!record_bytes || !DecodeRecord(*record_bytes, record)) return {};
  return ClaimOf(record, proof);
}

std::string ClaimKey(std::string_view name, std::string_view value) {
  std::string key(name);
  key.push_back('\0');
  key.append(value);
  return key;
}

std::string ClaimRowKey(std::string_view name, std::string_view value) {
  std::string row_key;
  AppendRowKey(kUniqueTable, ClaimKey(name, value), row_key);
  return row_key;
}

ClaimName SplitClaimKey(std::string_view key) {
  const std::size_t zero = key.find('\0');
  if (zero == std::string_view::npos) return {key, {}};
  return {key.substr(0, zero), key.substr(zero + 1)};
}

bool IsClaimName(std::string_view name, std::string_view value) {
  return IsTableName(name) && !value.empty() &&
         kUniqueTable.size() + name.size() + 1 + value.size() <= kKeyBytesMax;
}

ClaimOutcome MakeClaim(LocalTxn& txn, std::string_view name, std::string_view value,
                       std::string_view owner, std::string_view request_id) {
  HW_ASSERT(IsClaimName(name, value) && IsOwner(owner));
  RecordEdit& edit = txn.Edit(kUniqueTable, ClaimKey(name, value));
  if (!request_id.empty()) {
    const std::string key = ClaimKey(name, value);
    const std::string asked = std::to_string(key.size()) + ":" + key + ":";  // then the owner
    if (const auto before = FindRequest(txn, kRequestScope, request_id)) {
      if (!before->starts_with(asked)) return {ClaimEffect::kOtherRequest, {}};
      const std::string first = before->substr(asked.size());
      auto shown = edit.Get(kOwnerField);
      if (!shown) return {ClaimEffect::kGone, {}};
      return {*shown == first ? ClaimEffect::kSame : ClaimEffect::kTaken, *std::move(shown)};
    }
    const auto shown = edit.Get(kOwnerField);
    if (!shown || *shown == owner) {
      NoteRequest(txn, kRequestScope, request_id, asked + std::string(owner));
    }
  }
  if (auto shown = edit.Get(kOwnerField)) {
    const bool same = *shown == owner;
    return {same ? ClaimEffect::kSame : ClaimEffect::kTaken, *std::move(shown)};
  }
  HW_ASSERT(edit.Set(kOwnerField, owner).has_value());  // nothing shows: nothing to refuse it
  return {ClaimEffect::kWritten, std::string(owner)};
}

ClaimOutcome MakeRelease(LocalTxn& txn, std::string_view name, std::string_view value,
                         std::string_view owner) {
  HW_ASSERT(IsClaimName(name, value) && IsOwner(owner));
  RecordEdit& edit = txn.Edit(kUniqueTable, ClaimKey(name, value));
  auto shown = edit.Get(kOwnerField);
  if (!shown) return {ClaimEffect::kSame, {}};
  if (*shown != owner && !HW_VARIANT(kClaimRivalReleases)) {
    return {ClaimEffect::kTaken, *std::move(shown)};
  }
  edit.Delete(kOwnerField);
  return {ClaimEffect::kWritten, {}};
}

}  // namespace hawser
