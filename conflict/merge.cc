#include "conflict/merge.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "conflict/variant.h"

namespace hawser {
namespace {

// A writer that had seen a cell and held none had dropped it: it is dead and stable.
void DropSeenCell(const Writer& writer, Field& field) {
  if (!field.has_cell || !writer.Saw(field.cell.dot)) return;
  field.has_cell = false;
  field.cell = {};
  field.seen.clear();
}

// The same of a writer that held neither cell nor share. A share it had not seen stays, and began
// after the dead cell: nobody extends a share that a base has folded in.
void DropSeen(const Writer& writer, Field& field) {
  DropSeenCell(writer, field);
  std::erase_if(field.shares,
                [&](const Share& share) { return writer.Saw({share.origin, share.seq}); });
}

bool IsEmpty(const Field& field) {
  return !field.has_cell && field.shares.empty();
}

// The mark says that the writer had dropped what it once saw here, so we drop it too.
void DropSeen(const Writer& writer, Record& record) {
  for (Field& field : record.fields) DropSeen(writer, field);
  std::erase_if(record.fields, IsEmpty);
  if (record.expiry && writer.Saw(record.expiry->dot)) record.expiry.reset();
}

// A value that only moved along its declared order was not lost.
bool MovedOn(const Cell& winner, const Cell& loser) {
  const bool ordered =
      loser.kind == Kind::kStates || loser.kind == Kind::kMax || loser.kind == Kind::kMin;
  return ordered && winner.kind == loser.kind && winner.generation == loser.generation &&
         !winner.null;
}

void Judge(const Writer& writer, const Op& op, const Cell& held, const Cell& incoming,
           const Cell& winner, std::vector<Discarded>& discarded) {
  if (writer.Saw(held.dot) && !HW_VARIANT(kConflictOfSeen)) return;  // one followed the other
  const Cell& loser = &winner == &incoming ? held : incoming;
  if (HW_VARIANT(kHeldLoserNotLogged) && &loser == &held) return;
  if (loser.null || MovedOn(winner, loser)) return;
  if (!winner.null && winner.value == loser.value) return;
  discarded.push_back({.expiry = op.expiry, .field = op.field, .winner = winner, .loser = loser});
}

bool Replaces(const Cell& incoming, const Cell& held) {
  if (HW_VARIANT(kTieFlipped) && incoming.kind == Kind::kLww && held.kind == Kind::kLww &&
      incoming.version.stamp.ms() == held.version.stamp.ms() &&
      incoming.version.region != held.version.region) {
    return true;  // "the last to arrive wins a tie"
  }
  return Compare(incoming, held) > 0;
}

Cell ToCell(const Writer& writer, const Op& op) {
  return Cell{.generation = op.generation,
              .kind = op.kind,
              .null = op.null,
              .rank = op.rank,
              .value = op.value,
              .version = writer.version,
              .dot = writer.dot};
}

// Both an int and a float part: what one origin added, as text.
std::string TextOf(const Beyond& adds) {
  if (!adds.is_float) return std::to_string(adds.sum);
  return FormatFloat(static_cast<double>(adds.sum) + adds.float_sum);
}

void ReportAdds(std::string_view field, const Cell& base, const Beyond& adds, const Dot& dot,
                Stamp stamp, std::vector<Discarded>& discarded) {
  auto text = std::make_shared<const std::string>(TextOf(adds));
  const Cell loser{
      .null = false, .value = *text, .version = {stamp, dot.origin.region}, .dot = dot};
  discarded.push_back(
      {.adds = true, .field = field, .winner = base, .loser = loser, .text = std::move(text)});
}

// A base wipes out the shares its writer knew and did not list.
void DropUnlistedShares(const Writer& writer, const Op& op, Field& field) {
  if (HW_VARIANT(kSharesSurviveBase)) return;
  std::erase_if(field.shares, [&](const Share& share) {
    const bool listed = std::ranges::any_of(
        op.seen, [&](const Share& seen) { return seen.origin == share.origin; });
    return !listed && (writer.Saw({share.origin, share.seq}) || HW_VARIANT(kBaseTakesUnseenShares));
  });
}

void Put(const Writer& writer, const Op& op, Field& field, std::vector<Discarded>& discarded) {
  const Cell incoming = ToCell(writer, op);
  if (op.kind == Kind::kLww && !field.shares.empty()) DropUnlistedShares(writer, op, field);
  const bool wins = !field.has_cell || Replaces(incoming, field.cell);
  if (field.has_cell) {
    Judge(writer, op, field.cell, incoming, wins ? incoming : field.cell, discarded);
  }
  if (!wins) return;
  if (field.shares.empty()) {
    field.has_cell = true;
    field.cell = incoming;
    field.seen = op.seen;
    return;
  }
  const bool took_shares = TakesShares(field);
  const std::vector<Share> seen_before = std::exchange(field.seen, op.seen);
  field.has_cell = true;
  field.cell = incoming;
  if (!took_shares || TakesShares(field)) return;
  for (const Share& share : field.shares) {
    const Dot last{share.origin, share.seq};
    const auto adds = BeyondSeen(share, seen_before);
    if (adds && !writer.Saw(last)) {
      ReportAdds(op.field, incoming, *adds, last, share.stamp, discarded);
    }
  }
}

void Add(const Writer& writer, const Op& op, Field& field, std::vector<Discarded>& discarded) {
  // A share cannot have begun after the txn that extends it: no row could hold that.
  const Seq start = op.start == Seq{0} ? writer.dot.seq : std::min(op.start, writer.dot.seq);
  auto at = std::ranges::lower_bound(field.shares, writer.dot.origin, {}, &Share::origin);
  if (at == field.shares.end() || at->origin != writer.dot.origin) {
    at = field.shares.insert(at, Share{.origin = writer.dot.origin});
  } else if (at->start > start || (at->start == start && at->seq >= writer.dot.seq)) {
    return;
  }
  at->start = start;
  at->seq = writer.dot.seq;
  at->sum = op.sum;
  at->float_sum = op.float_sum;
  at->has_float = op.has_float;
  at->stamp = writer.version.stamp;
  if (!TakesShares(field) && !writer.Saw(field.cell.dot)) {
    const Beyond adds{.sum = op.delta, .float_sum = op.float_delta, .is_float = op.has_float};
    ReportAdds(op.field, field.cell, adds, writer.dot, writer.version.stamp, discarded);
  }
}

// True if a record with the expiry `winner` goes before the one with `loser` said it would.
bool GoesSooner(const Cell& winner, const Cell& loser) {
  const auto winner_ms = ParseExpiry(winner), loser_ms = ParseExpiry(loser);
  return winner_ms && (!loser_ms || *loser_ms > *winner_ms);
}

void PutExpiry(const Writer& writer, const Op& op, Record& record,
               std::vector<Discarded>& discarded) {
  const Cell incoming = ToCell(writer, op);
  if (!record.expiry) {
    record.expiry = incoming;
    return;
  }
  const Cell held = *record.expiry;
  const bool wins = Compare(incoming, held) > 0 || HW_VARIANT(kExpiryByArrival);
  if (wins) record.expiry = incoming;
  if (writer.Saw(held.dot)) return;
  const Cell& winner = wins ? incoming : held;
  const Cell& loser = wins ? held : incoming;
  const bool said = std::ranges::any_of(
      discarded, [&](const Discarded& other) { return other.loser.dot == loser.dot; });
  if (!said && GoesSooner(winner, loser)) {
    discarded.push_back({.expiry = true, .winner = winner, .loser = loser});
  }
}

// A field named in the change is there afterwards; those that are new are added in one go, so that
// a change of many fields costs no more than sorting them. REQUIRES: ops sorted (txn.h).
void AddFieldsOf(const Change& change, Record& record) {
  const std::size_t held = record.fields.size();
  for (const Op& op : change.ops) {
    if (op.expiry) continue;
    const auto end = record.fields.begin() + static_cast<std::ptrdiff_t>(held);
    const auto at =
        std::ranges::lower_bound(record.fields.begin(), end, op.field, {}, &Field::name);
    if (at != end && at->name == op.field) continue;
    if (record.fields.size() > held && record.fields.back().name == op.field) continue;
    record.fields.emplace_back().name = op.field;
  }
  if (held == 0 || record.fields.size() == held) return;
  std::ranges::sort(record.fields, {}, &Field::name);
}

void DropMarked(const Writer& writer, const Change& change, Record& record) {
  if (change.created && !HW_VARIANT(kCreatedMarkIgnored)) DropSeen(writer, record);
  if (record.empty() || HW_VARIANT(kAbsentMarkIgnored)) return;
  for (const Op& op : change.ops) {
    if (!op.absent) continue;
    if (op.expiry) {
      if (record.expiry && writer.Saw(record.expiry->dot)) record.expiry.reset();
    } else if (Field* field = record.Find(op.field)) {
      // A put that lists shares was made beside them: only the cell was gone.
      if (op.seen.empty()) {
        DropSeen(writer, *field);
      } else {
        DropSeenCell(writer, *field);
      }
      if (IsEmpty(*field)) {
        record.fields.erase(record.fields.begin() + (field - record.fields.data()));
      }
    }
  }
}

}  // namespace

void ApplyChange(const Writer& writer, const Change& change, Record& record,
                 std::vector<Discarded>& discarded) {
  DropMarked(writer, change, record);
  AddFieldsOf(change, record);
  std::vector<Discarded> lost;
  const Op* expiry = nullptr;
  for (const Op& op : change.ops) {
    if (op.expiry) {
      expiry = &op;
    } else if (op.type == Op::Type::kPut) {
      Put(writer, op, *record.Find(op.field), lost);
    } else {
      Add(writer, op, *record.Find(op.field), lost);
    }
  }
  if (expiry) PutExpiry(writer, *expiry, record, lost);
  std::ranges::move(lost, std::back_inserter(discarded));
}

}  // namespace hawser
