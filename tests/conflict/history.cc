#include "tests/conflict/history.h"

#include <algorithm>
#include <list>
#include <random>

#include "conflict/clock.h"
#include "conflict/drop.h"
#include "conflict/edit.h"
#include "conflict/record_codec.h"
#include "tests/conflict/history_judge.h"

namespace hawser::test {
namespace {

constexpr std::int64_t kStartMs = 1'000'000;
constexpr std::int64_t kFarMs = 1'000'000;  // past every expiry of a history

Schema TestSchema() {
  Schema schema;
  schema.tables["s"].fields["st"] = StatesRule({"OPEN", "PAID", "SHIPPED", "CLOSED"});
  schema.tables["c"].fields["o"] = FieldRule{.kind = Kind::kFirst};
  schema.tables["m"].fields["v"] = FieldRule{.kind = Kind::kMax};
  schema.tables["m"].fields["w"] = FieldRule{.kind = Kind::kMin};
  schema.tables["k"].fields["x"] = FieldRule{.counter = true};
  return schema;
}

struct Place {
  const char* table;
  const char* key;
};
constexpr Place kPlaces[] = {{"l", "1"}, {"l", "2"}, {"s", "1"}, {"c", "1"},
                             {"c", "2"}, {"m", "1"}, {"k", "1"}, {"k", "2"}};

std::string RowKeyOf(std::string_view table, std::string_view key) {
  std::string row_key;
  AppendRowKey(table, key, row_key);
  return row_key;
}

using Rows = std::map<std::string, std::string>;

const std::string& RowOf(const Rows& rows, const std::string& row_key) {
  static const std::string kNone;
  const auto at = rows.find(row_key);
  return at == rows.end() ? kNone : at->second;
}

Record Decoded(const std::string& bytes) {
  Record record;
  if (!bytes.empty() && !DecodeRecord(bytes, record)) record.clear();
  return record;
}

// What clients see of a record, and of live plain values the generation and version too.
std::string Visible(const Record& record, bool plain, std::int64_t now_ms) {
  if (!IsAlive(record, now_ms)) return {};
  std::string out;
  for (const Field& field : record.fields) {
    const Shown shown = Show(field);
    if (!shown.visible) continue;
    out += " " + std::string(field.name) + "=" +
           (shown.is_counter ? shown.text : std::string(shown.value));
    if (plain && field.has_cell) {
      out += "@" + std::to_string(field.cell.generation) + ":" +
             std::to_string(field.cell.version.stamp.raw) + ":" +
             std::to_string(Raw(field.cell.version.region));
    }
  }
  if (const auto expiry_ms = ExpiryMs(record)) out += " until " + std::to_string(*expiry_ms);
  return out;
}

struct Packet {
  std::size_t to = 0;
  std::size_t sent = 0;  // index of a txn; or a beat of `from`
  bool is_beat = false;
  std::size_t from = 0;
  Seq own_seq{};
  Cut cut;
  std::int64_t clock_ms = 0;
};

struct Region {
  Origin origin;
  HybridClock clock{1'000'000, Stamp{}};
  std::int64_t skew_ms = 0;
  Cut applied;
  TxnSet saw;
  Rows rows;
  std::vector<std::size_t> inbox;
  std::vector<Cut> counted;  // by region, this one's own entry unused
  std::vector<std::int64_t> counted_clock_ms;
};

class History {
 public:
  History(std::uint64_t seed, Coverage& coverage) : random_(seed), coverage_(coverage) {
    const std::size_t count = 2 + seed % 4;
    speed_ = 2 + Below(4) * 3;
    steps_ = 60 + Below(3) * 40;
    drop_percent_ = std::array{10u, 50u, 100u}[Below(3)];
    for (std::size_t i = 0; i < count; ++i) {
      Region& region = regions_.emplace_back();
      region.origin = {RegionId{static_cast<std::uint8_t>(i + 1)}, Incarnation{random_()}};
      region.skew_ms = std::array{0, 0, 2, -2, 15}[Below(5)];
      region.counted.resize(count);
      region.counted_clock_ms.resize(count);
    }
  }

