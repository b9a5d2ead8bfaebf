#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# net_pcap forwards the packets of a capture without Ethernet headers as if they had some.
#
# Version: DPDK 22.11.11-0+deb12u1 (Debian 12), libpcap 1.10.3-1.
#
# A capture says of what link type its packets are. DPDK's poll-mode driver net_pcap opens one of
# type RAW (101: packets begin with the IP header) without a word, delivers its packets as Ethernet
# frames, and writes them to a capture of type EN10MB (1). The first bytes of the IP header, such as
# 45 00, become the destination address, and all that is counted says that frames were received well.
# A capture that is truncated (captured length below the packet's length) passes in the same way:
# the missing bytes are not counted as lost, and the copy says that nothing is missing.
# One would expect the driver to refuse a link type that it cannot deliver, and to tell a packet that
# is cut from one that is whole.
#
# Output seen:
#   written: link type 1, packet of 28 bytes, original length 28, begins with 4500001c0000
#   written: link type 1, packet of 60 bytes, original length 60, begins with 020000000001
#   testpmd: RX-packets 2, RX-missed 0, RX-errors 0
set -euo pipefail

version=22.11.11-0+deb12u1
expected='written: link type 1, packet of 28 bytes, original length 28, begins with 4500001c0000
written: link type 1, packet of 60 bytes, original length 60, begins with 020000000001
testpmd: RX-packets 2, RX-missed 0, RX-errors 0'

# Not in /tmp: DPDK loads no plugin from below a folder that all may write to.
folder=$(mktemp -d ~/finding.XXXXXX)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# DPDK's own packages at the version above; what else these need is Debian's base or in this list.
own=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances "dpdk-dev=$version" librte-net-pcap23 librte-mempool-ring23 |
    grep -oE '^(librte|dpdk-dev)[a-z0-9-]*' | sort -u | sed "s/\$/=$version/")
# shellcheck disable=SC2086
apt-get download -q $own libnuma1 libpcap0.8=1.10.3-1 libibverbs1 libnl-3-200 libnl-route-3-200 \
    libdbus-1-3 libfdt1 libjansson4 libbpf1 libelf1 libbsd0 libmd0 >/dev/null 2>download.log ||
    { tail -3 download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$folder/root/usr/lib/x86_64-linux-gnu
plugins=$libraries/dpdk/pmds-23.0

python3 - <<'PY'
import struct
packet = bytes.fromhex('4500001c00000000401100000a0000010a000002') + bytes.fromhex('0001000200080000')
frame = bytes.fromhex('020000000001020000000002') + b'\x08\x00' + bytes(986)
for name, link, data, length in (('raw', 101, packet, len(packet)), ('cut', 1, frame[:60], len(frame))):
    with open(f'{name}.pcap', 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, link))
        file.write(struct.pack('<IIII', 1, 0, len(data), length) + data)
PY

# It stops once the packet was counted; a busy machine takes its time.
commands() {
    for _ in $(seq 60); do
        sleep 1
        echo show port stats all
        ! grep -q 'RX-packets: 1 ' "$1.log" || break
    done
    printf '%s\n' stop 'show port stats all' quit
}

# DPDK loads the plugins of an installed DPDK, too: they are hidden.
# shellcheck disable=SC2016 # the inner shell expands these
alone() {
    unshare --map-root-user --mount sh -c 'installed=$1; shift
        [ ! -d "$installed" ] || mount -t tmpfs none "$installed"
        exec "$@"' sh /usr/lib/x86_64-linux-gnu/dpdk "$@"
}

run() {
    commands "$1" |
        LD_LIBRARY_PATH=$libraries:$plugins alone "$(find root -name dpdk-testpmd)" \
            --no-huge -m 256 --no-pci --no-shconf --no-telemetry --file-prefix "find$$" \
            -d "$plugins/librte_mempool_ring.so.23" -d "$plugins/librte_bus_vdev.so.23" \
            -d "$plugins/librte_net_pcap.so.23" \
            --vdev "net_pcap0,rx_pcap=$1.pcap,tx_pcap=$1.out" -l 0,1 -- -i --total-num-mbufs=2048 \
            --auto-start --no-flush-rx >"$1.log" 2>&1 ||
        { tail -5 "$1.log" >&2; exit 2; }
}
run raw
run cut

seen=$(python3 - <<'PY'
import re, struct
for name in ('raw', 'cut'):
    with open(f'{name}.out', 'rb') as file:
        head = file.read(24)
        link, = struct.unpack('<I', head[20:24])
        _, _, have, length = struct.unpack('<IIII', file.read(16))
        print(f'written: link type {link}, packet of {have} bytes, original length {length}, '
              f'begins with {file.read(6).hex()}')
total = {}
for name in ('raw', 'cut'):
    text = open(f'{name}.log').read()
    for word in ('RX-packets', 'RX-missed', 'RX-errors'):
        total[word] = total.get(word, 0) + int(re.findall(rf'{word}: *(\d+)', text)[-1])
print('testpmd:', ', '.join(f'{word} {count}' for word, count in total.items()))
PY
) || { tail -5 raw.log >&2; exit 2; }
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this changed; it was:" >&2; echo "$expected" >&2; exit 1; }
