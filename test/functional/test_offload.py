# SPDX-License-Identifier: BSD-3-Clause
"""Checksums and segmentation that a guest leaves to the switch.

The guest is testpmd in its csum mode: it reads frames from a capture file, and requests its virtio
device to complete them. The destination port has no offloads, so the switch completes them.
"""

import contextlib
import socket
import struct

import pytest
from scapy.layers.inet import IP, TCP, UDP, IPOption
from scapy.layers.inet6 import (HAO, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, IPv6ExtHdrSegmentRouting, PadN)
from scapy.layers.l2 import Dot1Q, Ether

from bridge import Bridge
from frames import mac, write_pcap
from frontend import LOW, MRG_RXBUF, FrontEnd
from proc import wait_until
from switch import Switch
from testpmd import KEEP_RX, Testpmd, virtio

A, B = mac(0x0a), mac(0x0b)
CSUM, TSO4, TSO6 = 1 << 0, 1 << 11, 1 << 12    # feature bits
TAKES = 1 << 1 | 1 << 7 | 1 << 8                # of a guest that receives all of that
MSS = 1000


@pytest.fixture(scope='module')
def ports():
    with Bridge(1) as running:
        yield running


@pytest.fixture
def bridge(ports):
    ports.reset()
    return ports


@pytest.fixture
def send(bridge):
    """Have a guest send frames with commands for its testpmd; the frames that left by p1."""
    def run(frames, *commands, expect):
        path = bridge.switch.port_add('vm1', 'vhost')
        file = write_pcap(bridge.switch.dir / 'in.pcap', [bytes(one) for one in frames])
        devices = virtio(path), f'net_pcap0,rx_pcap={file}'
        with Testpmd(*devices, arguments=[KEEP_RX]) as pmd:
            bridge.switch.wait_link('vm1')
            pmd.command('port stop 0', *commands, 'port start 0', 'set fwd csum',
                        'csum mac-swap off 0', 'csum mac-swap off 1', 'start')
            seen = bridge.wire['p1'].receive_count(expect)
            run.features = int(bridge.switch.port('vm1')['features'], 16)
            run.port = bridge.switch.port('vm1')
            return seen + bridge.wire['p1'].receive_count(1, 0.1)
    yield run
    bridge.switch.rpc('port.del', {'name': 'vm1'})


def packet(network, transport, length, tags=()):
    """A frame without checksums; the outer one of two tags is a service tag (IEEE 802.1ad)."""
    layers = Ether(dst=B, src=A)
    if len(tags) == 2:
        layers.type = 0x88a8
    for tag in tags:
        layers /= Dot1Q(vlan=tag)
    return layers / network / transport / bytes(number % 251 for number in range(length))


def ipv4():
    return IP(src='10.0.0.1', dst='10.0.0.2', id=7)


def ipv6():
    return IPv6(src='fd00::1', dst='fd00::2')


def complete(one):
    """The frame with the right checksums."""
    return bytes(Ether(bytes(one)))


def without_checksum(one):
    """The same frame with a wrong transport checksum."""
    one = Ether(bytes(one))
    for layer in (TCP, UDP):
        if layer in one:
            one[layer].chksum = 0x1234
    return one


TRANSPORTS = [TCP(sport=1, dport=2, flags='A'), UDP(sport=1, dport=2)]


@pytest.mark.parametrize('network', [ipv4(), ipv6()], ids=['IPv4', 'IPv6'])
def test_checksums(send, network):
    """Frames with checksum requests leave with the right checksum."""
    frames = [packet(network, transport, length) for transport in TRANSPORTS
              for length in (0, 1, 2, 17, 100, 1001, 1400)]
    seen = send([without_checksum(one) for one in frames], 'csum set tcp hw 0', 'csum set udp hw 0',
                expect=len(frames))
    assert send.features & CSUM
    assert seen == [complete(one) for one in frames]


@pytest.mark.parametrize('tags', [[5], [7, 5]], ids=['one tag', 'two tags'])
def test_checksums_of_tagged_frames(send, tags):
    frames = [packet(network, transport, 100, tags) for transport in TRANSPORTS
              for network in (ipv4(), ipv6())]
    seen = send([without_checksum(one) for one in frames], 'csum set tcp hw 0', 'csum set udp hw 0',
                expect=len(frames))
    assert seen == [complete(one) for one in frames]


