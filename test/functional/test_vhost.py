# SPDX-License-Identifier: BSD-3-Clause
"""Front ends on vhost ports: DPDK's virtio-user in testpmd, which is independent of this switch."""

import contextlib
import os
import socket

import pytest

from bridge import Bridge, flooded, only
from frames import BROADCAST, MULTICAST, frame, mac, tag
from proc import wait_until
from testpmd import Testpmd, WiredGuest, virtio

A, B = mac(0x0a), mac(0x0b)
RING_SAFE = 32    # frames that fit even into a short ring

# Feature bits of virtio 1.2 sections 5.1.3 and 6
CSUM, GUEST_CSUM, TSO, MRG_RXBUF, MQ, PACKED = 1 << 0, 1 << 1, 1 << 11, 1 << 15, 1 << 22, 1 << 34


@pytest.fixture(scope='module')
def ports():
    with Bridge(2) as running:
        yield running


@pytest.fixture
def bridge(ports):
    """A switch with wires at p1 and p2; tests add vhost ports."""
    ports.reset()
    return ports


def features(bridge, name):
    return int(bridge.switch.port(name)['features'], 16)


def assert_passes(bridge, name):
    """Frames pass through a vhost port with one queue, both ways, unchanged."""
    bridge.reset()
    sizes = (*range(14, 100), 511, 1024, 1500, 1513, 1514)
    out, back = ([frame(dst, src, size=size) for size in sizes] for dst, src in ((A, B), (B, A)))
    bridge.learn(name, A)
    for at in range(0, len(sizes), RING_SAFE):
        some = slice(at, at + RING_SAFE)
        assert bridge.exchange('p1', *out[some]) == only(bridge, name, *out[some])
        assert bridge.exchange(name, *back[some]) == only(bridge, 'p1', *back[some])
    for source in (name, 'p1'):
        mixed = [frame(BROADCAST, B), frame(MULTICAST, B, tag(5)),
                 frame(mac(99), B, tag(5), tag(6))]
        assert bridge.exchange(source, *mixed) == flooded(bridge, source, *mixed)


class TestNegotiation:
    @pytest.mark.parametrize('keys, options, on, off', [
        ({}, {}, MRG_RXBUF, PACKED | MQ),
        ({}, {'mrg_rxbuf': 0}, 0, MRG_RXBUF),
        ({}, {'packed_vq': 1}, 0, PACKED),
        ({'packed': 'on'}, {'packed_vq': 1}, PACKED, 0),
        ({'packed': 'on'}, {'packed_vq': 1, 'mrg_rxbuf': 0, 'in_order': 0}, PACKED, MRG_RXBUF),
        ({'packed': 'on'}, {}, 0, PACKED),
        ({'queues': 2}, {'queue_size': 1024}, 0, PACKED),
        ({'csum': 'off', 'tso': 'off', 'perm': '0600'}, {'queue_size': 64}, 0, 0),
    ], ids=['default', 'not mergeable', 'packed refused', 'packed', 'packed not mergeable',
            'split at a packed port', 'fewer queues', 'short rings'])
    def test_frames_pass(self, bridge, keys, options, on, off):
        with bridge.guest('vm1', keys, **options):
            assert_passes(bridge, 'vm1')
            assert features(bridge, 'vm1') & on == on and not features(bridge, 'vm1') & off
            assert bridge.switch.port('vm1')['path'] == 'direct'

    def test_mtu(self, bridge):
        with bridge.guest('vm1', {'mtu': 1000}):
            bridge.learn('vm1', A)
            fits, longer = frame(A, B, size=1014), frame(A, B, size=1015)
            assert bridge.exchange('p1', fits, longer) == only(bridge, 'vm1', fits)
            assert bridge.drops()['vm1', 'tx', 'too-long'] == 1

    @pytest.mark.parametrize('socket_mode', ['server', 'client'])
    def test_modes(self, bridge, socket_mode):
        options = {'server': 1} if socket_mode == 'client' else {}
        with bridge.guest('vm1', {'mode': socket_mode}, **options):
            assert_passes(bridge, 'vm1')


