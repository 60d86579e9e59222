#include "tests/sim/said.h"

#include "conflict/bytes.h"
#include "tests/sim/check.h"
#include "tests/sim/region.h"
#include "wan/wire.h"

namespace hawser::sim {
namespace {

void CheckBatch(const Batch& batch, const Address& to, Region& by, Truth& truth,
                Coverage& coverage) {
  const bool own = batch.origin.region == by.id();
  if (batch.fetch_missing) coverage.Add(Branch::kFetchMissing);
  if (batch.count == 0 || (own && by.facts().forked)) return;
  const std::string who = "region " + std::to_string(Raw(by.id())) + " sends " +
                          Text({batch.origin, batch.first}) + " +" + std::to_string(batch.count);
  HW_CHECK(to.kind != Address::Kind::kLog || own, "only the origin publishes its log", who);
  const Dot last{batch.origin, Seq{Raw(batch.first) + batch.count - 1}};
  HW_CHECK(by.watched().committed().Covers(last), "sent only what is durable here",
           who + " and has " + Text(by.watched().committed()));
  const TruthTxn* end = truth.Find(last);
  HW_CHECK(end && end->hash == batch.hash_after, "a log is sent as it is", who + " (hash)");
  if (batch.fetch_id != 0) {
    coverage.Add(own ? Branch::kServedTxns : Branch::kRelayedTxns, batch.count);
  }
  if (batch.fragments > 1) {
    HW_CHECK(end->bytes.find(batch.body) != std::string::npos, "a log is sent as it is",
             who + " (fragment)");
    return;
  }
  ByteReader in(batch.body);
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    const TruthTxn* made = truth.Find({batch.origin, Seq{Raw(batch.first) + i}});
    HW_CHECK(made && made->bytes == in.Text(), "a log is sent as it is", who + " (content)");
  }
}

void CheckReport(const Report& report, Region& by, Truth& truth) {
  const RegionId about = report.own.origin.region;
  const bool own = about == by.id();
  if (truth.forked.contains(about)) return;
  const std::string who =
      "region " + std::to_string(Raw(by.id())) + " says of " + std::to_string(Raw(about)) + ": ";
  const Cut& limit = own ? by.watched().committed() : truth.durable(about);
  HW_CHECK(limit.Covers(report.own), "reported only what is durable",
           who + "own " + Text(report.own) + ", has " + Text(limit));
  for (const BeatLog& log : report.applied) {
    HW_CHECK(limit.Covers({log.origin, log.seq}), "reported only what is durable",
             who + Text({log.origin, log.seq}) + ", has " + Text(limit));
    const TruthTxn* made = truth.Find({log.origin, log.seq});
    HW_CHECK(log.seq == Seq{0} || (made && made->hash == log.hash), "reported the right hash",
             who + Text({log.origin, log.seq}));
  }
  if (own) {
    HW_CHECK(report.clock <= by.store().durable().ceiling, "told clocks are under the ceiling",
             who + std::to_string(report.clock.ms()) + " over " +
                 std::to_string(by.store().durable().ceiling.ms()));
    truth.told_clock(about) = std::max(truth.told_clock(about), report.clock);
  } else {
    HW_CHECK(report.clock <= truth.told_clock(about), "relayed reports are as told", who);
  }
}

}  // namespace

void CheckSaid(const Send& send, Region& by, Truth& truth, Coverage& coverage) {
  const auto message = Decode(send.bytes);
  HW_CHECK(message.has_value(), "sends decode",
           "region " + std::to_string(Raw(by.id())) + " sends bytes that are no message");
  if (const auto* batch = std::get_if<Batch>(&*message)) {
    CheckBatch(*batch, send.to, by, truth, coverage);
  } else if (const auto* beat = std::get_if<Beat>(&*message)) {
    CheckReport(beat->report, by, truth);
    coverage.Add(Branch::kRelayedReports, beat->relayed.size());
    for (const Report& relayed : beat->relayed) CheckReport(relayed, by, truth);
  }
}

}  // namespace hawser::sim
