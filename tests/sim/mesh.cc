#include "tests/sim/mesh.h"

#include <algorithm>
#include <cstdio>

#include "conflict/bytes.h"
#include "conflict/txn.h"
#include "tests/sim/check.h"
#include "tests/sim/reference.h"

namespace hawser::sim {

Mesh::Mesh(const Knobs& knobs, bool)
    : knobs_(knobs), network_random_(knobs.seed ^ 0x6e6574), turn_random_(knobs.seed ^ 0x7475726e) {
  Random random(knobs.seed ^ 0x6d657368);
  for (int id = 1; id <= knobs_.regions; ++id) {
    regions_.push_back(std::make_unique<Region>(RegionId{static_cast<std::uint8_t>(id)}, knobs_,
                                                truth_, coverage_, *this, random.Fork()));
    machines_.emplace_back();
  }
  links_.resize(static_cast<std::size_t>(knobs_.regions * knobs_.regions));
  for (int a = 1; a <= knobs_.regions; ++a) {
    for (int b = 1; b <= knobs_.regions; ++b) {
      link(a, b).latency_us = random.Between(knobs_.latency_us_min, knobs_.latency_us_max);
    }
  }
  for (int id = 1; id <= knobs_.regions; ++id) Start(id);
}

// --- Time ----------------------------------------------------------------------------------------

void Mesh::Push(Event event) {
  event.order = ++order_;
  queue_.push_back(std::move(event));
  std::ranges::push_heap(queue_, Later);
}

void Mesh::At(std::int64_t at_us, std::function<void()> act) {
  Event event;
  event.at_us = std::max(at_us, now_us_);
  event.act = std::move(act);
  Push(std::move(event));
}

void Mesh::Mix(std::uint64_t value) {
  trace_ = (trace_ ^ value) * 0x9e3779b97f4a7c15ULL;
  trace_ ^= trace_ >> 29;
}

bool Mesh::Step() {
  if (queue_.empty()) return false;
  std::ranges::pop_heap(queue_, Later);
  Event event = std::move(queue_.back());
  queue_.pop_back();
  now_us_ = event.at_us;
  ++events_;
  Mix(static_cast<std::uint64_t>(now_us_));
  Mix(event.content + static_cast<std::uint64_t>(event.region * 256 + event.from));
  if (event.region == 0) {
    event.act();
    return true;
  }
  Region& to = region(event.region);
  Machine& machine = machines_[static_cast<std::size_t>(event.region - 1)];
  if (event.message) {
    if (!to.up()) return true;
    if (event.from != 0 && link(event.from, event.region).cut) {
      coverage_.Add(Branch::kMessageLost);
      return true;
    }
    coverage_.Add(Branch::kMessageDelivered);
    to.Take(event.message);
    ScheduleTurn(event.region);
    return true;
  }
  if (event.process != machine.process || !to.up()) return true;
  if (event.tick) {
    Tick(event.region);
  } else {
    machine.turn_scheduled = false;
  }
  TakeTurn(event.region);
  return true;
}

void Mesh::RunFor(std::int64_t ms) {
  const std::int64_t until_us = now_us_ + ms * 1000;
  while (!queue_.empty() && queue_.front().at_us <= until_us) Step();
  now_us_ = std::max(now_us_, until_us);
}

void Mesh::ScheduleTurn(int id) {
  Machine& machine = machines_[static_cast<std::size_t>(id - 1)];
  if (machine.turn_scheduled || !region(id).up()) return;
  machine.turn_scheduled = true;
  Event event;
  event.at_us = std::max(now_us_ + turn_random_.Between(0, knobs_.turn_delay_us_max),
                         machine.paused_until_us);
  event.region = id;
  event.process = machine.process;
  Push(std::move(event));
}

void Mesh::Tick(int id) {
  Event event;
  event.at_us = now_us_ + knobs_.tick_ms * 1000 + turn_random_.Between(0, 1000);
  event.region = id;
  event.tick = true;
  event.process = machines_[static_cast<std::size_t>(id - 1)].process;
  Push(std::move(event));
}

void Mesh::TakeTurn(int id) {
  Machine& machine = machines_[static_cast<std::size_t>(id - 1)];
  if (now_us_ < machine.paused_until_us) {
    ScheduleTurn(id);
    return;
  }
  Region& taken = region(id);
  if (stable_limit_us_ > 0) {
    SampleEverywhere();
    while (everywhere_.size() > 1 && everywhere_[1].first <= now_us_ - stable_limit_us_) {
      everywhere_.pop_front();
    }
    if (everywhere_.front().first <= now_us_ - stable_limit_us_) {
      taken.watched().ExpectStable(everywhere_.front().second);
    }
  } else {
    taken.watched().ExpectStable({});
  }
  if (!taken.Turn(now_us_)) {
    ++machine.process;
    return;
  }
  for (const Dot& dot : taken.watched().committed().dots()) Mix(Raw(dot.seq));
  for (const auto& watch : watches_) watch(taken);
  if (++turns_ % 16 == 0 && !truth_.rows().empty() && !taken.facts().forked) {
    auto row = truth_.rows().begin();
    std::advance(row, static_cast<std::ptrdiff_t>(turn_random_.Index(truth_.rows().size())));
    taken.CheckRecord(row->first);
  }
  if (taken.WantsTurn()) ScheduleTurn(id);
}

void Mesh::SampleEverywhere() {
  if (!everywhere_.empty() && now_us_ - everywhere_.back().first < 10'000) return;
  everywhere_.emplace_back(now_us_, truth_.EverywhereDurable());
}

// --- Regions -------------------------------------------------------------------------------------

void Mesh::Submit(int id, std::unique_ptr<Job> job) {
  if (!region(id).up()) return;
  region(id).Take(std::move(job));
  ScheduleTurn(id);
}

void Mesh::Start(int id) {
  Region& starting = region(id);
  if (starting.up() || starting.destroyed() || starting.stopped()) return;
  Machine& machine = machines_[static_cast<std::size_t>(id - 1)];
  ++machine.process;
  machine.turn_scheduled = false;
  starting.Start(now_us_);
  Tick(id);
  ScheduleTurn(id);
}

void Mesh::Kill(int id) {
  region(id).Kill();
  ++machines_[static_cast<std::size_t>(id - 1)].process;
}

void Mesh::Destroy(int id) {
  region(id).Destroy();
  ++machines_[static_cast<std::size_t>(id - 1)].process;
}

void Mesh::Pause(int id, std::int64_t ms) {
  machines_[static_cast<std::size_t>(id - 1)].paused_until_us = now_us_ + ms * 1000;
}

void Mesh::StepClock(int id, std::int64_t off_ms) {
  region(id).clock().StepTo(off_ms);
}

// --- Network -------------------------------------------------------------------------------------

void Mesh::Cut(int from, int to, bool cut) {
  link(from, to).cut = cut;
}

void Mesh::CutPair(int a, int b, bool cut) {
  Cut(a, b, cut);
  Cut(b, a, cut);
}

void Mesh::Isolate(int id, bool cut) {
  for (int other = 1; other <= size(); ++other) {
    if (other != id) CutPair(id, other, cut);
  }
}

void Mesh::Clog(int from, int to, bool clog) {
  Link& through = link(from, to);
  through.clogged = clog;
  if (clog) return;
  auto held = std::exchange(through.held, {});
  if (network_random_.Chance(0.3)) network_random_.Shuffle(held);
  for (const auto& message : held) Deliver(from, to, message, false);
}

void Mesh::HealNetwork() {
  for (int a = 1; a <= size(); ++a) {
    for (int b = 1; b <= size(); ++b) {
      link(a, b).cut = false;
      if (link(a, b).clogged) Clog(a, b, false);
    }
  }
}

void Mesh::Carry(RegionId from, const Send& send) {
  const int by = Raw(from);
  auto message = std::make_shared<Received>();
  message->kind = send.to.kind;
  message->bytes = send.bytes;
  const bool to_all = send.to.kind == Address::Kind::kLog || send.to.kind == Address::Kind::kBeat;
  if (to_all) message->subject_region = from;
  if (send.to.kind == Address::Kind::kLog) {
    message->subject_incarnation = region(by).origin().incarnation;
  }
  const bool bulk = send.to.kind == Address::Kind::kLog ||
                    (send.to.kind == Address::Kind::kIn && send.bytes.size() > 100);
  if (!to_all) {
    Deliver(by, Raw(send.to.region), message, bulk);
    return;
  }
  for (int to = 1; to <= size(); ++to) {
    if (to != by) Deliver(by, to, message, bulk);
  }
}

void Mesh::Deliver(int from, int to, const std::shared_ptr<const Received>& message, bool bulk) {
  coverage_.Add(Branch::kMessageSent);
  Link& through = link(from, to);
  if (through.cut || (!quiet_ && network_random_.Chance(knobs_.loss))) {
    coverage_.Add(Branch::kMessageLost);
    return;
  }
  if (through.clogged) {
    coverage_.Add(Branch::kClogged);
    through.held.push_back(message);
    return;
  }
  std::shared_ptr<const Received> sent = message;
  if (!quiet_ && knobs_.corrupt > 0 && network_random_.Chance(knobs_.corrupt)) {
    coverage_.Add(Branch::kMessageCorrupted);
    auto bad = std::make_shared<Received>(*message);
    bad->bytes[network_random_.Index(bad->bytes.size())] ^=
        static_cast<char>(1U << network_random_.Below(8));
    sent = std::move(bad);
  }
  if (!quiet_ && knobs_.strange > 0 && network_random_.Chance(knobs_.strange)) {
    coverage_.Add(Branch::kMessageStrange);
    auto strange = std::make_shared<Received>(*message);
    strange->subject_region = RegionId{static_cast<std::uint8_t>(network_random_.Below(60) + 1)};
    strange->subject_incarnation = Incarnation{network_random_.Next()};
    sent = std::move(strange);
  }
  int copies = 1;
  while (!quiet_ && copies < 4 && network_random_.Chance(knobs_.duplicate)) {
    ++copies;
    coverage_.Add(Branch::kMessageDuplicated);
  }
  const std::uint64_t content = HashNext(7, sent->bytes);
  for (int i = 0; i < copies; ++i) {
    Event event;
    event.at_us = now_us_ + through.latency_us + network_random_.Between(0, knobs_.jitter_us) +
                  (bulk ? knobs_.bulk_delay_us : 0);
    if (!quiet_ && network_random_.Chance(knobs_.reorder)) {
      event.at_us += network_random_.Between(1000, 100'000);
      coverage_.Add(Branch::kMessageReordered);
    }
    event.region = to;
    event.from = from;
    event.message = sent;
    event.content = content;
    Push(std::move(event));
  }
}

// --- Judgement -----------------------------------------------------------------------------------

bool Mesh::Converged() {
  const hawser::Cut* cut = nullptr;
  for (const auto& one : regions_) {
    if (!one->alive()) continue;
    if (!one->up()) return false;
    const hawser::Cut& committed = one->watched().committed();
    if (cut && !(*cut == committed)) return false;
    cut = &committed;
  }
  return true;
}

void Mesh::CheckAllRecords() {
  for (const auto& one : regions_) {
    if (!one->alive() || !one->up()) continue;
    for (const auto& [row_key, writes] : truth_.rows()) one->CheckRecord(row_key);
  }
}

}  // namespace hawser::sim
