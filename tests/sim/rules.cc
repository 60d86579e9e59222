#include "tests/sim/rules.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "conflict/record_codec.h"
#include "storage/declare.h"
#include "tests/sim/check.h"
#include "wan/session.h"

namespace hawser::sim {
namespace {

struct Place {
  const char* state;
  int place;
};
constexpr Place kPlaces[] = {{"draft", 1},  {"new", 2},    {"checked", 3}, {"vetted", 3},
                             {"paid", 4},   {"picked", 5}, {"packed", 6},  {"boxed", 7},
                             {"sealed", 7}, {"sent", 8},   {"filed", 9},   {"closed", 9}};

// What a daemon does at its start, at a reload and when facts of others arrive.
class DeclareJob final : public Job {
 public:
  using Ended = std::function<void(bool declared, bool contradicted)>;
  DeclareJob(Schema schema, Coverage& coverage, Ended ended)
      : schema_(std::move(schema)), coverage_(coverage), ended_(std::move(ended)) {}

  void Run(Session& session) override {
    const auto txn = session.Begin();
    txn->type = TxnType::kDeclaration;
    const Declaring declaring = hawser::Declare(schema_, *txn);
    contradicted_ = !declaring.contradictions.empty();
    if (!declaring.older.empty()) coverage_.Add(Branch::kOlderFile);
    if (contradicted_) return;
    const auto dot = session.Commit(*txn);
    declared_ = dot.has_value();
    if (dot && dot->seq != Seq{0}) coverage_.Add(Branch::kDeclared);
  }
  void Done(Outcome outcome) override {
    if (outcome == Outcome::kDurable) ended_(declared_, contradicted_);
  }

