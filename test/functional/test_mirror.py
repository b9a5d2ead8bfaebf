# SPDX-License-Identifier: BSD-3-Clause
"""Mirrored ports: frames received or sent also leave by another port, unchanged."""

import contextlib
import time

import pytest

from bridge import Bridge
from frames import BROADCAST, frame, mac, tag
from proc import wait_until
from switch import Rpc, SwitchError, imbalance, unbalanced

A, B, C = mac(0x0a), mac(0x0b), mac(0x0c)
RESERVED = '01:80:c2:00:00:00'


@pytest.fixture(scope='module')
def ports():
    """p1 and p2 exchange frames; p3 is the mirror, which takes part in nothing else."""
    with Bridge(3) as running:
        yield running


@pytest.fixture
def bridge(ports):
    ports.reset()
    yield ports
    for name in ('p1', 'p2', 'p3'):
        ports.switch.cli('port', 'set', name, 'mirror=', 'mirror-direction=both', 'vlan=0',
                         'trunk=', 'native=0', 'flood=on', 'mcast-flood=on', 'isolated=off')


def set_keys(bridge, name, *keys):
    bridge.switch.cli('port', 'set', name, *keys)


def mirror(bridge, name, direction='both'):
    set_keys(bridge, name, 'mirror=p3', f'mirror-direction={direction}')


def is_ours(one):
    """Whether a frame is the test's: kernels behind wires send IPv6 frames as well."""
    return one[12:14] != b'\x86\xdd'


def expect(bridge, source, frames, **expected):
    """Send frames into a port; these, and no others, leave: {port: [frame]}.

    No markers: they are broadcast, and would be mirrored as well.
    """
    seen = {name: [] for name in bridge.wire}
    wanted = {name: expected.get(name, []) for name in bridge.wire}

    def complete():
        for name, wire in bridge.wire.items():
            seen[name] += filter(is_ours, wire.drain())
        return seen == wanted
    bridge.wire[source].send(*frames)
    with contextlib.suppress(TimeoutError):
        wait_until(complete, 30, 'frames')
    time.sleep(0.02)    # time for frames that should not leave
    assert complete(), f'{seen} instead of {wanted}'


def known(bridge):
    """A is behind p1, B behind p2."""
    for address, name in ((A, 'p1'), (B, 'p2')):
        bridge.switch.rpc('fdb.add', {'mac': address, 'port': name})


def assert_balanced(bridge):
    def balanced():
        wrong = unbalanced(bridge.switch.rpc('port.list'))
        return not wrong
    wait_until(balanced, 30, 'counters that balance')


@pytest.mark.parametrize('direction, rx, tx', [
    ('rx', True, False), ('tx', False, True), ('both', True, True)])
def test_directions(bridge, direction, rx, tx):
    known(bridge)
    mirror(bridge, 'p1', direction)
    there, back = frame(B, A), frame(A, B)
    expect(bridge, 'p1', [there], p2=[there], p3=[there] * rx)
    expect(bridge, 'p2', [back], p1=[back], p3=[back] * tx)
    assert_balanced(bridge)


def test_off_again(bridge):
    known(bridge)
    mirror(bridge, 'p1')
    set_keys(bridge, 'p1', 'mirror=')
    one = frame(B, A)
    expect(bridge, 'p1', [one], p2=[one])
    assert bridge.switch.port('p1')['mirror'] == ''


@pytest.mark.parametrize('one', [frame(RESERVED, A), frame(B, A, tag(4095)), frame(A, A)],
                         ids=['reserved', 'bad tag', 'same port'])
def test_frames_dropped_by_ingress_are_mirrored(bridge, one):
    known(bridge)
    mirror(bridge, 'p1')
    expect(bridge, 'p1', [one], p3=[one])
    assert_balanced(bridge)


def test_flood(bridge):
    """One copy as a member of the flood, one as the mirror of p1, one as that of p2."""
    mirror(bridge, 'p1')
    mirror(bridge, 'p2')
    one = frame(BROADCAST, A)
    expect(bridge, 'p1', [one], p2=[one], p3=[one] * 3)
    set_keys(bridge, 'p3', 'flood=off')
    one = frame(C, A)
    expect(bridge, 'p1', [one], p2=[one], p3=[one] * 2)
    assert_balanced(bridge)


def test_tags_as_they_are_at_the_mirrored_port(bridge):
    """p1 is an access port, p2 a trunk, and p3 in another VLAN, which does not matter for copies.
    """
    set_keys(bridge, 'p1', 'vlan=10')
    set_keys(bridge, 'p2', 'trunk=10,20')
    set_keys(bridge, 'p3', 'vlan=99')
    payload = bytes(46)
    untagged, tagged = frame(B, A, payload=payload), frame(B, A, tag(10), payload=payload)
    mirror(bridge, 'p2', 'tx')
    expect(bridge, 'p1', [untagged], p2=[tagged], p3=[tagged])
    set_keys(bridge, 'p2', 'mirror=')
    mirror(bridge, 'p1', 'both')
    expect(bridge, 'p1', [untagged], p2=[tagged], p3=[untagged])
    back = frame(A, B, tag(10), payload=payload)
    plain = frame(A, B, payload=payload)
    expect(bridge, 'p2', [back], p1=[plain], p3=[plain])
    foreign = frame(B, A, tag(20), payload=payload)
    expect(bridge, 'p1', [foreign], p3=[foreign])
    assert_balanced(bridge)


