#!/usr/bin/env bash
# Proves the promise of the two scripts: in a bare Debian 12 (debootstrap --variant=minbase), with this
# checkout and nothing else installed, `./demo.sh --once` and `./test.sh` work.
#   bare_root.sh [--keep DIR] [COMMAND…]     default: ./demo.sh --once && ./test.sh
# Needs root, debootstrap and the machine's own Debian mirror (apt's configuration is copied at run time).
# The root lives in a mount and process namespace of its own; leaving it ends all it started.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" -eq 0 ] || { echo "bare_root.sh needs root"; exit 77; }
bash tests/support/install.sh bare

keep=
if [ "${1:-}" = --keep ]; then keep=$2; shift 2; fi
command=${*:-./demo.sh --once && ./test.sh}
work=${keep:-$(mktemp -d "${TMPDIR:-/tmp}/hawser-bare.XXXXXX")}
root=$work/root
mkdir -p "$work"
[ -n "$keep" ] || trap 'rm -rf --one-file-system "$work"' EXIT

if [ ! -e "$root/etc/debian_version" ]; then
  mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' |
    awk '$2 == "bookworm" { print $1; exit }')
  begun=$SECONDS
  debootstrap --variant=minbase bookworm "$root" ${mirror:+"$mirror"} >"$work/debootstrap.log" 2>&1 </dev/null ||
    { tail -n 20 "$work/debootstrap.log"; exit 1; }
  echo "debootstrap took $((SECONDS - begun)) s, $(chroot "$root" dpkg-query -W | wc -l) packages"
fi

# What this machine needs to reach its mirror, and how it finds names.
rm -rf "$root/etc/apt"
cp -a /etc/apt "$root/etc/apt"
rm -f "$root"/etc/apt/apt.conf.d/*docker* "$root"/etc/apt/apt.conf.d/*packagekit* "$root"/etc/apt/apt.conf.d/*appstream*
mkdir -p "$root/usr/share/keyrings"
cp -a /usr/share/keyrings/. "$root/usr/share/keyrings/"
for file in /etc/resolv.conf /etc/hosts; do [ -e "$file" ] && cp -L "$file" "$root$file"; done
[ -d /usr/local/share/ca-certificates ] && cp -a /usr/local/share/ca-certificates "$root/usr/local/share/"

# The checkout as git sees it: tracked files and new ones, no build trees.
rm -rf "$root/hawser"
mkdir -p "$root/hawser"
git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$root/hawser"
git rev-parse HEAD >"$root/hawser/.commit"

echo "in the bare root: $command"
begun=$SECONDS
status=0
export work root command
unshare --mount --pid --fork --kill-child bash -euc '
  mount --make-rprivate /
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t sysfs sysfs "$root/sys" || true
  mount -t tmpfs tmpfs "$root/tmp" -o mode=1777 || true
  exec chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LANG=C.UTF-8 CI="${CI:-}" bash -c "cd /hawser && $command"
' </dev/null || status=$?
echo "bare root: exit $status after $((SECONDS - begun)) s"
exit "$status"
