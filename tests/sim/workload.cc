#include "tests/sim/workload.h"

#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "conflict/record_codec.h"
#include "storage/conflict_log.h"
#include "storage/resolution.h"
#include "tests/sim/check.h"

namespace hawser::sim {
namespace {

class SimJob final : public Job {
 public:
  SimJob(Mesh& mesh, int region, std::function<void(LocalTxn&)> write,
         std::function<void(Session&)> after,
         std::function<void(Outcome, const std::vector<Dot>&)> done)
      : mesh_(mesh),
        region_(region),
        write_(std::move(write)),
        after_(std::move(after)),
        done_(std::move(done)) {}

  void Run(Session& session) override {
    const Cut before = session.applied();
    const auto txn = session.Begin();
    write_(*txn);
    const auto dot = session.Commit(*txn);
    if (!dot) {
      HW_CHECK(session.applied() == before, "a refused write changes nothing", "it did");
      return;
    }
    if (dot->seq == Seq{0}) return;
    dots_.push_back(*dot);
    if (after_) after_(session);
  }

  // Durable on ack (G1).
  void Done(Outcome outcome) override {
    if (outcome == Outcome::kDurable) {
      for (const Dot& dot : dots_) {
        HW_CHECK(mesh_.region(region_).store().HashAt(dot.origin, dot.seq) && IsDurable(dot),
                 "acked means durable", Text(dot) + " is acked and not durable");
      }
    }
    if (done_) done_(outcome, dots_);
  }

 private:
  bool IsDurable(const Dot& dot) {
    Region& region = mesh_.region(region_);
    return region.watched().committed().Covers(dot);
  }