@pytest.mark.parametrize('tags', [[], [5], [7, 5]], ids=['untagged', 'one tag', 'two tags'])
@pytest.mark.parametrize('network, feature', [(ipv4(), TSO4), (ipv6(), TSO6)], ids=['IPv4', 'IPv6'])
def test_segmentation(send, network, feature, tags):
    """A long TCP frame leaves in segments that are complete frames."""
    wholes = [packet(network, TCP(sport=1, dport=2, seq=1000, flags='PAF'), length, tags)
              for length in (MSS + 1, 2 * MSS, 8123)]
    seen = send([without_checksum(one) for one in wholes], 'csum set tcp hw 0', f'tso set {MSS} 0',
                expect=2 + 2 + 9)
    assert send.features & feature
    assert [len(payload(one)) for one in seen] == [MSS, 1, MSS, MSS] + 8 * [MSS] + [123]
    for whole, segments in zip(wholes, (seen[:2], seen[2:4], seen[4:])):
        assert_segments_of(whole, segments)


def assert_segments_of(whole, seen):
    segments = [Ether(one) for one in seen]
    assert b''.join(payload(one) for one in segments) == payload(whole)
    for number, (one, raw) in enumerate(zip(segments, seen)):
        assert one[TCP].seq == 1000 + number * MSS
        assert one[TCP].flags == ('PAF' if one is segments[-1] else 'A')
        assert one.dst == B and one.src == A
        assert recomputed(raw) == raw, 'checksums or lengths'
    if IP in whole:
        assert len({one[IP].id for one in segments}) == len(segments)


def payload(one):
    """The payload of a TCP frame."""
    return bytes(Ether(bytes(one))[TCP].payload)


def recomputed(raw):
    """The frame with lengths and checksums computed anew."""
    one = Ether(raw)
    for layer, fields in ((IP, ('len', 'chksum')), (IPv6, ('plen',)), (TCP, ('chksum',))):
        for field in fields if layer in one else ():
            delattr(one[layer], field)
    return bytes(one)


def test_a_segmented_frame_counts_once(send):
    whole = packet(ipv4(), TCP(sport=1, dport=2, flags='A'), 5000)
    seen = send([without_checksum(whole)], 'csum set tcp hw 0', f'tso set {MSS} 0', expect=5)
    assert len(seen) == 5
    assert send.port['rx_packets'] == 1 and send.port['rx_bytes'] == len(bytes(whole))


# Extension headers in front of TCP, by name: what RFC 8200 section 4.1 allows.
CHAINS = {
    'hop-by-hop': lambda: [IPv6ExtHdrHopByHop()],
    'routing, at its end': lambda: [route(2, 0)],
    'routing': lambda: [route(2, 1)],
    'long route': lambda: [route(12, 12)],
    'destination options': lambda: [IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(60))])],
    'home address': lambda: [IPv6ExtHdrDestOpt(options=[HAO(hoa='fd00::77')])],
    'all': lambda: [IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), route(3, 2), IPv6ExtHdrDestOpt()],
}
TCP_OPTIONS = [('Timestamp', (1, 2)), ('NOP', None), ('NOP', None), ('SAck', (1, 2, 3, 4, 5, 6))]


def route(segments, left):
    """A segment routing header; its list begins with the final destination (RFC 8754 section 2)."""
    return IPv6ExtHdrSegmentRouting(addresses=[f'fd00::{2 + n:x}' for n in range(segments)],
                                    segleft=left, lastentry=segments - 1)


def behind(chain, length, tags, options):
    """(a frame as the guest sends it, the addresses of the pseudo header, offset of TCP, offset of
    the payload)."""
    headers = CHAINS[chain]() if chain else []
    target, source = 2, 'fd00::1'
    for header in headers:
        if isinstance(header, IPv6ExtHdrSegmentRouting):
            target += header.segleft
        if any(isinstance(option, HAO) for option in getattr(header, 'options', ())):
            source = 'fd00::77'
    network = IPv6(src='fd00::1', dst=f'fd00::{target:x}') if chain else IP(
        src='10.0.0.1', dst='10.0.0.2', options=[IPOption(b'\x94\x04\x00\x00' * 10)])
    for header in headers:
        network /= header
    tcp = TCP(sport=1, dport=2, seq=1000, flags='PAF', options=options, chksum=0)
    one = bytearray(bytes(packet(network, tcp, length, tags)))
    at = len(one) - len(tcp) - length
    ends = (socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, 'fd00::2')
            if chain else bytes((10, 0, 0, 1, 10, 0, 0, 2)))
    one[at + 16:at + 18] = struct.pack('!H', summed(pseudo(ends, len(one) - at)))
    return bytes(one), ends, at, len(one) - length


def pseudo(ends, length):
    return ends + struct.pack('!II', length, 6)


