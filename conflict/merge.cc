#include "conflict/merge.h"

#include <algorithm>

#include "conflict/variant.h"

namespace hawser {
namespace {

bool SawAll(const Writer& writer, const Field& field) {
  if (field.has_cell && !writer.Saw(field.cell.dot)) return false;
  return std::ranges::all_of(
      field.shares, [&](const Share& share) { return writer.Saw({share.origin, share.seq}); });
}

// The mark says that the writer had dropped what it once saw here: dead and stable, so we drop it
// too.
void DropSeen(const Writer& writer, Record& record) {
  std::erase_if(record.fields, [&](const Field& field) { return SawAll(writer, field); });
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
  if (writer.Saw(held.dot)) return;  // one followed the other
  const Cell& loser = &winner == &incoming ? held : incoming;
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

// A base wipes out the shares its writer knew and did not list.
void DropUnlistedShares(const Writer& writer, const Op& op, Field& field) {
  std::erase_if(field.shares, [&](const Share& share) {
    const bool listed = std::ranges::any_of(
        op.seen, [&](const Share& seen) { return seen.origin == share.origin; });
    return !listed && writer.Saw({share.origin, share.seq});
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
  field.has_cell = true;
  field.cell = incoming;
  field.seen = op.seen;
}

void PutExpiry(const Writer& writer, const Op& op, Record& record) {
  // Another expiry is no lost value: what a client wrote is in the fields.
  const Cell incoming = ToCell(writer, op);
  if (!record.expiry || Compare(incoming, *record.expiry) > 0) record.expiry = incoming;
}

void Add(const Writer& writer, const Op& op, Field& field) {
  const Seq start = op.start == Seq{0} ? writer.dot.seq : op.start;
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
}

}  // namespace

void ApplyChange(const Writer& writer, const Change& change, Record& record,
                 std::vector<Discarded>& discarded) {
  if (change.created && !HW_VARIANT(kCreatedMarkIgnored)) DropSeen(writer, record);
  for (const Op& op : change.ops) {
    if (!op.absent || HW_VARIANT(kAbsentMarkIgnored)) continue;
    if (op.expiry) {
      if (record.expiry && writer.Saw(record.expiry->dot)) record.expiry.reset();
    } else {
      std::erase_if(record.fields, [&](const Field& field) {
        return field.name == op.field && SawAll(writer, field);
      });
    }
  }
  for (const Op& op : change.ops) {
    if (op.expiry) {
      PutExpiry(writer, op, record);
    } else if (op.type == Op::Type::kPut) {
      Put(writer, op, record.At(op.field), discarded);
    } else {
      Add(writer, op, record.At(op.field));
    }
  }
}

}  // namespace hawser
