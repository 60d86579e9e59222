#!/usr/bin/env bash
# Explores the models with spin: run.sh, or run.sh --long for the larger bounds (gigabytes, minutes).
# Each model holds as it is, and fails with every mistake it can be given.
set -uo pipefail
cd "$(dirname "$0")"
models=$PWD
command -v spin gcc >/dev/null || { echo "spin or gcc is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0 explored=0 found=0

# explore OPTIMISATION MODEL -D…: what pan says is in $work/said
explore() {
  local how=$1 model=$2
  shift 2
  rm -f pan "$model.pml.trail"
  cp "$models/$model.pml" . && spin "$@" -a "$model.pml" >said 2>&1 &&
    gcc "$how" -w -DSAFETY -DCOLLAPSE -DNOFAIR -o pan pan.c >>said 2>&1 && ./pan -m10000 -w22 >said 2>&1
}
bad() {
  failed=$((failed + 1))
  echo "FAILED $*"
  head -n 40 said
}
# holds MODEL -D…: every state, and no assertion fails
holds() {
  local begun=$SECONDS states
  explore -O2 "$@"
  if ! grep -q 'errors: 0$' said || grep -qi 'not completed\|too small\|out of memory' said; then
    bad "$*"
    return
  fi
  states=$(awk '/states, stored/ {print $1}' said)
  explored=$((explored + states))
  printf 'holds  %-48s %9d states %4d s\n' "$*" "$states" $((SECONDS - begun))
}
# finds MODEL MISTAKE -D…: some order of events breaks an assertion
finds() {
  local model=$1 mistake=$2 broken
  shift 2
  explore -O0 "$model" "-D$mistake" "$@"
  broken=$(sed -n 's/^pan:1: assertion violated *\(.*\) (at depth \(.*\))/\1, \2 steps/p' said)
  if [ -z "$broken" ]; then
    bad "$model: $mistake was not found"
    return
  fi
  found=$((found + 1))
  printf 'finds  %-28s %s\n' "$model $mistake" "$broken"
}

if [ "${1:-}" = --long ]; then
  holds claim -DWRITES=6
  holds claim -DWRITES=5 -DONE_OWNER_IN_TWO
  holds move -DTXNS_ASKED=5 -DTAKEOVERS=1
else
  holds claim -DWRITES=5
  holds claim -DWRITES=4 -DONE_OWNER_IN_TWO
  holds move -DTXNS_ASKED=4 -DTAKEOVERS=1
fi
for mistake in CONFIRM_AT_ONCE CONFIRM_BY_CLOCK BEAT_OUTRUNS_LOG SILENT_NOT_COUNTED RIVAL_RELEASES \
  NOT_CLAIMED_AGAIN MARK_IGNORED DROP_BEFORE_STABLE; do
  finds claim $mistake -DWRITES=4
done
for mistake in CONFIRM_AT_ONCE BEAT_OUTRUNS_LOG MOVED_BY_ANYONE START_BEFORE_HANDOVER NO_FENCE \
  EPOCH_IGNORED TAKEOVER_UNRANKED; do
  finds move $mistake -DTXNS_ASKED=4
done
echo "$explored states explored, $found mistakes found, $failed failed"
[ "$failed" -eq 0 ]
