# SPDX-License-Identifier: BSD-3-Clause
"""VLANs: every kind of source port with every kind of tx port and frame.

The expected frames are computed by vlans.py, from the standard and independently of the switch.
"""

import collections
import contextlib
import threading

import pytest

from bridge import Bridge
from frames import BROADCAST, MULTICAST, STAG, frame, mac, tag
from frontend import CSUM, GUEST_CSUM, GUEST_TSO4, HOST_TSO4, FrontEnd
from proc import wait_until
from switch import SwitchError, unbalanced
from vlans import MODES, deliveries

A, B, UNKNOWN = mac(0x0a), mac(0x0b), mac(0xff)
HOSTS = {name: mac(0x100 + number) for number, name in enumerate(MODES)}
TAGS = {
    'untagged': [], 'own': [tag(10)], 'priority kept': [tag(10, 5)], 'another': [tag(20, 3)],
    'foreign': [tag(30)], 'last': [tag(4094)], 'priority only': [tag(0, 6)], 'two': [tag(10, 1), tag(99, 2)],
    'two, foreign': [tag(99), tag(10)], 'reserved': [tag(4095)],
}
S_TAGS = {
    'service': [tag(10, 5, STAG)], 'service, customer': [tag(10, 2, STAG), tag(20, 3)],
    'service, foreign': [tag(30, 0, STAG)], 'service priority': [tag(0, 4, STAG)],
    'service, reserved': [tag(4095, 0, STAG)],
}


class Ports:
    """A switch with one port of each mode; subclasses send and receive frames."""

    def __init__(self, bridge):
        self.bridge, self.switch = bridge, bridge.switch

    def counters(self):
        names = [port['name'] for port in self.switch.rpc('port.list')]
        return {name: self.switch.rpc('port.show', {'name': name}) for name in names}

    def since(self, before):
        """The growth of the counters."""
        return {name: {key: value - before[name][key] for key, value in port.items()
                       if key.startswith(('rx_', 'tx_')) and isinstance(value, int)} | {'name': name}
                for name, port in self.counters().items()}

    def settled(self, before, source, count):
        """Wait until the switch has processed this many frames from a port; the growth of the
        counters."""
        def rests():
            ports = self.since(before)
            done = ports[source]['rx_packets'] >= count and not unbalanced(ports.values())
            return ports if done else None
        return wait_until(rests, 20, f'{count} frames from {source} dealt with')

    def exchange(self, source, frames, expected):
        """Send frames into a port, and check that exactly the expected ones leave."""
        before = self.counters()
        self.send(source, frames)
        for name, port in self.settled(before, source, len(frames)).items():
            seen = self.receive(name, len(expected[name]))
            assert sorted(seen) == sorted(expected[name]), f'{source} to {name}'
            assert port['tx_packets'] == len(seen), name


class Guests(Ports):
    """Every port is that of a VM."""

    def __init__(self, bridge, stack, wanted=0):
        super().__init__(bridge)
        self.vm = {}
        for name, mode in MODES.items():
            path = self.switch.port_add(name, 'vhost', **mode.keys)
            self.vm[name] = stack.enter_context(FrontEnd(path, wanted=wanted))
        for name in MODES:
            self.switch.wait_link(name)

    def send(self, source, frames):
        self.vm[source].send(*frames)

    def receive(self, name, count):
        return self.vm[name].wait_frames(count)


class Wires(Ports):
    """Every port is that of a NIC, net_af_packet with a wire."""

    def __init__(self, bridge):
        super().__init__(bridge)
        for name, mode in MODES.items():
            bridge.add(name)
            self.switch.rpc('port.set', {'name': name, **mode.keys})
        for name in MODES:
            self.switch.wait_link(name)

    def send(self, source, frames):
        self.bridge.wire[source].send(*frames)

    def receive(self, name, count):
        return self.bridge.wire[name].receive_count(count) + self.bridge.wire[name].drain()


def pin(ports):
    """Every port's host is in the FDB in all VLANs, whether the port carries them or not."""
    for name, host in HOSTS.items():
        for vlan in (0, 1, 10, 20, 30, 99, 4094):
            ports.switch.rpc('fdb.add', {'mac': host, 'port': name, 'vlan': vlan})