  std::string Run() {
    for (std::size_t step = 0; step < steps_ && problem_.empty(); ++step) {
      now_ms_ += static_cast<std::int64_t>(Below(3));
      for (Region& region : regions_) Observe(region);
      if (Percent(50)) Write(regions_[Below(regions_.size())]);
      if (Percent(15)) Beat(Below(regions_.size()));
      DeliverSome();
      for (Region& region : regions_) Keep(region);
    }
    for (int round = 0; round < 3 && problem_.empty(); ++round) Heal();
    if (problem_.empty()) JudgeEnd();
    for (int i = 0; i < 2 && problem_.empty(); ++i) Replay();
    return problem_;
  }

 private:
  // --- Chance ----------------------------------------------------------------------------------
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool Percent(unsigned percent) { return random_() % 100 < percent; }
  void Fail(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
  }

  // --- Time ------------------------------------------------------------------------------------
  void Observe(Region& region) {
    const std::int64_t jitter_ms = std::array{0, 0, -1, 1}[Below(4)];
    region.clock.Observe({kStartMs + now_ms_ + region.skew_ms + jitter_ms, now_ms_});
  }
  std::int64_t LatestMs() const {
    std::int64_t latest = 0;
    for (const Region& region : regions_) latest = std::max(latest, region.clock.Read().ms());
    return latest;
  }

  // --- Writing ---------------------------------------------------------------------------------
  struct Held {
    std::string row_key;
    std::string bytes;
    Record record;
    std::optional<RecordEdit> edit;
  };

  void Write(Region& region) {
    const std::int64_t now_ms = region.clock.Read().ms();
    std::list<Held> touched;
    Txn txn;
    const std::size_t many = std::array<std::size_t, 4>{1, 1, 2, 3}[Below(4)];
    for (std::size_t i = 0; i < many; ++i) {
      const Place& place = kPlaces[Below(std::size(kPlaces))];
      const std::string row_key = RowKeyOf(place.table, place.key);
      if (std::ranges::any_of(touched, [&](const Held& h) { return h.row_key == row_key; }))
        continue;
      Held& held = touched.emplace_back();
      held.row_key = row_key;
      held.bytes = RowOf(region.rows, row_key);
      held.record = Decoded(held.bytes);
      held.edit.emplace(place.table, place.key, held.record, schema_, region.origin, now_ms);
      Intend(*held.edit, held.record, now_ms);
      if (Percent(25)) Intend(*held.edit, held.record, now_ms);
      if (Percent(5)) Intend(*held.edit, held.record, now_ms);
      Change change = held.edit->Finish();
      if (change.ops.empty()) continue;
      if (IsExpired(held.record, now_ms)) coverage_.Add(Event::kWroteOverExpired);
      txn.changes.push_back(std::move(change));
    }
    if (txn.changes.empty() || sent_.size() >= kTxnsMax - 40) return;
    if (txn.changes.size() > 1) coverage_.Add(Event::kTxnManyRecords);
    Commit(region, txn);
    for (Held& held : touched) CheckOwnWrite(region, held, now_ms);
  }

  void Intend(RecordEdit& edit, const Record& held, std::int64_t now_ms) {
    const std::string& table = edit.table();
    if (table == "c") return IntendClaim(edit, held);
    const auto a = Below(100);
    if (a < 8) {
      edit.DeleteAll();
    } else if (a < 16) {
      if (edit.Alive()) edit.SetExpiry(NextExpiry(now_ms));
    } else if (a < 20) {
      edit.ClearExpiry();
    } else if (table == "l") {
      IntendPlain(edit, now_ms);
    } else if (table == "s") {
      IntendStates(edit, now_ms);
    } else if (table == "m") {
      IntendMaxMin(edit);
    } else {
      IntendCounter(edit, now_ms);
    }
  }

  std::int64_t NextExpiry(std::int64_t now_ms) {
    coverage_.Add(Event::kExpirySet);
    return now_ms + 1 + static_cast<std::int64_t>(Percent(66) ? Below(12) : 20 + Below(40));
  }
  std::string Fresh() { return "v" + std::to_string(++values_); }
  void Count(const std::expected<RecordEdit::Effect, EditError>& effect) {
    if (!effect) return coverage_.Add(Event::kRefused);
    if (*effect == RecordEdit::Effect::kNoOp) coverage_.Add(Event::kNoOp);
  }
  void Replace(RecordEdit& edit, std::string_view field, std::string_view value,
               std::int64_t now_ms) {
    const auto effect = edit.ReplaceWith(field, value, Percent(15));
    Count(effect);
    if (effect && Percent(40)) edit.SetExpiry(NextExpiry(now_ms));
  }

