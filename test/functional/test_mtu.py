# SPDX-License-Identifier: BSD-3-Clause
"""Frames longer than the MTU of the port they would leave by."""

import pytest

from bridge import Bridge, only
from frames import BROADCAST, frame, mac, tag

A, B = mac(0x0a), mac(0x0b)
MTU = 1000
LIMIT = MTU + 14    # without FCS


@pytest.fixture(scope='module')
def ports():
    """p1 and p3 with the usual MTU, p2 with a smaller one."""
    with Bridge(3, mtus={'p2': MTU}) as running:
        running.space.run(f"ip link set {running.inside('p2')} mtu 1500")
        yield running


@pytest.fixture
def bridge(ports):
    ports.reset()
    return ports


def too_long(bridge):
    return bridge.drops().get(('p2', 'tx', 'too-long'), 0)


@pytest.mark.parametrize('tags, limit', [
    ([], LIMIT), ([tag(5)], LIMIT + 4), ([tag(0)], LIMIT + 4), ([tag(5), tag(6)], LIMIT + 4),
], ids=['untagged', 'tagged', 'priority', 'double'])
def test_limit(bridge, tags, limit):
    bridge.learn('p2', B, tags=tags[:1])
    before = too_long(bridge)
    fits, longer, longest = (frame(B, A, *tags, size=size) for size in (limit, limit + 1, 1514))
    assert bridge.exchange('p1', fits, longer, longest) == only(bridge, 'p2', fits)
    assert too_long(bridge) == before + 2


def test_flood_leaves_by_the_others(bridge):
    before = too_long(bridge)
    fits, longer = frame(BROADCAST, A, size=LIMIT), frame(BROADCAST, A, size=LIMIT + 1)
    assert bridge.exchange('p1', fits, longer) == {'p1': [], 'p2': [fits], 'p3': [fits, longer]}
    assert too_long(bridge) == before + 1


def test_sender_is_learned_all_the_same(bridge):
    """What the other side cannot take says nothing about where the frame came from."""
    bridge.exchange('p1', frame(B, A, size=LIMIT + 1))
    assert bridge.fdb() == {(A, 0): ('p1', 'dynamic')}


def test_port_show(bridge):
    port = bridge.switch.port('p2')
    assert (port['mtu'], port['max_frame']) == (MTU, LIMIT)
    assert bridge.switch.port('p1')['max_frame'] == 1514


def test_change(bridge):
    """Another MTU opens the port anew; what is said of it holds at once."""
    bridge.switch.cli('port', 'set', 'p2', 'mtu=1200')
    try:
        bridge.switch.wait_link('p2')
        bridge.learn('p2', B)
        fits, longer = frame(B, A, size=1214), frame(B, A, size=1215)
        assert bridge.exchange('p1', fits, longer) == only(bridge, 'p2', fits)
    finally:
        bridge.switch.cli('port', 'set', 'p2', f'mtu={MTU}')


def test_the_devices_own(bridge):
    """Without mtu= the device's MTU is the limit."""
    bridge.switch.cli('port', 'del', 'p2')
    bridge.switch.port_add('p2', 'ethdev', device=bridge.device('p2'))
    try:
        assert bridge.switch.port('p2')['max_frame'] == LIMIT
        before = too_long(bridge)
        bridge.learn('p2', B)
        fits, longer = frame(B, A, size=LIMIT), frame(B, A, size=LIMIT + 1)
        assert bridge.exchange('p1', fits, longer) == only(bridge, 'p2', fits)
        assert too_long(bridge) == before + 1
    finally:
        bridge.switch.cli('port', 'del', 'p2')
        bridge.plug('p2')


@pytest.mark.parametrize('mtu', [1, 67, 65536, -1, 'big'])
def test_nonsense_is_refused(bridge, mtu):
    done = bridge.switch.cli('port', 'set', 'p2', f'mtu={mtu}', check=False)
    assert done.returncode == 1 and 'mtu' in done.stderr
    assert bridge.switch.port('p2')['mtu'] == MTU