@pytest.fixture(scope='module')
def guests():
    with contextlib.ExitStack() as stack:
        ports = Guests(stack.enter_context(Bridge(0)), stack, CSUM | GUEST_CSUM | HOST_TSO4 | GUEST_TSO4)
        pin(ports)
        yield ports


@pytest.fixture(scope='module')
def wires():
    with Bridge(0) as bridge:
        ports = Wires(bridge)
        pin(ports)
        yield ports


def matrix(source, kinds, size):
    """(frames, {port: [bytes]}, {reason: count}) of all destinations and tags from a port."""
    frames, expected, reasons = [], collections.defaultdict(list), collections.Counter()
    for tags in kinds.values():
        for target in (BROADCAST, MULTICAST, UNKNOWN, *HOSTS.values()):
            one = frame(target, A, *tags, size=size)
            known = next((name for name, host in HOSTS.items() if host == target), None)
            out, reason = deliveries(source, one, known, target == UNKNOWN)
            frames.append(one)
            reasons[reason] += reason is not None
            for name, data in out.items():
                expected[name].append(data)
    return frames, expected, +reasons


def check_matrix(ports, source, kinds, size=64):
    before = ports.bridge.drops()
    frames, expected, reasons = matrix(source, kinds, size)
    ports.exchange(source, frames, expected)
    after = ports.bridge.drops()
    assert {reason: after[source, 'rx', reason] - before.get((source, 'rx', reason), 0)
            for reason in reasons} == reasons
    assert sum(after.values()) - sum(before.values()) == sum(reasons.values())


@pytest.mark.parametrize('source', MODES)
class TestMatrix:
    @pytest.mark.parametrize('kinds', [TAGS, S_TAGS], ids=['customer', 'service'])
    @pytest.mark.parametrize('size', [64, 300])
    def test_guests(self, guests, source, kinds, size):
        """300 bytes are more than the classified head."""
        check_matrix(guests, source, kinds, size)

    def test_wires(self, wires, source):
        """Without service tags: net_af_packet turns them into customer tags."""
        check_matrix(wires, source, TAGS)


def keys_of(bridge, **ports):
    """Set VLAN keys of ports, and the other VLAN keys to their defaults."""
    for name, keys in ports.items():
        none = {'vlan': 0, 'trunk': '', 'native': 0, 'vlan-protocol': '802.1Q'}
        bridge.switch.rpc('port.set', {'name': name, **none, **keys})


@pytest.fixture
def vlans(bridge):
    """The four wires, whose ports have no VLAN keys again afterwards."""
    yield bridge
    keys_of(bridge, p1={}, p2={}, p3={}, p4={})


def out_of(bridge, source, *frames):
    """The frames that leave by each port; waits like Ports.exchange()."""
    ports = Ports(bridge)
    before = ports.counters()
    bridge.wire[source].send(*frames)
    since = ports.settled(before, source, len(frames))
    return {name: wire.receive_count(since[name]['tx_packets'])
            for name, wire in bridge.wire.items()}


class TestTable:
    def test_each_vlan_has_its_own(self, vlans):
        """The same address in two VLANs is two entries of the FDB."""
        keys_of(vlans, p1={'vlan': 10}, p2={'vlan': 20}, p3={'trunk': '10,20'}, p4={'vlan': 20})
        out_of(vlans, 'p1', frame(BROADCAST, A))
        out_of(vlans, 'p2', frame(BROADCAST, A))
        assert vlans.fdb() == {(A, 10): ('p1', 'dynamic'), (A, 20): ('p2', 'dynamic')}
        for vlan, port in ((10, 'p1'), (20, 'p2')):
            one = frame(A, B, tag(vlan))
            seen = out_of(vlans, 'p3', one)
            assert seen == {name: [one[:12] + one[16:]] if name == port else []
                            for name in vlans.wire}
        assert vlans.fdb()[B, 10] == vlans.fdb()[B, 20] == ('p3', 'dynamic')

    def test_dropped_frames_are_not_learned(self, vlans):
        keys_of(vlans, p1={'vlan': 10}, p2={'trunk': '10'})
        for port, *tags in (('p1', tag(10)), ('p1', tag(4095)), ('p2',), ('p2', tag(20)), ('p2', tag(0))):
            assert not any(out_of(vlans, port, frame(BROADCAST, A, *tags)).values())
        assert not vlans.fdb()

    @pytest.mark.parametrize('keys', [{'vlan': 20}, {'trunk': '10'}, {'vlan-protocol': '802.1ad', 'vlan': 10}, {}],
                             ids=str)
    def test_changed_keys_flush(self, vlans, keys):
        keys_of(vlans, p1={'vlan': 10}, p2={'vlan': 10})
        out_of(vlans, 'p1', frame(BROADCAST, A))
        out_of(vlans, 'p2', frame(BROADCAST, B))
        keys_of(vlans, p1=keys)
        assert vlans.fdb() == {(B, 10): ('p2', 'dynamic')}

    def test_same_keys_do_not_flush(self, vlans):
        keys_of(vlans, p1={'vlan': 10})
        out_of(vlans, 'p1', frame(BROADCAST, A))
        keys_of(vlans, p1={'vlan': 10})
        assert vlans.fdb() == {(A, 10): ('p1', 'dynamic')}


