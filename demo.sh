#!/usr/bin/env bash
# Shows Hawser at work on a Debian 12, as root: installs what is missing, builds, starts three regions with
# a nats-server each, and does the main job on real data. Every printed claim is checked; a false one
# ends it non-zero. Leaves the regions running and prints their addresses.
#   ./demo.sh           leaves the regions running
#   ./demo.sh --once    stops everything and exits 0
#   ./demo.sh --stop    stops what an earlier run left running
set -euo pipefail
cd "$(dirname "$0")"
case "${1:-}" in
  --stop) exec python3 tests/live/demo.py --stop ;;
  "" | --once) ;;
  *) echo "usage: demo.sh [--once | --stop]" >&2; exit 64 ;;
esac

begun=$SECONDS
bash tests/support/install.sh build demo
mkdir -p build/logs
echo "building hawserd (log: build/logs/demo-build.log)"
if ! { cmake --preset release && cmake --build --preset release -j "$(nproc)" \
  --target hawserd hawserctl wan_proxy; } >build/logs/demo-build.log 2>&1 </dev/null; then
  tail -n 40 build/logs/demo-build.log >&2
  echo "demo.sh: the build failed" >&2
  exit 1
fi
echo "ready after $((SECONDS - begun)) s"
exec python3 tests/live/demo.py "$@"
