#pragma once

// One example of every message, with every field set; golden files and fuzz seeds are made of them.

#include <string>
#include <utility>
#include <vector>

#include "wan/message.h"

namespace hawser::test {

inline Origin OriginOf(std::uint8_t region, std::uint64_t incarnation) {
  return {RegionId{region}, Incarnation{incarnation}};
}

inline Batch ExampleBatch() {
  Batch batch;
  batch.origin = OriginOf(3, 0x1122334455667788);
  batch.first = Seq{1000};
  batch.count = 2;
  batch.hash_before = 0xa1a2a3a4a5a6a7a8;
  batch.hash_after = 0xb1b2b3b4b5b6b7b8;
  batch.body = std::string("\x03one\x03two", 8);
  return batch;
}

inline Batch ExampleFragment() {
  Batch batch = ExampleBatch();
  batch.count = 1;
  batch.fragment = 2;
  batch.fragments = 5;
  batch.fetch_id = 77;
  batch.body = "a piece of a large txn";
  return batch;
}

inline Batch ExampleFetchEnd() {
  Batch batch;
  batch.origin = OriginOf(3, 0x1122334455667788);
  batch.first = Seq{1002};
  batch.fetch_id = 78;
  batch.fetch_end = true;
  batch.fetch_missing = true;
  return batch;
}

// Text as compressible as text is.
inline Batch ExampleLongBatch() {
  Batch batch = ExampleBatch();
  batch.count = 64;
  batch.body.clear();
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    const std::string txn = "orders:" + std::to_string(100000 + i * 7919) +
                            " status=PAID total=" + std::to_string(i * i) + " customer=anna" +
                            std::to_string(i) + "@example.org";
    batch.body.push_back(static_cast<char>(txn.size()));
    batch.body += txn;
  }
  return batch;
}

inline Report ExampleReport(std::uint8_t region) {
  Report report;
  report.own = {OriginOf(region, 0x0101010101010101u * region), Seq{100u * region}};
  for (std::uint8_t other = 1; other <= 3; ++other) {
    report.applied.push_back({OriginOf(other, 0x0101010101010101u * other), Seq{10u * other},
                              0xc0c1c2c3c4c5c600u + other});
  }
  report.clock = Stamp{(1'700'000'000'000u << 16) + region};
  return report;
}

inline Beat ExampleBeat() {
  Beat beat;
  beat.report = ExampleReport(1);
  beat.relayed = {ExampleReport(2), ExampleReport(3)};
  beat.lifecycle = Lifecycle::kCatchingUp;
  beat.cluster_id = 0xd1d2d3d4d5d6d7d8;
  beat.schema_hash = 0xe1e2e3e4e5e6e7e8;
  beat.member_hash = 0xf1f2f3f4f5f6f7f8;
  beat.format = 1;
  beat.software = "hawser 0.1.0";
  beat.receiving_paused = true;
  return beat;
}

// A beat with its start; one without is read too.
inline Beat ExampleBeatOfRun() {
  Beat beat = ExampleBeat();
  beat.started_ms = 1'790'000'000'123;
  return beat;
}

inline Fetch ExampleFetch() {
  return {RegionId{2}, 77, OriginOf(3, 0x1122334455667788), Seq{1000}, 4 * 1024 * 1024};
}
inline Probe ExampleProbe() {
  return {RegionId{2}, 5, 1'700'000'000'000'001};
}
inline ProbeAnswer ExampleProbeAnswer() {
  return {RegionId{3}, 5, 1'700'000'000'000'001, 1'700'000'000'020'002, -3};
}

inline CallRequest ExampleCallRequest() {
  return {.from = RegionId{2},
          .id = 0x1122334455667788,
          .sent_ms = 1'790'000'000'123,
          .budget_ms = 1500,
          .piece = 1,
          .pieces = 3,
          .verb = "explain",
          .body = "orders/42"};
}
inline CallAnswer ExampleCallAnswer() {
  return {.from = RegionId{3},
          .id = 0x1122334455667788,
          .status = CallStatus::kBusy,
          .piece = 0,
          .pieces = 1,
          .body = "64 under way"};
}

// By the name of their golden file.
inline std::vector<std::pair<std::string, Message>> Examples() {
  return {{"batch", ExampleBatch()},
          {"fragment", ExampleFragment()},
          {"fetch_end", ExampleFetchEnd()},
          {"long_batch", ExampleLongBatch()},
          {"beat", ExampleBeat()},
          {"beat_of_run", ExampleBeatOfRun()},
          {"fetch", ExampleFetch()},
          {"probe", ExampleProbe()},
          {"probe_answer", ExampleProbeAnswer()},
          {"call_request", ExampleCallRequest()},
          {"call_answer", ExampleCallAnswer()}};
}

}  // namespace hawser::test
