# SPDX-License-Identifier: BSD-3-Clause
"""Tagged frames through ports that say nothing about VLANs: all pass, none is changed."""

import subprocess

import pytest

from bridge import flooded, only
from frames import BROADCAST, STAG, frame, mac, tag

A, B = mac(0x0a), mac(0x0b)


@pytest.mark.parametrize('vid', [1, 2, 10, 100, 4093, 4094])
def test_learned_in_its_vlan(bridge, vid):
    bridge.learn('p2', B, tags=[tag(vid)])
    one = frame(B, A, tag(vid))
    assert bridge.exchange('p1', one) == only(bridge, 'p2', one)
    assert bridge.fdb() == {(B, vid): ('p2', 'dynamic'), (A, vid): ('p1', 'dynamic')}


def test_same_address_in_two_vlans(bridge):
    bridge.learn('p2', B, tags=[tag(10)])
    bridge.learn('p3', B, tags=[tag(20)])
    bridge.learn('p4', B)
    assert bridge.fdb() == {(B, 10): ('p2', 'dynamic'), (B, 20): ('p3', 'dynamic'),
                            (B, 0): ('p4', 'dynamic')}
    for port, tags in (('p2', [tag(10)]), ('p3', [tag(20)]), ('p4', [])):
        one = frame(B, A, *tags)
        assert bridge.exchange('p1', one) == only(bridge, port, one)


def test_not_known_in_another_vlan(bridge):
    bridge.learn('p2', B)
    one = frame(B, A, tag(10))
    assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)
    bridge.reset()
    bridge.learn('p2', B, tags=[tag(10)])
    one = frame(B, A)
    assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)


@pytest.mark.parametrize('priority', [0, 1, 7])
def test_priority_tag_is_untagged(bridge, priority):
    """VLAN 0 is the table of untagged frames, and the tag stays where it is."""
    bridge.learn('p2', B)
    one = frame(B, A, tag(0, priority))
    assert bridge.exchange('p1', one) == only(bridge, 'p2', one)
    assert bridge.fdb() == {(B, 0): ('p2', 'dynamic'), (A, 0): ('p1', 'dynamic')}
    back = frame(A, B)
    assert bridge.exchange('p2', back) == only(bridge, 'p1', back)


def test_priority_and_drop_eligibility_stay(bridge):
    bridge.learn('p2', B, tags=[tag(5)])
    frames = [frame(B, A, tag(0x1000 * dei | 5, priority)) for priority in range(8)
              for dei in (0, 1)]
    assert bridge.exchange('p1', *frames) == only(bridge, 'p2', *frames)


@pytest.mark.parametrize('tags', [[tag(7), tag(8)], [tag(7), tag(7)], [tag(7), tag(0)],
                                  [tag(0), tag(8)], [tag(7), tag(4095)], [tag(7), tag(8), tag(9)]],
                         ids=lambda tags: ' '.join(one.hex() for one in tags))
def test_stacked_tags(bridge, tags):
    """The outer tag says the VLAN; nothing behind it is looked at or changed."""
    outer = int.from_bytes(tags[0][2:], 'big') & 0xfff
    one = frame(B, A, *tags)
    assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)
    assert bridge.fdb() == {(A, outer): ('p1', 'dynamic')}
    bridge.learn('p3', B, tags=tags)
    assert bridge.exchange('p1', one) == only(bridge, 'p3', one)


@pytest.mark.parametrize('priority', [0, 7])
@pytest.mark.parametrize('dst', [BROADCAST, B])
def test_vlan_4095_is_dropped(bridge, dst, priority):
    before = bridge.drops().get(('p1', 'rx', 'bad-tag'), 0)
    assert bridge.exchange('p1', frame(dst, A, tag(4095, priority))) == only(bridge, None)
    assert bridge.drops()['p1', 'rx', 'bad-tag'] == before + 1
    assert not bridge.fdb(), 'learned from a frame that was dropped'


@pytest.mark.parametrize('group', [BROADCAST, '01:00:5e:00:00:01'])
def test_tagged_groups_are_flooded(bridge, group):
    one = frame(group, A, tag(42))
    assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)


def test_tagged_reserved_addresses_go_nowhere(bridge):
    assert bridge.exchange('p1', frame('01:80:c2:00:00:0e', A, tag(42))) == only(bridge, None)


def test_tagged_lengths_and_bytes(bridge):
    """Up to the MTU and the tag on top of it; below 20 bytes the kernel swallows them."""
    bridge.learn('p2', B, tags=[tag(9)])
    frames = [frame(B, A, tag(9), size=size) for size in (*range(20, 80), 1000, 1514, 1517, 1518)]
    assert bridge.exchange('p1', *frames) == only(bridge, 'p2', *frames)


def test_move_in_one_vlan_only(bridge):
    bridge.learn('p2', B, tags=[tag(10)])
    bridge.learn('p2', B, tags=[tag(20)])
    bridge.learn('p3', B, tags=[tag(20)])
    assert bridge.fdb() == {(B, 10): ('p2', 'dynamic'), (B, 20): ('p3', 'dynamic')}


@pytest.fixture(params=['on', 'off'])
def vlan_offloads(bridge, request):
    """VLAN offloads of both ends of the wires of p1 and p2 on or off."""
    def switch(state):
        for name in ('p1', 'p2'):
            words = f'txvlan {state} rxvlan {state} tx-vlan-stag-hw-insert {state}'
            subprocess.run(f'ethtool -K {bridge.outside[name]} {words}', shell=True, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            bridge.space.call(f'ethtool -K {bridge.inside(name)} {words}')
    switch(request.param)
    yield request.param
    switch('on')


@pytest.mark.usefixtures('vlan_offloads')
def test_tags_that_the_kernel_takes_out(bridge):
    """The kernel hands the outer tag over beside the frame: it must come out again inside."""
    bridge.learn('p2', B, tags=[tag(10)])
    frames = [frame(B, A, tag(10, 3)), frame(B, A, tag(10), tag(11)),
              frame(B, A, tag(10), size=1518)]
    assert bridge.exchange('p1', *frames) == only(bridge, 'p2', *frames)
    plain = frame(BROADCAST, A)
    assert bridge.exchange('p1', plain) == flooded(bridge, 'p1', plain)


def test_inner_service_tag(bridge):
    """A service tag within a customer tag is payload."""
    one = frame(B, A, tag(10), tag(11, tpid=STAG))
    assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)
