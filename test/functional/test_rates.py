# SPDX-License-Identifier: BSD-3-Clause
"""Rates of ports: the rate of passing frames is right, and the others are accounted for.

The frames that passed are read twice from the switch's counters, and the clock before and after
each reading: the rate lies between two bounds, and no delay of this test makes it wrong. A switch
that is not scheduled passes less, and cannot make up for it; so one of several windows must reach
the rate, while none may exceed it.
"""

import time

import pytest

from bridge import Bridge
from frames import BROADCAST, frame, mac
from proc import wait_until
from shuntvm import Beside
from switch import Switch, unbalanced

K, M, G = 10**3, 10**6, 10**9
NEAR = 0.02    # as a fraction of the rate
WINDOW = 0.3    # seconds
FCS = 4


@pytest.fixture(scope='module')
def switch():
    """Two guests' ports, vm1 and vm2."""
    with Switch() as running:
        for name in ('vm1', 'vm2'):
            running.port_add(name, 'vhost')
        yield running


@pytest.fixture
def guests(switch):
    """Run a load from vm1 to vm2: guests(frame size, options) is a context. Ends without limits."""
    def run(size, *options, rate='max'):
        sockets = [switch.socket(name) for name in ('vm1', 'vm2')]
        return Beside(*(f'socket={path},tso=on,csum=on,mrg=on' if size == 'tso'
                        else f'socket={path}' for path in sockets), mode=['send'],
                      options=['--frame', size, '--rate', rate, *options])
    yield run
    for name in ('vm1', 'vm2'):
        switch.cli('port', 'set', name, 'rate-in=off', 'rate-out=off', 'burst-in=auto',
                   'burst-out=auto', 'queue-out=1000')


def counters(switch):
    return {port['name']: port for port in switch.rpc('port.list')}


def reading(switch, passed):
    """(earliest time, latest time, bytes that have passed)."""
    before = time.monotonic()
    ports = counters(switch)
    return before, time.monotonic(), passed(ports)


def window(switch, passed):
    """(least, most) bits a second in a window."""
    first = reading(switch, passed)
    time.sleep(WINDOW)
    last = reading(switch, passed)
    bits = 8 * (last[2] - first[2])
    return bits / (last[1] - first[0]), bits / (last[0] - first[1])


def assert_rate(switch, rate, passed, tries=8):
    """In each of several windows no more than the rate passes, and in one of them no less."""
    seen = []
    while len(seen) < tries:
        least, most = window(switch, passed)
        seen.append((round(least), round(most)))
        assert least <= rate * (1 + NEAR), f'{seen} for {rate}'
        if most >= rate * (1 - NEAR):
            return
    raise AssertionError(f'{seen} for {rate}')


def at_rest(switch):
    """All counters, by name, once no frames are in transit or delayed."""
    ports = switch.at_rest(
        adds_up=lambda totals, ports, drops: not any(port['tx_held'] for port in ports))
    assert not unbalanced(ports.values())
    return ports


def drops(switch, port, reason):
    return sum(row['packets'] for row in switch.rpc('drops', {'port': port})
               if row['reason'] == reason)


def delivered(ports):
    return ports['vm2']['tx_bytes']


def wait_flow(switch, reason, port, least=100):
    """Wait until frames are dropped by the limit."""
    before = drops(switch, port, reason)
    wait_until(lambda: drops(switch, port, reason) >= before + least, 20, f'{reason} at {port}')


LOADS = [('64', M), ('64', 50 * M), ('imix', 20 * M), ('imix', 300 * M), ('1518', 3 * M),
         ('1518', G), ('tso', 100 * M), ('tso', 2200 * M)]


@pytest.mark.parametrize('size, rate', LOADS)
def test_rate_out(switch, guests, size, rate):
    """Shaped: the rate, in order, all losses accounted for."""
    switch.cli('port', 'set', 'vm2', f'rate-out={rate}', 'queue-out=4000')
    with guests(size, '--verify') as load:
        wait_flow(switch, 'rate-queue', 'vm2')
        assert_rate(switch, rate, delivered)
        assert switch.port('vm2')['tx_held'] > 0
        switch.cli('port', 'set', 'vm2', 'rate-out=off')
        load.stop()
    at_rest(switch)


@pytest.mark.parametrize('size, rate', LOADS)
def test_rate_in(switch, guests, size, rate):
    """Policed: the rate; other frames are dropped at ingress."""
    switch.cli('port', 'set', 'vm1', f'rate-in={rate}')

    def passed(ports):
        if not size.isdigit():
            return delivered(ports)
        return ports['vm1']['rx_forwarded'] * (int(size) - FCS)
    with guests(size, '--verify') as load:
        wait_flow(switch, 'rate', 'vm1')
        # The burst is spent: from here on only the rate passes.
        assert_rate(switch, rate, passed)
        load.stop()
    ports = at_rest(switch)
    assert ports['vm1']['rx_drops'] >= 100


