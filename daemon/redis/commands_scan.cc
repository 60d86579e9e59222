// Walks over many keys. SCAN does a bounded piece on the I/O thread; KEYS, DBSIZE and RANDOMKEY run
// on the slow lane; FLUSHDB and FLUSHALL delete in bounded txns, one engine job at a time.

#include <chrono>
#include <random>

#include "conflict/record_codec.h"
#include "daemon/redis/client_call.h"
#include "daemon/redis/glob.h"
#include "daemon/redis/handlers.h"

namespace hawser::redis {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kScanRowsMax = 10'000;  // one SCAN looks at no more, whatever its COUNT
constexpr std::chrono::milliseconds kScanTime{2};
constexpr std::chrono::milliseconds kRandomTime{5};
constexpr std::size_t kFlushKeys = 256;    // deleted in one txn
constexpr std::size_t kFlushRows = 4'096;  // looked at in one job

// The rows that can match a pattern: those that begin with `first`, if the pattern names a table.
struct Range {
  std::string first{kFirstClientRow};
  bool one_table = false;
};

Range RangeOf(std::string_view pattern) {
  const std::string_view prefix = GlobLiteralPrefix(pattern);
  Range range;
  if (prefix.find(':') == std::string_view::npos) return range;
  const auto name = ParseKeyName(prefix.substr(0, std::min<std::size_t>(prefix.size(), 480)));
  if (!name || name->table == kDefaultTable) return range;
  range.first.clear();
  AppendRowKey(name->table, name->key, range.first);
  range.one_table = true;
  return range;
}

struct ShownKey {
  std::string name;
  bool hash = false;
};

// The client's name of a row that shows something; nullopt for dead rows.
std::optional<ShownKey> ShowKey(std::string_view row_key, std::string_view row, std::int64_t now_ms,
                                Record& record) {
  if (!DecodeRecord(row, record) || !IsAlive(record, now_ms)) return std::nullopt;
  ShownKey shown;
  for (const Field& field : record.fields) {
    if (!field.name.empty() && IsVisible(field)) shown.hash = true;
  }
  const RowKey parts = SplitRowKey(row_key);
  AppendRedisKey(parts.table, parts.key, shown.name);
  return shown;
}

struct ScanWish {
  std::string_view match = "*";
  std::optional<bool> hash;  // TYPE: hash or string
  bool nothing = false;      // a TYPE that Hawser has not
  std::int64_t rows = 10;
};

bool ParseScan(ClientCall& call, ScanWish& wish) {
  for (std::size_t i = 2; i < call.args.size(); i += 2) {
    if (i + 1 >= call.args.size()) {
      call.reply.Error(kSyntaxError);
      return false;
    }
    if (call.Is(i, "MATCH")) {
      wish.match = call.args[i + 1];
    } else if (call.Is(i, "COUNT")) {
      const auto count = call.Int(i + 1);
      if (!count) return false;
      if (*count < 1) {
        call.reply.Error(kSyntaxError);
        return false;
      }
      wish.rows = std::min(*count, kScanRowsMax);
    } else if (call.Is(i, "TYPE")) {
      wish.nothing = !call.Is(i + 1, "HASH") && !call.Is(i + 1, "STRING");
      wish.hash = call.Is(i + 1, "HASH");
    } else {
      call.reply.Error(kSyntaxError);
      return false;
    }
  }
  return true;
}

}  // namespace

void Scan(ClientCall& call) {
  std::uint64_t cursor = 0;
  for (const char c : call.args[1]) {
    if (c < '0' || c > '9' || cursor > 1'000'000'000'000'000'000) {
      return call.reply.Error("ERR invalid cursor");
    }
    cursor = cursor * 10 + static_cast<std::uint64_t>(c - '0');
  }
  ScanWish wish;
  if (!ParseScan(call, wish)) return;
  const Range range = RangeOf(wish.match);
  std::string start = range.first;
  if (cursor != 0) {
    const auto row_key = call.service.cursors().Get(cursor);
    if (!row_key) {
      return call.reply.Error("ERR invalid cursor: too old, or from before a restart; start at 0");
    }
    if (*row_key > start) start = *row_key;
  }

  std::vector<std::string> keys;
  std::optional<std::string> rest;
  if (!wish.nothing) {
    const std::unique_ptr<View> view = call.service.TakeView();
    const std::int64_t now_ms = call.service.engine().clock_ms();
    const auto until = Clock::now() + kScanTime;
    std::int64_t seen = 0;
    Record record;
    view->Scan(start, [&](std::string_view row_key, std::string_view row) {
      if (range.one_table && !row_key.starts_with(range.first)) return false;
      if (seen >= wish.rows || (seen % 64 == 63 && Clock::now() > until)) {
        rest = row_key;
        return false;
      }
      ++seen;
      auto shown = ShowKey(row_key, row, now_ms, record);
      if (shown && (!wish.hash || *wish.hash == shown->hash) &&
          GlobMatches(wish.match, shown->name)) {
        keys.push_back(std::move(shown->name));
      }
      return true;
    });
  }
  call.reply.Array(2);
  call.reply.Bulk(rest ? std::to_string(call.service.cursors().Put(std::move(*rest))) : "0");
  call.reply.Array(keys.size());
  for (const std::string& key : keys) call.reply.Bulk(key);
}

