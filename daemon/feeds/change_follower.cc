#include "daemon/feeds/change_follower.h"

#include "conflict/bytes.h"

namespace hawser {
namespace {

bool IsInternal(const Change& change) {
  return change.table.starts_with('!');
}

}  // namespace

void PutChangePlace(const ChangePlace& place, std::string& out) {
  PutFixed64(out, Raw(place.lsn));
  PutVarint(out, place.index);
}

std::optional<ChangePlace> ReadChangePlace(std::string_view bytes) {
  ByteReader in(bytes);
  ChangePlace place;
  place.lsn = Lsn{in.Fixed64()};
  const std::uint64_t index = in.Varint();
  if (!in.done() || place.lsn == Lsn{0} || index > UINT32_MAX) return std::nullopt;
  place.index = static_cast<std::uint32_t>(index);
  return place;
}

ChangeFollower::End ChangeFollower::Read(JournalReader& journal, std::uint32_t txns_max,
                                         const std::function<bool(const AppliedChange&)>& visit) {
  End end = End::kAll;
  std::uint32_t txns = 0;
  const auto read = journal.ReadApplied(place_.lsn, [&](Lsn lsn, const JournalEntry& entry) {
    if (txns++ == txns_max) {
      end = End::kMore;
      return false;
    }
    if (!DecodeTxn(entry.bytes, txn_)) {
      end = End::kFailed;
      return false;
    }
    std::size_t shown = txn_.changes.size();  // behind the last one that is shown
    while (shown > 0 && IsInternal(txn_.changes[shown - 1])) --shown;
    for (std::size_t i = lsn == place_.lsn ? place_.index : 0; i < shown; ++i) {
      if (IsInternal(txn_.changes[i])) continue;
      const bool last = i + 1 == shown;
      place_ = last ? ChangePlace{Lsn{Raw(lsn) + 1}, 0}
                    : ChangePlace{lsn, static_cast<std::uint32_t>(i + 1)};
      if (visit({.entry = entry,
                 .txn = txn_,
                 .change = txn_.changes[i],
                 .last_of_txn = last,
                 .behind = place_})) {
        continue;
      }
      end = End::kMore;
      return false;
    }
    place_ = {Lsn{Raw(lsn) + 1}, 0};
    return true;
  });
  if (read) return end;
  return read.error() == StorageError::kNotFound ? End::kTrimmed : End::kFailed;
}

}  // namespace hawser
