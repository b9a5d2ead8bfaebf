#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two processes that open different interfaces with net_af_packet may exclude each other.
#
# Version: DPDK 22.11.11-0+deb12u1 (Debian 12), with Linux 6.18.
#
# DPDK's poll-mode driver net_af_packet puts the sockets of a device into a fanout group (packet(7)),
# also if the device has one queue, and numbers the group by process id xor interface index, cut to 16
# bits. Linux keeps fanout groups by that number for a whole network namespace, and refuses to add a
# socket that is bound to another interface. A process whose number equals that of an unrelated process
# on an unrelated interface, which is likely if both were started and the interfaces made one after
# another, cannot open its device: "could not set PACKET_FANOUT ... Invalid argument". Started again,
# with another process id, it can.
# One would expect that a device of one queue needs no group, or that groups of two processes differ.
#
# Here both processes run before their interfaces are made, so that the indexes can be chosen: once so
# that the numbers are equal, once so that they differ.
#
# Output seen:
#   equal numbers: first process attached, second process refused: PACKET_FANOUT: Invalid argument
#   different numbers: first process attached, second process attached
set -euo pipefail

version=22.11.11-0+deb12u1
expected='equal numbers: first process attached, second process refused: PACKET_FANOUT: Invalid argument
different numbers: first process attached, second process attached'

if [ "${1:-}" != inside ]; then
    # Not in /tmp: DPDK loads no plugin from below a folder that all may write to.
    folder=$(mktemp -d ~/finding.XXXXXX)
    trap 'rm -rf "$folder"' EXIT
    cd "$folder"
    # DPDK's own packages at the version above; what else these need is Debian's base or in this list.
    own=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
        --no-replaces --no-enhances "dpdk-dev=$version" librte-net-af-packet23 librte-mempool-ring23 |
        grep -oE '^(librte|dpdk-dev)[a-z0-9-]*' | sort -u | sed "s/\$/=$version/")
    # shellcheck disable=SC2086
    apt-get download -q $own libnuma1 libpcap0.8 libibverbs1 libnl-3-200 libnl-route-3-200 \
        libdbus-1-3 libfdt1 libjansson4 libbpf1 libelf1 libbsd0 libmd0 >/dev/null 2>download.log ||
        { tail -3 download.log >&2; exit 2; }
    for package in *.deb; do dpkg -x "$package" root; done
    # A network of its own; DPDK loads the plugins of an installed DPDK, too: they are hidden.
    seen=$(unshare --map-root-user --mount --net "$OLDPWD/$0" inside "$folder")
    echo "$seen"
    [ "$seen" = "$expected" ] || { echo "this changed; it was:" >&2; echo "$expected" >&2; exit 1; }
    exit 0
fi

folder=$2
libraries=$folder/root/usr/lib/x86_64-linux-gnu
plugins=$libraries/dpdk/pmds-23.0
testpmd=$(find "$folder/root" -name dpdk-testpmd)
cd "$folder"
[ ! -d /usr/lib/x86_64-linux-gnu/dpdk ] || mount -t tmpfs none /usr/lib/x86_64-linux-gnu/dpdk

# A testpmd without ports, which takes commands from a pipe. Sets pid.
start() {
    mkfifo "$1.in"
    LD_LIBRARY_PATH=$libraries:$plugins stdbuf -oL "$testpmd" --no-huge -m 128 --no-pci --no-shconf --no-telemetry \
        --file-prefix "$1" -d "$plugins/librte_mempool_ring.so.23" -d "$plugins/librte_bus_vdev.so.23" \
        -d "$plugins/librte_net_af_packet.so.23" -l 0,1 -- -i --total-num-mbufs=2048 \
        <"$1.in" >"$1.log" 2>&1 &
    pid=$!
}

# Wait for a line in a log; a busy machine takes its time.
wait_for() {
    for _ in $(seq 600); do
        ! grep -qE "$2" "$1.log" || return 0
        sleep 0.1
    done
    tail -5 "$1.log" >&2
    exit 2
}

attach() {
    echo "port attach net_af_packet0,iface=$2" >&"$3"
    wait_for "$1" 'is attached|PACKET_FANOUT'
    grep -oE 'PACKET_FANOUT|Invalid argument' "$1.log" | sort -ru | paste -sd: | sed 's/:/: /; s/^/refused: /; s/^refused: $/attached/'
}

both() {
    start "a$1"
    exec 3>"a$1.in"
    a=$pid
    start "b$1"
    exec 4>"b$1.in"
    b=$pid
    wait_for "a$1" 'testpmd>'
    wait_for "b$1" 'testpmd>'
    first=1000
    second=$(((first ^ a ^ b ^ $2) & 0xffff | 0x10000))
    ip link add name "a$1" index "$first" type veth peer name "pa$1"
    ip link add name "b$1" index "$second" type veth peer name "pb$1"
    ip link set "a$1" up
    ip link set "b$1" up
    echo "$3: first process $(attach "a$1" "a$1" 3), second process $(attach "b$1" "b$1" 4)"
    echo quit >&3
    echo quit >&4
    exec 3>&- 4>&-
    wait
    ip link del "a$1"
    ip link del "b$1"
}
both 1 0 'equal numbers'
both 2 1 'different numbers'
