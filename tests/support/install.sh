#!/usr/bin/env bash
# Installs what is missing of the package groups named (see packages.txt): install.sh build test …
# Needs root only if something is missing. Quiet unless it fails. Exit 77: missing, and not root.
# Servers among the packages are unpacked, not started: the tests start their own, on free ports.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
missing=()
for group in "$@"; do
  line=$(grep "^$group:" "$here/packages.txt") || { echo "install.sh: no group '$group' in packages.txt" >&2; exit 64; }
  for package in ${line#*:}; do
    state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [[ $state == *"ok installed" ]] || missing+=("$package")
  done
done
[ ${#missing[@]} -gt 0 ] || exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
if [ "$(id -u)" -ne 0 ]; then
  echo "install.sh: these packages are missing, and only root can install them: ${missing[*]}" >&2
  exit 77
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
own_policy=
cleanup() {
  rm -f "$log"
  [ -z "$own_policy" ] || rm -f "$policy"
}
trap cleanup EXIT
if [ ! -e "$policy" ]; then
  own_policy=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
begun=$SECONDS
export DEBIAN_FRONTEND=noninteractive

if ! { apt-get update -q -o Acquire::Retries=3 && apt-get install -y -q --no-install-recommends \
  -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
  tail -n 30 "$log" >&2
  echo "install.sh: apt-get failed; see above" >&2
  exit 1
fi
echo "installed in $((SECONDS - begun)) s"
