#include "homing/escrow.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "conflict/assert.h"
#include "conflict/bytes.h"
#include "conflict/internal_tables.h"
#include "conflict/record_codec.h"
#include "conflict/variant.h"

namespace hawser {
namespace {

constexpr std::size_t kTakerBytes = 10;  // zero byte, region, incarnation

// A counter of the ledger: the scarce field and who was given rights to it.
std::string LedgerField(std::string_view field, const Origin& taker) {
  std::string name(field);
  name.push_back('\0');
  PutByte(name, Raw(taker.region));
  PutFixed64(name, Raw(taker.incarnation));
  return name;
}

struct LedgerName {
  std::string_view field;
  Origin taker;
};
std::optional<LedgerName> ParseLedgerField(std::string_view name) {
  if (name.size() < kTakerBytes) return std::nullopt;
  ByteReader in(name.substr(name.size() - kTakerBytes));
  if (in.Byte() != 0) return std::nullopt;
  Origin taker;
  taker.region = RegionId{in.Byte()};
  taker.incarnation = Incarnation{in.Fixed64()};
  return LedgerName{name.substr(0, name.size() - kTakerBytes), taker};
}

// Sums stand at the ends of 64 bits; nobody who obeys the rules comes near.
std::int64_t Plus(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<std::int64_t>::max()
               : std::numeric_limits<std::int64_t>::min();
}
std::int64_t Minus(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b < 0 ? std::numeric_limits<std::int64_t>::max()
               : std::numeric_limits<std::int64_t>::min();
}

std::int64_t Whole(const Beyond& beyond) {
  if (!beyond.is_float) return beyond.sum;
  const double fraction = std::clamp(std::floor(beyond.float_sum), -9e18, 9e18);
  return Plus(beyond.sum, static_cast<std::int64_t>(fraction));
}

std::int64_t WholeOf(std::string_view number) {
  if (const auto whole = ParseInt(number)) return *whole;
  return Whole({.sum = 0, .float_sum = ParseFloat(number).value_or(0), .is_float = true});
}

// What others took beyond their rights before the field was declared scarce: nobody may take what
// makes up for it. Each region leaves all of it, so no two take the same.
std::int64_t DebtsOf(const Rights& rights, const Origin& self) {
  std::int64_t debts = 0;
  for (const auto& [origin, held] : rights) {
    if (origin != self && held < 0) debts = Plus(debts, Minus(0, held));
  }
  return debts;
}

bool IsStable(const Dot& dot, const Proof& proof) {
  return proof.compared && proof.stable.cut.Covers(dot);
}
bool IsStable(const Field& field, const Proof& proof) {
  if (field.has_cell && !IsStable(field.cell.dot, proof)) return false;
  return std::ranges::all_of(field.shares, [&](const Share& share) {
    return IsStable(Dot{share.origin, share.seq}, proof);
  });
}

// The ledger's counters of one field.
template <typename Each>
void ForEachTaker(const Record& ledger, std::string_view field, Each each) {
  for (const Field& counter : ledger.fields) {
    const auto name = ParseLedgerField(counter.name);
    if (name && name->field == field) each(counter, name->taker);
  }
}

// Nobody has a right to any of it, and everybody knows all that was ever done to it.
bool IsOver(const Record& record, const Field& field, const Record& ledger, const Proof& proof) {
  if (HW_VARIANT(kRightsDeleted)) return true;
  const Shown shown = Show(field);
  const std::string_view text = shown.is_counter ? std::string_view(shown.text) : shown.value;
  // What is no whole number was there before the field was scarce; nobody can take of it.
  if (shown.visible && ParseInt(text).value_or(0) != 0) return false;
  if (!RightsOf(record, field.name, ledger).empty() || !IsStable(field, proof)) return false;
  bool known = true;
  ForEachTaker(ledger, field.name,
               [&](const Field& counter, const Origin&) { known &= IsStable(counter, proof); });
  return known;
}

class Judge {
 public:
  Judge(const ScarceFields& scarce, const Origin& self, std::size_t members,
        const std::function<Proof()>& proof, LocalTxn& txn)
      : scarce_(scarce), self_(self), members_(members), proof_(proof), txn_(txn) {}

