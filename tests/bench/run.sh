#!/usr/bin/env bash
# Measures Hawser beside Redis; figures go to docs/results/. bench.py --help lists what can be shortened.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash tests/support/install.sh bench
exec python3 tests/bench/bench.py "$@"