def test_longer_than_the_mirror_takes(bridge):
    """The copy is dropped and counted at the mirror; the frame itself is forwarded."""
    known(bridge)
    bridge.switch.cli('port', 'set', 'p3', 'mtu=1300')
    bridge.switch.wait_link('p3')
    try:
        mirror(bridge, 'p1')
        before = bridge.drops().get(('p3', 'tx', 'too-long'), 0)
        one = frame(B, A, size=1514)
        expect(bridge, 'p1', [one], p2=[one])
        assert bridge.drops()['p3', 'tx', 'too-long'] == before + 1
        assert_balanced(bridge)
    finally:
        bridge.switch.cli('port', 'set', 'p3', 'mtu=1500')
        bridge.switch.wait_link('p3')
        bridge.wake('p3')


def test_mirror_that_is_down(bridge):
    known(bridge)
    mirror(bridge, 'p1')
    set_keys(bridge, 'p3', 'enabled=off')
    try:
        one = frame(B, A)
        expect(bridge, 'p1', [one], p2=[one])
        assert bridge.drops()['p3', 'tx', 'link-down'] >= 1
        assert_balanced(bridge)
    finally:
        set_keys(bridge, 'p3', 'enabled=on')


@pytest.mark.parametrize('packed', ['off', 'on'])
def test_guests(bridge, packed):
    """From guest memory into mbufs and into guest memory: one copy each, including chains."""
    with contextlib.ExitStack() as stack:
        for name in ('vm1', 'vm2'):
            stack.enter_context(bridge.guest(name, {'packed': packed}))
        stack.callback(set_keys, bridge, 'vm1', 'mirror=')
        before = imbalance(bridge.switch.rpc('port.list'))
        bridge.switch.rpc('fdb.add', {'mac': C, 'port': 'vm1'})
        known(bridge)
        set_keys(bridge, 'vm1', 'mirror=p3')
        for size in (60, 1514):
            one, back = frame(B, C, size=size), frame(C, B, size=size)
            expect(bridge, 'vm1', [one], p2=[one], p3=[one])
            expect(bridge, 'p2', [back], p3=[back], vm1=[back])
        set_keys(bridge, 'vm1', 'mirror=vm2')
        for size in (60, 1514):
            one, back = frame(B, C, size=size), frame(C, B, size=size)
            expect(bridge, 'vm1', [one], p2=[one], vm2=[one])
            expect(bridge, 'p2', [back], vm1=[back], vm2=[back])
        wait_until(lambda: imbalance(bridge.switch.rpc('port.list')) == before, 30, 'balance')


def test_traced(bridge):
    """A trace names the mirror too, and sends and records nothing."""
    known(bridge)
    mirror(bridge, 'p1')
    one = frame(B, A)
    counters = bridge.switch.rpc('port.list')
    watching = Rpc(bridge.switch.sock)
    try:
        watching.call('capture', {'name': 'p1'})
        row, = bridge.switch.rpc('trace', {'name': 'p1', 'hex': one.hex()})
        assert sorted(exit['port'] for exit in row['ports']) == ['p2', 'p3']
        row, = bridge.switch.rpc('trace', {'name': 'p2', 'hex': frame(A, B).hex()})
        assert sorted(exit['port'] for exit in row['ports']) == ['p1', 'p3']
    finally:
        watching.close()
    assert bridge.switch.rpc('port.list') == counters


class TestRefused:
    def refuse(self, bridge, port, *keys):
        before = bridge.switch.port(port)
        with pytest.raises(SwitchError) as refused:
            set_keys(bridge, port, *keys)
        after = bridge.switch.port(port)
        assert (after['mirror'], after['mirror-direction']) == (
            before['mirror'], before['mirror-direction'])
        return str(refused.value)

    def test_absent(self, bridge):
        assert "no port 'nobody'" in self.refuse(bridge, 'p1', 'mirror=nobody')

    def test_itself(self, bridge):
        assert 'its own' in self.refuse(bridge, 'p1', 'mirror=p1')

    def test_loop(self, bridge):
        mirror(bridge, 'p1')
        assert 'loop' in self.refuse(bridge, 'p3', 'mirror=p1')
        assert 'loop' in self.refuse(bridge, 'p3', 'mirror=p2')
        assert 'loop' in self.refuse(bridge, 'p2', 'mirror=p1')

    def test_direction(self, bridge):
        assert 'mirror-direction' in self.refuse(bridge, 'p1', 'mirror-direction=up')

    def test_mirror_that_is_in_use_stays(self, bridge):
        mirror(bridge, 'p1')
        with pytest.raises(SwitchError, match='p1'):
            bridge.switch.cli('port', 'del', 'p3')
