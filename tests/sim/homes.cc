#include "tests/sim/homes.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "tests/sim/check.h"

namespace hawser::sim {
namespace {

// Units are named by number; every fourth is in the table with a default home, every third may be
// taken over. The others only ever move by plan.
std::string TableOf(std::uint64_t unit) {
  return unit % 4 == 3 ? "g" : "h";
}
std::string UnitName(std::uint64_t unit) {
  return "u" + std::to_string(unit);
}
bool MayBeTakenOver(std::uint64_t unit) {
  return unit % 3 == 1;
}

RegionId DefaultOf(std::string_view table) {
  return RegionId{static_cast<std::uint8_t>(table == "g" ? 1 : 0)};
}

HomeSaid SaidOf(Session& session, const std::string& row) {
  const auto bytes = session.Get(row);
  return {.state = HomeOf(bytes, session.proof()).state, .held = ReadHome(bytes)};
}

// Whether the region may write or move the unit, by what it holds.
bool IsHome(RegionId self, const HomeSaid& said, std::string_view table) {
  if (said.held) return said.held->region == self;
  return DefaultOf(table) == RegionId{} || DefaultOf(table) == self;
}

struct Ended {
  bool refused = false;  // its home is elsewhere
  bool crosses = false;  // of two homes
  RegionId home{};
};

class WriteJob final : public Job {
 public:
  WriteJob(Homes& homes, int region, std::vector<Homes::Place> places,
           std::function<void(Outcome, const Ended&)> done)
      : homes_(homes), region_(region), places_(std::move(places)), done_(std::move(done)) {}

  void Run(Session& session) override {
    const RegionId self{static_cast<std::uint8_t>(region_)};
    const Cut before = session.applied();
    const auto txn = session.Begin();
    bool home = true;
    std::vector<std::string> unhomed;
    for (const auto& [table, key] : places_) {
      const std::string row = HomeRow(table, UnitIn(key));
      const HomeSaid said = SaidOf(session, row);
      home = home && IsHome(self, said, table);
      if (!said.held) unhomed.push_back(row);
      (void)txn->Edit(table, key)
          .ReplaceWith(kStringField, HomeTruth::ValueOf(homes_.truth().Note(said)));
    }
    const auto dot = session.Commit(*txn);
    const std::string who = "region " + std::to_string(region_) + ", '" + places_[0].key + "'";
    if (dot) {
      HW_CHECK(home, "what is taken is at home here", who);
      for (const std::string& row : unhomed) {
        const auto now = ReadHome(session.Get(row));
        HW_CHECK(now && now->region == self && now->epoch == 0 && now->dot == *dot,
                 "a write homes what nobody has homed", who);
      }
      return;
    }
    HW_CHECK(session.applied() == before, "a refused write changes nothing", who);
    if (dot.error() != Refusal::kNotHome) return;
    HW_CHECK(!home, "what is at home here is taken", who);
    ended_.refused = true;
    homes_.mesh().coverage().Add(Branch::kHomeRefused);
    Belong(session);
  }
  void Done(Outcome outcome) override { done_(outcome, ended_); }

 private:
  // As the edge asks where to send it.
  void Belong(Session& session) {
    const auto homed = homes_.mesh().region(region_).replica().homed();
    HomeFinder finder(*homed, [&](std::string_view row) { return session.Get(row); });
    for (const auto& [table, key] : places_) finder.Add(table, key);
    ended_.crosses = finder.Found().crosses;
    ended_.home = finder.Found().home;
    if (ended_.crosses) homes_.mesh().coverage().Add(Branch::kHomeCrossing);
  }

  Homes& homes_;
  int region_;
  std::vector<Homes::Place> places_;
  std::function<void(Outcome, const Ended&)> done_;
  Ended ended_;
};

struct Move {
  std::string table, unit;
  int to = 0;
  bool takeover = false;
};

class MoveJob final : public Job {
 public:
  MoveJob(Homes& homes, int region, Move move, std::function<void(Outcome, const Ended&)> done)
      : homes_(homes), region_(region), move_(std::move(move)), done_(std::move(done)) {}

