#pragma once

// RecordEdit: how a local write becomes a change. Starts from the record held, takes intentions
// (set, delete, replace, add, expire) in order, shows what a reader would see in between, and ends
// as one net change with generations, ranks and marks.
// Threads: a plain value. The held record must outlive the edit; text handed in is copied.

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conflict/record.h"
#include "conflict/schema.h"
#include "conflict/txn.h"

namespace hawser {

enum class EditError {
  kBackwards,   // a state earlier than the one held
  kNotAState,   // a value outside the declared line of states
  kNotANumber,  // an add to something that is no integer (or, for floats, no number)
  kOverflow,    // an add past 64 bits
  kImmutable,   // another value for a `first` field that has one
};

class RecordEdit {
 public:
  // `held`: what this region holds, nulls included. `now_ms`: the clock that judges expiry.
  // `self`: the origin whose share an add extends.
  RecordEdit(std::string_view table, std::string_view key, const Record& held, const Schema& schema,
             Origin self, std::int64_t now_ms);

  // --- What a reader sees, the edits so far included -------------------------------------------
  bool Alive() const;                                            // at least one field visible
  std::optional<std::string> Get(std::string_view field) const;  // nullopt: not visible
  std::vector<std::string> VisibleFields() const;                // sorted
  std::optional<std::int64_t> ExpiryMs() const;                  // nullopt: none, or not alive

  // --- Intentions ------------------------------------------------------------------------------
  // kNoOp: the join would swallow it (a smaller max, the same state); nothing is written.
  // A scarce field gets the difference to what it shows as an add; how low it may go is judged when
  // the txn is committed (homing/escrow.h).
  enum class Effect { kWritten, kNoOp };
  std::expected<Effect, EditError> Set(std::string_view field, std::string_view value);
  // Deletes one field, the expiry too if it was the last one shown. False: was not visible.
  bool Delete(std::string_view field);
  bool DeleteAll();  // the record; the expiry goes with it. False: nothing visible
  // SET: deletes every other field and the expiry (unless keep_expiry), then sets the one field.
  std::expected<Effect, EditError> ReplaceWith(std::string_view field, std::string_view value,
                                               bool keep_expiry = false);
  std::expected<std::int64_t, EditError> Add(std::string_view field, std::int64_t delta);
  std::expected<double, EditError> AddFloat(std::string_view field, double delta);
  // A time that is not ahead of now_ms deletes the record. REQUIRES: Alive()
  void SetExpiry(std::int64_t unix_ms);
  bool ClearExpiry();  // PERSIST. False: there was none
  // The record is being replaced: it says "no expiry", even where it had none.
  void ResetExpiry();
  // An operator's override: like Set, with a generation above the one held, and above `above`: that
  // of a cell which may have been dropped here and not yet elsewhere, where a write that has not
  // seen the override would still go on from it.
  void Override(std::string_view field, std::string_view value, std::uint64_t above = 0);
  // The same with a kind of its own, whatever the field's rule.
  void OverrideAs(Kind kind, std::string_view field, std::string_view value,
                  std::uint64_t above = 0);
  void OverrideNull(std::string_view field, std::uint64_t above = 0);
  // nullopt: no expiry. REQUIRES: Alive(), and a time ahead of now_ms
  void OverrideExpiry(std::optional<std::int64_t> unix_ms);

  // --- The outcome -----------------------------------------------------------------------------
  // The net change, empty ops if nothing is to be written. Borrows from this edit and from `held`.
  Change Finish();

  const std::string& table() const { return table_; }
  const std::string& key() const { return key_; }

 private:
  // What is intended for one field: a put (a value or null), an add, or a null and an add after it.
  struct Pending {
    bool put = false;
    bool null = false;
    bool raise = false;       // generation above the held one
    std::uint64_t above = 0;  // … and above this
    bool add = false;
    bool is_float = false;
    bool shown = false;  // a reader sees `text`
    Kind kind = Kind::kLww;
    std::uint64_t rank = 0;
    std::int64_t delta = 0;
    double float_delta = 0;
    std::string text;  // what a reader sees; of a put, the value
  };
  using PendingMap = std::map<std::string, Pending, std::less<>>;

  const Field* HeldField(std::string_view field) const { return held_.Find(field); }
  const Pending* PendingOf(std::string_view field) const;
  bool Shows(std::string_view field) const;
  bool HeldShows(const Field* field) const { return field && !was_dead_ && IsVisible(*field); }
  void Intend(std::string_view field, Pending pending);
  void Forget(PendingMap::iterator at);
  void DropExpiry();

  bool KeepsHeldKind(std::string_view field, const FieldRule& rule) const;
  std::expected<Effect, EditError> AddDifference(std::string_view field, std::string_view value);
  std::expected<Effect, EditError> SetOver(std::string_view field, std::string_view value);
  std::expected<Pending, EditError> MakePut(std::string_view field, std::string_view value) const;
  std::expected<Effect, EditError> Judge(std::string_view field, const Pending& put) const;
  bool ExtendsShare(const Field* held, const Pending& pending) const;
  std::string ShownAfter(std::string_view name, const Pending& pending) const;
  std::expected<std::string, EditError> AddTo(std::string_view field, std::string result,
                                              std::int64_t delta, double float_delta,
                                              bool is_float);

  static Pending NullOf(const Field& held);
  void FinishPut(const Field* held, const Pending& pending, std::string_view name,
                 Change& change) const;
  void FinishAdd(const Field* held, const Pending& pending, std::string_view name,
                 Change& change) const;
  void FinishField(const Field* held, const Pending& pending, std::string_view name,
                   Change& change) const;
  void FinishExpiry(Change& change) const;

  std::string table_;
  std::string key_;
  const Record& held_;
  const Schema& schema_;
  Origin self_;
  std::int64_t now_ms_;
  std::size_t visible_ = 0;  // fields a reader sees now
  bool was_dead_;            // nothing of `held` shows: the first write nulls every cell held
  PendingMap pending_;
  bool expiry_touched_ = false;
  bool expiry_raised_ = false;    // generation above the held one
  bool expiry_replaced_ = false;  // written even where a null is held: SET says "no expiry"
  std::optional<std::int64_t> expiry_ms_;
  std::string expiry_bytes_;
};

}  // namespace hawser