def test_change_under_load(switch, guests):
    """Another rate applies at once, and so does its removal."""
    with guests('1518', '--verify') as load:
        for rate in (10 * M, 200 * M, 30 * M):
            switch.cli('port', 'set', 'vm2', f'rate-out={rate}')
            wait_flow(switch, 'rate-queue', 'vm2')
            assert_rate(switch, rate, delivered)
        for room in (64, 3000, 1000):
            switch.cli('port', 'set', 'vm2', f'queue-out={room}')
            wait_flow(switch, 'rate-queue', 'vm2')
            assert switch.port('vm2')['tx_held'] <= room
        assert_rate(switch, 30 * M, delivered)
        switch.cli('port', 'set', 'vm2', 'rate-out=off')
        before = delivered(counters(switch))
        wait_until(lambda: delivered(counters(switch)) > before + 50 * M, 20, 'no limit')
        load.stop()
    at_rest(switch)


def test_both_directions_at_once(switch, guests):
    """The smaller rate passes; the limits of the ports' other directions do not matter."""
    switch.cli('port', 'set', 'vm1', 'rate-in=60M', 'rate-out=1k')
    switch.cli('port', 'set', 'vm2', 'rate-out=20M', 'rate-in=1k')
    with guests('imix', '--verify') as load:
        wait_flow(switch, 'rate-queue', 'vm2')
        assert_rate(switch, 20 * M, delivered)
        load.stop()
    at_rest(switch)


def test_no_more_than_the_rate(switch, guests):
    """Below its rate a port sends all frames, and delays none."""
    switch.cli('port', 'set', 'vm2', 'rate-out=1G')
    switch.cli('port', 'set', 'vm1', 'rate-in=1G')
    with guests('imix', '--verify', rate=10 * K) as load:
        before = switch.port('vm2')['tx_packets']
        wait_until(lambda: switch.port('vm2')['tx_packets'] > before + 3000, 20, 'frames')
        result = load.stop()
    assert result['lost'] == 0
    at_rest(switch)


def test_limit_does_not_affect_other_ports(switch, guests):
    """Frames delayed for a slow port, and a full one, cost other ports neither frames nor buffers.
    """
    slow = [switch.port_add(name, 'vhost') for name in ('slow1', 'slow2')]
    switch.cli('port', 'set', 'slow2', 'rate-out=100k', 'queue-out=65536')
    try:
        with Beside(*map(str, slow), mode=['send'], options=['--frame', '1518', '--rate', '50k']):
            wait_until(lambda: switch.port('slow2')['tx_held'] > 10000, 20, 'a long queue')
            with guests('imix', '--verify', rate=10 * K) as load:
                before = switch.port('vm2')['tx_packets']
                wait_until(lambda: switch.port('vm2')['tx_packets'] > before + 3000, 20, 'frames')
                result = load.stop()
            assert result['lost'] == 0
            # One reading: two requests would differ by the frames that pass between them.
            reasons = {row['reason'] for row in switch.rpc('drops', {'port': 'vm2'})
                       if row['direction'] == 'tx' and row['packets'] > 0}
            assert reasons <= {'rate-queue', 'link-down', 'tx-full'}
        switch.wait_link('slow2', 'down')
        assert switch.port('slow2')['tx_held'] == 0, 'a port that is down holds nothing'
        assert drops(switch, 'slow2', 'link-down') > 10000 / 2
        at_rest(switch)
    finally:
        for name in ('slow1', 'slow2'):
            switch.rpc('port.del', {'name': name})


A, B = mac(0x0a), mac(0x0b)


@pytest.fixture
def bridge():
    """The port p2 of a NIC, limited to a byte per millisecond after the first frame."""
    with Bridge(3) as running:
        running.learn('p2', B)
        running.switch.cli('port', 'set', 'p2', 'rate-out=8k', 'burst-out=1')
        yield running


def hold(bridge, count=50, size=1000):
    """Have frames delayed for p2, which pass at one per second; they are returned."""
    sent = [frame(B, A, size=size, payload=b'%04d' % number) for number in range(count)]
    before = bridge.switch.port('p2')['tx_packets']
    bridge.wire['p1'].send(*sent)
    wait_until(lambda: bridge.switch.port('p2')['tx_packets']
               + bridge.switch.port('p2')['tx_held'] >= before + count, 10, 'frames that wait')
    assert bridge.switch.port('p2')['tx_held'] > count / 2
    return sent