def summed(data):
    """The one's complement sum of RFC 1071."""
    total = sum(struct.unpack(f'!{len(data + bytes(len(data) % 2)) // 2}H',
                              data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


@pytest.fixture(scope='module')
def guests():
    """A guest that requests segmentation, one that receives long frames, one that does not."""
    with Switch() as switch, contextlib.ExitStack() as stack:
        vm = {}
        for name, wanted in (('vm1', CSUM | TSO4 | TSO6), ('whole', MRG_RXBUF | TAKES),
                             ('cut', MRG_RXBUF)):
            path = switch.port_add(name, 'vhost')
            vm[name] = stack.enter_context(FrontEnd(path, wanted=wanted, regions=(16 << 20,)))
            switch.wait_link(name)
        yield switch, vm


@pytest.mark.parametrize('options', [[], TCP_OPTIONS], ids=['', 'TCP options'])
@pytest.mark.parametrize('tags', [[], [5], [7, 5]], ids=['untagged', 'one tag', 'two tags'])
@pytest.mark.parametrize('chain', [*CHAINS, None])
def test_segmentation_behind_other_headers(guests, chain, tags, options):
    """Unsegmented to a guest that receives long frames, else in right segments, with TCP at any
    offset."""
    switch, vm = guests
    whole, ends, at, headers = behind(chain, 3100, tags, options)
    place = LOW + (12 << 20)
    kind = 4 if chain else 1
    vm['vm1'].write(place, struct.pack('<BBHHHHH', 1, kind, headers, MSS, at, 16, 0) + whole)
    vm['vm1'].tx.chain((place, 12 + len(whole)))
    buffers = -(-(len(whole) + 12) // 2048)
    got = vm['whole'].collect_merged(buffers)
    assert got[12:] == whole
    assert struct.unpack('<BBHHHH', got[:10]) == (1, kind, headers, MSS, at, 16)
    segments = vm['cut'].wait_frames(4)
    assert [len(one) - headers for one in segments] == [MSS, MSS, MSS, 100]
    assert b''.join(one[headers:] for one in segments) == whole[headers:]
    for number, one in enumerate(segments):
        assert summed(pseudo(ends, len(one) - at) + one[at:]) == 0xffff
        assert struct.unpack('!I', one[at + 4:at + 8]) == (1000 + number * MSS,)
        network = at - (40 if chain else 60)
        if chain:
            l3 = 14 + 4 * len(tags)
            assert struct.unpack('!H', one[l3 + 4:l3 + 6]) == (len(one) - l3 - 40,)
            assert one[l3 + 6:at] == whole[l3 + 6:at]
        else:
            assert struct.unpack('!H', one[network + 2:network + 4]) == (len(one) - network,)
            assert summed(one[network:at]) == 0xffff


@pytest.mark.parametrize('what', ['fragment', 'no end', 'beyond'])
def test_headers_that_are_refused(guests, what):
    """Frames that cannot be segmented are dropped and counted, those with an invalid header at
    ingress."""
    switch, vm = guests
    headers = {'fragment': IPv6ExtHdrFragment(nh=6), 'no end': IPv6ExtHdrDestOpt(),
               'beyond': IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(200))] * 3)}[what]
    network = IPv6(src='fd00::1', dst='fd00::2') / headers
    for _ in range(9 if what == 'no end' else 0):
        network /= IPv6ExtHdrDestOpt()
    tcp = TCP(sport=1, dport=2, flags='A', chksum=0)
    whole = bytes(packet(network, tcp, 3000))
    at = len(whole) - 3020
    before = {name: switch.port(name) for name in ('vm1', 'cut')}
    place = LOW + (12 << 20)
    vm['vm1'].write(place, struct.pack('<BBHHHHH', 1, 4, at + 20, MSS, at, 16, 0) + whole)
    vm['vm1'].tx.chain((place, 12 + len(whole)))
    port, direction = ('vm1', 'rx_drops') if what == 'beyond' else ('cut', 'tx_drops')
    wait_until(lambda: switch.port(port)[direction] == before[port][direction] + 1, 20, 'a drop')
    if what != 'beyond':
        vm['whole'].collect_merged(2)


@pytest.mark.parametrize('keys, ask, on', [
    ({}, 0x802c, CSUM | TSO4 | TSO6),    # TCP_TSO, TCP_CKSUM, UDP_CKSUM and MULTI_SEGS of DPDK
    ({'tso': 'off'}, 0x800c, CSUM),
    ({'csum': 'off'}, 0x8000, 0),
], ids=['all', 'no segmentation', 'none'])
def test_offered_offloads(bridge, keys, ask, on):
    """testpmd requests all offloads of its port; those that are off are not available."""
    path = bridge.switch.port_add('vm1', 'vhost', **keys)
    try:
        with Testpmd(virtio(path), arguments=[f'--tx-offloads={ask:#x}']) as pmd:
            bridge.switch.wait_link('vm1')
            features = int(bridge.switch.port('vm1')['features'], 16)
            assert features & (CSUM | TSO4 | TSO6) == on
            can = pmd.command('show port 0 tx_offload capabilities')
            assert ('TCP_CKSUM' in can) == bool(on & CSUM) and ('TCP_TSO' in can) == bool(on & TSO4)
    finally:
        bridge.switch.rpc('port.del', {'name': 'vm1'})