  Mesh& mesh_;
  int region_;
  std::function<void(LocalTxn&)> write_;
  std::function<void(Session&)> after_;
  std::function<void(Outcome, const std::vector<Dot>&)> done_;
  std::vector<Dot> dots_;
};

}  // namespace

std::unique_ptr<Job> MakeJob(Mesh& mesh, int region, std::function<void(LocalTxn&)> write,
                             std::function<void(Session&)> after,
                             std::function<void(Outcome, const std::vector<Dot>&)> done) {
  return std::make_unique<SimJob>(mesh, region, std::move(write), std::move(after),
                                  std::move(done));
}

void Workload::Run() {
  for (int id = 1; id <= mesh_.size(); ++id) Again(id);
}

void Workload::Again(int region) {
  mesh_.In(random_.Pause(mesh_.knobs().write_interval_us), [this, region] {
    if (stopped_) return;
    Write(region);
    while (random_.Chance(mesh_.knobs().burst)) Write(region);
    Again(region);
  });
}

// Records with a field of every rule, and everything that may befall them.
std::function<void(LocalTxn&)> Workload::AnyRuleWrite(int region) {
  Coverage& coverage = mesh_.coverage();
  const std::string name = "q" + std::to_string(random_.Below(3));
  const std::string state = random_.Pick(rules_.Line(region));
  const std::string text = "q" + std::to_string(region) + "-" + std::to_string(++value_);
  const std::string number = std::to_string(random_.Below(1000));
  const std::string fields[] = {"state", "born", "high", "low", "n", "odd", "plain"};
  const std::string field = fields[random_.Index(std::size(fields))];
  const std::string given = field == "state" ? state : field == "born" ? text : number;
  const std::int64_t in_ms = random_.Between(20, 800);
  switch (random_.Below(14)) {
    case 0:
      coverage.Add(Branch::kDelete);
      return [=](LocalTxn& txn) { txn.Edit("d", name).DeleteAll(); };
    case 1:
      coverage.Add(Branch::kFieldDelete);
      return [=](LocalTxn& txn) { txn.Edit("d", name).Delete(field); };
    case 2:
      coverage.Add(Branch::kSet);
      return [=](LocalTxn& txn) { (void)txn.Edit("d", name).ReplaceWith(kStringField, text); };
    case 3:
    case 4:
      coverage.Add(Branch::kExpire);
      return [=](LocalTxn& txn) {
        RecordEdit& edit = txn.Edit("d", name);
        if (edit.Alive()) edit.SetExpiry(txn.now_ms() + in_ms);
      };
    case 5:
    case 6:
      coverage.Add(Branch::kOverride);
      return [=](LocalTxn& txn) { txn.Edit("d", name).Override(field, given); };
    case 7:
      coverage.Add(Branch::kOverride);
      return [=](LocalTxn& txn) {
        RecordEdit& edit = txn.Edit("d", name);
        if (edit.Get(field)) edit.OverrideNull(field);
      };
    default:
      coverage.Add(Branch::kHashSet);
      return [=](LocalTxn& txn) {
        RecordEdit& edit = txn.Edit("d", name);
        (void)edit.Set("state", state);
        (void)edit.Set("born", text);
        (void)edit.Set("high", number);
        (void)edit.Set("low", number);
        (void)edit.Set("odd", number);
        (void)edit.Set("plain", text);
        (void)edit.Add("n", 1);
      };
  }
}

// An operator's word on a conflict that this region logged, as REST makes it: an override and the
// record of it in one txn. Nothing if nothing fit to be resolved is logged.
std::function<void(LocalTxn&)> Workload::ResolveSomething(int region) {
  if (!mesh_.region(region).up()) return {};
  struct Found {
    std::string id, table, key, field;
    std::optional<std::string> value;
    Take take = Take::kWinner;
  };
  std::vector<Found> found;
  std::string start;
  AppendRowKey(kConflictTable, "", start);
  Record record;
  mesh_.region(region).store().ScanNewest(
      start, [&](std::string_view row_key, std::string_view bytes) {
        const RowKey row = SplitRowKey(row_key);
        if (row.table != kConflictTable) return false;
        const auto conflict = DecodeRecord(bytes, record) ? ParseConflict(record) : std::nullopt;
        if (!conflict || conflict->expiry || conflict->table != "d") return true;
        const bool loser = random_.Chance(0.5);
        const ConflictSide& side = loser ? conflict->loser : conflict->winner;
        Found& one = found.emplace_back();
        one.id = row.key;
        one.table = conflict->table;
        one.key = conflict->key;
        one.field = conflict->field;
        if (side.value) one.value = *side.value;
        one.take = loser ? Take::kLoser : Take::kWinner;
        return found.size() < 50;
      });
  if (found.empty()) return {};
  mesh_.coverage().Add(Branch::kResolution);
  const Found one = random_.Pick(found);
  const std::int64_t keep_ms = random_.Between(300, 2000);
  return [one, keep_ms](LocalTxn& txn) {
    RecordEdit& edit = txn.Edit(one.table, one.key);
    if (one.value) {
      edit.Override(one.field, *one.value);
      HW_CHECK(edit.Get(one.field) == one.value, "an override shows", one.key);
    } else {
      edit.OverrideNull(one.field);
    }
    const Resolution word{.take = one.take,
                          .at_ms = txn.now_ms(),
                          .table = one.table,
                          .key = one.key,
                          .field = one.field,
                          .before = {},
                          .after = {},
                          .by = "sim",
                          .reason = "because"};
    RecordEdit& own = txn.Edit(kResolutionTable, one.id);
    HW_CHECK(own.ReplaceWith("", EncodeResolution(word)).has_value(), "a resolution is written",
             one.id);
    own.SetExpiry(txn.now_ms() + keep_ms);
  };
}

void Workload::Write(int region) {
  Coverage& coverage = mesh_.coverage();
  const Knobs& knobs = mesh_.knobs();
  const auto key = [&](const char* prefix) {
    const bool hot = random_.Chance(0.7);
    return std::string(prefix) + (hot ? "h" : "c") +
           std::to_string(random_.Below(hot ? knobs.hot_keys : knobs.cold_keys));
  };
  const auto value = [&] {
    if (random_.Chance(0.04)) return std::string("same");  // two regions, one value: no conflict
    std::string text = "r" + std::to_string(region) + "-" + std::to_string(++value_);
    if (random_.Chance(0.1)) text.append(random_.Index(600), 'x');
    if (knobs.large_value > 0 && random_.Chance(knobs.large_value)) {
      coverage.Add(Branch::kLargeValue);
      std::string large(300'000, '\0');
      Random bytes = random_.Fork();
      for (char& byte : large) byte = static_cast<char>('a' + bytes.Below(26));
      text += large;
    }
    return text;
  };
  const auto noted = [&coverage](const auto& outcome) {
    if (!outcome) coverage.Add(Branch::kRefusedEdit);
  };
  const std::string fields[] = {"a", "b", "c"};
  const std::string field = fields[random_.Index(3)];

  // Reads its own write back within the same group commit.
  std::function<void(Session&)> after;
  const auto expect = [&](const std::string& table, const std::string& name, const std::string& of,
                          const std::string& wanted) {
    after = [table, name, of, wanted](Session& session) {
      const auto txn = session.Begin();
      const auto read = txn->Edit(table, name).Get(of);
      HW_CHECK(read == wanted, "a client reads its own write",
               table + "/" + name + " shows " + read.value_or("nothing"));
    };
  };
  const auto expect_gone = [&](const std::string& table, const std::string& name) {
    after = [table, name](Session& session) {
      const auto txn = session.Begin();
      HW_CHECK(!txn->Edit(table, name).Alive(), "a client reads its own delete", name);
    };
  };

  std::function<void(LocalTxn&)> write;
  const std::uint64_t kind = random_.Below(112);
  if (kind < 22) {
    coverage.Add(Branch::kSet);
    const std::string name = key("k");
    const std::string text = value();
    const bool keep = random_.Chance(0.1);
    const std::int64_t expires_in_ms = random_.Chance(0.12) ? random_.Between(20, 1500) : 0;
    write = [=](LocalTxn& txn) {
      RecordEdit& edit = txn.Edit("t", name);
      noted(edit.ReplaceWith(kStringField, text, keep));
      if (expires_in_ms > 0) edit.SetExpiry(txn.now_ms() + expires_in_ms);
    };
    if (expires_in_ms == 0 && !keep) expect("t", name, std::string(kStringField), text);
  } else if (kind < 34) {
    coverage.Add(Branch::kHashSet);
    const std::string name = key("k");
    const std::string text = value();
    const bool both = random_.Chance(0.3);
    write = [=](LocalTxn& txn) {
      noted(txn.Edit("t", name).Set(field, text));
      if (both) noted(txn.Edit("t", name).Set("b", text + "+"));
    };
    if (!both) expect("t", name, field, text);
  } else if (kind < 44) {
    coverage.Add(Branch::kDelete);
    const std::string name = key("k");
    write = [=](LocalTxn& txn) { txn.Edit("t", name).DeleteAll(); };
    expect_gone("t", name);
  } else if (kind < 48) {
    coverage.Add(Branch::kFieldDelete);
    const std::string name = key("k");
    write = [=](LocalTxn& txn) { txn.Edit("t", name).Delete(field); };
  } else if (kind < 56) {  // counters that nobody sets: the sum must come out
    coverage.Add(Branch::kIncrement);
    const std::string name = key("n");
    const std::int64_t delta = random_.Between(-3, 9);
    write = [=](LocalTxn& txn) { noted(txn.Edit("d", name).Add("n", delta)); };
  } else if (kind < 64) {  // counters that are set and deleted as well
    const std::string name = key("m");
    const std::uint64_t what = random_.Below(10);
    const std::int64_t delta = random_.Between(1, 9);
    coverage.Add(what < 6 ? Branch::kIncrement : what < 8 ? Branch::kSet : Branch::kDelete);
    write = [=](LocalTxn& txn) {
      RecordEdit& edit = txn.Edit("t", name);
      if (what < 6) {
        noted(edit.Add(kStringField, delta));
      } else if (what < 8) {
        noted(edit.ReplaceWith(kStringField, std::to_string(delta * 100)));
      } else {
        edit.DeleteAll();
      }
    };
  } else if (kind < 66) {
    coverage.Add(Branch::kFloatIncrement);
    const std::string name = key("f");
    const double delta = static_cast<double>(random_.Between(-8, 8)) / 4;
    write = [=](LocalTxn& txn) { noted(txn.Edit("t", name).AddFloat("f", delta)); };
  } else if (kind < 72) {
    coverage.Add(Branch::kState);
    const std::string name = key("o");
    const std::string state = random_.Pick(rules_.Line(region));
    const bool forked = mesh_.region(region).facts().forked || rules_.loose();
    write = [=](LocalTxn& txn) {
      const auto effect = txn.Edit("d", name).Set("state", state);
      noted(effect);
      HW_CHECK(forked || effect || effect.error() != EditError::kNotAState,
               "a declared state is taken", "region " + std::to_string(region) + ": " + state);
    };
  } else if (kind < 76) {
    coverage.Add(Branch::kFirst);
    const std::string name = key("o");
    const std::string text = value();
    write = [=](LocalTxn& txn) { noted(txn.Edit("d", name).Set("born", text)); };
  } else if (kind < 80) {
    coverage.Add(Branch::kMaxMin);
    const std::string name = key("o");
    const std::string number = std::to_string(random_.Below(1000));
    write = [=](LocalTxn& txn) {
      noted(txn.Edit("d", name).Set("high", number));
      noted(txn.Edit("d", name).Set("low", number));
    };
  } else if (kind < 83) {
    coverage.Add(Branch::kDelete);
    const std::string name = key("o");
    write = [=](LocalTxn& txn) { txn.Edit("d", name).DeleteAll(); };
    expect_gone("d", name);
  } else if (kind < 91) {
    coverage.Add(Branch::kMulti);
    const std::string first = key("k");
    const std::string second = key("k");
    const std::string counter = key("n");
    const std::string text = value();
    write = [=](LocalTxn& txn) {
      txn.Edit("t", first).DeleteAll();
      noted(txn.Edit("t", first).Set(field, text));
      noted(txn.Edit("t", second).Set("pair", text));
      noted(txn.Edit("d", counter).Add("n", 1));
    };
  } else if (kind < 94) {
    coverage.Add(Branch::kExpire);
    const std::string name = key("k");
    const std::int64_t in_ms = random_.Between(20, 1500);
    write = [=](LocalTxn& txn) {
      RecordEdit& edit = txn.Edit("t", name);
      if (edit.Alive()) edit.SetExpiry(txn.now_ms() + in_ms);
    };
  } else if (kind < 96) {
    coverage.Add(Branch::kPersist);
    const std::string name = key("k");
    write = [=](LocalTxn& txn) { txn.Edit("t", name).ClearExpiry(); };
  } else if (kind < 109) {
    write = AnyRuleWrite(region);
  } else if (kind < 110) {
    write = ResolveSomething(region);
  } else {
    coverage.Add(Branch::kOverride);
    const std::string name = key("o");
    write = [=](LocalTxn& txn) { txn.Edit("d", name).Override("state", "paid"); };
    expect("d", name, "state", "paid");
  }

  if (!write) return;
  std::function<void(Outcome, const std::vector<Dot>&)> done;
  if (random_.Chance(0.05)) {
    const int wanted = random_.Chance(0.3) ? -1 : 1;
    const std::int64_t patience_ms = random_.Between(5, 300);
    done = [this, region, wanted, patience_ms](Outcome outcome, const std::vector<Dot>& dots) {
      if (outcome != Outcome::kDurable || dots.empty()) return;
      Replica& replica = mesh_.region(region).replica();
      const std::int64_t mono_ms = mesh_.region(region).clock().At(mesh_.now_us()).mono_ms;
      const Dot dot = dots.back();
      const int others = mesh_.size() - 1;
      replica.Wait(AckWait{.dot = dot,
                           .regions = wanted,
                           .deadline_mono_ms = mono_ms + patience_ms,
                           .done = [this, dot, wanted, others, region](int reached) {
                             int have = 0;
                             for (const auto& [member, durable] : mesh_.truth().durable()) {
                               if (member != RegionId{static_cast<std::uint8_t>(region)} &&
                                   durable.Covers(dot)) {
                                 ++have;
                               }
                             }
                             HW_CHECK(reached <= have, "acks name their level",
                                      Text(dot) + " is with " + std::to_string(have) +
                                          " others, told " + std::to_string(reached));
                             const bool met = reached >= (wanted < 0 ? others : wanted);
                             mesh_.coverage().Add(met ? Branch::kAckReached : Branch::kAckMissed);
                           }});
      // Whoever carries the token to another region waits there until it is applied.
      const int elsewhere = region % mesh_.size() + 1;
      if (!mesh_.region(elsewhere).up()) return;
      const std::int64_t there_ms = mesh_.region(elsewhere).clock().At(mesh_.now_us()).mono_ms;
      mesh_.region(elsewhere).replica().Wait(
          CutWait{.cut = Cut{dot},
                  .deadline_mono_ms = there_ms + patience_ms,
                  .done = [this, dot, elsewhere](bool reached) {
                    if (!reached) return;
                    mesh_.coverage().Add(Branch::kCutReached);
                    HW_CHECK(mesh_.region(elsewhere).watched().committed().Covers(dot),
                             "waited for means applied", Text(dot) + " is not");
                  }});
    };
  }
  mesh_.Submit(region, MakeJob(mesh_, region, std::move(write), std::move(after), std::move(done)));
}

}  // namespace hawser::sim
