# SPDX-License-Identifier: BSD-3-Clause
"""policy= and uplink= against the kernel's macvlan and macvtap: same frames in, same copies out."""

import contextlib
import random

import pytest

import macvlan
from bridge import Bridge
from frames import BROADCAST, frame
from host import CommandError
from macvlan import OUTSIDE, WORLD, Macvlan, deliveries, members, probes
from proc import wait_until
from switch import SwitchError, unbalanced

MIXES = {
    'bridge': ['bridge'] * 3,
    'vepa': ['vepa'] * 3,
    'private': ['private'] * 3,
    'passthru': ['passthru'],
    'mixed': ['bridge', 'bridge', 'vepa', 'vepa', 'private', 'private'],
}
UPLINK = 'up0'


@pytest.fixture(scope='module', params=['macvlan', 'macvtap'])
def kind(request):
    reason = macvlan.missing(request.param)
    if reason:
        pytest.skip(reason)
    return request.param


@pytest.fixture(scope='module')
def wires():
    """A switch with an uplink, and wires for members whose ports the tests add."""
    with Bridge(0, 'fdb: {ageing: 300}\n') as bridge:
        bridge.add(UPLINK)
        for name in members(len(MIXES['mixed'])):
            bridge.add(name)
            bridge.switch.rpc('port.del', {'name': name})
        yield bridge


def keys(mode):
    """The keys of a member. As with macvlan, members that do not own the uplink get no unicast
    frames to unknown addresses."""
    return {'policy': mode, 'uplink': UPLINK, 'flood': 'on' if mode == 'passthru' else 'off'}


@contextlib.contextmanager
def plugged(bridge, modes):
    """Members of the uplink with these modes; their addresses, and one behind the uplink, are
    learned."""
    names = members(len(modes))
    added = []
    try:
        for name, mode in zip(names, modes):
            bridge.plug(name, **keys(mode))
            added.append(name)
            bridge.switch.wait_link(name)
        learn(bridge, names)
        yield
    finally:
        for name in added:
            bridge.switch.rpc('port.del', {'name': name})


def homes(names):
    """The FDB with members at their ports and a host behind the uplink."""
    return {(OUTSIDE, 0): (UPLINK, 'dynamic'),
            **{(address, 0): (name, 'dynamic') for name, address in names.items()}}


def learn(bridge, names):
    """Send one frame from each address; none of them remains on the wires."""
    bridge.reset()
    sent = {UPLINK: [frame(BROADCAST, OUTSIDE)],
            **{name: [frame(BROADCAST, address)] for name, address in names.items()}}
    pass_through(bridge, sent)
    wait_until(lambda: bridge.fdb() == homes(names), 20, 'addresses learned')


def pass_through(bridge, sent):
    """Send {port: [frame]}; {port: [frame]} of all frames that left, once the switch is at rest."""
    before = counters(bridge)
    for name, frames in sent.items():
        bridge.wire[name].send(*frames)

    def at_rest():
        grown = growth(before, counters(bridge))
        arrived = all(grown[name]['rx_packets'] >= len(frames) for name, frames in sent.items())
        return grown if arrived and not unbalanced(grown.values()) else None
    grown = wait_until(at_rest, 20, 'all frames forwarded or dropped')
    return {name: bridge.wire[name].receive_count(port['tx_packets']) + bridge.wire[name].drain()
            for name, port in grown.items()}


def counters(bridge):
    return {port['name']: port for port in bridge.switch.rpc('port.list')}


def growth(before, after):
    """The growth of counters since then. A deleted port's own counters are missing, copies to it
    count."""
    fields = ('rx_packets', 'rx_forwarded', 'rx_drops', 'rx_copies', 'tx_packets', 'tx_drops',
              'tx_held')
    return {name: {'name': name, **{field: port[field] - before[name][field] for field in fields}}
            for name, port in after.items()}


def switched(bridge, sent):
    """The deliveries() of probes that went through the switch."""
    by_port = {}
    for probe in sent:
        place = probe.label[0]
        by_port.setdefault(UPLINK if place == WORLD else place, []).append(probe.frame)
    received = pass_through(bridge, by_port)
    received[WORLD] = received.pop(UPLINK)
    return deliveries(sent, received)


def expected(kernel, modes):
    """The kernel's deliveries, with the one difference of a switch: it never sends a frame back to
    its source port, as macvlan does with frames to the sender's own address."""
    own = {(at, name, name) for name, mode in zip(members(len(modes)), modes)
           for at in ((name, WORLD) if mode == 'bridge' else (WORLD,)) if mode != 'passthru'}
    assert all(kernel[label] == [label[1]] for label in own), 'the kernel does not do that any more'
    return {label: [] if label in own else places for label, places in kernel.items()}


def differences(ours, theirs):
    """One line for each frame with other deliveries than expected."""
    return [f'at {at}, from {source} to {target}: {ours[at, source, target]}, not {places}'
            for (at, source, target), places in theirs.items()
            if ours[at, source, target] != places]


def compare(bridge, modes, kind):
    """The same probes, in any order, through the kernel and through the switch."""
    sent = probes(len(modes))
    random.Random(len(modes)).shuffle(sent)
    with Macvlan(modes, kind) as kernel:
        theirs = expected(kernel.exchange(sent), modes)
    wrong = differences(switched(bridge, sent), theirs)
    assert not wrong, '\n'.join(wrong)


@pytest.mark.parametrize('mix', MIXES)
def test_deliveries(wires, kind, mix):
    with plugged(wires, MIXES[mix]):
        compare(wires, MIXES[mix], kind)


def test_reflected_frames_are_not_learned(wires):
    """A member's address stays at its port when the uplink reflects its frames."""
    names = members(3)
    with plugged(wires, ['bridge', 'vepa', 'private']):
        reflected = [probe.frame for probe in probes(3) if probe.label[0] == WORLD]
        pass_through(wires, {UPLINK: reflected})
        assert wires.fdb() == homes(names)


def test_modes_change_while_running(wires, kind):
    modes = MIXES['mixed']
    with plugged(wires, modes):
        modes = modes[2:] + modes[:2]
        for name, mode in zip(members(len(modes)), modes):
            wires.switch.cli('port', 'set', name, f'policy={mode}')
        learn(wires, members(len(modes)))
        compare(wires, modes, kind)


@pytest.mark.parametrize('first, second', [('passthru', 'passthru'), ('passthru', 'bridge'),
                                           ('passthru', 'private'), ('vepa', 'passthru')])
def test_passthru_has_the_uplink_alone(wires, first, second):
    with Macvlan([first]) as kernel, pytest.raises(CommandError, match='Invalid argument'):
        kernel.add('m2', second)
    with plugged(wires, [first]):
        with pytest.raises(SwitchError, match='passthru') as refused:
            wires.plug('m2', **keys(second))
        assert refused.value.status == 1
        assert 'm2' not in counters(wires)