 private:
  const Schema schema_;
  Coverage& coverage_;
  Ended ended_;
  bool declared_ = false, contradicted_ = false;
};

}  // namespace

int PlaceOf(std::string_view state) {
  const auto at = std::ranges::find(kPlaces, state, &Place::state);
  return at == std::end(kPlaces) ? 0 : at->place;
}

const std::vector<std::string>& FirstLine() {
  static const std::vector<std::string> kLine = {"new", "paid", "packed", "sent"};
  return kLine;
}

Rules::Rules(Mesh& mesh, Random random) : mesh_(mesh), random_(random) {
  files_.resize(static_cast<std::size_t>(mesh.size()));
  const bool at_odds = random_.Chance(0.5);
  loose_ = random_.Chance(0.3);
  for (File& file : files_) {
    file.line = file.wanted = FirstLine();
    if (at_odds && random_.Chance(0.5)) file.odd = Kind::kMin;
    while (loose_ && random_.Chance(0.4)) Grow(file);
  }
  for (int id = 1; id <= mesh.size(); ++id) mesh.region(id).facts().loose_line = loose_;
}

void Rules::Run() {
  for (int id = 1; id <= mesh_.size(); ++id) Again(id);
}

void Rules::Again(int region) {
  mesh_.In(random_.Between(20, 500) * 1000, [this, region] {
    if (stopped_) return;
    if ((loose_ || At(region).declared) && random_.Chance(0.3)) Grow(At(region));
    Declare(region);
    Again(region);
  });
}

// One more state, anywhere in the line where it may stand.
void Rules::Grow(File& file) {
  std::vector<Place> missing;
  for (const Place& place : kPlaces) {
    if (std::ranges::find(file.wanted, place.state) == file.wanted.end()) missing.push_back(place);
  }
  if (missing.empty()) return;
  const Place fresh = random_.Pick(missing);
  const bool behind_its_like = random_.Chance(0.5);
  const auto at = std::ranges::find_if(file.wanted, [&](const std::string& state) {
    const int place = PlaceOf(state);
    return place > fresh.place || (place == fresh.place && !behind_its_like);
  });
  file.wanted.insert(at, fresh.state);
}

void Rules::Declare(int region) {
  if (!mesh_.region(region).up()) return;
  Schema schema = SimSchema();
  schema.tables["d"].fields["state"] = StatesRule(At(region).wanted);
  schema.tables["d"].fields["odd"].kind = At(region).odd;
  auto ended = [this, region, line = At(region).wanted](bool declared, bool contradicted) {
    File& file = At(region);
    if (declared) {
      file.line = line;
      file.declared = true;
    }
    if (!contradicted) return;
    mesh_.coverage().Add(Branch::kContradicted);
    // An operator who is told: the winner's rule, and the line as it was.
    const Schema& rules = mesh_.region(region).replica().schema();
    file.odd = rules.Rule("d", "odd").kind;
    file.overruled = true;
    file.wanted = file.line;
  };
  mesh_.Submit(region,
               std::make_unique<DeclareJob>(std::move(schema), mesh_.coverage(), std::move(ended)));
}

void Rules::DeclareAll() {
  for (int id = 1; id <= mesh_.size(); ++id) Declare(id);
}

void Rules::CheckAgree(const std::vector<int>& regions) {
  const Schema* first = nullptr;
  for (const int id : regions) {
    const Schema& rules = mesh_.region(id).replica().schema();
    if (!first) first = &rules;
    HW_CHECK(rules == *first, "regions go by the same rules",
             "region " + std::to_string(id) + " differs from region " + std::to_string(regions[0]));
    const FieldRule& line = rules.Rule("d", "state");
    if (At(id).overruled && loose_) continue;
    for (const std::string& state : At(id).line) {
      HW_CHECK(line.RankOf(state).has_value(), "what was declared holds",
               "region " + std::to_string(id) + " declared " + state);
    }
    int place = 0;
    for (const std::string& state : line.states) {
      HW_CHECK(PlaceOf(state) >= place, "added states stand where they were put",
               state + " stands behind its place");
      place = PlaceOf(state);
    }
    mesh_.coverage().Add(Branch::kRulesChecked);
  }
}

void CheckStates(const std::set<std::string>& row_keys, MemoryStore& store, RegionFacts& facts,
                 Stamp stamp_highest, Coverage& coverage) {
  if (facts.forked) return;
  Record record;
  for (const std::string& row_key : row_keys) {
    const auto at = facts.states.find(row_key);
    // What had expired by the time of any txn here shows nothing and starts anew.
    const bool was = at != facts.states.end() &&
                     (at->second.expires_ms == 0 || at->second.expires_ms > stamp_highest.ms());
    const auto bytes = store.Read(row_key);
    const Field* field = nullptr;
    if (bytes) {
      HW_CHECK(DecodeRecord(*bytes, record), "row is a record", row_key);
      field = record.Find("state");
    }
    if (!field || !field->has_cell || field->cell.null || field->cell.kind != Kind::kStates) {
      if (at != facts.states.end()) facts.states.erase(at);
      continue;
    }
    const Cell& cell = field->cell;
    if (was) {
      const RegionFacts::State& before = at->second;
      const std::string who =
          "region " + std::to_string(Raw(facts.region)) + ", " + row_key + ": " + before.value +
          " (generation " + std::to_string(before.generation) + ", rank " +
          std::to_string(before.rank) + ") became " + std::string(cell.value) + " (" +
          std::to_string(cell.generation) + ", " + std::to_string(cell.rank) + ")";
      HW_CHECK(cell.generation >= before.generation, "generations rise while a state shows", who);
      if (cell.generation == before.generation) {
        HW_CHECK(cell.rank >= before.rank, "a state never goes back", who);
        HW_CHECK(facts.loose_line || PlaceOf(cell.value) >= PlaceOf(before.value),
                 "states move along their line", who);
        if (cell.value != before.value) coverage.Add(Branch::kStateMoved);
        if (PlaceOf(cell.value) % 2 == 1) coverage.Add(Branch::kAddedStateShown);
      }
    }
    facts.states[row_key] = {.generation = cell.generation,
                             .rank = cell.rank,
                             .value = std::string(cell.value),
                             .expires_ms = ExpiryMs(record).value_or(0)};
  }
}

}  // namespace hawser::sim
