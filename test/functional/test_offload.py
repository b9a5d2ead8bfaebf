# SPDX-License-Identifier: BSD-3-Clause
"""Checksums and segmentation that a guest leaves to the switch.

The guest is testpmd in its csum mode: it takes frames from a capture file, and asks its virtio
device to complete what it leaves out. Where the frames go nobody can, so the switch does.
"""

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether

from bridge import Bridge
from frames import mac, write_pcap
from proc import wait_until
from testpmd import KEEP_RX, Testpmd, virtio

A, B = mac(0x0a), mac(0x0b)
CSUM, TSO4, TSO6 = 1 << 0, 1 << 11, 1 << 12    # feature bits
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
    """Let a guest send frames as its testpmd is told to; the frames that left at p1."""
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
    """The frame with the checksums that belong there."""
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
    """Frames whose checksum is left out leave with the right one."""
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
    """A long TCP frame leaves in segments that are whole frames."""
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
    """What a TCP frame carries."""
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


@pytest.mark.parametrize('keys, ask, on', [
    ({}, 0x802c, CSUM | TSO4 | TSO6),    # TCP_TSO, TCP_CKSUM, UDP_CKSUM and MULTI_SEGS of DPDK
    ({'tso': 'off'}, 0x800c, CSUM),
    ({'csum': 'off'}, 0x8000, 0),
], ids=['all', 'no segmentation', 'none'])
def test_what_is_offered(bridge, keys, ask, on):
    """testpmd asks for all that its port can do, and what is off it cannot have."""
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
