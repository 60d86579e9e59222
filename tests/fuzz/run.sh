#!/usr/bin/env bash
# The long fuzz lane: every libFuzzer target for FUZZ_SECONDS (default 60), with address and undefined
# behaviour sanitizers. What it finds stays in build-fuzz/findings/; corpora are kept between runs. The
# outcome goes to docs/results/.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${FUZZ_SECONDS:-60}
command -v clang++-19 >/dev/null || { echo "clang++-19 is not installed"; exit 77; }

cmake --preset asan -B build-fuzz -DHAWSER_TESTS=ON -DHAWSER_FUZZ=ON -DCMAKE_CXX_FLAGS=-fsanitize=fuzzer-no-link >/dev/null
mapfile -t targets < <(find tests/fuzz -name '*_fuzz.cc' -printf '%f\n' | sed 's/\.cc$//' | sort)
cmake --build build-fuzz --target hawser_fuzzers -j "$(nproc)"

commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
report=docs/results/$(date +%F)-fuzz.md
mkdir -p build-fuzz/findings docs/results
{
  echo "# Fuzzing, $seconds s a target, address and undefined behaviour sanitizers"
  echo
  echo "Commit $commit; $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)."
  echo
} >"$report"
status=0
for target in "${targets[@]}"; do
  mkdir -p "build-fuzz/corpus/$target"
  "build-fuzz/${target}_test" --write-seeds "build-fuzz/corpus/$target"
  log=build-fuzz/$target.log
  if "build-fuzz/$target" -max_total_time="$seconds" -max_len=65536 -print_final_stats=1 -verbosity=1 \
      -artifact_prefix="build-fuzz/findings/$target-" "build-fuzz/corpus/$target" >"$log" 2>&1; then
    outcome="nothing found"
  else
    outcome="FOUND something: build-fuzz/findings/$target-*"
    status=1
    tail -n 40 "$log"
  fi
  inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  edges=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)
  echo "- $target: ${inputs:-?} inputs, ${edges:-cov: ?}, $outcome" | tee -a "$report"
done
exit $status