  bool Take(const Change& change) {
    if (change.table == kRightsTable) return TakeGift(change);
    const auto fields = scarce_.find(change.table);
    return fields == scarce_.end() || TakeWrite(change, fields->second);
  }
  ScarceTaken& taken() { return taken_; }
  ScarceRefused& refused() { return refused_; }

 private:
  const Record& Ledger(const Change& change) {
    return txn_.Held(kRightsTable, LedgerKey(change.table, change.key));
  }

  bool TakeWrite(const Change& change, const std::set<std::string, std::less<>>& fields) {
    const Record& held = txn_.Held(change.table, change.key);
    // No record of the table gets an expiry: another region may be adding to it at this moment. One
    // that has got one elsewhere is written only to end that.
    const Op* said = change.ops.front().expiry ? &change.ops.front() : nullptr;  // it comes first
    if (said && !said->null && !HW_VARIANT(kRightsExpire)) return InTheWay();
    const bool expires = !said && ExpiryMs(held).has_value();
    for (const Op& op : change.ops) {
      if (op.expiry || !fields.contains(op.field)) continue;
      if (expires && op.type == Op::Type::kAdd) return InTheWay();
      if (!TakeOp(change, held, op)) return false;
    }
    return true;
  }

  bool TakeOp(const Change& change, const Record& held, const Op& op) {
    if (op.type == Op::Type::kPut) {
      if (!op.null) return InTheWay();
      const Field* field = held.Find(op.field);
      if (field == nullptr) return true;
      const Record& ledger = Ledger(change);
      if (!IsOver(held, *field, ledger, proof_())) return InTheWay();
      Forget(change, op.field, ledger);
      return true;
    }
    if (op.delta >= 0) return true;
    if (op.delta == std::numeric_limits<std::int64_t>::min()) return InTheWay();  // nobody has that
    const Rights rights = RightsOf(held, op.field, Ledger(change));
    const std::int64_t debts = DebtsOf(rights, self_);
    return Spend(change.table, change.key, op.field, rights, Plus(-op.delta, debts));
  }

  bool TakeGift(const Change& change) {
    const std::size_t zero = change.key.find('\0');
    HW_ASSERT(zero != std::string_view::npos);
    const std::string_view table = change.key.substr(0, zero), key = change.key.substr(zero + 1);
    const Record& ledger = txn_.Held(kRightsTable, change.key);
    const Record& record = txn_.Held(table, key);
    if (ExpiryMs(record)) return InTheWay();
    for (const Op& op : change.ops) {
      if (op.type != Op::Type::kAdd) continue;
      const auto name = ParseLedgerField(op.field);
      HW_ASSERT(name && op.delta > 0);
      if (HW_VARIANT(kRightsGivenUnheld)) continue;
      if (!Spend(table, key, name->field, RightsOf(record, name->field, ledger), op.delta)) {
        return false;
      }
    }
    return true;
  }

  // True if `amount` is held here. What is short or runs low becomes a wish.
  bool Spend(std::string_view table, std::string_view key, std::string_view field,
             const Rights& rights, std::int64_t amount) {
    const std::int64_t held = RightsOf(rights, self_);
    std::int64_t total = 0;
    for (const auto& [origin, theirs] : rights)
      total = Plus(total, std::max<std::int64_t>(theirs, 0));
    const bool is_short = held < amount && !HW_VARIANT(kRightsNotAsked);
    // Below half of an equal part it runs low: more is asked for before it is needed.
    const auto parts = static_cast<std::int64_t>(2 * members_);
    const std::int64_t left = Minus(held, amount);
    if (!is_short && (total <= held || left >= Minus(total, amount) / parts)) return true;
    RightsWish wish{.table = std::string(table),
                    .key = std::string(key),
                    .field = std::string(field),
                    .held = held,
                    .holders = {}};
    for (const auto& [origin, theirs] : rights) {
      if (origin != self_ && theirs > 0) wish.holders.emplace_back(origin, theirs);
    }
    std::ranges::sort(wish.holders, std::greater<>{},
                      [](const auto& holder) { return holder.second; });
    if (is_short) {
      wish.need = Minus(amount, held);
      refused_ = {.why = ScarceRefused::Why::kShort, .wish = std::move(wish)};
      return false;
    }
    wish.held = left;
    taken_.ahead.push_back(std::move(wish));
    return true;
  }