class TestLengths:
    def test_every_byte(self, vlans):
        """A tag does not count towards the MTU. (Linux accepts no shorter frames with a tag.)"""
        keys_of(vlans, p1={'vlan': 10}, p2={'trunk': '10'}, p4={'vlan': 20})
        bare = [frame(UNKNOWN, A, size=size)
                for size in (16, 17, 59, 60, 61, 127, 128, 129, 132, 511, 512, 1500, 1514)]
        tagged = [one[:12] + tag(10) + one[12:] for one in bare]
        assert out_of(vlans, 'p1', *bare) == {'p1': [], 'p2': tagged, 'p3': tagged, 'p4': []}
        assert out_of(vlans, 'p2', *tagged) == {'p1': bare, 'p2': [], 'p3': tagged, 'p4': []}

    @pytest.mark.parametrize('size', [60, 511, 512, 513, 1000, 1514])
    def test_of_guests_memory(self, vlans, size):
        """Frames of a guest to a NIC that reads guest memory, with and without a tag to push."""
        keys_of(vlans, p1={'trunk': '10'}, p2={'vlan': 10})
        path = vlans.switch.port_add('vm1', 'vhost', vlan=10)
        frames = [frame(B, A, size=size) for _ in range(16)]
        try:
            with FrontEnd(path) as vm:
                vlans.switch.wait_link('vm1')
                vm.send(*frames)
                tagged = [one[:12] + tag(10) + one[12:] for one in frames]
                for name, want in (('p1', tagged), ('p2', frames), ('p3', tagged)):
                    assert vlans.wire[name].receive_count(len(want)) == want
                vm.tx.wait_used(len(frames))
        finally:
            vlans.switch.rpc('port.del', {'name': 'vm1'})
            vlans.reset()

    def test_guest_of_another_kind(self, vlans):
        """testpmd's virtio device at an access port, a trunk on the other side."""
        keys_of(vlans, p1={'trunk': '10'}, p2={'vlan': 20}, p3={'vlan': 20}, p4={'vlan': 20})
        with vlans.guest('vm1', {'vlan': 10}):
            for size in (60, 1514):
                one, other = frame(B, A, size=size), frame(A, B, size=size)
                assert out_of(vlans, 'vm1', one)['p1'] == [one[:12] + tag(10) + one[12:]]
                assert out_of(vlans, 'p1', other[:12] + tag(10, 4) + other[12:])['vm1'] == [other]


class TestOffloads:
    """The offset of a requested checksum follows its header when a tag is pushed or popped."""

    @pytest.mark.parametrize('source, tags, target, shift', [
        ('access10', [], 'trunk10', 4), ('trunk10', [tag(10)], 'access10', -4),
        ('access10', [], 's-trunk', 4), ('trunk10', [tag(10, 3)], 's-trunk', 0),
        ('s-trunk', [tag(10, 3, STAG)], 'native10', -4), ('plain', [tag(10)], 'trunk10-20', 0),
    ])
    @pytest.mark.parametrize('gso', [0, 1], ids=['checksum', 'segmentation'])
    def test_between_guests(self, guests, source, tags, target, shift, gso):
        start = 34 + 4 * len(tags)
        one = bytearray(frame(HOSTS[target], A, *tags, size=1200))
        one[start + 12] = 5 << 4    # words of the TCP header
        one = bytes(one)
        header = header_of(start, 16, gso, 500, start + 20)
        guests.vm[source].send(one, header=header)
        vm = guests.vm[target]
        wait_until(vm.collect, 20, 'the frame')
        (got, data), vm.got = vm.got[0], []
        assert data == deliveries(source, one, target)[0][target]
        assert got[:10] == header_of(start + shift, 16, gso, 500, start + 20 + shift)[:10]


