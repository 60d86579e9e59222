#include "daemon/homes/home_mover.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "conflict/bytes.h"
#include "conflict/dot_codec.h"

namespace hawser {
namespace {

constexpr std::int64_t kMoveMs = 2000;
constexpr std::int64_t kLocalWaitMs = 2000;

std::int64_t NowMonoMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What the region that carried it out says.
struct Carried {
  HomeMoveOutcome outcome = HomeMoveOutcome::kUnknown;
  RegionId home{};  // of kElsewhere
  Dot dot;          // of kMoved
};

class MoveJob final : public Job {
 public:
  // `default_home`: where the unit is at home until somebody writes it; 0: nowhere.
  MoveJob(RegionId self, HomeMoveWish wish, RegionId default_home,
          std::function<void(Carried)> done)
      : self_(self), wish_(std::move(wish)), default_home_(default_home), done_(std::move(done)) {}

  void Run(Session& session) override {
    const std::unique_ptr<LocalTxn> txn = session.Begin();
    const auto made = MakeHomeMove({.table = wish_.table,
                                    .unit = wish_.unit,
                                    .word = {.region = wish_.to,
                                             .at_ms = session.now_ms(),
                                             .by = wish_.by,
                                             .reason = wish_.reason},
                                    .takeover = wish_.takeover},
                                   self_, default_home_, *txn);
    if (!made) {
      carried_ = {.outcome = HomeMoveOutcome::kElsewhere, .home = made.error().region, .dot = {}};
      return;
    }
    if (!*made) {
      carried_.outcome = HomeMoveOutcome::kSame;
      return;
    }
    const auto dot = session.Commit(*txn);
    carried_.outcome = dot ? HomeMoveOutcome::kMoved : HomeMoveOutcome::kRefused;
    if (dot) carried_.dot = *dot;
  }
  void Done(Outcome outcome) override {
    if (outcome == Outcome::kUnknown) carried_.outcome = HomeMoveOutcome::kUnknown;
    done_(carried_);
  }

