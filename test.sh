#!/usr/bin/env bash
# Builds and tests Hawser on a Debian 12: ./test.sh runs every lane that fits in CI, ./test.sh NAME…
# just those, the long ones too. Each lane's log is in build/logs/. The last line counts lanes.
set -uo pipefail
cd "$(dirname "$0")"
jobs=$(nproc)
logs=build/logs
passed=0 failed=0 skipped=0

ci_lanes=(unit systemd live sim variants models clang asan tsan format)
long_lanes=(bench chaos fuzz bare tidy)

# --- lanes: each a function lane_NAME; 0 passed, 77 skipped (the last line says why), else failed ----
build() { cmake --preset "$1" -DHAWSER_TESTS=ON && cmake --build --preset "$1" -j "$jobs"; }
lane_unit() { ctest --test-dir build --output-on-failure -j "$jobs" --timeout 300; }
lane_format() { sources | xargs -P "$jobs" -n 20 clang-format-19 --dry-run -Werror && echo "$(sources | wc -l) files"; }
# Everything under clang, without warnings. The same build is what the next lane runs.
lane_clang() { build asan; }
lane_asan() {
  export HAWSER_HISTORIES=500 ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1 UBSAN_OPTIONS=print_stacktrace=1
  build asan && ctest --test-dir build-asan --output-on-failure -j "$jobs" --timeout 600 -E '^sim_seeds$' &&
    build-asan/hawser_sim --seeds 1..50
}
# Only the tests that have threads to race (THREADS in their CMakeLists.txt).
lane_tsan() {
  export TSAN_OPTIONS=second_deadlock_stack=1
  cmake --preset tsan -DHAWSER_TESTS=ON && cmake --build --preset tsan -j "$jobs" --target hawser_threaded_tests &&
    ctest --test-dir build-tsan --output-on-failure -j "$jobs" --timeout 600 -L '^threads$' --no-tests=error
}
lane_sim() { needs build/hawser_sim; build/hawser_sim --seeds 1..2000; }
lane_variants() { needs build/hawser_sim; build/hawser_sim --variants; }
# Claims and moves in every order of events, by a model checker.
lane_models() { needs tests/models/run.sh; bash tests/models/run.sh; }
lane_systemd() { needs tests/daemon/systemd_check.sh; bash tests/daemon/systemd_check.sh; }
# The story that compares latencies may try twice: its neighbours on the machine are not ours to choose.
lane_live() {
  needs tests/live/run.py
  local stories
  mapfile -t stories < <(python3 tests/live/run.py --list | cut -d' ' -f1 | grep -v '^links.frozen_nats$')
  python3 tests/live/run.py "${stories[@]}" &&
    { python3 tests/live/run.py links.frozen_nats || python3 tests/live/run.py links.frozen_nats; }
}
lane_chaos() { needs tests/live/run.py; python3 tests/live/run.py --long; }
lane_bench() { needs tests/bench/run.sh; bash tests/bench/run.sh; }
lane_fuzz() { needs tests/fuzz/run.sh; bash tests/fuzz/run.sh; }
lane_bare() { needs tests/support/bare_root.sh; bash tests/support/bare_root.sh; }
lane_tidy() { sources | grep '\.cc$' | grep -v '^tests/' | xargs -P "$jobs" -n 4 clang-tidy-19 -p build --quiet --warnings-as-errors='*'; }

# Every C++ file of the checkout, a copy of it without git's own folder included.
sources() { find . \( -name '.*' -o -name 'build*' -o -name node_modules \) -not -name . -prune -o -type f \( -name '*.cc' -o -name '*.h' \) -print | sort; }

# A lane whose program is not in this tree is skipped by name, never passed.
needs() { [ -e "$1" ] || { echo "$1 is not in this tree"; exit 77; }; }

run_lane() {
  local name=$1 log=$logs/$1.log begun=$SECONDS status
  if ! declare -F "lane_$name" >/dev/null; then
    echo "test.sh: no lane '$name'; there are: ${ci_lanes[*]}, and by name: ${long_lanes[*]}" >&2
    failed=$((failed + 1))
    return
  fi
  ("lane_$name") >"$log" 2>&1 </dev/null
  status=$?
  case $status in
    0) passed=$((passed + 1)); printf 'ok       %-9s %4d s   %s\n' "$name" $((SECONDS - begun)) "$(grep -v '^ *$' "$log" | tail -n 1 | cut -c1-120)" ;;
    77) skipped=$((skipped + 1)); printf 'skipped  %-9s %4d s   %s\n' "$name" $((SECONDS - begun)) "$(tail -n 1 "$log")" ;;
    *) failed=$((failed + 1)); printf 'FAILED   %-9s %4d s   exit %d, what %s says:\n' "$name" $((SECONDS - begun)) "$status" "$log"; grep -E 'error:|FAILED:' "$log" | head -n 5; tail -n 50 "$log" ;;
  esac
}

mkdir -p "$logs"
lanes=("${ci_lanes[@]}")
[ $# -gt 0 ] && lanes=("$@")
bash tests/support/install.sh build test lint demo || exit 1
echo "building (log: $logs/build.log)"
if ! build release >"$logs/build.log" 2>&1 </dev/null; then
  grep -E 'error|FAILED' "$logs/build.log" | head -n 40
  echo "the build failed: see $logs/build.log"
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi
printf 'ok       %-9s %4d s\n' build "$SECONDS"
for lane in "${lanes[@]}"; do run_lane "$lane"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
