#pragma once

// Short ways to make the values that conflict/'s tests speak about.

#include <string>
#include <string_view>
#include <vector>

#include "conflict/edit.h"
#include "conflict/merge.h"
#include "conflict/record_codec.h"
#include "conflict/txn.h"

namespace hawser::test {

inline Origin OriginOf(std::uint8_t region) {
  return {RegionId{region}, Incarnation{0x0101010101010101U * std::uint64_t{region}}};
}

// A region with one record: writes through RecordEdit, ships bytes, applies what others shipped.
class Writes {
 public:
  explicit Writes(std::uint8_t region, const Schema& schema = {})
      : self_(OriginOf(region)), schema_(schema) {}

  // One local txn at `ms`; returns its bytes for Receive elsewhere (empty: nothing was written).
  template <typename Intentions>
  std::string Write(std::int64_t ms, const Intentions& intend) {
    const std::string held_bytes = row_;
    Record held;
    if (!held_bytes.empty() && !DecodeRecord(held_bytes, held)) std::abort();
    RecordEdit edit("t", "k", held, schema_, self_, ms);
    intend(edit);
    Txn txn;
    txn.changes.push_back(edit.Finish());
    if (txn.changes[0].ops.empty()) return {};
    txn.stamp = Stamp::FromMs(ms);
    for (const Dot& dot : applied_.dots()) {
      if (dot.origin != self_) txn.deps.Raise(dot);
    }
    std::string bytes;
    EncodeTxn(txn, bytes);
    Apply({self_, Next(applied_.Get(self_))}, bytes);
    return bytes;
  }
  void Receive(const Writes& from, const std::string& bytes) {
    if (!bytes.empty()) Apply({from.self_, Next(applied_.Get(from.self_))}, bytes);
  }
  // The record is dead and stable: it is forgotten here.
  void Drop() { row_.clear(); }

  Record Held() const {
    Record record;
    if (!row_.empty() && !DecodeRecord(row_, record)) std::abort();
    return record;
  }
  // What a reader sees of a field, "(nil)" if nothing.
  std::string Read(std::int64_t ms, std::string_view field = kStringField) const {
    const Record record = Held();
    const Field* found = record.Find(field);
    if (!found || !IsAlive(record, ms)) return "(nil)";
    const Shown shown = Show(*found);
    if (!shown.visible) return "(nil)";
    return shown.is_counter ? shown.text : std::string(shown.value);
  }
  // "loser<winner" of everything reported so far, in order; "adds:" and "expiry:" before those.
  const std::vector<std::string>& reports() const { return reports_; }
  const std::string& row() const { return row_; }

 private:
  void Apply(const Dot& dot, const std::string& bytes) {
    Txn txn;
    if (!DecodeTxn(bytes, txn)) std::abort();
    const std::string before = row_;
    Record record;
    if (!before.empty() && !DecodeRecord(before, record)) std::abort();
    std::vector<Discarded> discarded;
    ApplyChange({dot, {txn.stamp, dot.origin.region}, txn.deps}, txn.changes[0], record, discarded);
    row_.clear();
    EncodeRecord(record, row_);
    applied_.Raise(dot);
    for (const Discarded& lost : discarded) {
      const auto text = [&](const Cell& cell) {
        if (cell.null) return std::string("null");
        return lost.expiry ? std::to_string(*ParseExpiry(cell)) : std::string(cell.value);
      };
      reports_.push_back((lost.adds     ? "adds:"
                          : lost.expiry ? "expiry:"
                                        : "") +
                         text(lost.loser) + "<" + text(lost.winner));
    }
  }

  Origin self_;
  Schema schema_;
  Cut applied_;
  std::string row_;
  std::vector<std::string> reports_;
};

// Both hear what the other wrote.
inline void Exchange(Writes& a, const std::string& from_a, Writes& b, const std::string& from_b) {
  a.Receive(b, from_b);
  b.Receive(a, from_a);
}

inline Schema SchemaOf(std::string_view field, FieldRule rule) {
  Schema schema;
  schema.tables["t"].fields[std::string(field)] = std::move(rule);
  return schema;
}

}  // namespace hawser::test
