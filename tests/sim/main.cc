// hawser_sim: runs seeds, or hunts broken variants. docs/simulator.md says how to read it.

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "conflict/variant.h"
#include "tests/sim/knobs.h"
#include "tests/sim/run.h"

namespace hawser::sim {
namespace {

struct Arguments {
  std::uint64_t first = 1, last = 100;
  std::optional<Variant> variant;
  bool variants = false;  // hunt them all
  bool once = false;      // do not run each seed twice
  bool knobs = false;     // print what a seed expands to
  unsigned threads = 2;
};

void Usage() {
  std::fputs(
      "usage: hawser_sim [--seeds A..B] [--once] [--threads N] [--variant NUMBER]\n"
      "       hawser_sim --variants [--seeds A..B]   every broken variant must be caught\n"
      "       hawser_sim --knobs --seeds A..B        what the seeds decide\n",
      stderr);
}

bool Parse(int argc, char** argv, Arguments& out) {
  const auto number = [](std::string_view text, auto& to) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
    return error == std::errc{} && end == text.data() + text.size();
  };
  bool seeds_said = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--once") {
      out.once = true;
    } else if (name == "--variants") {
      out.variants = true;
      if (!seeds_said) out.last = 300;  // the rarest take a while to show
    } else if (name == "--knobs") {
      out.knobs = true;
    } else if (name == "--threads") {
      if (!number(value, out.threads)) return false;
      ++i;
    } else if (name == "--variant") {
      int id = 0;
      if (!number(value, id) || id < 0 || id >= static_cast<int>(Variant::kCount)) return false;
      out.variant = static_cast<Variant>(id);
      ++i;
    } else if (name == "--seeds") {
      seeds_said = true;
      const auto dots = value.find("..");
      if (dots == std::string_view::npos) {
        if (!number(value, out.first)) return false;
        out.last = out.first;
      } else if (!number(value.substr(0, dots), out.first) ||
                 !number(value.substr(dots + 2), out.last)) {
        return false;
      }
      ++i;
    } else {
      return false;
    }
  }
  return out.first <= out.last && out.threads >= 1;
}

struct Summary {
  std::uint64_t seeds = 0, events = 0, events_least = ~std::uint64_t{0};
  std::uint64_t without_loss = 0, without_cut = 0, failed = 0;
  std::int64_t virtual_ms = 0;
  Coverage coverage;
};

void Take(const Result& result, Summary& summary) {
  ++summary.seeds;
  summary.events += result.events;
  summary.events_least = std::min(summary.events_least, result.events);
  summary.virtual_ms += result.virtual_ms;
  summary.coverage.Join(result.coverage);
  const Coverage& coverage = result.coverage;
  if (coverage.Get(Branch::kCrashLostTxns) == 0) ++summary.without_loss;
  if (coverage.Get(Branch::kLinkCut) == 0) ++summary.without_cut;
}