  void IntendPlain(RecordEdit& edit, std::int64_t now_ms) {
    const auto a = Below(100);
    const char* field = Percent(50) ? "a" : "b";
    if (a < 45) {
      Count(edit.Set(field, Fresh()));
    } else if (a < 55) {
      edit.Delete(field);
    } else if (a < 60) {
      edit.Override(field, Fresh());
      coverage_.Add(Event::kOverride);
    } else {
      Replace(edit, Percent(60) ? "" : field, Fresh(), now_ms);
    }
  }
  void IntendStates(RecordEdit& edit, std::int64_t now_ms) {
    const auto a = Below(100);
    const std::string state = std::array{"OPEN", "PAID", "SHIPPED", "CLOSED"}[Below(4)];
    if (a < 55) {
      Count(edit.Set("st", state));
    } else if (a < 62) {
      edit.Override("st", state);
      coverage_.Add(Event::kOverride);
    } else if (a < 70) {
      edit.Delete(Percent(50) ? "st" : "n");
    } else if (a < 90) {
      Count(edit.Set("n", Fresh()));
    } else {
      const bool plain = Percent(50);
      Replace(edit, plain ? "n" : "st", plain ? Fresh() : state, now_ms);
    }
  }
  void IntendMaxMin(RecordEdit& edit) {
    const auto a = Below(100);
    const char* field = Percent(50) ? "v" : "w";
    const std::string values[] = {std::to_string(Below(30)), std::to_string(Below(30)) + ".5",
                                  "1e1", "text" + std::to_string(Below(9))};
    if (a < 85) {
      Count(edit.Set(field, values[Below(std::size(values))]));
    } else if (a < 95) {
      edit.Delete(field);
    } else {
      edit.Override(field, values[0]);
      coverage_.Add(Event::kOverride);
    }
  }
  void IntendCounter(RecordEdit& edit, std::int64_t now_ms) {
    const auto a = Below(100);
    const auto delta = static_cast<std::int64_t>(Below(200)) - 80;
    if (a < 50) {
      if (!edit.Add("x", delta)) coverage_.Add(Event::kRefused);
    } else if (a < 60) {
      if (!edit.AddFloat("x", static_cast<double>(delta) * 0.37)) coverage_.Add(Event::kRefused);
    } else if (a < 66) {
      edit.Delete("x");
      if (edit.Add("x", delta)) coverage_.Add(Event::kCounterAddOverDelete);
    } else if (a < 74) {
      edit.Delete("x");
    } else if (a < 86) {
      Count(edit.Set("x", std::to_string(1000 * ++values_)));
    } else if (a < 90) {
      Count(edit.Set("x", Fresh()));  // no number: takes no adds
    } else {
      Replace(edit, "x", std::to_string(1000 * ++values_), now_ms);
    }
  }
  void IntendClaim(RecordEdit& edit, const Record& held) {
    if (!edit.Get("o")) {
      Count(edit.Set("o", Fresh()));
    } else if (const Field* field = held.Find("o"); field && Percent(35)) {
      if (field->has_cell) released_.insert(field->cell.dot);
      edit.Delete("o");
      coverage_.Add(Event::kClaimReleased);
    }
  }

  // A region shows its own write as the edit said it would.
  void CheckOwnWrite(const Region& region, Held& held, std::int64_t now_ms) {
    const Record record = Decoded(RowOf(region.rows, held.row_key));
    const bool alive = IsAlive(record, now_ms);
    if (alive != held.edit->Alive()) return Fail("an edit was wrong about alive: " + held.row_key);
    if (!alive) return;
    std::vector<std::string> names;
    for (const Field& field : record.fields) {
      const Shown shown = Show(field);
      if (!shown.visible) continue;
      names.emplace_back(field.name);
      const std::string text = shown.is_counter ? shown.text : std::string(shown.value);
      if (held.edit->Get(field.name) != text) {
        Fail("an edit showed '" + held.edit->Get(field.name).value_or("(nil)") + "', readers '" +
             text + "'");
      }
    }
    if (names != held.edit->VisibleFields()) Fail("an edit was wrong about the fields shown");
    if (ExpiryMs(record) != held.edit->ExpiryMs()) Fail("an edit was wrong about the expiry");
  }

