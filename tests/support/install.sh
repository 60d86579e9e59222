#!/usr/bin/env bash
# Installs what is missing of the package groups named (see packages.txt): install.sh build test …
# Needs root only if something is missing. Quiet unless it fails.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
missing=()
for group in "$@"; do
  line=$(grep "^$group:" "$here/packages.txt") || { echo "install.sh: no group '$group' in packages.txt" >&2; exit 64; }
  for package in ${line#*:}; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
done
[ ${#missing[@]} -gt 0 ] || exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
if [ "$(id -u)" -ne 0 ]; then
  echo "install.sh: these packages are missing, and only root can install them: ${missing[*]}" >&2
  exit 77
fi
echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
  # A server's package may fail to start its service in a bare root; what counts is that it is unpacked.
  tail -n 20 "$log" >&2
  echo "install.sh: apt-get failed; see above" >&2
  exit 1
fi
