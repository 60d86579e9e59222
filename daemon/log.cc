#include "daemon/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "daemon/log_line.h"

namespace hawser {
namespace {

constexpr std::size_t kQueueLines = 8192;

// $JOURNAL_STREAM names the device and inode of the journal's socket; ours if stderr is that
// socket.
bool StderrIsJournal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status{};
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino) == stream;
}

std::int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t MonoMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct State {
  std::atomic<LogLevel> level{LogLevel::kInfo};
  std::mutex mutex;  // guards the rest
  LineStyle style{.format = LogFormat::kText};
  std::string region;
  RepeatFilter repeats;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> writer;  // null: not started
};

State& TheState() {
  static State* state = new State;  // outlives every thread that may log
  return *state;
}

// REQUIRES: the state's mutex is held.
void Write(State& state, const LogEvent& event) {
  const std::string line = FormatLine(event, state.region, NowUs(), state.style);
  if (state.writer) {
    state.writer->info(spdlog::string_view_t(line.data(), line.size()));
    if (event.level == LogLevel::kError) state.writer->flush();
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

void WriteDue(State& state, bool all) {
  for (const RepeatFilter::Held& held : state.repeats.Drain(MonoMs(), all)) {
    std::vector<LogField> fields;
    for (const auto& [name, field] : held.fields) fields.push_back(field);
    Write(state, {held.level, held.component, held.code, held.message, fields, held.count});
  }
}

}  // namespace

void Log(LogLevel level, std::string_view component, std::string_view code,
         std::string_view message, std::initializer_list<LogField> fields) {
  State& state = TheState();
  if (level < state.level.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(state.mutex);
  LogEvent event{level, component, code, message, fields, 0};
  const auto repeated = state.repeats.Offer(event, MonoMs());
  if (!repeated) return;
  event.repeated = *repeated;
  Write(state, event);
}

void StartLog(const LogConfig& config, std::string region) {
  State& state = TheState();
  const std::lock_guard lock(state.mutex);
  state.region = std::move(region);
  state.style.journal = StderrIsJournal();
  state.pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  state.writer = std::make_shared<spdlog::async_logger>(
      "hawser", std::make_shared<spdlog::sinks::stderr_sink_mt>(), state.pool,
      spdlog::async_overflow_policy::overrun_oldest);
  state.writer->set_pattern("%v");
  state.level = config.level;
  state.style.format = config.format;
  state.style.mask_values = config.mask_values;
}

void SetLog(const LogConfig& config) {
  State& state = TheState();
  const std::lock_guard lock(state.mutex);
  state.level = config.level;
  state.style.format = config.format;
  state.style.mask_values = config.mask_values;
}

void FlushLog() {
  State& state = TheState();
  const std::lock_guard lock(state.mutex);
  WriteDue(state, false);
  if (state.writer) state.writer->flush();
}

void StopLog() {
  State& state = TheState();
  const std::lock_guard lock(state.mutex);
  WriteDue(state, true);
  if (state.writer) state.writer->flush();
  state.writer.reset();
  state.pool.reset();  // writes out what is queued, then ends its thread
}

}  // namespace hawser
