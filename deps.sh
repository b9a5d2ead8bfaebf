#!/bin/bash
# Install the Debian packages that a goal needs: deps.sh [--list] GOAL...
# Goals: build, test, demo, bench, platforms, lint, docs, deb, packages.
# Installs as root, names what is missing otherwise.
# --list prints the names and installs nothing.
# shellcheck disable=SC2034 # lists are used by the name of their goal
set -euo pipefail

build='gcc make meson ninja-build pkg-config libdpdk-dev libnuma-dev libpcap-dev libevent-dev
    libjansson-dev libyaml-dev libmicrohttpd-dev libsystemd-dev libncurses-dev libcmocka-dev'
guests='qemu-system-x86 busybox-static iperf3 cpio kmod iproute2 ethtool python3 python3-scapy'
optional='user-mode-linux' # releases without it skip what needs it
test="$guests $optional libvirt-daemon libvirt-daemon-driver-qemu python3-pytest python3-yaml
    dpdk dpdk-dev prometheus tcpdump bash-completion clang libclang-rt-dev"
demo="$guests"
bench="python3 dpdk dpdk-dev openvswitch-switch-dpdk gnuplot-nox"
platforms='debootstrap debian-archive-keyring git'
deb="$build build-essential debhelper"
packages="$platforms systemd-container"
docs='doxygen python3'
lint="$docs git clang clang-format clang-tidy cppcheck groff-base shellcheck"

list=no
[ "${1:-}" = --list ] && { list=yes; shift; }
wanted=
for goal in "$@"; do
    wanted="$wanted ${!goal}"
done

missing=
for package in $wanted; do
    [ $list = no ] &&
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
        missing="$missing $package"
done

drop_unknown() {
    compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || return 0
    for package in $optional; do
        apt-cache show "$package" >/dev/null 2>&1 || missing=${missing/ $package/}
    done
}

drop_unknown
if [ $list = yes ]; then
    # shellcheck disable=SC2086 # a list of words
    printf '%s\n' $missing
    exit 0
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "missing packages, as root: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
policy=/usr/sbin/policy-rc.d
made_policy=
trap 'rm -f "$log" ${made_policy:+"$policy"}' EXIT
# Nothing that is installed here shall start a service: the bench runs its peers itself.
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
# The lists may be old, or absent on a fresh machine.
apt-get update -q >"$log" 2>&1 || true
drop_unknown
# shellcheck disable=SC2086
if ! apt-get install -y -q --no-install-recommends $missing >>"$log" 2>&1; then
    tail -20 "$log" >&2
    exit 1
fi
case $missing in
*openvswitch*) systemctl --quiet disable openvswitch-switch 2>/dev/null || true ;; # nor at boot
esac