void Keys(ClientCall& call) {
  const std::size_t bytes_max = call.service.options().output_bytes_max;
  call.service.lane().Submit([pattern = std::string(call.args[1]), bytes_max,
                              answer = call.AnswerLater(), protocol = call.reply.protocol(),
                              &engine = call.service.engine()](SlowLane& lane) {
    const Range range = RangeOf(pattern);
    std::string body, out;
    Reply keys(body, protocol), reply(out, protocol);
    std::size_t count = 0;
    bool too_many = false;
    Record record;
    const bool ended = lane.Walk(range.first, [&](std::string_view row_key, std::string_view row) {
      if (range.one_table && !row_key.starts_with(range.first)) return false;
      const auto shown = ShowKey(row_key, row, engine.clock_ms(), record);
      if (!shown || !GlobMatches(pattern, shown->name)) return true;
      keys.Bulk(shown->name);
      ++count;
      too_many = body.size() + 64 > bytes_max;
      return !too_many;
    });
    if (!ended) return;  // stopping
    if (too_many) {
      reply.Error("TOOBIG more keys than fit one reply; use SCAN");
    } else {
      reply.Array(count);
      out.append(body);
    }
    answer(std::move(out));
  });
}

void DbSize(ClientCall& call) {
  call.service.lane().Submit(
      [answer = call.AnswerLater(), &engine = call.service.engine()](SlowLane& lane) {
        std::int64_t count = 0;
        Record record;
        const bool ended = lane.Walk("", [&](std::string_view, std::string_view row) {
          if (DecodeRecord(row, record) && IsAlive(record, engine.clock_ms())) ++count;
          return true;
        });
        if (!ended) return;
        std::string out;
        Reply(out, 2).Int(count);
        answer(std::move(out));
      });
}

// Picks among the keys met in a few milliseconds, and goes on from there the next time: even over a
// small table, rolling over a large one.
void RandomKey(ClientCall& call) {
  call.service.lane().Submit([answer = call.AnswerLater(), protocol = call.reply.protocol(),
                              &engine = call.service.engine()](SlowLane& lane) {
    thread_local std::mt19937_64 random{std::random_device{}()};
    std::optional<std::string> picked;
    std::uint64_t met = 0;
    std::string next;
    const auto until = Clock::now() + kRandomTime;
    Record record;
    const auto visit = [&](std::string_view row_key, std::string_view row) {
      auto shown = ShowKey(row_key, row, engine.clock_ms(), record);
      if (shown && random() % ++met == 0) picked = std::move(shown->name);
      if (met % 64 == 63 && picked && Clock::now() > until) {
        next = row_key;
        return false;
      }
      return true;
    };
    const bool from_start = lane.random_at.empty();
    bool ended = lane.Walk(lane.random_at, visit);
    if (ended && !picked && !from_start) ended = lane.Walk("", visit);
    if (!ended) return;
    lane.random_at = next;
    std::string out;
    Reply reply(out, protocol);
    picked ? reply.Bulk(*picked) : reply.Null();
    answer(std::move(out));
  });
}

// --- FLUSHDB, FLUSHALL
// -----------------------------------------------------------------------------

namespace {

struct FlushState {
  Engine* engine = nullptr;
  std::function<void(std::function<void()>)> post;
  std::function<void(std::string)> answer;
  std::string next{kFirstClientRow};
  bool finished = false;
  std::string error;
};

// Deletes what shows in the next stretch of rows; when that is durable, the next job follows. The
// whole is not one txn: other clients see it half done, and a failure leaves it so and says so.
class FlushJob final : public Job {
 public:
  explicit FlushJob(std::shared_ptr<FlushState> state) : state_(std::move(state)) {}

  void Run(Session& session) override {
    std::vector<std::string> row_keys;
    std::size_t rows = 0;
    bool more = false;
    Record record;
    session.Scan(state_->next, [&](std::string_view row_key, std::string_view row) {
      if (rows++ == kFlushRows || row_keys.size() == kFlushKeys) {
        state_->next = row_key;
        more = true;
        return false;
      }
      if (DecodeRecord(row, record) && IsAlive(record, session.now_ms())) {
        row_keys.emplace_back(row_key);
      }
      return true;
    });
    state_->finished = !more;
    const std::unique_ptr<LocalTxn> txn = session.Begin();
    for (const std::string& row_key : row_keys) {
      const RowKey parts = SplitRowKey(row_key);
      txn->Edit(parts.table, parts.key).DeleteAll();
    }
    if (const auto done = session.Commit(*txn); !done) state_->error = RefusalText(done.error());
  }

  void Done(Outcome outcome) override {
    if (outcome == Outcome::kUnknown && state_->error.empty()) {
      state_->error = "UNKNOWN the daemon failed or stopped; part of the keys may be deleted";
    }
    if (state_->finished || !state_->error.empty()) {
      std::string out;
      Reply reply(out, 2);
      state_->error.empty() ? reply.Ok() : reply.Error(state_->error);
      return state_->answer(std::move(out));
    }
    state_->post([state = state_] { state->engine->Submit(std::make_unique<FlushJob>(state)); });
  }

 private:
  std::shared_ptr<FlushState> state_;
};

}  // namespace

void Flush(ClientCall& call) {
  if (!call.service.options().allow_flush) {
    return call.reply.Error(
        "ERR FLUSHDB and FLUSHALL delete worldwide and are off; see [redis] allow_flush");
  }
  if (call.args.size() > 2 ||
      (call.args.size() == 2 && !call.Is(1, "SYNC") && !call.Is(1, "ASYNC"))) {
    return call.reply.Error(kSyntaxError);
  }
  auto state = std::make_shared<FlushState>();
  state->engine = &call.service.engine();
  state->post = call.service.Poster();
  state->answer = call.AnswerLater();
  call.service.engine().Submit(std::make_unique<FlushJob>(state));
}

}  // namespace hawser::redis