  void Commit(Region& region, Txn& txn) {
    coverage_.Add(Event::kTxn);
    Sent& sent = sent_.emplace_back();
    sent.index = sent_.size() - 1;
    sent.dot = {region.origin, Next(region.applied.Get(region.origin))};
    sent.stamp = txn.stamp = region.clock.Tick();
    for (const Dot& dot : region.applied.dots()) {
      if (dot.origin != region.origin) txn.deps.Raise(dot);
    }
    EncodeTxn(txn, sent.bytes);
    sent.saw = region.saw;
    watcher_.Committed(sent);
    Apply(region, sent.index);
    for (std::size_t to = 0; to < regions_.size(); ++to) {
      if (&regions_[to] != &region) network_.push_back({.to = to, .sent = sent.index});
    }
  }

  // --- Applying --------------------------------------------------------------------------------
  void Apply(Region& region, std::size_t index) {
    const Sent& sent = sent_[index];
    Txn txn;
    if (!DecodeTxn(sent.bytes, txn)) return Fail("a txn cannot be read");
    const Writer writer{sent.dot, {txn.stamp, sent.dot.origin.region}, txn.deps};
    for (const Change& change : txn.changes) {
      ApplyOne(region, sent, writer, change);
      if (!problem_.empty()) return;
    }
    region.applied.Raise(sent.dot);
    region.saw.set(index);
    region.clock.Witness(txn.stamp);
    const std::size_t from = Raw(sent.dot.origin.region) - 1u;
    region.counted[from].Join(txn.deps);
    region.counted[from].Raise(sent.dot);
    region.counted_clock_ms[from] = std::max(region.counted_clock_ms[from], txn.stamp.ms());
  }

  void ApplyOne(Region& region, const Sent& sent, const Writer& writer, const Change& change) {
    for (const Op& op : change.ops) {
      if (op.type == Op::Type::kAdd) coverage_.Add(Event::kCounterAdd);
      if (!op.seen.empty()) coverage_.Add(Event::kCounterBase);
    }
    const std::string row_key = RowKeyOf(change.table, change.key);
    std::string& row = region.rows[row_key];
    const Record before = Decoded(row);
    Record after = before;
    std::vector<Discarded> discarded;
    ApplyChange(writer, change, after, discarded);
    const auto bad = watcher_.Judge(sent, row_key, change, before, after, discarded, coverage_);
    if (!bad.empty()) return Fail(bad);

    std::string bytes;
    EncodeRecord(after, bytes);
    Record again;
    if (!DecodeRecord(bytes, again)) return Fail("a record cannot be read back");
    ApplyChange(writer, change, again, discarded);
    std::string twice;
    EncodeRecord(again, twice);
    if (twice != bytes) return Fail("applying twice is not applying once");
    row = bytes;
  }

  void ApplyWhatFits(Region& region) {
    for (bool progress = true; progress && problem_.empty();) {
      progress = false;
      for (std::size_t i = 0; i < region.inbox.size() && problem_.empty();) {
        const std::size_t index = region.inbox[i];
        const bool fits = (sent_[index].saw & ~region.saw).none();
        if (region.saw[index] || fits) {
          if (region.saw[index]) {
            coverage_.Add(Event::kRepeated);
          } else {
            if (i > 0) coverage_.Add(Event::kReordered);
            Apply(region, index);
            coverage_.Add(Event::kApplied);
            progress = true;
          }
          region.inbox.erase(region.inbox.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
          ++i;
        }
      }
    }
  }

  // --- The network -----------------------------------------------------------------------------
  void Beat(std::size_t from) {
    const Region& region = regions_[from];
    for (std::size_t to = 0; to < regions_.size(); ++to) {
      if (to == from) continue;
      network_.push_back({.to = to,
                          .sent = 0,
                          .is_beat = true,
                          .from = from,
                          .own_seq = region.applied.Get(region.origin),
                          .cut = region.applied,
                          .clock_ms = region.clock.Read().ms()});
    }
  }
  void Receive(const Packet& packet) {
    Region& region = regions_[packet.to];
    if (!packet.is_beat) {
      region.inbox.push_back(packet.sent);
      return ApplyWhatFits(region);
    }
    if (region.applied.Get(regions_[packet.from].origin) < packet.own_seq) return;
    region.counted[packet.from].Join(packet.cut);
    auto& clock_ms = region.counted_clock_ms[packet.from];
    clock_ms = std::max(clock_ms, packet.clock_ms);
  }
  void DeliverSome() {
    for (std::size_t n = Below(speed_ + 1); n > 0 && !network_.empty() && problem_.empty(); --n) {
      const std::size_t i = Below(std::min<std::size_t>(network_.size(), 40));
      const Packet packet = network_[i];
      if (Percent(90)) network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(i));
      Receive(packet);
    }
  }