  // What was given of a field that is over, is over with it.
  void Forget(const Change& change, std::string_view field, const Record& ledger) {
    RecordEdit* edit = nullptr;
    ForEachTaker(ledger, field, [&](const Field& counter, const Origin&) {
      if (edit == nullptr) {
        edit = &txn_.Edit(kRightsTable, LedgerKey(change.table, change.key));
      }
      taken_.added |= edit->Delete(counter.name);
    });
  }

  bool InTheWay() {
    refused_ = {.why = ScarceRefused::Why::kInTheWay, .wish = {}};
    return false;
  }

  const ScarceFields& scarce_;
  const Origin& self_;
  std::size_t members_;
  const std::function<Proof()>& proof_;
  LocalTxn& txn_;
  ScarceTaken taken_;
  ScarceRefused refused_;
};

}  // namespace

ScarceFields ScarceFieldsOf(const Schema& schema) {
  ScarceFields scarce;
  for (const auto& [table, rule] : schema.tables) {
    for (const auto& [field, field_rule] : rule.fields) {
      if (field_rule.scarce()) scarce[table].insert(field);
    }
  }
  return scarce;
}

Rights RightsOf(const Record& record, std::string_view field_name, const Record& ledger) {
  Rights rights;
  if (const Field* field = record.Find(field_name); field && TakesShares(*field)) {
    if (field->has_cell && !field->cell.null) {  // written before the field was declared
      rights[field->cell.dot.origin] = WholeOf(field->cell.value);
    }
    for (const Share& share : field->shares) {
      const auto beyond = BeyondSeen(share, field->seen);
      if (beyond) rights[share.origin] = Plus(rights[share.origin], Whole(*beyond));
    }
  }
  ForEachTaker(ledger, field_name, [&](const Field& counter, const Origin& taker) {
    for (const Share& given : counter.shares) {
      const auto beyond = BeyondSeen(given, counter.seen);
      if (!beyond) continue;
      const std::int64_t amount = Whole(*beyond);
      if (!HW_VARIANT(kRightsCountedTwice)) {
        rights[given.origin] = Minus(rights[given.origin], amount);
      }
      rights[taker] = Plus(rights[taker], amount);
    }
  });
  std::erase_if(rights, [](const auto& held) { return held.second == 0; });
  return rights;
}

std::int64_t RightsOf(const Rights& rights, const Origin& origin) {
  const auto at = rights.find(origin);
  return at == rights.end() ? 0 : at->second;
}

std::string LedgerKey(std::string_view table, std::string_view key) {
  std::string ledger_key(table);
  ledger_key.push_back('\0');
  ledger_key.append(key);
  return ledger_key;
}

std::string LedgerRowKey(std::string_view table, std::string_view key) {
  std::string row_key;
  AppendRowKey(kRightsTable, LedgerKey(table, key), row_key);
  return row_key;
}

std::expected<ScarceTaken, ScarceRefused> TakeScarce(const std::vector<Change>& changes,
                                                     const ScarceFields& scarce, const Origin& self,
                                                     std::size_t members,
                                                     const std::function<Proof()>& proof,
                                                     LocalTxn& txn) {
  Judge judge(scarce, self, members, proof, txn);
  for (const Change& change : changes) {
    if (!judge.Take(change)) return std::unexpected(std::move(judge.refused()));
  }
  return std::move(judge.taken());
}

bool GiveRights(LocalTxn& txn, std::string_view table, std::string_view key, std::string_view field,
                const Origin& to, std::int64_t amount) {
  HW_ASSERT(amount > 0);
  RecordEdit& edit = txn.Edit(kRightsTable, LedgerKey(table, key));
  return edit.Add(LedgerField(field, to), amount).has_value();
}

std::int64_t RightsToGive(std::int64_t held, std::int64_t theirs, std::int64_t need) {
  if (held <= 0) return 0;
  return std::min(held, std::max(need, Minus(held, theirs) / 2));
}

}  // namespace hawser