  void Run(Session& session) override {
    const RegionId self{static_cast<std::uint8_t>(region_)};
    const RegionId to{static_cast<std::uint8_t>(move_.to)};
    const std::string row = HomeRow(move_.table, move_.unit);
    const HomeSaid said = SaidOf(session, row);
    const std::string reason = "m" + std::to_string(homes_.truth().Note(said));
    const auto txn = session.Begin();
    const auto made = MakeHomeMove(
        {.table = move_.table,
         .unit = move_.unit,
         .word = {.region = to, .at_ms = session.now_ms(), .by = "sim", .reason = reason},
         .takeover = move_.takeover},
        self, DefaultOf(move_.table), *txn);
    const std::string who = "region " + std::to_string(region_) + ", unit '" + move_.unit + "'";
    const bool home = move_.takeover || IsHome(self, said, move_.table);
    HW_CHECK(made.has_value() == home, "a planned move is the home's to make", who);
    if (!made) {
      ended_ = {.refused = true, .crosses = false, .home = made.error().region};
      homes_.mesh().coverage().Add(Branch::kHomeMoveRefused);
      return;
    }
    const auto dot = session.Commit(*txn);
    if (!*made || !dot) return;
    const auto now = ReadHome(session.Get(row));
    HW_CHECK(now && now->region == to && now->dot == *dot, "a move shows where it was made", who);
    HW_CHECK(now->epoch == (said.held ? said.held->epoch : 0) + 1, "a move raises the epoch", who);
    HW_CHECK(now->taken_over == move_.takeover, "a takeover says so", who);
  }
  void Done(Outcome outcome) override { done_(outcome, ended_); }

 private:
  Homes& homes_;
  int region_;
  sim::Move move_;
  std::function<void(Outcome, const Ended&)> done_;
  Ended ended_;
};

}  // namespace

Homes::Homes(Mesh& mesh, Random random)
    : mesh_(mesh),
      random_(random),
      truth_(mesh.truth(), mesh.coverage()),
      units_(2),
      units_max_(4 + random_.Below(6)) {
  mesh_.truth().OnAdd([this](const TruthTxn& txn) { truth_.OnDurable(txn); });
  mesh_.OnTurn([this](Region& region) { Check(region); });
}

// --- What clients do -----------------------------------------------------------------------------

void Homes::Run() {
  for (int id = 1; id <= mesh_.size(); ++id) Again(id);
}

void Homes::Again(int region) {
  mesh_.In(random_.Pause(mesh_.knobs().write_interval_us * 8), [this, region] {
    if (stopped_) return;
    Act(region);
    Again(region);
  });
}

Homes::Place Homes::AnyPlace() {
  const std::uint64_t unit = random_.Below(units_);
  const std::string name = UnitName(unit);
  const std::string keys[] = {name, "{" + name + "}:a", "{" + name + "}:b"};
  return {TableOf(unit), keys[random_.Index(std::size(keys))]};
}

void Homes::Act(int region) {
  const std::uint64_t kind = random_.Below(100);
  if (kind < 55) return Write(region, {AnyPlace()});
  if (kind < 63) return Write(region, {AnyPlace(), AnyPlace()});
  if (kind < 70) return Race(region);
  const std::uint64_t unit = random_.Below(units_);
  const std::string table = TableOf(unit);
  const std::string name = UnitName(unit);
  const bool takeover = MayBeTakenOver(unit) && random_.Chance(0.35);
  const int other = static_cast<int>(random_.Below(static_cast<std::uint64_t>(mesh_.size()))) + 1;
  const int to = takeover && random_.Chance(0.7) ? region : other;
  Move(region, table, name, to, takeover);
  // Where the unit was and where it goes there are clients that do not wait.
  const Place place{table, "{" + name + "}:a"};
  Write(region, {place}, 0);
  for (const int at : {region, to}) {
    mesh_.In(AwayUs(), [this, at, place] {
      if (!stopped_) Write(at, {place}, 0);
    });
  }
}

// A unit that nobody has homed, written in several regions at once.
void Homes::Race(int region) {
  if (units_ < units_max_) ++units_;
  const std::uint64_t unit = units_ - 1;
  const Place place{TableOf(unit), "{" + UnitName(unit) + "}:a"};
  for (int id = 1; id <= mesh_.size(); ++id) {
    if (id != region && random_.Chance(0.4)) continue;
    mesh_.In(random_.Between(0, 5000), [this, id, place] {
      if (!stopped_) Write(id, {place}, 0);
    });
  }
}

void Homes::Write(int region, const std::vector<Place>& places, int hops) {
  const auto done = [this, region, places, hops](Outcome outcome, const Ended& ended) {
    if (outcome != Outcome::kDurable) return;
    if (!ended.refused && hops == 1) mesh_.coverage().Add(Branch::kHomeForwarded);
    if (!ended.refused || ended.crosses || ended.home == RegionId{} || hops == 0) return;
    const int home = Raw(ended.home);
    if (home == region || mesh_.IsCut(region, home)) return;
    mesh_.In(AwayUs(), [this, home, places, hops] {
      if (!stopped_) Write(home, places, hops - 1);
    });
  };
  mesh_.Submit(region, std::make_unique<WriteJob>(*this, region, places, done));
}

void Homes::Move(int region, const std::string& table, const std::string& unit, int to,
                 bool takeover, int hops) {
  const auto done = [=, this](Outcome outcome, const Ended& ended) {
    if (outcome != Outcome::kDurable || !ended.refused || hops == 0) return;
    const int home = Raw(ended.home);
    if (mesh_.IsCut(region, home)) return;
    mesh_.In(AwayUs(), [=, this] {
      if (stopped_) return;
      Move(home, table, unit, to, takeover, hops - 1);
      Write(home, {{table, "{" + unit + "}:b"}}, 0);
    });
  };
  mesh_.Submit(
      region, std::make_unique<MoveJob>(*this, region, sim::Move{table, unit, to, takeover}, done));
}

// --- What must be true ---------------------------------------------------------------------------

void Homes::Check(Region& region) {
  Seen& seen = seen_[region.id()];
  const Cut& cut = region.watched().committed();
  if (seen.pending == 0 && seen.cut == cut && !region.facts().forked) return;
  seen.cut = cut;
  seen.pending = 0;
  const std::vector<std::string>& rows = truth_.rows();
  seen.looks.resize(rows.size());
  const Proof proof = region.replica().proof();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Look& look = seen.looks[i];
    const std::size_t words = truth_.Words(rows[i], cut);
    // Nothing new was said, so nothing new may show; the full checks are for what has moved.
    const bool settled = look.words == words && (words == 0 || look.confirmed);
    look.words = words;
    if (!settled || region.facts().forked) CheckOne(region, rows[i], cut, proof, look);
    if (look.held && !look.confirmed) ++seen.pending;
  }
}