  // --- Dropping and claims -----------------------------------------------------------------------
  Stable StableAt(const Region& region) const {
    Stable stable{.cut = region.applied, .clock_ms = region.clock.Read().ms()};
    for (std::size_t i = 0; i < regions_.size(); ++i) {
      if (&regions_[i] == &region) continue;
      stable.cut.Meet(region.counted[i]);
      stable.clock_ms = std::min(stable.clock_ms, region.counted_clock_ms[i]);
    }
    return stable;
  }

  void Keep(Region& region) {
    if (!Percent(drop_percent_)) return;
    const Stable stable = StableAt(region);
    for (auto at = region.rows.begin(); at != region.rows.end();) {
      const Record record = Decoded(at->second);
      if (MayDrop(record, stable)) {
        const bool counter =
            std::ranges::any_of(record.fields, [](const Field& f) { return !f.shares.empty(); });
        if (counter) coverage_.Add(Event::kDroppedCounter);
        const bool expired = std::ranges::any_of(record.fields, IsVisible);
        coverage_.Add(expired ? Event::kDroppedExpired : Event::kDroppedNull);
        watcher_.Dropped(record);
        at = region.rows.erase(at);
        continue;
      }
      if (at->first[0] == 'c') Confirm(at->first, record, stable);
      ++at;
    }
    for (const auto& [row_key, dot] : confirmed_) {
      if (released_.contains(dot)) continue;
      for (const Region& one : regions_) CheckConfirmed(one, row_key, dot);
    }
  }
  void Confirm(const std::string& row_key, const Record& record, const Stable& stable) {
    const Field* field = record.Find("o");
    if (!field || !field->has_cell || field->cell.null || !stable.cut.Covers(field->cell.dot))
      return;
    if (confirmed_.emplace(row_key, field->cell.dot).second) coverage_.Add(Event::kClaimConfirmed);
  }
  // Confirmed means that every region has applied it; from then on none may show another owner.
  void CheckConfirmed(const Region& region, const std::string& row_key, const Dot& dot) {
    const Record record = Decoded(RowOf(region.rows, row_key));
    const Field* field = record.Find("o");
    if (!field || field->cell.null || field->cell.dot != dot) {
      Fail("a confirmed claim lost: " + row_key + " " + Print(dot));
    }
  }

  // --- The end ---------------------------------------------------------------------------------
  void Heal() {
    std::ranges::shuffle(network_, random_);
    while (!network_.empty() && problem_.empty()) {
      const Packet packet = network_.back();
      network_.pop_back();
      Receive(packet);
    }
    if (!problem_.empty()) return;
    for (const Region& region : regions_) {
      if (!region.inbox.empty()) return Fail("a txn never fitted");
    }
    for (const std::int64_t now_ms : {LatestMs(), LatestMs() + 5, LatestMs() + kFarMs})
      Compare(now_ms);
    for (Region& region : regions_) Keep(region);
    for (const std::int64_t now_ms : {LatestMs(), LatestMs() + kFarMs}) Compare(now_ms);
    for (Region& region : regions_) {  // each writes a little, so that reports flow
      Txn txn;
      const std::string row_key = RowKeyOf("z", std::to_string(Raw(region.origin.region)));
      const std::string held = RowOf(region.rows, row_key);
      const Record record = Decoded(held);
      RecordEdit edit("z", SplitRowKey(row_key).key, record, schema_, region.origin, LatestMs());
      Count(edit.Set("f", Fresh()));
      txn.changes.push_back(edit.Finish());
      Commit(region, txn);
    }
  }

