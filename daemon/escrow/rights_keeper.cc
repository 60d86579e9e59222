#include "daemon/escrow/rights_keeper.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>

#include "conflict/bytes.h"
#include "conflict/dot_codec.h"
#include "conflict/internal_tables.h"

namespace hawser {
namespace {

constexpr std::int64_t kAskMs = 1000;
constexpr std::int64_t kArriveMs = 2000;  // from the giver's answer until it is applied here
constexpr std::size_t kAskedMax = 1024;   // fields asked for at a time

std::int64_t NowMonoMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What one region asks another.
struct Question {
  std::string table, key, field;
  Origin asker;
  std::int64_t held = 0, need = 0;  // by the asker
};

std::string Encode(const Question& question) {
  std::string out;
  PutText(out, question.table);
  PutText(out, question.key);
  PutText(out, question.field);
  PutByte(out, Raw(question.asker.region));
  PutFixed64(out, Raw(question.asker.incarnation));
  PutZigzag(out, question.held);
  PutZigzag(out, question.need);
  return out;
}

std::optional<Question> DecodeQuestion(std::string_view bytes, RegionId from) {
  ByteReader in(bytes);
  Question question;
  question.table = in.Text();
  question.key = in.Text();
  question.field = in.Text();
  question.asker.region = RegionId{in.Byte()};
  question.asker.incarnation = Incarnation{in.Fixed64()};
  question.held = in.Zigzag();
  question.need = in.Zigzag();
  const bool sound = in.done() && question.asker.region == from && IsTableName(question.table) &&
                     question.table.size() + question.key.size() <= kKeyBytesMax &&
                     question.need >= 0;
  return sound ? std::optional(std::move(question)) : std::nullopt;
}

std::string Encode(const Dot& dot) {
  std::string out;
  PutDot(out, dot);
  return out;
}

// The txn that gave; seq 0: nothing was given.
Dot DecodeDot(std::string_view bytes) {
  ByteReader in(bytes);
  const Dot dot = GetDot(in);
  return in.done() ? dot : Dot{};
}

// The giver's txn. What it holds is looked at here, between two commits.
class GiveJob final : public Job {
 public:
  GiveJob(Question question, CallAnswerer answer)
      : question_(std::move(question)), answer_(std::move(answer)) {}

  void Run(Session& session) override {
    // Where the field is not known to be scarce, nothing keeps it from being taken beside the gift.
    if (!session.schema().Rule(question_.table, question_.field).scarce()) return;
    const std::unique_ptr<LocalTxn> txn = session.Begin();
    const Rights rights =
        RightsOf(txn->Held(question_.table, question_.key), question_.field,
                 txn->Held(kRightsTable, LedgerKey(question_.table, question_.key)));
    const std::int64_t amount =
        RightsToGive(RightsOf(rights, txn->store().self()), question_.held, question_.need);
    if (amount <= 0 || !GiveRights(*txn, question_.table, question_.key, question_.field,
                                   question_.asker, amount)) {
      return;
    }
    if (const auto dot = session.Commit(*txn)) given_ = *dot;
  }
  void Done(Outcome outcome) override {
    if (outcome == Outcome::kDurable) answer_(Encode(given_));
  }

 private:
  Question question_;
  CallAnswerer answer_;
  Dot given_;
};

std::string NameOf(std::string_view table, std::string_view key, std::string_view field) {
  std::string name;
  PutText(name, table);
  PutText(name, key);
  PutText(name, field);
  return name;
}

}  // namespace

// Outlives the keeper in the hands of calls that are under way.
struct RightsKeeper::State : std::enable_shared_from_this<State> {
  State(const Origin& origin, Calls& desk) : self(origin), calls(desk) {}
  const Origin self;
  Calls& calls;
  std::shared_mutex door;
  Engine* engine = nullptr;  // null: closed
  std::mutex mutex;
  std::map<std::string, int> asked;  // questions under way per field, until what they got is here

  bool Begin(const std::string& name, int questions) {
    const std::lock_guard lock(mutex);
    return asked.size() < kAskedMax && asked.emplace(name, questions).second;
  }
  void EndOne(const std::string& name) {
    const std::lock_guard lock(mutex);
    const auto at = asked.find(name);
    if (at != asked.end() && --at->second == 0) asked.erase(at);
  }
  void Await(const Dot& dot, std::string name) {
    const std::shared_lock lock(door);
    if (engine == nullptr || Raw(dot.seq) == 0) return EndOne(name);
    CutWait wait;
    wait.cut.Raise(dot);
    wait.deadline_mono_ms = NowMonoMs() + kArriveMs;
    wait.done = [self = shared_from_this(), name](bool) { self->EndOne(name); };
    engine->Submit(std::move(wait));
  }
};

RightsKeeper::RightsKeeper(const Origin& self, Calls& calls)
    : state_(std::make_shared<State>(self, calls)) {}
RightsKeeper::~RightsKeeper() {
  Close();
}

void RightsKeeper::Open(Engine& engine) {
  const std::unique_lock lock(state_->door);
  state_->engine = &engine;
}

void RightsKeeper::Close() {
  const std::unique_lock lock(state_->door);
  state_->engine = nullptr;
}

void RightsKeeper::Wish(RightsWish wish) {
  std::vector<std::pair<RegionId, std::int64_t>> asks;  // and how much is needed of each
  std::int64_t lacking = wish.need;
  for (const auto& [holder, amount] : wish.holders) {
    const std::int64_t part = std::min(lacking, amount);
    asks.emplace_back(holder.region, part);
    lacking -= part;
    if (lacking <= 0) break;
  }
  const std::string name = NameOf(wish.table, wish.key, wish.field);
  if (asks.empty() || !state_->Begin(name, static_cast<int>(asks.size()))) return;
  for (const auto& [region, part] : asks) {
    const Question question{.table = wish.table,
                            .key = wish.key,
                            .field = wish.field,
                            .asker = state_->self,
                            .held = wish.held,
                            .need = part};
    state_->calls.Call(region, std::string(kRightsVerb), Encode(question), kAskMs,
                       [state = state_, name](std::expected<std::string, CallFailure> answer) {
                         state->Await(answer ? DecodeDot(*answer) : Dot{}, name);
                       });
  }
}

bool RightsKeeper::Awaits(std::string_view table, std::string_view key,
                          std::string_view field) const {
  const std::lock_guard lock(state_->mutex);
  return state_->asked.contains(NameOf(table, key, field));
}

CallHandler RightsHandler(RegionId self, Engine& engine, const RightsKeeper& keeper) {
  return [self, &engine, &keeper](const CallTask& task, const CallAnswerer& answer) {
    auto question = DecodeQuestion(task.body, task.from);
    if (!question) return answer({});
    // Else two that need more than half swap their rights for ever.
    if (self < question->asker.region &&
        keeper.Awaits(question->table, question->key, question->field)) {
      question->need = 0;
    }
    engine.Submit(std::make_unique<GiveJob>(std::move(*question), answer));
  };
}

}  // namespace hawser
