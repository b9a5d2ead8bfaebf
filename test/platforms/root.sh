#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A minimal Debian root with make: root.sh PLATFORM CACHE makes CACHE/PLATFORM unless it exists.
# Mirror and keyring are those of this machine's apt, or MIRROR and KEYRING.
set -euo pipefail

platform=$1 root=$2/$1 log=$2/$1.debootstrap.log

die() { echo "platforms: no root of $platform: $*" >&2; exit 1; }

case $platform in
12) suite=bookworm ;;
13) suite=trixie ;;
*[!a-z]* | '') die "it is none of 12, 13, testing and the suites of Debian" ;;
*) suite=$platform ;;
esac
[ ! -d "$root" ] || exit 0

command -v debootstrap >/dev/null || die "debootstrap is missing; as root: apt-get install debootstrap"

# "MIRROR KEYRING" of the first archive of Debian that apt uses; a keyring may be absent.
apt_archive() {
    apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(SIGNED_BY)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 == "main" && $3 !~ /security/ {print $3, $4; exit}'
}

read -r mirror keyring <<<"$(apt_archive)"
mirror=${MIRROR:-$mirror} keyring=${KEYRING:-$keyring}
case $keyring in
/*) ;;
*) keyring=/usr/share/keyrings/debian-archive-keyring.gpg ;;
esac
[ -n "$mirror" ] || die "apt has no archive of Debian; name one with MIRROR="
[ -r "$keyring" ] || die "cannot read $keyring; install debian-archive-keyring, or name one with KEYRING="

new=$root.new
debootstrap --variant=minbase --include=make --keyring="$keyring" "$suite" "$new" "$mirror" \
    >"$log" 2>&1 || die "$mirror does not give it ($(grep -E '^[EW]:' "$log" | head -1)); see $log"
# The proxy of this machine's apt.
apt-config dump | grep -E '^Acquire::(https?|Check-)' >"$new/etc/apt/apt.conf.d/99host" || true
mv "$new" "$root"
