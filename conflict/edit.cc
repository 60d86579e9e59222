#include "conflict/edit.h"

#include <algorithm>
#include <cmath>

#include "conflict/assert.h"
#include "conflict/merge.h"

namespace hawser {

RecordEdit::RecordEdit(std::string_view table, std::string_view key, const Record& held,
                       const Schema& schema, Origin self, std::int64_t now_ms)
    : table_(table),
      key_(key),
      held_(held),
      schema_(schema),
      self_(self),
      now_ms_(now_ms),
      was_dead_(!IsAlive(held, now_ms)) {}

// --- What a reader sees ----------------------------------------------------------------------

std::optional<std::string> RecordEdit::Get(std::string_view field) const {
  if (const auto at = pending_.find(field); at != pending_.end()) return at->second.text;
  const Field* held = HeldField(field);
  if (!held || was_dead_) return std::nullopt;
  Shown shown = Show(*held);
  if (!shown.visible) return std::nullopt;
  return shown.is_counter ? std::move(shown.text) : std::string(shown.value);
}

std::vector<std::string> RecordEdit::VisibleFields() const {
  std::vector<std::string> names;
  for (const Field& field : held_.fields) {
    if (!pending_.contains(field.name) && HeldVisible(field)) names.emplace_back(field.name);
  }
  for (const auto& [name, pending] : pending_) {
    if (pending.text) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

bool RecordEdit::Alive() const {
  for (const auto& [name, pending] : pending_) {
    if (pending.text) return true;
  }
  return std::ranges::any_of(held_.fields, [this](const Field& field) {
    return !pending_.contains(field.name) && HeldVisible(field);
  });
}

std::optional<std::int64_t> RecordEdit::ExpiryMs() const {
  if (!Alive()) return std::nullopt;
  if (expiry_touched_) return expiry_ms_;
  return was_dead_ ? std::nullopt : hawser::ExpiryMs(held_);
}

// --- Intentions --------------------------------------------------------------------------------

// The declared rule; a field that already holds a value of a stronger kind keeps that kind where
// nothing is declared here, because an lww put would be swallowed by the join.
FieldRule RecordEdit::EffectiveRule(std::string_view field) const {
  FieldRule rule = RuleOf(field);
  const Field* held = HeldField(field);
  if (held && held->has_cell && held->cell.kind > rule.kind) {
    rule = FieldRule{};
    rule.kind = held->cell.kind;
    if (rule.kind == Kind::kStates && !held->cell.null) {  // only the state it has is known here
      rule.states = {std::string(held->cell.value)};
      rule.ranks = {held->cell.rank};
    }
  }
  return rule;
}

std::expected<RecordEdit::Pending, EditError> RecordEdit::MakePut(const FieldRule& rule,
                                                                  std::string_view field,
                                                                  std::string_view value) const {
  Pending put{.put = true, .kind = rule.kind, .text = std::string(value)};
  if (rule.kind == Kind::kStates) {
    const auto rank = rule.RankOf(value);
    if (!rank) return std::unexpected(EditError::kNotAState);
    put.rank = *rank;
  }
  if (rule.kind == Kind::kLww) return put;
  // A value that is gone (deleted in this txn, or expired) gives way by generation.
  const Field* held = HeldField(field);
  const auto pending = pending_.find(field);
  const bool deleted_here = pending != pending_.end() && pending->second.null;
  const bool holds_value = held && held->has_cell && !held->cell.null;
  put.raise = holds_value &&
              (deleted_here || was_dead_ || (pending != pending_.end() && pending->second.raise));
  return put;
}

std::expected<RecordEdit::Effect, EditError> RecordEdit::Set(std::string_view field,
                                                             std::string_view value) {
  const FieldRule rule = EffectiveRule(field);
  auto put = MakePut(rule, field, value);
  if (!put) return std::unexpected(put.error());
  if (rule.kind != Kind::kLww) {
    if (const auto current = Get(field)) {
      const Field* held = HeldField(field);
      const auto pending = pending_.find(field);
      if (*current == value) return Effect::kNoOp;
      switch (rule.kind) {
        case Kind::kStates: {
          const std::uint64_t rank = pending != pending_.end()          ? pending->second.rank
                                     : held->cell.kind == Kind::kStates ? held->cell.rank
                                                                        : 0;
          if (put->rank < rank) return std::unexpected(EditError::kBackwards);
          break;
        }
        case Kind::kFirst:
          if (pending == pending_.end() && held->cell.kind == Kind::kFirst) {
            return std::unexpected(EditError::kImmutable);
          }
          break;
        case Kind::kMax:
          if (CompareValues(value, *current) <= 0) return Effect::kNoOp;
          break;
        case Kind::kMin:
          if (CompareValues(value, *current) >= 0) return Effect::kNoOp;
          break;
        case Kind::kLww:
          break;
      }
    }
  }
  pending_.insert_or_assign(std::string(field), std::move(*put));
  return Effect::kWritten;
}

RecordEdit::Pending RecordEdit::NullOf(const Field* held) const {
  const Kind kind = held && held->has_cell ? held->cell.kind : Kind::kLww;
  return Pending{.put = true, .null = true, .raise = kind != Kind::kLww, .kind = kind};
}

bool RecordEdit::Delete(std::string_view field) {
  if (!Get(field)) return false;
  const Field* held = HeldField(field);
  if (held && HeldVisible(*held)) {
    pending_.insert_or_assign(std::string(field), NullOf(held));
  } else {
    pending_.erase(pending_.find(field));  // set and deleted in the same txn
  }
  return true;
}

bool RecordEdit::DeleteAll() {
  const std::vector<std::string> visible = VisibleFields();
  for (const std::string& field : visible) Delete(field);
  if (!visible.empty() && (expiry_touched_ || hawser::ExpiryMs(held_))) {
    expiry_touched_ = true;
    expiry_ms_.reset();
  }
  return !visible.empty();
}

std::expected<RecordEdit::Effect, EditError> RecordEdit::ReplaceWith(std::string_view field,
                                                                     std::string_view value,
                                                                     bool keep_expiry) {
  const auto effect = Set(field, value);
  if (!effect) return effect;
  for (const std::string& other : VisibleFields()) {
    if (other != field) Delete(other);
  }
  if (!keep_expiry) {
    expiry_touched_ = true;
    expiry_ms_.reset();
  }
  return effect;
}

// The own share goes on unless the base has folded it in, or this txn nulls the base.
bool RecordEdit::ExtendsShare(const Field* held, const Pending& pending) const {
  if (!held || was_dead_ || pending.put) return false;
  const auto own = std::ranges::find(held->shares, self_, &Share::origin);
  if (own == held->shares.end()) return false;
  const auto seen = std::ranges::find(held->seen, self_, &Share::origin);
  return seen == held->seen.end() || seen->start != own->start || seen->seq != own->seq;
}

// What readers will see once this add is applied: the merge itself says it, so that a reply and a
// later read agree to the last digit of a float.
std::string RecordEdit::ShownAfter(std::string_view name, const Pending& pending) const {
  const Field* held = HeldField(name);
  Record record;
  if (held) record.fields.push_back(*held);
  Change change;
  FinishField(held, pending, name, change);
  static const Cut kNothing;
  const Writer writer{{self_, Seq{~0ULL}}, {Stamp{~0ULL}, self_.region}, kNothing};
  std::vector<Discarded> none;
  ApplyChange(writer, change, record, none);
  const Shown shown = Show(record.fields.front());
  return shown.is_counter ? shown.text : std::string(shown.value);
}

// An add to what this txn has put changes the value put; else it goes to the own share.
std::expected<std::string, EditError> RecordEdit::AddTo(std::string_view field, std::string result,
                                                        std::int64_t delta, double float_delta,
                                                        bool is_float) {
  if (EffectiveRule(field).kind != Kind::kLww) {
    if (auto effect = Set(field, result); !effect) return std::unexpected(effect.error());
    return result;
  }
  const auto at = pending_.find(field);
  Pending pending = at == pending_.end() ? Pending{} : at->second;
  if (pending.put && !pending.null) {
    pending.text = result;
    pending_.insert_or_assign(std::string(field), std::move(pending));
    return result;
  }
  pending.add = true;
  pending.is_float |= is_float;
  pending.float_delta += float_delta;
  std::int64_t sum = 0;
  const Field* held = HeldField(field);
  if (ExtendsShare(held, pending)) {
    const Share& own = *std::ranges::find(held->shares, self_, &Share::origin);
    sum = own.sum;
    if (!std::isfinite(own.float_sum + pending.float_delta)) {
      return std::unexpected(EditError::kOverflow);
    }
  }
  if (__builtin_add_overflow(pending.delta, delta, &pending.delta) ||
      __builtin_add_overflow(sum, pending.delta, &sum) || !std::isfinite(pending.float_delta)) {
    return std::unexpected(EditError::kOverflow);
  }
  pending.text = ShownAfter(field, pending);
  result = *pending.text;
  pending_.insert_or_assign(std::string(field), std::move(pending));
  return result;
}

std::expected<std::int64_t, EditError> RecordEdit::Add(std::string_view field, std::int64_t delta) {
  const auto current = ParseInt(Get(field).value_or("0"));
  if (!current) return std::unexpected(EditError::kNotANumber);
  std::int64_t result = 0;
  if (__builtin_add_overflow(*current, delta, &result)) {
    return std::unexpected(EditError::kOverflow);
  }
  const auto shown = AddTo(field, std::to_string(result), delta, 0, false);
  if (!shown) return std::unexpected(shown.error());
  return ParseInt(*shown).value_or(result);
}

std::expected<double, EditError> RecordEdit::AddFloat(std::string_view field, double delta) {
  const auto current = ParseFloat(Get(field).value_or("0"));
  if (!current) return std::unexpected(EditError::kNotANumber);
  const double result = *current + delta;
  if (!std::isfinite(result)) return std::unexpected(EditError::kOverflow);
  const auto shown = AddTo(field, FormatFloat(result), 0, delta, true);
  if (!shown) return std::unexpected(shown.error());
  return ParseFloat(*shown).value_or(result);
}

void RecordEdit::SetExpiry(std::int64_t unix_ms) {
  HW_ASSERT(Alive());
  expiry_touched_ = true;
  expiry_ms_ = unix_ms;
}

bool RecordEdit::ClearExpiry() {
  if (!ExpiryMs()) return false;
  expiry_touched_ = true;
  expiry_ms_.reset();
  return true;
}

void RecordEdit::Override(std::string_view field, std::string_view value) {
  const FieldRule rule = EffectiveRule(field);
  Pending put{.put = true, .raise = true, .kind = rule.kind, .text = std::string(value)};
  put.rank = rule.RankOf(value).value_or(0);
  pending_.insert_or_assign(std::string(field), std::move(put));
}

// --- The outcome ---------------------------------------------------------------------------------

void RecordEdit::FinishPut(const Field* held, const Pending& pending, std::string_view name,
                           Change& change) const {
  Op& op = change.ops.emplace_back();
  op.field = name;
  op.absent = !held;
  op.kind = pending.kind;
  op.null = pending.null;
  op.rank = pending.null ? 0 : pending.rank;
  if (!pending.null) op.value = *pending.text;
  if (held && held->has_cell) op.generation = held->cell.generation + (pending.raise ? 1 : 0);
  if (held && op.kind == Kind::kLww) op.seen = held->shares;
}

void RecordEdit::FinishAdd(const Field* held, const Pending& pending, std::string_view name,
                           Change& change) const {
  Op& op = change.ops.emplace_back();
  op.type = Op::Type::kAdd;
  op.field = name;
  op.absent = !held;
  op.delta = op.sum = pending.delta;
  op.float_delta = op.float_sum = pending.float_delta;
  op.has_float = pending.is_float;
  if (!ExtendsShare(held, pending)) return;
  const auto own = std::ranges::find(held->shares, self_, &Share::origin);
  op.start = own->start;
  op.sum = own->sum + pending.delta;
  op.float_sum = own->float_sum + pending.float_delta;
  op.has_float = own->has_float || pending.is_float;
}

void RecordEdit::FinishField(const Field* held, const Pending& pending, std::string_view name,
                             Change& change) const {
  if (pending.put) {
    FinishPut(held, pending, name, change);
  } else if (was_dead_ && held && IsVisible(*held)) {  // expired: nulled by the first write
    FinishPut(held, NullOf(held), name, change);
  }
  if (pending.add) FinishAdd(held, pending, name, change);
}

void RecordEdit::FinishExpiry(Change& change) const {
  const bool holds_value = held_.expiry && !held_.expiry->null;
  const std::optional<std::int64_t> wanted = expiry_touched_ ? expiry_ms_ : std::nullopt;
  const bool touched = expiry_touched_ || (was_dead_ && holds_value);
  if (!touched || (!wanted && held_.expiry && held_.expiry->null)) return;
  Op& op = change.ops.emplace_back();
  op.expiry = true;
  op.absent = !held_.expiry;
  op.null = !wanted;
  if (wanted) op.value = expiry_bytes_;
  if (held_.expiry) op.generation = held_.expiry->generation;
}

Change RecordEdit::Finish() {
  Change change{.table = table_, .key = key_, .created = held_.empty(), .ops = {}};
  if (pending_.empty() && !expiry_touched_) return change;
  if (expiry_ms_) expiry_bytes_ = EncodeExpiry(*expiry_ms_);
  FinishExpiry(change);
  for (const Field& field : held_.fields) {
    if (was_dead_ && !pending_.contains(field.name)) FinishField(&field, {}, field.name, change);
  }
  for (const auto& [name, pending] : pending_) {
    FinishField(HeldField(name), pending, name, change);
  }
  return change;
}

}  // namespace hawser