void Homes::CheckOne(Region& region, const std::string& row, const Cut& cut, const Proof& proof,
                     Look& look) {
  const auto bytes = region.store().Read(row);
  const auto held = ReadHome(bytes);
  const HomeState state = HomeOf(bytes, proof).state;
  const std::string who = "region " + std::to_string(Raw(region.id())) + ", " +
                          std::string(SplitRowKey(row).key.substr(2)) + ": ";
  if (region.facts().forked) {
    HW_CHECK(state != HomeState::kConfirmed, "an older copy of a store confirms nothing", who);
    return;
  }
  const auto expected = truth_.Expected(row, cut);
  HW_CHECK(held.has_value() == expected.has_value() && (!held || held->dot == expected->dot),
           "a home is the highest that was said of it",
           who + (held ? Text(held->dot) : std::string("none")) + ", expected " +
               (expected ? Text(expected->dot) : std::string("none")));
  if (!held) return;
  if (look.held) {
    HW_CHECK(held->epoch >= look.held->epoch, "a stored epoch never falls", who);
    HW_CHECK(held->epoch > look.held->epoch || held->taken_over || !look.held->taken_over,
             "a takeover stands until its epoch has passed", who);
  }
  look.held = held;
  look.confirmed = state == HomeState::kConfirmed;
  if (look.confirmed) truth_.OnConfirmed(row, held->dot, cut);
}

bool Homes::AllConfirmed() {
  for (int id = 1; id <= mesh_.size(); ++id) {
    Region& region = mesh_.region(id);
    const Proof proof = region.replica().proof();
    for (const std::string& row : truth_.rows()) {
      const Home home = HomeOf(region.store().Read(row), proof);
      if (home.state == HomeState::kPending) return false;
    }
  }
  return true;
}

void Homes::CheckEnd() {
  truth_.CheckOverlaps();
  bool everybody = true;
  std::map<std::string, Dot> shown;
  for (int id = 1; id <= mesh_.size(); ++id) {
    Region& region = mesh_.region(id);
    everybody &= region.alive();
    if (!region.alive() || !region.up()) continue;
    truth_.CheckKept(region);
    if (!mesh_.Converged()) continue;
    for (const std::string& row : truth_.rows()) {
      const auto held = ReadHome(region.store().Read(row));
      const Dot dot = held ? held->dot : Dot{};
      HW_CHECK(shown.emplace(row, dot).first->second == dot, "one home in the end",
               "region " + std::to_string(id) + " shows " + Text(dot));
      mesh_.coverage().Add(Branch::kHomeChecked);
    }
  }
  // With two regions cut from each other, neither can hold its log against the other's copy.
  if (!everybody || !mesh_.Converged() || mesh_.knobs().scenario == Scenario::kPairCut) return;
  const std::int64_t until_ms = mesh_.now_ms() + mesh_.knobs().converge_ms_max;
  while (!AllConfirmed()) {
    HW_CHECK(mesh_.now_ms() < until_ms, "homes are confirmed in the end", "some are pending");
    mesh_.RunFor(20);
  }
}

}  // namespace hawser::sim