def header_of(start, offset, gso, size, length):
    """A virtio-net header that requests a checksum; gso: TCP over IPv4."""
    words = (length, size) if gso else (0, 0)
    return bytes([1, gso]) + b''.join(word.to_bytes(2, 'little') for word in (*words, start, offset, 0))


class TestDevice:
    """A device that inserts tags: a virtio device connected to another vhost port."""

    def test_tags(self):
        running = Bridge(1)
        running.switch.eal = ['--single-file-segments']    # memory that virtio-user can share
        with running as bridge:
            switch = bridge.switch
            switch.port_add('far', 'vhost', isolated='on')    # no frames back to nic
            path = switch.port_add('vm1', 'vhost', vlan=10)
            switch.port_add('nic', 'ethdev', trunk=10, isolated='on',
                            device=f"net_virtio_user0,path={switch.socket('far')}")
            assert switch.port('nic')['tx_tags'] == 'device'
            assert switch.port('p1')['tx_tags'] == 'software'
            keys_of(bridge, p1={'trunk': '77', 'native': 78})
            with FrontEnd(path) as vm:
                switch.wait_link('far')
                switch.wait_link('vm1')
                frames = [frame(B, A, size=size) for size in (20, 60, 116, 117, 600, 1514)]
                before = Ports(bridge).counters()
                vm.send(*frames)
                ports = wait_until(lambda: self.arrived(bridge, before), 20, 'frames')
                assert ports['nic']['tx_packets'] == len(frames)
                assert ports['nic']['tx_bytes'] == sum(len(one) + 4 for one in frames)
                assert ports['far']['rx_bytes'] == sum(len(one) + 4 for one in frames)
                assert bridge.fdb()[A, 10][0] == 'far'

    @staticmethod
    def arrived(bridge, before):
        ports = Ports(bridge).since(before)
        return ports if ports['far']['rx_packets'] == 6 else None


class TestLive:
    KEYS = ({'vlan': 10}, {'trunk': '10,20'}, {'trunk': '20', 'native': 10}, {},
            {'vlan': 10, 'vlan-protocol': '802.1ad'})

    def test_changes_under_traffic(self, vlans):
        """Every frame leaves in a form that some of the keys permit, and all are accounted for."""
        keys_of(vlans, p2={'trunk': '10'})
        one = frame(BROADCAST, A)
        forms = {one, one[:12] + tag(10) + one[12:], one[:12] + tag(10, 0, STAG) + one[12:]}
        stop, ports = threading.Event(), Ports(vlans)
        before = ports.counters()

        def send():
            while not stop.is_set():
                vlans.wire['p1'].send(*[one] * 8)
        thread = threading.Thread(target=send)
        thread.start()
        try:
            for keys in self.KEYS * 4:
                keys_of(vlans, p1=keys)
                keys_of(vlans, p3=keys)
        finally:
            stop.set()
            thread.join()
        since = ports.settled(before, 'p1', 1)
        for name in ('p2', 'p3', 'p4'):
            count = since[name]['tx_packets']
            seen = vlans.wire[name].receive_count(count)
            assert len(seen) == count and set(seen) <= forms, name
        keys_of(vlans, p1={'vlan': 10}, p3={'vlan': 10})
        seen = out_of(vlans, 'p1', one)
        assert seen == {'p1': [], 'p2': [one[:12] + tag(10) + one[12:]], 'p3': [one],
                        'p4': [one[:12] + tag(10) + one[12:]]}


