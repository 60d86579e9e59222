#pragma once

// Mesh: several regions in one process, on invented time, over a network that can be told to lose,
// repeat, reorder, delay and corrupt. Nothing happens by itself but ticks; who drives it (a story,
// or the storms of chaos.h) decides the writes and the faults. Every event passes the checks; a
// broken one throws Failure.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/coverage.h"
#include "tests/sim/knobs.h"
#include "tests/sim/random.h"
#include "tests/sim/region.h"
#include "tests/sim/truth.h"

namespace hawser::sim {

class Mesh final : public Carrier {
 public:
  explicit Mesh(const Knobs& knobs, bool trace = false);

  // --- Time --------------------------------------------------------------------------------------
  std::int64_t now_us() const { return now_us_; }
  std::int64_t now_ms() const { return now_us_ / 1000; }
  void At(std::int64_t at_us, std::function<void()> act);
  void In(std::int64_t delay_us, std::function<void()> act) {
    At(now_us_ + delay_us, std::move(act));
  }
  bool Step();  // the next event; false: nothing is left to happen
  void RunFor(std::int64_t ms);
  std::uint64_t events() const { return events_; }
  std::uint64_t trace_hash() const { return trace_; }

  // --- Regions -----------------------------------------------------------------------------------
  int size() const { return static_cast<int>(regions_.size()); }
  Region& region(int id) { return *regions_[static_cast<std::size_t>(id - 1)]; }
  void Submit(int id, std::unique_ptr<Job> job);  // lost if the region is down
  void Start(int id);
  void Kill(int id);
  void Destroy(int id);
  void Pause(int id, std::int64_t ms);
  void StepClock(int id, std::int64_t off_ms);

  // --- Network -----------------------------------------------------------------------------------
  void Cut(int from, int to, bool cut = true);  // one way
  void CutPair(int a, int b, bool cut = true);
  void Isolate(int id, bool cut = true);
  void Clog(int from, int to, bool clog = true);  // held back, then delivered all at once
  void HealNetwork();
  void SetQuiet() { quiet_ = true; }  // no more loss, repetition, reordering, corruption
  bool IsCut(int from, int to) { return link(from, to).cut; }
  void Carry(RegionId from, const Send& send) override;

  // Called after every turn of a region that lives on.
  void OnTurn(std::function<void(Region&)> watch) { watches_.push_back(std::move(watch)); }

  Truth& truth() { return truth_; }
  Coverage& coverage() { return coverage_; }
  const Knobs& knobs() const { return knobs_; }

  // --- Judgement ---------------------------------------------------------------------------------
  // From now on the stable cut must follow what everybody has by at most this.
  void ExpectStableWithin(std::int64_t limit_us) { stable_limit_us_ = limit_us; }
  // True if all regions alive stand at the same cut and hold the same records, nothing waiting.
  bool Converged();
  void CheckAllRecords();

 private:
  struct Link {
    std::int64_t latency_us = 0;
    bool cut = false;
    bool clogged = false;
    std::vector<std::shared_ptr<const Received>> held;
  };
  struct Event {
    std::int64_t at_us = 0;
    std::uint64_t order = 0;
    int region = 0;  // 0: `act`
    int from = 0;
    std::uint64_t process = 0;
    std::shared_ptr<const Received> message;  // null: a turn
    std::uint64_t content = 0;
    bool tick = false;
    std::function<void()> act;
  };
  static bool Later(const Event& a, const Event& b) {
    return a.at_us != b.at_us ? a.at_us > b.at_us : a.order > b.order;
  }
  Link& link(int from, int to) {
    return links_[static_cast<std::size_t>((from - 1) * knobs_.regions + to - 1)];
  }
  void Push(Event event);
  void Deliver(int from, int to, const std::shared_ptr<const Received>& message, bool bulk);
  void ScheduleTurn(int id);
  void TakeTurn(int id);
  void Tick(int id);
  void SampleEverywhere();
  void Mix(std::uint64_t value);

  Knobs knobs_;
  Random network_random_, turn_random_;
  Truth truth_;
  Coverage coverage_;
  std::vector<std::unique_ptr<Region>> regions_;
  std::vector<Link> links_;
  std::vector<Event> queue_;
  struct Machine {
    std::uint64_t process = 0;
    bool turn_scheduled = false;
    std::int64_t paused_until_us = 0;
  };
  std::vector<Machine> machines_;
  std::int64_t now_us_ = 0;
  std::uint64_t order_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t trace_ = 0;
  std::uint64_t turns_ = 0;
  bool quiet_ = false;
  std::vector<std::function<void(Region&)>> watches_;
  std::int64_t stable_limit_us_ = 0;
  std::deque<std::pair<std::int64_t, hawser::Cut>> everywhere_;
};

}  // namespace hawser::sim
