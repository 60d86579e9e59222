#!/bin/bash
# The unit is clean by systemd's own check and stays closed in: exposure at most 1.2.
# usage: tests/daemon/systemd_check.sh BUILD_DIR
set -u
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
build_dir=$(cd "${1:-$source_dir/build}" && pwd) || exit 1
threshold=12  # exposure x 10
failed=0
fail() { echo "FAILED: $*"; failed=1; }

command -v systemd-analyze >/dev/null || { echo "systemd-analyze is not installed"; exit 1; }
[ -x "$build_dir/hawserd" ] || { echo "no $build_dir/hawserd; build it first"; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unit=$source_dir/systemd/hawserd.service

# The unit names the installed program; here the built one stands in for it.
sed "s#^ExecStart=/usr/bin/hawserd#ExecStart=$build_dir/hawserd#; s#^Documentation=.*##" "$unit" >"$work/hawserd.service"
said=$(systemd-analyze verify --man=no "$work/hawserd.service" 2>&1)
code=$?
[ $code -eq 0 ] && [ -z "$said" ] || fail "systemd-analyze verify ($code): $said"

said=$(systemd-analyze security --offline=true --no-pager --threshold=$threshold "$work/hawserd.service" 2>&1)
code=$?
echo "$said" | grep "Overall exposure"
[ $code -eq 0 ] || fail "exposure over $threshold/10: $(echo "$said" | grep '✗')"
echo "$said" | grep -qi "failed to parse" && fail "half parsed: $(echo "$said" | grep -i 'failed to parse')"

# The gate can fail: the same unit with its system call filter open must not pass.
sed '/^SystemCallFilter/d; /^CapabilityBoundingSet/d' "$work/hawserd.service" >"$work/open.service"
systemd-analyze security --offline=true --no-pager --threshold=$threshold "$work/open.service" >/dev/null 2>&1 &&
  fail "an open unit passes the threshold"

for word in Type=notify WatchdogSec= "RestartPreventExitStatus=78 74" StateDirectory=hawser; do
  grep -q "^$word" "$unit" || fail "the unit lacks $word"
done
systemd-sysusers --dry-run "$source_dir/systemd/hawser.sysusers" >/dev/null || fail "hawser.sysusers"
# Users of tmpfiles lines exist only where the package is installed: root stands in for them.
sed 's/ hawser / root /' "$source_dir/systemd/hawser.tmpfiles" >"$work/tmpfiles.conf"
mkdir "$work/root"
systemd-tmpfiles --create --root="$work/root" "$work/tmpfiles.conf" || fail "hawser.tmpfiles"
[ -d "$work/root/etc/hawser/conf.d" ] || fail "hawser.tmpfiles makes no conf.d"

[ $failed -eq 0 ] && echo "systemd: the unit is clean and closed in"
exit $failed
