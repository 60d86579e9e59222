#include "tests/sim/knobs.h"

#include <sstream>

#include "tests/sim/random.h"

namespace hawser::sim {

const char* Name(Scenario scenario) {
  switch (scenario) {
    case Scenario::kStorms:
      return "storms";
    case Scenario::kSteady:
      return "steady";
    case Scenario::kRollback:
      return "rollback";
    case Scenario::kLostOrigin:
      return "lost origin";
    case Scenario::kPairCut:
      return "pair cut";
    case Scenario::kTightJournal:
      return "tight journal";
  }
  return "?";
}

Knobs KnobsOf(std::uint64_t seed) {
  Random random(seed ^ 0x6b6e6f6273ULL);
  Knobs knobs;
  knobs.seed = seed;
  switch (random.Below(20)) {
    case 0:
    case 1:
      knobs.scenario = Scenario::kSteady;
      break;
    case 2:
    case 3:
      knobs.scenario = Scenario::kRollback;
      break;
    case 4:
    case 5:
      knobs.scenario = Scenario::kLostOrigin;
      break;
    case 6:
    case 7:
      knobs.scenario = Scenario::kPairCut;
      break;
    case 8:
      knobs.scenario = Scenario::kTightJournal;
      break;
    default:
      break;
  }
  static constexpr int kRegionsBy[] = {2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7};
  knobs.regions = kRegionsBy[random.Index(std::size(kRegionsBy))];
  if (knobs.scenario == Scenario::kPairCut || knobs.scenario == Scenario::kLostOrigin) {
    knobs.regions = std::max(knobs.regions, 3);
  }
  knobs.faults_ms = random.Between(2500, 5000);

  knobs.beat_interval_ms = random.Between(40, 250);
  knobs.beat_gap_ms = random.Chance(0.5) ? 1 : random.Between(2, 30);
  knobs.skew_ms_max = random.Between(150, 600);
  if (random.Chance(0.3)) {
    knobs.pending_bytes_max = static_cast<std::uint64_t>(random.Between(300, 6000));
  }
  if (random.Chance(0.3)) {
    knobs.step_bytes_max = static_cast<std::uint64_t>(random.Between(100, 3000));
  }
  if (random.Chance(0.4)) {
    knobs.window_bytes = static_cast<std::uint64_t>(random.Between(100, 4000));
  }
  if (random.Chance(0.4)) {
    knobs.serve_bytes_aim = static_cast<std::uint64_t>(random.Between(100, 2000));
  }
  if (random.Chance(0.2)) {
    knobs.serve_bytes_per_second = static_cast<std::uint64_t>(random.Between(60000, 400000));
  }
  knobs.fetch_timeout_ms = random.Between(80, 600);

  knobs.checkpoint_rows = static_cast<std::uint32_t>(random.Between(2, 40));
  knobs.rows_per_commit = static_cast<std::uint32_t>(random.Between(1, 6));
  knobs.checkpoint_idle_upkeeps = static_cast<std::uint32_t>(random.Between(2, 30));
  if (knobs.scenario == Scenario::kTightJournal) {
    // Received txns may use an eighth more than local ones: every txn must be well below that.
    knobs.journal_bytes_max = static_cast<std::uint64_t>(
        knobs.regions < 3 ? random.Between(16'000, 40'000) : random.Between(6'000, 30'000));
  }

  knobs.tick_ms = random.Between(10, 30);
  knobs.turn_delay_us_max = random.Chance(0.5) ? 300 : random.Between(1000, 8000);
  knobs.drift_ppm_max = random.Chance(0.3) ? 2000 : 100;
  knobs.clock_step_ms_max = random.Between(200, 2500);
  if (random.Chance(0.15)) knobs.inbox_messages_max = random.Index(30) + 10;

  knobs.latency_us_min = random.Between(100, 5000);
  knobs.latency_us_max = knobs.latency_us_min + random.Between(100, 80000);
  knobs.jitter_us = random.Between(100, 10000);
  if (random.Chance(0.3)) knobs.bulk_delay_us = random.Between(5000, 60000);
  if (random.Chance(0.7)) knobs.loss = random.Unit() * random.Unit() * 0.3;
  if (random.Chance(0.6)) knobs.duplicate = random.Unit() * 0.2;
  if (random.Chance(0.6)) knobs.reorder = random.Unit() * 0.3;
  if (random.Chance(0.3)) knobs.corrupt = random.Unit() * 0.02;
  if (random.Chance(0.3)) knobs.strange = random.Unit() * 0.02;

  knobs.write_interval_us = random.Between(8000, 40000) * knobs.regions / 3;
  knobs.hot_keys = random.Below(5) + 2;
  knobs.cold_keys = random.Below(40) + 4;
  if (random.Chance(0.06)) knobs.large_value = 0.01;
  knobs.burst = random.Unit() * 0.3;
  knobs.fault_interval_ms = random.Between(60, 400);

  if (knobs.scenario == Scenario::kSteady) {  // beats come before the log they speak of
    knobs.loss = knobs.corrupt = knobs.strange = knobs.large_value = 0;
    knobs.serve_bytes_per_second = 0;
    knobs.latency_us_max = knobs.latency_us_min + 10000;
    knobs.jitter_us = 1000;
    knobs.bulk_delay_us = random.Between(30000, 90000);
    knobs.write_interval_us = random.Between(3000, 8000);
    knobs.turn_delay_us_max = 300;
    knobs.beat_gap_ms = random.Between(1, 3);
    knobs.pending_bytes_max = knobs.step_bytes_max = 1 << 20;
    knobs.checkpoint_rows = 40;  // the store must not be what holds the stable cut back
    knobs.rows_per_commit = 8;
    knobs.drift_ppm_max = 100;
    knobs.regions = std::min(knobs.regions, 4);
    knobs.inbox_messages_max = 4096;
    knobs.burst = 0;
  }
  return knobs;
}

std::string Text(const Knobs& knobs) {
  std::ostringstream out;
  out << "seed=" << knobs.seed << " scenario=\"" << Name(knobs.scenario)
      << "\" regions=" << knobs.regions << " faults_ms=" << knobs.faults_ms
      << " beat_interval_ms=" << knobs.beat_interval_ms << " beat_gap_ms=" << knobs.beat_gap_ms
      << " skew_ms_max=" << knobs.skew_ms_max << " pending_bytes_max=" << knobs.pending_bytes_max
      << " step_bytes_max=" << knobs.step_bytes_max << " window_bytes=" << knobs.window_bytes
      << " serve_bytes_aim=" << knobs.serve_bytes_aim
      << " serve_bytes_per_second=" << knobs.serve_bytes_per_second
      << " fetch_timeout_ms=" << knobs.fetch_timeout_ms
      << " checkpoint_rows=" << knobs.checkpoint_rows
      << " rows_per_commit=" << knobs.rows_per_commit
      << " checkpoint_idle_upkeeps=" << knobs.checkpoint_idle_upkeeps
      << " journal_bytes_max=" << knobs.journal_bytes_max << " tick_ms=" << knobs.tick_ms
      << " turn_delay_us_max=" << knobs.turn_delay_us_max
      << " drift_ppm_max=" << knobs.drift_ppm_max
      << " clock_step_ms_max=" << knobs.clock_step_ms_max
      << " inbox_messages_max=" << knobs.inbox_messages_max
      << " latency_us=" << knobs.latency_us_min << ".." << knobs.latency_us_max
      << " jitter_us=" << knobs.jitter_us << " bulk_delay_us=" << knobs.bulk_delay_us
      << " loss=" << knobs.loss << " duplicate=" << knobs.duplicate << " reorder=" << knobs.reorder
      << " corrupt=" << knobs.corrupt << " strange=" << knobs.strange
      << " write_interval_us=" << knobs.write_interval_us << " hot_keys=" << knobs.hot_keys
      << " cold_keys=" << knobs.cold_keys << " large_value=" << knobs.large_value
      << " burst=" << knobs.burst << " fault_interval_ms=" << knobs.fault_interval_ms;
  return out.str();
}

}  // namespace hawser::sim