def test_nic(bridge):
    """Frames delayed for a NIC leave later, in order, unchanged; those for other ports are not
    delayed."""
    sent = hold(bridge)
    assert not unbalanced(bridge.switch.rpc('port.list'))
    other = frame(BROADCAST, A)
    bridge.wire['p1'].send(other)
    assert bridge.wire['p3'].receive_until(other) == []
    bridge.switch.cli('port', 'set', 'p2', 'rate-out=off')
    assert bridge.wire['p2'].receive_until(other)[-len(sent):] == sent
    assert bridge.switch.port('p2')['tx_held'] == 0
    assert not unbalanced(bridge.switch.rpc('port.list'))


def test_both_limits_removed_at_once(bridge):
    """Frames still wait in the shaper while the limit of the other direction is removed, too."""
    bridge.switch.cli('port', 'set', 'p2', 'rate-in=1M')
    sent = hold(bridge)
    bridge.switch.cli('port', 'set', 'p2', 'rate-in=off', 'rate-out=off')
    assert bridge.wire['p2'].receive_count(len(sent)) == sent
    other = frame(A, B)
    assert bridge.exchange('p2', other)['p1'] == [other]


def test_nic_with_tags(bridge):
    """Tags are changed before frames are delayed."""
    bridge.switch.cli('port', 'set', 'p1', 'vlan=7')
    bridge.switch.cli('port', 'set', 'p2', 'trunk=7')
    bridge.switch.rpc('fdb.add', {'mac': B, 'port': 'p2', 'vlan': 7})
    sent = hold(bridge)
    bridge.switch.cli('port', 'set', 'p2', 'rate-out=off')
    seen = bridge.wire['p2'].receive_count(len(sent))
    assert seen == [one[:12] + b'\x81\x00\x00\x07' + one[12:] for one in sent]


@pytest.mark.parametrize('change', ['enabled=off', 'mtu=1400'])
def test_nic_that_goes_down(bridge, change):
    """Delayed frames are dropped and counted."""
    hold(bridge)
    held = bridge.switch.port('p2')['tx_held']
    bridge.switch.cli('port', 'set', 'p2', change)
    port = bridge.switch.port('p2')
    assert port['tx_held'] == 0
    assert held - 2 <= drops(bridge.switch, 'p2', 'link-down') <= held
    assert not unbalanced(bridge.switch.rpc('port.list'))


def test_nic_that_is_deleted(bridge):
    """Delayed frames are dropped with the port, and a new port of that name has no backlog."""
    hold(bridge)
    bridge.switch.cli('port', 'del', 'p2')
    bridge.wire['p2'].drain()
    bridge.plug('p2')
    bridge.switch.wait_link('p2')
    assert bridge.switch.port('p2')['tx_held'] == 0
    other = frame(BROADCAST, A)
    bridge.wire['p1'].send(other)
    assert bridge.wire['p2'].receive_until(other) == []


def test_keys(switch):
    """Printed in the shortest exact form, also as text in JSON; invalid values are refused."""
    def show(word):
        return switch.port('vm1')[word]
    assert (show('rate-in'), show('rate-out'), show('burst-in')) == ('off', 'off', 'auto')
    for given, shown in [('1000', '1k'), ('1500k', '1500k'), ('2000M', '2G'), ('1T', '1T'),
                         ('12345', '12345'), ('010k', '10k')]:
        switch.cli('port', 'set', 'vm1', f'rate-in={given}', f'rate-out={given}')
        assert (show('rate-in'), show('rate-out')) == (shown, shown)
    switch.rpc('port.set', {'name': 'vm1', 'rate-in': 5000000, 'burst-in': '64k'})
    assert (show('rate-in'), show('burst-in')) == ('5M', '64k')
    assert 'rate-in: 5M' in switch.cli('config', 'show').stdout
    for word in ('0', '0M', '', '-5M', '5 M', '5m', '5Mbit', '999', '2T', '1e6', 'M', 'on',
                 '99999999999999999999', '9999999999G'):
        for key in ('rate-in', 'rate-out'):
            done = switch.cli('port', 'set', 'vm1', f'{key}={word}', check=False)
            assert done.returncode == 1 and f'{key}: ' in done.stderr, word
            assert ('a rate of 0' in done.stderr) == (word in ('0', '0M'))
    assert (show('rate-in'), show('rate-out')) == ('5M', '10k')
    for key, word in [('burst-in', '0'), ('burst-out', '1G'), ('queue-out', '63'),
                      ('queue-out', '65537')]:
        done = switch.cli('port', 'set', 'vm1', f'{key}={word}', check=False)
        assert done.returncode == 1 and f'{key}: ' in done.stderr
    switch.cli('port', 'set', 'vm1', 'rate-in=off', 'rate-out=off', 'burst-in=auto')
    assert 'rate-in' not in switch.cli('config', 'show').stdout