 private:
  RegionId self_;
  HomeMoveWish wish_;
  RegionId default_home_;
  std::function<void(Carried)> done_;
  Carried carried_;
};

// Its row fits a key, and its words a home's text.
bool IsSound(const HomeMoveWish& wish) {
  return IsTableName(wish.table) && wish.table.size() + wish.unit.size() <= kKeyBytesMax &&
         wish.reason.size() <= kHomeReasonBytesMax && !wish.by.empty() && wish.by.size() <= 256 &&
         !wish.by.contains(' ');
}

std::string EncodeWish(const HomeMoveWish& wish) {
  std::string out;
  PutText(out, wish.table);
  PutText(out, wish.unit);
  PutByte(out, Raw(wish.to));
  PutText(out, wish.by);
  PutText(out, wish.reason);
  return out;
}

std::optional<HomeMoveWish> DecodeWish(std::string_view bytes) {
  ByteReader in(bytes);
  HomeMoveWish wish;
  wish.table = in.Text();
  wish.unit = in.Text();
  wish.to = RegionId{in.Byte()};
  wish.by = in.Text();
  wish.reason = in.Text();
  if (!in.done() || Raw(wish.to) < 1 || Raw(wish.to) > kRegionIdMax) return std::nullopt;
  if (!IsSound(wish)) return std::nullopt;
  return wish;
}

std::string EncodeCarried(const Carried& carried) {
  std::string out;
  PutByte(out, static_cast<std::uint8_t>(carried.outcome));
  PutByte(out, Raw(carried.home));
  PutDot(out, carried.dot);
  return out;
}

std::optional<Carried> DecodeCarried(std::string_view bytes) {
  ByteReader in(bytes);
  Carried carried;
  const std::uint8_t outcome = in.Byte();
  carried.outcome = static_cast<HomeMoveOutcome>(outcome);
  carried.home = RegionId{in.Byte()};
  carried.dot = GetDot(in);
  if (!in.done() || outcome > static_cast<std::uint8_t>(HomeMoveOutcome::kUnknown)) {
    return std::nullopt;
  }
  return carried;
}

const char* TextOf(HomeMoveOutcome outcome) {
  switch (outcome) {
    case HomeMoveOutcome::kMoved:
      return "";
    case HomeMoveOutcome::kSame:
      return "it is at home there already";
    case HomeMoveOutcome::kNotHomed:
      return "this table is not homed: [[tables]] placement says so";
    case HomeMoveOutcome::kElsewhere:
      return "its home has just changed: look again, and then move it";
    case HomeMoveOutcome::kRefused:
      return "the home takes no writes now: nothing was moved";
    case HomeMoveOutcome::kUnreachable:
      return "";
    case HomeMoveOutcome::kUnknown:
      return "the move may or may not have happened: look again";
  }
  return "";
}

// Tells how it went once this region has applied it too.
void Tell(Engine& engine, const HomeMoveWish& wish, Carried carried,
          const std::function<void(HomeMoved)>& done) {
  const auto tell = [&engine, wish, outcome = carried.outcome, done](bool) {
    const Proof proof = engine.status().proof();
    const auto reader = engine.NewReader();
    const auto view = reader->Take();
    done({.outcome = outcome,
          .home = HomeOf(view->Get(HomeRowKey(wish.table, wish.unit)), proof),
          .text = TextOf(outcome)});
  };
  if (carried.outcome != HomeMoveOutcome::kMoved) return tell(false);
  CutWait wait;
  wait.cut.Raise(carried.dot);
  wait.deadline_mono_ms = NowMonoMs() + kLocalWaitMs;
  wait.done = tell;
  engine.Submit(std::move(wait));
}

}  // namespace

void HomeMover::Move(HomeMoveWish wish, std::function<void(HomeMoved)> done) const {
  const auto homed = engine.homed();
  if (!homed || !homed->contains(wish.table)) {
    return done({.outcome = HomeMoveOutcome::kNotHomed,
                 .home = {},
                 .text = TextOf(HomeMoveOutcome::kNotHomed)});
  }
  if (!IsSound(wish)) {
    return done({.outcome = HomeMoveOutcome::kRefused,
                 .home = {},
                 .text = "a unit is at most 480 bytes with its table, a reason at most 1024"});
  }
  if (!IsHeard(engine.status(), wish.to)) {
    return done({.outcome = HomeMoveOutcome::kUnreachable,
                 .home = {},
                 .text = "the region it should move to is not heard: nobody could write there"});
  }
  Engine& where = engine;
  Calls& desk = calls;
  auto carried = [&where, &desk, wish, done](const Carried& here) {
    if (here.outcome != HomeMoveOutcome::kElsewhere) return Tell(where, wish, here, done);
    desk.Call(here.home, std::string(kHomeMoveVerb), EncodeWish(wish), kMoveMs,
              [&where, wish, done](std::expected<std::string, CallFailure> answer) {
                if (!answer && NeverRan(answer.error())) {
                  return done({.outcome = HomeMoveOutcome::kUnreachable,
                               .home = {},
                               .text = std::string("its home: ") + Text(answer.error()) +
                                       "; if that region is lost, take it over"});
                }
                const auto there = answer ? DecodeCarried(*answer) : std::nullopt;
                Tell(where, wish, there.value_or(Carried{}), done);
              });
  };
  const RegionId default_home = homed->find(wish.table)->second;
  engine.Submit(std::make_unique<MoveJob>(self, std::move(wish), default_home, std::move(carried)));
}

CallHandler HomeMoveHandler(RegionId self, Engine& engine) {
  return [self, &engine](const CallTask& task, const CallAnswerer& answer) {
    auto wish = DecodeWish(task.body);
    if (!wish) return answer({});
    const auto homed = engine.homed();
    if (!homed || !homed->contains(wish->table) || !IsHeard(engine.status(), wish->to)) {
      return answer(EncodeCarried({.outcome = HomeMoveOutcome::kRefused, .home = {}, .dot = {}}));
    }
    const RegionId default_home = homed->find(wish->table)->second;
    engine.Submit(std::make_unique<MoveJob>(
        self, std::move(*wish), default_home,
        [answer](const Carried& carried) { answer(EncodeCarried(carried)); }));
  };
}

}  // namespace hawser
