# SPDX-License-Identifier: BSD-3-Clause
"""Frames longer than the MTU of their tx port."""

import contextlib
import struct

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from bridge import Bridge, only
from frames import BROADCAST, STAG, frame, mac, tag
from frontend import CSUM, HOST_TSO4, FrontEnd
from proc import wait_until
from switch import Switch

A, B = mac(0x0a), mac(0x0b)
MTU = 1000
LIMIT = MTU + 14    # without FCS


@pytest.fixture(scope='module')
def ports():
    """p1 and p3 with the default MTU, p2 with a smaller one."""
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
    ([], LIMIT), ([tag(5)], LIMIT + 4), ([tag(0)], LIMIT + 4),
], ids=['untagged', 'tagged', 'priority'])
def test_limit(bridge, tags, limit):
    bridge.learn('p2', B, tags=tags[:1])
    before = too_long(bridge)
    fits, longer, longest = (frame(B, A, *tags, size=size) for size in (limit, limit + 1, 1514))
    assert bridge.exchange('p1', fits, longer, longest) == only(bridge, 'p2', fits)
    assert too_long(bridge) == before + 2


TAGS = {
    'none': ([], 0), 'C': ([tag(5)], 4), 'S': ([tag(5, tpid=STAG)], 4), 'priority': ([tag(0)], 4),
    'C, C': ([tag(5), tag(6)], 8), 'S, C': ([tag(5, tpid=STAG), tag(6)], 8),
    'S, S': ([tag(5, tpid=STAG), tag(6, tpid=STAG)], 8), 'C, S': ([tag(5), tag(6, tpid=STAG)], 8),
    'three': ([tag(5, tpid=STAG), tag(6), tag(7)], 8), '0x9100': ([tag(5, tpid=0x9100)], 0),
}


@pytest.fixture(scope='module', params=['auto', 'library'])
def guests(request):
    """Two guests with the default MTU, and a function that sends frames from one to the other."""
    with Switch() as switch, contextlib.ExitStack() as stack:
        vm = {}
        for name, wanted in (('vm1', CSUM | HOST_TSO4), ('vm2', 0)):
            switch.port_add(name, 'vhost', mtu=1500, datapath=request.param)
            vm[name] = stack.enter_context(FrontEnd(switch.socket(name), wanted=wanted))
            switch.wait_link(name)

        def exchange(*frames, header=b'', cut=1):
            """The frames received, `cut` segments of each, and how many were too long."""
            before = switch.port('vm1')['rx_packets'], switch.port('vm2')['tx_drops']
            vm['vm1'].send(*frames, header=header)
            wait_until(lambda: switch.port('vm1')['rx_packets'] == before[0] + len(frames), 20, 'rx')
            long = switch.port('vm2')['tx_drops'] - before[1]
            return vm['vm2'].wait_frames((len(frames) - long) * cut), long
        # The tags behind which librte_net finds TCP.
        exchange.kinds = ['none', 'C'] if request.param == 'library' else list(TAGS)[:-2]
        yield exchange


@pytest.mark.parametrize('tags, beside', TAGS.values(), ids=TAGS)
def test_tags_are_beside_the_mtu(guests, tags, beside):
    """The first two tags of a frame do not count, with any type."""
    fits, longer = (frame(B, A, *tags, size=1514 + beside + over) for over in (0, 1))
    assert guests(fits, longer, fits) == ([fits, fits], 1)


def test_tags_of_segments(guests):
    """The length of a frame to be segmented is that of its segments."""
    whole = bytes(Ether(dst=B, src=A) / IP(src='10.0.0.1', dst='10.0.0.2') / TCP(flags='A')
                  / bytes(4000))
    for tags, beside in (TAGS[kind] for kind in guests.kinds):
        at = 34 + beside
        fits = 1500 - 40
        for size in (fits, fits + 1):
            header = struct.pack('<BBHHHHH', 1, 1, at + 20, size, at, 16, 0)
            seen, long = guests(whole[:12] + b''.join(tags) + whole[12:], header=header, cut=3)
            assert [len(one) for one in seen] == ([] if long else [1514 + beside] * 2
                                                  + [at + 20 + 4000 - 2 * fits])
            assert long == (size > fits)


def test_flood_leaves_by_the_others(bridge):
    before = too_long(bridge)
    fits, longer = frame(BROADCAST, A, size=LIMIT), frame(BROADCAST, A, size=LIMIT + 1)
    assert bridge.exchange('p1', fits, longer) == {'p1': [], 'p2': [fits], 'p3': [fits, longer]}
    assert too_long(bridge) == before + 1


def test_sender_of_a_dropped_frame_is_learned(bridge):
    """The source of a frame that is too long for its tx port is learned."""
    bridge.exchange('p1', frame(B, A, size=LIMIT + 1))
    assert bridge.fdb() == {(A, 0): ('p1', 'dynamic')}


def test_port_show(bridge):
    port = bridge.switch.port('p2')
    assert (port['mtu'], port['max_frame']) == (MTU, LIMIT)
    assert bridge.switch.port('p1')['max_frame'] == 1514


def test_change(bridge):
    """Another MTU opens the port anew; the limit applies at once."""
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