class TestQueues:
    def test_every_queue_is_used(self, bridge):
        path = bridge.switch.port_add('vm1', 'vhost', queues=4)
        with Testpmd(virtio(path, queues=4), queues=4) as pmd, deleted_at_end(bridge, 'vm1'):
            bridge.switch.wait_link('vm1')
            assert bridge.switch.port('vm1')['queues_enabled'] == '4'
            assert features(bridge, 'vm1') & MQ
            pmd.command('set fwd rxonly', 'start')
            bridge.exchange('p1', *(udp(A, B, port) for port in range(1000, 1400)))
            wait_until(lambda: sum(pmd.queue_packets().values()) >= 402, 20, 'frames in the guest')
            received = pmd.queue_packets()
            assert all(received[f'rx_q{queue}'] > 20 for queue in range(4)), received
            pmd.command('stop', 'set fwd txonly', 'start')
            wait_until(lambda: bridge.switch.port('vm1')['rx_packets'] > 10000, 20, 'frames sent')
            pmd.command('stop')
            sent = pmd.queue_packets()
            assert all(sent[f'tx_q{queue}'] > 0 for queue in range(4)), sent
            bridge.wait_received('vm1', sum(sent[f'tx_q{queue}'] for queue in range(4)))
            assert bridge.switch.port('vm1')['rx_packets'] == pmd.stats()['TX-packets']

    def test_flows_keep_their_queue_and_order(self, bridge):
        path = bridge.switch.port_add('vm1', 'vhost', queues=2)
        with WiredGuest(path, queues=2) as guest, deleted_at_end(bridge, 'vm1'):
            bridge.switch.wait_link('vm1')
            guest.wire.send(frame(BROADCAST, A))
            wait_until(lambda: (A, 0) in bridge.fdb(), 20, 'learning')
            frames = [udp(A, B, 2000 + number % 8, number) for number in range(800)]
            seen = []
            for at in range(0, len(frames), RING_SAFE):
                bridge.wire['p1'].send(*frames[at:at + RING_SAFE])
                seen += guest.wire.receive_count(RING_SAFE)
            assert sorted(seen) == sorted(frames)
            for flow in range(8):
                mine = [one for one in seen if one[34:36] == (2000 + flow).to_bytes(2, 'big')]
                assert mine == frames[flow::8], f'flow {flow}'

    def test_a_guest_that_uses_fewer(self, bridge):
        with bridge.guest('vm1', {'queues': 4}, queues=1):
            port = bridge.switch.port('vm1')
            assert (port['rx_queues'], port['queues_enabled']) == (4, '1')
            assert_passes(bridge, 'vm1')


def udp(dst, src, port, number=0):
    """An IPv4/UDP frame of a flow of its own; its checksum is not used."""
    addresses = bytes((10, 0, 0, 1, 10, 0, 0, 2))
    header = b'\x45\0\0\x2e\0\0\0\0\x40\x11\0\0' + addresses
    ports = port.to_bytes(2, 'big') + b'\x00\x09\x00\x1a\x00\x00'
    return frame(dst, src, kind=0x0800, payload=header + ports + number.to_bytes(18, 'big'))


@contextlib.contextmanager
def deleted_at_end(bridge, name):
    """Delete a port at the end of the block."""
    try:
        yield
    finally:
        bridge.switch.rpc('port.del', {'name': name})