class TestRefused:
    @pytest.mark.parametrize('keys, reason', [
        ({'vlan': 4095}, 'vlan'), ({'vlan': -1}, 'vlan'), ({'trunk': '0'}, '1 to 4094'),
        ({'trunk': '1-4095'}, '1 to 4094'), ({'trunk': '10,10'}, '10 is named twice'),
        ({'trunk': '10-20,15-30'}, '15 is named twice'), ({'trunk': '20-10'}, 'trunk'),
        ({'trunk': '10,'}, 'trunk'), ({'trunk': 'x'}, 'trunk'), ({'native': 10}, 'trunk'),
        ({'vlan': 10, 'trunk': '20'}, 'trunk'), ({'trunk': '20', 'native': 4095}, 'native'),
        ({'vlan-protocol': '802.1x', 'vlan': 1}, 'vlan-protocol'),
    ], ids=str)
    def test_with_the_reason_and_nothing_changed(self, vlans, keys, reason):
        before = vlans.switch.port('p1')
        with pytest.raises(SwitchError, match=reason):
            vlans.switch.rpc('port.set', {'name': 'p1', **keys})
        after = vlans.switch.port('p1')
        assert {key: after[key] for key in ('vlan', 'trunk', 'native', 'vlan-protocol')} == {
            key: before[key] for key in ('vlan', 'trunk', 'native', 'vlan-protocol')}


class TestList:
    def test_rows(self, vlans):
        assert vlans.switch.json('vlan', 'list') == []
        keys_of(vlans, p1={'vlan': 10}, p2={'trunk': '10,30-31', 'native': 20})
        out_of(vlans, 'p1', frame(BROADCAST, A))

        def row(vlan, entries, **ports):
            return {'vlan': vlan, 'fdb_entries': entries,
                    'ports': [{'port': name, 'tagged': tagged} for name, tagged in ports.items()]}
        rows = [row(10, 1, p1=False, p2=True), row(20, 0, p2=False), row(30, 0, p2=True),
                row(31, 0, p2=True)]
        assert vlans.switch.json('vlan', 'list') == rows
        assert vlans.switch.json('vlan', 'list', 'vlan=30') == rows[2:3]
        assert vlans.switch.json('vlan', 'list', 'port=p1') == [row(10, 1, p1=False)]
        assert vlans.switch.rpc('vlan.list', {'port': 'p3'}) == []
        lines = [line.split() for line in vlans.switch.cli('vlan', 'list').stdout.splitlines()]
        assert lines == [['VLAN', 'ADDRESSES', 'UNTAGGED', 'TAGGED'], ['10', '1', 'p1', 'p2'],
                         ['20', '0', 'p2', '-'], ['30-31', '0', '-', 'p2']]

    @pytest.mark.parametrize('params', [{'port': 'none'}, {'vlan': 0}, {'vlan': 4095}, {'bogus': 1}],
                             ids=str)
    def test_refused(self, vlans, params):
        with pytest.raises(SwitchError):
            vlans.switch.rpc('vlan.list', params)

    def test_large_trunks(self, vlans):
        """Thousands of VLANs are printed in one line; too many for one answer are refused."""
        keys_of(vlans, p1={'trunk': '1-4094'}, p2={'vlan': 7})
        rows = vlans.switch.rpc('vlan.list')
        assert [one['vlan'] for one in rows] == list(range(1, 4095))
        text = vlans.switch.cli('vlan', 'list').stdout
        assert [line.split()[0] for line in text.splitlines()] == ['VLAN', '1-6', '7', '8-4094']
        names = [f't{number}' for number in range(16)]
        try:
            for name in names:
                vlans.switch.rpc('port.add', {'name': name, 'type': 'vhost', 'trunk': '1-4094',
                                              'socket': str(vlans.switch.socket(name))})
            with pytest.raises(SwitchError, match='ask for a port or a VLAN'):
                vlans.switch.rpc('vlan.list')
            text = vlans.switch.cli('vlan', 'list', 'vlan=9').stdout
            assert text.splitlines()[1].endswith('p1 t0 t1 t2 t3 t4 t5 t6 and 9 more')
            assert len(vlans.switch.rpc('vlan.list', {'port': 't3'})) == 4094
        finally:
            for name in names:
                vlans.switch.rpc('port.del', {'name': name})