  std::map<std::string, std::string> VisibleAll(const Rows& rows, std::int64_t now_ms) const {
    std::map<std::string, std::string> out;
    for (const auto& [row_key, bytes] : rows) {
      if (row_key[0] == 'z') continue;
      if (std::string text = Visible(Decoded(bytes), row_key[0] != 'k', now_ms); !text.empty())
        out[row_key] = text;
    }
    return out;
  }
  void CompareWith(const Rows& rows, std::int64_t now_ms, const char* what) {
    const auto first = VisibleAll(regions_[0].rows, now_ms);
    const auto other = VisibleAll(rows, now_ms);
    if (first == other) return;
    std::string bad = what;
    for (const Place& place : kPlaces) {
      const std::string row_key = RowKeyOf(place.table, place.key);
      const auto a = first.find(row_key), b = other.find(row_key);
      const std::string text_a = a == first.end() ? "" : a->second;
      const std::string text_b = b == other.end() ? "" : b->second;
      if (text_a != text_b)
        bad += std::string("; ") + place.table + place.key + ":" + text_a + " |" + text_b;
    }
    Fail(bad);
  }
  void Compare(std::int64_t now_ms) {
    for (const Region& region : regions_) CompareWith(region.rows, now_ms, "regions differ");
  }

  void JudgeEnd() {
    for (const auto& [row_key, bytes] : regions_[0].rows) {
      const Record record = Decoded(bytes);
      if (!IsAlive(record, LatestMs())) continue;
      coverage_.Add(Event::kShownAtEnd);
      if (ExpiryMs(record)) coverage_.Add(Event::kShownWithExpiryAtEnd);
    }
    const auto standing = [&](const std::string& row_key,
                              const std::string& name) -> std::optional<Dot> {
      const Record record = Decoded(RowOf(regions_[0].rows, row_key));
      const Field* field = record.Find(name);
      if (!field || !field->has_cell) return std::nullopt;
      return field->cell.dot;
    };
    if (auto bad = watcher_.JudgeEnd(sent_, standing); !bad.empty()) Fail(bad);
  }

  // The same txns in another causal order, nothing dropped: what is shown is the same.
  void Replay() {
    Rows rows;
    TxnSet applied;
    std::vector<std::size_t> waiting(sent_.size());
    for (std::size_t i = 0; i < waiting.size(); ++i) waiting[i] = i;
    std::ranges::shuffle(waiting, random_);
    while (!waiting.empty()) {
      const auto fits = std::ranges::find_if(
          waiting, [&](std::size_t i) { return (sent_[i].saw & ~applied).none(); });
      const Sent& sent = sent_[*fits];
      Txn txn;
      if (!DecodeTxn(sent.bytes, txn)) return Fail("a txn cannot be read");
      std::vector<Discarded> discarded;
      for (const Change& change : txn.changes) {
        std::string& row = rows[RowKeyOf(change.table, change.key)];
        Record record = Decoded(row);
        ApplyChange({sent.dot, {txn.stamp, sent.dot.origin.region}, txn.deps}, change, record,
                    discarded);
        std::string bytes;
        EncodeRecord(record, bytes);
        row = bytes;
      }
      applied.set(sent.index);
      waiting.erase(fits);
    }
    for (const std::int64_t now_ms : {LatestMs(), LatestMs() + kFarMs}) {
      CompareWith(rows, now_ms, "another order of the same txns differs");
    }
  }

  std::mt19937_64 random_;
  Coverage& coverage_;
  const Schema schema_ = TestSchema();
  std::vector<Region> regions_;
  std::size_t speed_ = 0;
  std::size_t steps_ = 0;
  unsigned drop_percent_ = 0;
  std::int64_t now_ms_ = 0;
  std::uint64_t values_ = 0;
  std::vector<Sent> sent_;
  std::vector<Packet> network_;
  Watcher watcher_;
  std::set<std::pair<std::string, Dot>> confirmed_;
  std::set<Dot> released_;
  std::string problem_;
};

}  // namespace

std::string RunHistory(std::uint64_t seed, Coverage& coverage) {
  return History(seed, coverage).Run();
}

}  // namespace hawser::test