class TestComingAndGoing:
    @pytest.mark.parametrize('end', ['quit', 'kill9'])
    @pytest.mark.parametrize('mode', ['server', 'client'])
    def test_front_end_comes_back(self, bridge, mode, end):
        switch = bridge.switch
        options = {'server': 1} if mode == 'client' else {}
        with bridge.guest('vm1', {'mode': mode}, **options) as guest:
            bridge.learn('vm1', A)
            bridge.learn('p1', B)
            before = switch.port('vm1')
            getattr(guest.pmd, end)()
            switch.wait_link('vm1', 'down')
            assert sorted(bridge.fdb()) == [(B, 0)], 'entries of the others stay, its own go'
            assert switch.port('vm1')['front_end'] == 'none'
            one = frame(A, B)
            assert bridge.exchange('p1', one) == only(bridge, 'p2', one)
            guest.start()
            switch.wait_link('vm1')
            after = switch.port('vm1')
            assert int(after['connections']) == int(before['connections']) + 1
            assert after['rx_packets'] >= before['rx_packets'], 'counters go on'
            assert_passes(bridge, 'vm1')

    def test_only_that_port_goes_down(self, bridge):
        with bridge.guest('vm1') as one, bridge.guest('vm2'):
            bridge.learn('vm2', A)
            one.pmd.kill9()
            bridge.switch.wait_link('vm1', 'down')
            ports = {port['name']: port['link'] for port in bridge.switch.rpc('port.list')}
            assert ports == {'p1': 'up', 'p2': 'up', 'vm1': 'down', 'vm2': 'up'}
            assert bridge.fdb()[A, 0] == ('vm2', 'dynamic')
            del bridge.wire['vm1']
            assert_passes(bridge, 'vm2')

    def test_second_front_end_is_refused(self, bridge):
        with bridge.guest('vm1'), socket.socket(socket.AF_UNIX) as second:
            second.settimeout(5)
            second.connect(bridge.switch.port('vm1')['socket'])
            assert second.recv(1) == b'', 'the connection stayed open'
            assert bridge.switch.port('vm1')['refused'] == '1'
            assert bridge.switch.port('vm1')['link'] == 'up'
            assert_passes(bridge, 'vm1')

    def test_between_two_guests(self, bridge):
        with bridge.guest('vm1'), bridge.guest('vm2', {'packed': 'on'}, packed_vq=1):
            bridge.learn('vm2', A)
            frames = [frame(A, B, size=size) for size in (14, 60, 1500, 1514)]
            assert bridge.exchange('vm1', *frames) == only(bridge, 'vm2', *frames)

    def test_switch_comes_back(self):
        """In client mode a new switch connects to the front ends of the previous one."""
        with Bridge(1) as bridge, bridge.guest('vm1', {'mode': 'client'}, server=1) as guest:
            bridge.switch.cli('config', 'save')
            bridge.switch.kill9()
            bridge.switch.start()
            bridge.switch.wait_link('vm1')
            one = frame(BROADCAST, A)
            assert bridge.exchange('p1', one) == only(bridge, 'vm1', one)
            assert bridge.exchange('vm1', one) == only(bridge, 'p1', one)
            assert guest.pmd.process.alive()

    def test_port_deleted_under_a_front_end(self, bridge):
        with bridge.guest('vm1') as guest:
            bridge.switch.rpc('port.del', {'name': 'vm1'})
            assert not os.path.exists(bridge.switch.socket('vm1'))
            one = frame(BROADCAST, B)
            assert bridge.exchange('p1', one)['p2'] == [one]
            guest.pmd.kill9()
            bridge.switch.port_add('vm1', 'vhost')
            guest.start()
            bridge.switch.wait_link('vm1')
            assert_passes(bridge, 'vm1')

    def test_disabled_under_a_front_end(self, bridge):
        with bridge.guest('vm1') as guest:
            bridge.switch.cli('port', 'set', 'vm1', 'enabled=off')
            assert bridge.switch.port('vm1')['link'] == 'down'
            guest.wire.send(frame(BROADCAST, A))
            one = frame(BROADCAST, B)
            assert bridge.exchange('p1', one) == only(bridge, 'p2', one)
            bridge.switch.cli('port', 'set', 'vm1', 'enabled=on')
            bridge.collect('vm1')    # frames that the guest sent meanwhile arrive now
            assert_passes(bridge, 'vm1')
