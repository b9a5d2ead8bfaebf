#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# net_af_packet delivers the fragments of an IPv4 packet as one frame, and cuts it without counting that.
#
# Version: DPDK 22.11.11-0+deb12u1 (Debian 12), with Linux 6.18.
#
# DPDK's poll-mode driver net_af_packet puts its socket into a fanout group with
# PACKET_FANOUT_FLAG_DEFRAG (packet(7)), also if the device has one queue. Linux then reassembles
# fragmented IPv4 packets before the socket gets them: an application that forwards between such devices
# sees one frame where the wire had several, larger than the MTU of the interface. If it is larger than
# a slot of the ring (2048 bytes unless `framesz` says otherwise, less the header of the slot), the rest
# is missing: the packet is counted as received, with the bytes that are left, and neither as missed nor
# as an error.
# One would expect a driver to deliver the frames that arrive on the wire, each as it is, and to count
# a frame that it cannot deliver whole.
#
# Output seen:
#   sent: 2 frames of 1018 and 554 bytes; written: 1538 bytes; RX-packets 1, RX-missed 0, RX-errors 0
#   sent: 2 frames of 1506 and 1506 bytes; written: 1982 bytes; RX-packets 1, RX-missed 0, RX-errors 0
set -euo pipefail

version=22.11.11-0+deb12u1
expected='sent: 2 frames of 1018 and 554 bytes; written: 1538 bytes; RX-packets 1, RX-missed 0, RX-errors 0
sent: 2 frames of 1506 and 1506 bytes; written: 1982 bytes; RX-packets 1, RX-missed 0, RX-errors 0'

if [ "${1:-}" != inside ]; then
    # Not in /tmp: DPDK loads no plugin from below a folder that all may write to.
    folder=$(mktemp -d ~/finding.XXXXXX)
    trap 'rm -rf "$folder"' EXIT
    cd "$folder"
    # DPDK's own packages at the version above; what else these need is Debian's base or in this list.
    own=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
        --no-replaces --no-enhances "dpdk-dev=$version" librte-net-af-packet23 librte-net-pcap23 \
        librte-mempool-ring23 |
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
# No neighbour discovery of the host on the wire.
! [ -d /proc/sys/net/ipv6 ] || echo 1 | tee /proc/sys/net/ipv6/conf/{all,default}/disable_ipv6 >/dev/null
ip link add name port type veth peer name wire
ip link set port up
ip link set wire up

# The fragments of a UDP packet: sizes of their payloads behind the IPv4 header.
cat >send.py <<'PY'
import socket, struct, sys
sizes = [int(word) for word in sys.argv[1:]]
def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(('wire', 0))
at, lengths = 0, []
for number, size in enumerate(sizes):
    more = 0x2000 if number + 1 < len(sizes) else 0
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + size, 1, more | at // 8, 64, 17, 0,
                       bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    head = head[:10] + struct.pack('!H', checksum(head)) + head[12:]
    payload = bytes(size) if number else struct.pack('!HHHH', 1, 2, sum(sizes), 0) + bytes(size - 8)
    frame = bytes.fromhex('020000000001020000000002') + b'\x08\x00' + head + payload
    wire.send(frame)
    lengths.append(str(len(frame)))
    at += size
print(f'sent: {len(sizes)} frames of', ' and '.join(lengths), 'bytes')
PY

# It stops once a packet was counted; a busy machine takes its time.
commands() {
    for _ in $(seq 60); do
        sleep 1
        [ -e "$1.sent" ] || ! grep -q 'testpmd>' "$1.log" || python3 send.py "${@:2}" >"$1.sent"
        echo show port stats all
        ! grep -q 'RX-packets: 1 ' "$1.log" || break
    done
    printf '%s\n' stop 'show port stats all' quit
}

run() {
    : >"$1.log"
    commands "$@" |
        LD_LIBRARY_PATH=$libraries:$plugins stdbuf -oL "$testpmd" --no-huge -m 256 --no-pci --no-shconf \
            --no-telemetry --file-prefix "find$1" -d "$plugins/librte_mempool_ring.so.23" \
            -d "$plugins/librte_bus_vdev.so.23" -d "$plugins/librte_net_af_packet.so.23" \
            -d "$plugins/librte_net_pcap.so.23" --vdev net_af_packet0,iface=port \
            --vdev "net_pcap0,tx_pcap=$1.out" -l 0,1 -- -i --total-num-mbufs=2048 --auto-start \
            --no-flush-rx >"$1.log" 2>&1 ||
        { tail -5 "$1.log" >&2; exit 2; }
    python3 - "$1" <<'PY'
import re, struct, sys
name = sys.argv[1]
with open(f'{name}.out', 'rb') as file:
    written = file.read()[24:]
have, = struct.unpack('<I', written[8:12])
packets, missed, errors = re.search(
    r'RX-packets: *(\d+) *RX-missed: *(\d+).*?RX-errors: *(\d+)',
    open(f'{name}.log').read().rpartition('statistics for port 0')[2], re.DOTALL).groups()
print(open(f'{name}.sent').read().strip() + f'; written: {have} bytes; RX-packets {packets}, '
      f'RX-missed {missed}, RX-errors {errors}')
PY
}
run small 984 520
run large 1472 1472