int RunSeeds(const Arguments& arguments) {
  std::atomic<std::uint64_t> next = arguments.first;
  std::mutex mutex;
  Summary summary;
  const auto begun = std::chrono::steady_clock::now();
  const auto work = [&] {
    for (std::uint64_t seed = next++; seed <= arguments.last; seed = next++) {
      Result result = RunSeed(seed);
      std::uint64_t again = result.trace;
      if (!arguments.once) again = RunSeed(seed).trace;
      const std::lock_guard lock(mutex);
      Take(result, summary);
      if (result.check.empty() && again != result.trace) {
        result.check = "same seed, same world";
        result.detail = "two runs end on different numbers: chance leaked in";
      }
      if (result.check.empty()) continue;
      ++summary.failed;
      std::printf(
          "FAILED seed %llu at %lld ms, event %llu: %s\n  again: hawser_sim --once --seeds "
          "%llu..%llu\n  %s\n",
          static_cast<unsigned long long>(seed),           // NOLINT(google-runtime-int)
          static_cast<long long>(result.virtual_ms),       // NOLINT(google-runtime-int)
          static_cast<unsigned long long>(result.events),  // NOLINT(google-runtime-int)
          result.detail.c_str(),
          static_cast<unsigned long long>(seed),  // NOLINT(google-runtime-int)
          static_cast<unsigned long long>(seed),  // NOLINT(google-runtime-int)
          Text(KnobsOf(seed)).c_str());
      std::fflush(stdout);
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i < arguments.threads; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::fputs(summary.coverage.Text().c_str(), stdout);
  std::printf(
      "%llu seeds%s, %llu events (least %llu), %.0f s of virtual time, %.1f s; %llu failed, %llu "
      "without a crash that lost txns, %llu without a cut\n",
      static_cast<unsigned long long>(summary.seeds),  // NOLINT(google-runtime-int)
      arguments.once ? "" : " twice",
      static_cast<unsigned long long>(summary.events),        // NOLINT(google-runtime-int)
      static_cast<unsigned long long>(summary.events_least),  // NOLINT(google-runtime-int)
      static_cast<double>(summary.virtual_ms) / 1000, seconds,
      static_cast<unsigned long long>(summary.failed),        // NOLINT(google-runtime-int)
      static_cast<unsigned long long>(summary.without_loss),  // NOLINT(google-runtime-int)
      static_cast<unsigned long long>(summary.without_cut));  // NOLINT(google-runtime-int)
  bool good = summary.failed == 0;
  if (summary.seeds >= 500) {  // few seeds may miss what is rare
    for (const std::string& missing : summary.coverage.Missing()) {
      std::printf("NEVER HAPPENED: %s\n", missing.c_str());
      good = false;
    }
    good &= summary.without_loss == 0 && summary.without_cut == 0 && summary.events_least >= 3000;
  }
  return good ? 0 : 1;
}

int HuntVariants(const Arguments& arguments) {
  int missed = 0;
  for (int id = 1; id < static_cast<int>(Variant::kCount); ++id) {
    if (arguments.variant && id != static_cast<int>(*arguments.variant)) continue;
    g_variant = static_cast<Variant>(id);
    const auto begun = std::chrono::steady_clock::now();
    std::atomic<std::uint64_t> next = arguments.first;
    std::mutex mutex;
    std::optional<Result> caught;
    const auto work = [&] {
      while (true) {
        const std::uint64_t seed = next++;
        {
          const std::lock_guard lock(mutex);
          if (seed > arguments.last || (caught && caught->seed < seed)) return;
        }
        Result result = RunSeed(seed);
        const std::lock_guard lock(mutex);
        if (!result.check.empty() && (!caught || seed < caught->seed)) caught = std::move(result);
      }
    };
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 1; i < arguments.threads; ++i) threads.emplace_back(work);
      work();
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (!caught) {
      ++missed;
      std::printf("%2d %-46s NOT CAUGHT (%.1f s)\n", id, Name(g_variant), seconds);
    } else {
      std::printf("%2d %-46s seed %4llu, %6lld ms: %s (%.1f s)\n", id, Name(g_variant),
                  static_cast<unsigned long long>(caught->seed),  // NOLINT(google-runtime-int)
                  static_cast<long long>(caught->virtual_ms),     // NOLINT(google-runtime-int)
                  caught->check.c_str(), seconds);
    }
    std::fflush(stdout);
  }
  std::printf("%d of %d variants caught\n", static_cast<int>(Variant::kCount) - 1 - missed,
              static_cast<int>(Variant::kCount) - 1);
  return missed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace hawser::sim

int main(int argc, char** argv) {
  using namespace hawser::sim;
  Arguments arguments;
  if (!Parse(argc, argv, arguments)) {
    Usage();
    return 64;
  }
  if (arguments.knobs) {
    for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
      std::printf("%s\n", Text(KnobsOf(seed)).c_str());
    }
    return 0;
  }
  if (arguments.variants) return HuntVariants(arguments);
  if (arguments.variant) hawser::g_variant = *arguments.variant;
  return RunSeeds(arguments);
}
