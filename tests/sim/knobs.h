#pragma once

// Knobs: everything a seed decides before the first event, so that a failure can be read and a
// story can choose for itself. Sizes are drawn small on purpose: a bound never reached is a bound
// never tested.

#include <cstdint>
#include <string>

namespace hawser::sim {

// What happens beside the usual storms.
enum class Scenario : std::uint8_t {
  kStorms,        // faults of all kinds, then everything heals
  kSteady,        // no faults at first: the stable cut must keep up; then storms
  kRollback,      // a region starts again on an older copy of its store, or on an empty one
  kLostOrigin,    // a region is destroyed after its last txns reached some of the others only
  kPairCut,       // in the end two regions stay cut from each other: the others relay
  kTightJournal,  // the journal's bound is reached
};
const char* Name(Scenario scenario);

struct Knobs {
  std::uint64_t seed = 0;
  Scenario scenario = Scenario::kStorms;
  int regions = 3;
  std::int64_t faults_ms = 3000;  // how long faults last
  // After healing. The slowest disk writes a row per tick: a region that is far behind takes long.
  std::int64_t converge_ms_max = 60'000;

  // Protocol
  std::int64_t beat_interval_ms = 100;
  std::int64_t beat_gap_ms = 1;
  std::int64_t skew_ms_max = 500;
  std::uint64_t pending_bytes_max = 1 << 20;
  std::uint64_t step_bytes_max = 1 << 20;
  std::uint64_t window_bytes = 1 << 20;
  std::uint64_t serve_bytes_aim = 24 * 1024;
  std::uint64_t serve_bytes_per_second = 0;
  std::int64_t fetch_timeout_ms = 300;

  // Store
  std::uint32_t checkpoint_rows = 16;
  std::uint32_t rows_per_commit = 4;
  std::uint32_t checkpoint_idle_upkeeps = 8;
  std::uint64_t journal_bytes_max = std::uint64_t{1} << 40;

  // Machines and clocks
  std::int64_t tick_ms = 20;
  std::int64_t turn_delay_us_max = 1000;  // between an event and the turn that takes it in
  double drift_ppm_max = 100;
  std::int64_t clock_step_ms_max = 1500;
  std::size_t inbox_messages_max = 4096;

  // Network
  std::int64_t latency_us_min = 500, latency_us_max = 20000;
  std::int64_t jitter_us = 2000;
  std::int64_t bulk_delay_us = 0;  // of logs and fetch answers, beside beats
  double loss = 0, duplicate = 0, reorder = 0, corrupt = 0, strange = 0;

  // Writes
  std::int64_t write_interval_us = 20000;  // per region
  std::uint64_t hot_keys = 4, cold_keys = 20;
  double large_value = 0;
  double burst = 0.1;  // a write comes with more of them at once

  // Faults
  std::int64_t fault_interval_ms = 200;
};

Knobs KnobsOf(std::uint64_t seed);
std::string Text(const Knobs& knobs);

}  // namespace hawser::sim
