#include "conflict/edit.h"

#include <algorithm>
#include <cmath>

#include "conflict/assert.h"
#include "conflict/merge.h"
#include "conflict/variant.h"

namespace hawser {

RecordEdit::RecordEdit(std::string_view table, std::string_view key, const Record& held,
                       const Schema& schema, Origin self, std::int64_t now_ms)
    : table_(table), key_(key), held_(held), schema_(schema), self_(self), now_ms_(now_ms) {
  if (!IsExpired(held, now_ms)) {
    visible_ = static_cast<std::size_t>(std::ranges::count_if(held.fields, IsVisible));
  }
  was_dead_ = visible_ == 0;
}

// --- What a reader sees ----------------------------------------------------------------------

bool RecordEdit::Alive() const {
  return visible_ > 0;
}

std::optional<std::string> RecordEdit::Get(std::string_view field) const {
  if (const Pending* pending = PendingOf(field)) {
    return pending->shown ? std::optional(pending->text) : std::nullopt;
  }
  const Field* held = HeldField(field);
  if (!held || was_dead_) return std::nullopt;
  Shown shown = Show(*held);
  if (!shown.visible) return std::nullopt;
  return shown.is_counter ? std::move(shown.text) : std::string(shown.value);
}

std::vector<std::string> RecordEdit::VisibleFields() const {
  std::vector<std::string> names;
  names.reserve(visible_);
  for (const Field& field : held_.fields) {
    if (!PendingOf(field.name) && HeldShows(&field)) names.emplace_back(field.name);
  }
  for (const auto& [name, pending] : pending_) {
    if (pending.shown) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

std::optional<std::int64_t> RecordEdit::ExpiryMs() const {
  if (!Alive()) return std::nullopt;
  if (expiry_touched_) return expiry_ms_;
  return was_dead_ ? std::nullopt : hawser::ExpiryMs(held_);
}

const RecordEdit::Pending* RecordEdit::PendingOf(std::string_view field) const {
  if (pending_.empty()) return nullptr;
  const auto at = pending_.find(field);
  return at == pending_.end() ? nullptr : &at->second;
}

bool RecordEdit::Shows(std::string_view field) const {
  const Pending* pending = PendingOf(field);
  return pending ? pending->shown : HeldShows(HeldField(field));
}

// --- Taking note of intentions -------------------------------------------------------------------

void RecordEdit::Intend(std::string_view field, Pending pending) {
  const auto at = pending_.lower_bound(field);
  const bool again = at != pending_.end() && at->first == field;
  if (again ? at->second.shown : HeldShows(HeldField(field))) --visible_;
  if (pending.shown) ++visible_;
  if (again) {
    at->second = std::move(pending);
  } else {
    pending_.emplace_hint(at, field, std::move(pending));
  }
  if (visible_ == 0) DropExpiry();
}

// Set and deleted in the same txn: nothing is left of it.
void RecordEdit::Forget(PendingMap::iterator at) {
  if (at->second.shown) --visible_;
  pending_.erase(at);
  if (visible_ == 0) DropExpiry();
}

// A record that shows nothing any more takes its expiry with it; what comes after starts without.
void RecordEdit::DropExpiry() {
  if (!expiry_touched_ && !(held_.expiry && !held_.expiry->null)) return;
  expiry_touched_ = true;
  expiry_ms_.reset();
}

// --- Intentions --------------------------------------------------------------------------------

// A value that shows and is of a stronger kind than declared here (the declaration has not come
// yet) keeps its kind: a put of the weaker kind would be swallowed by the join.
bool RecordEdit::KeepsHeldKind(std::string_view field, const FieldRule& rule) const {
  const Field* held = HeldField(field);
  if (!held || !held->has_cell || held->cell.kind <= rule.kind) return false;
  const Pending* pending = PendingOf(field);
  return pending ? pending->kind == held->cell.kind && !pending->null : HeldShows(held);
}

std::expected<RecordEdit::Pending, EditError> RecordEdit::MakePut(std::string_view field,
                                                                  std::string_view value) const {
  const FieldRule& rule = schema_.Rule(table_, field);
  const Field* held = HeldField(field);
  const Pending* pending = PendingOf(field);
  Pending put;
  put.put = put.shown = true;
  put.kind = rule.kind;
  if (held && held->has_cell && KeepsHeldKind(field, rule)) {
    put.kind = held->cell.kind;
    put.rank = held->cell.rank;
    // Of a line of states that is not declared here only the state held is known.
    if (put.kind == Kind::kStates && value != held->cell.value) {
      return std::unexpected(EditError::kNotAState);
    }
  } else if (rule.kind == Kind::kStates) {
    const auto rank = rule.RankOf(value);
    if (!rank) return std::unexpected(EditError::kNotAState);
    put.rank = *rank;
  }
  if (held && held->has_cell) {
    const bool stronger = held->cell.kind > put.kind;  // gone, but its null is still held
    // A value that is gone (deleted in this txn, or expired) gives way by generation.
    const bool gone =
        !held->cell.null && put.kind != Kind::kLww && (was_dead_ || (pending && pending->null));
    put.raise = stronger || gone || (pending && pending->raise && !pending->null);
  }
  put.text = value;
  return put;
}

// What the join would make of a put of a kind with an order, beside what shows now.
std::expected<RecordEdit::Effect, EditError> RecordEdit::Judge(std::string_view field,
                                                               const Pending& put) const {
  if (put.kind == Kind::kLww) return Effect::kWritten;
  const auto current = Get(field);
  if (!current) return Effect::kWritten;
  if (*current == put.text) return Effect::kNoOp;
  const Field* held = HeldField(field);
  const Pending* pending = PendingOf(field);
  switch (put.kind) {
    case Kind::kStates: {
      const bool held_is_state = held && held->has_cell && held->cell.kind == Kind::kStates;
      const std::uint64_t rank = pending ? pending->rank : held_is_state ? held->cell.rank : 0;
      if (put.rank < rank) return std::unexpected(EditError::kBackwards);
      break;
    }
    case Kind::kFirst:
      if (!pending && held->has_cell && held->cell.kind == Kind::kFirst) {
        return std::unexpected(EditError::kImmutable);
      }
      break;
    case Kind::kMax:
      if (CompareValues(put.text, *current) <= 0) return Effect::kNoOp;
      break;
    case Kind::kMin:
      if (CompareValues(put.text, *current) >= 0) return Effect::kNoOp;
      break;
    case Kind::kLww:
      break;
  }
  return Effect::kWritten;
}

std::expected<RecordEdit::Effect, EditError> RecordEdit::AddDifference(std::string_view field,
                                                                       std::string_view value) {
  const auto wanted = ParseInt(value), current = ParseInt(Get(field).value_or("0"));
  if (!wanted || !current) return std::unexpected(EditError::kNotANumber);
  if (Shows(field) && *wanted == *current) return Effect::kNoOp;
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(*wanted, *current, &difference)) {
    return std::unexpected(EditError::kOverflow);
  }
  if (const auto sum = Add(field, difference); !sum) return std::unexpected(sum.error());
  return Effect::kWritten;
}

std::expected<RecordEdit::Effect, EditError> RecordEdit::Set(std::string_view field,
                                                             std::string_view value) {
  return schema_.Rule(table_, field).scarce() ? AddDifference(field, value) : SetOver(field, value);
}

std::expected<RecordEdit::Effect, EditError> RecordEdit::SetOver(std::string_view field,
                                                                 std::string_view value) {
  auto put = MakePut(field, value);
  if (!put) return std::unexpected(put.error());
  const auto effect = Judge(field, *put);
  if (effect && *effect == Effect::kWritten) Intend(field, std::move(*put));
  return effect;
}

RecordEdit::Pending RecordEdit::NullOf(const Field& held) {
  Pending put;
  put.put = put.null = true;
  put.kind = held.has_cell ? held.cell.kind : Kind::kLww;
  put.raise = put.kind != Kind::kLww && !HW_VARIANT(kGenerationNotRaised);
  return put;
}

bool RecordEdit::Delete(std::string_view field) {
  if (!Shows(field)) return false;
  const Field* held = HeldField(field);
  if (HeldShows(held)) {
    Intend(field, NullOf(*held));
  } else {
    Forget(pending_.find(field));
  }
  return true;
}

bool RecordEdit::DeleteAll() {
  if (!Alive()) return false;
  for (const std::string& field : VisibleFields()) Delete(field);
  return true;
}

std::expected<RecordEdit::Effect, EditError> RecordEdit::ReplaceWith(std::string_view field,
                                                                     std::string_view value,
                                                                     bool keep_expiry) {
  const auto effect = Set(field, value);
  if (!effect) return effect;
  if (visible_ > 1) {
    for (const std::string& other : VisibleFields()) {
      if (other != field) Delete(other);
    }
  }
  if (!keep_expiry) ResetExpiry();
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
  const FieldRule& rule = schema_.Rule(table_, field);
  if (rule.kind != Kind::kLww || KeepsHeldKind(field, rule)) {
    if (auto effect = SetOver(field, result); !effect) return std::unexpected(effect.error());
    return Get(field).value_or(result);
  }
  const Field* held = HeldField(field);
  if (held && held->has_cell && held->cell.kind != Kind::kLww) {  // its null takes no shares
    auto put = MakePut(field, result);
    if (!put) return std::unexpected(put.error());
    Intend(field, std::move(*put));
    return result;
  }
  Pending pending;
  if (const Pending* before = PendingOf(field)) pending = *before;
  pending.shown = true;
  if (pending.put && !pending.null) {
    pending.text = result;
    Intend(field, std::move(pending));
    return result;
  }
  pending.add = true;
  pending.is_float |= is_float;
  pending.float_delta += float_delta;
  std::int64_t sum = 0;
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
  result = pending.text;
  Intend(field, std::move(pending));
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
  if (schema_.Rule(table_, field).scarce()) return std::unexpected(EditError::kNotANumber);
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
  if (unix_ms <= now_ms_) {
    DeleteAll();
    return;
  }
  expiry_touched_ = true;
  expiry_ms_ = unix_ms;
}

bool RecordEdit::ClearExpiry() {
  if (!ExpiryMs()) return false;
  expiry_touched_ = true;
  expiry_ms_.reset();
  return true;
}

void RecordEdit::ResetExpiry() {
  expiry_touched_ = expiry_replaced_ = true;
  expiry_ms_.reset();
}

void RecordEdit::Override(std::string_view field, std::string_view value, std::uint64_t above) {
  const FieldRule& rule = schema_.Rule(table_, field);
  const Field* held = HeldField(field);
  OverrideAs(KeepsHeldKind(field, rule) ? held->cell.kind : rule.kind, field, value, above);
}

void RecordEdit::OverrideAs(Kind kind, std::string_view field, std::string_view value,
                            std::uint64_t above) {
  Pending put;
  put.put = put.shown = true;
  put.raise = !HW_VARIANT(kOverrideNotRaised);
  put.above = above;
  put.kind = kind;
  put.rank = kind == Kind::kStates ? schema_.Rule(table_, field).RankOf(value).value_or(0) : 0;
  put.text = value;
  Intend(field, std::move(put));
}

void RecordEdit::OverrideNull(std::string_view field, std::uint64_t above) {
  const Field* held = HeldField(field);
  Pending put = NullOf(held ? *held : Field{});
  put.raise = true;
  put.above = above;
  Intend(field, std::move(put));
}

void RecordEdit::OverrideExpiry(std::optional<std::int64_t> unix_ms) {
  HW_ASSERT(Alive() && (!unix_ms || *unix_ms > now_ms_));
  expiry_touched_ = expiry_replaced_ = expiry_raised_ = true;
  expiry_ms_ = unix_ms;
}

// --- The outcome ---------------------------------------------------------------------------------

void RecordEdit::FinishPut(const Field* held, const Pending& pending, std::string_view name,
                           Change& change) const {
  Op& op = change.ops.emplace_back();
  op.field = name;
  op.absent = !held || !held->has_cell;
  op.kind = pending.kind;
  op.null = pending.null;
  op.rank = pending.null ? 0 : pending.rank;
  if (!pending.null) op.value = pending.text;
  op.generation = held && held->has_cell ? held->cell.generation : 0;
  if (pending.raise) op.generation = std::max(op.generation, pending.above) + 1;
  if (!held || op.kind != Kind::kLww) return;
  op.seen = held->shares;
  for (Share& share : op.seen) share.stamp = {};
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
    FinishPut(held, NullOf(*held), name, change);
  }
  if (pending.add) FinishAdd(held, pending, name, change);
}

void RecordEdit::FinishExpiry(Change& change) const {
  const bool holds_value = held_.expiry && !held_.expiry->null;
  const bool holds_null = held_.expiry && held_.expiry->null;
  const bool touched = expiry_touched_ || (was_dead_ && holds_value);
  if (!touched || (!expiry_ms_ && holds_null && !expiry_replaced_)) return;
  if (!expiry_ms_ && !held_.expiry && pending_.empty()) return;  // there never was one
  Op& op = change.ops.emplace_back();
  op.expiry = true;
  op.absent = !held_.expiry;
  op.null = !expiry_ms_;
  if (expiry_ms_) op.value = expiry_bytes_;
  op.generation = (held_.expiry ? held_.expiry->generation : 0) + (expiry_raised_ ? 1 : 0);
}

// Ops in their order: the expiry, then the fields by name.
Change RecordEdit::Finish() {
  Change change{.table = table_, .key = key_, .created = held_.empty(), .ops = {}};
  if (pending_.empty() && !expiry_touched_) return change;
  change.ops.reserve(pending_.size() + 1 + (was_dead_ ? held_.fields.size() : 0));
  if (expiry_ms_) expiry_bytes_ = EncodeExpiry(*expiry_ms_);
  FinishExpiry(change);
  auto held = held_.fields.begin();
  const auto finish_held_before = [&](const std::string_view* name) {
    for (; held != held_.fields.end() && (!name || held->name < *name); ++held) {
      if (was_dead_) FinishField(&*held, {}, held->name, change);
    }
  };
  for (const auto& [name, pending] : pending_) {
    const std::string_view view = name;
    finish_held_before(&view);
    const bool same = held != held_.fields.end() && held->name == name;
    FinishField(same ? &*held : nullptr, pending, name, change);
    if (same) ++held;
  }
  finish_held_before(nullptr);
  return change;
}

}  // namespace hawser
