# SPDX-License-Identifier: BSD-3-Clause
"""Protection of other ports: sources, ARP and neighbour discovery, moves, storms, a full FDB."""

import contextlib
import struct

import pytest

from bridge import Bridge, flooded, only
from frames import BROADCAST, MULTICAST, address, frame, mac, tag
from proc import wait_until
from switch import SwitchError, unbalanced

A, B, C = mac(0x0a), mac(0x0b), mac(0x0c)
CAPACITY = 256
MOVES = 5
RESERVED = [f'01:80:c2:00:00:{last:02x}' for last in range(16)]
ARP, IPV6 = 0x0806, 0x86dd
SOLICITATION, ROUTER = 135, 134


@pytest.fixture(scope='module')
def ports():
    """A switch with a small FDB, whose addresses may move a few times only."""
    with Bridge(4, f'fdb: {{capacity: {CAPACITY}, moves: {MOVES}}}\n') as bridge:
        yield bridge


@pytest.fixture
def bridge(ports):
    ports.reset()
    yield ports
    ports.reset()
    assert not unbalanced(ports.switch.rpc('port.list'))


@contextlib.contextmanager
def keys(bridge, name, **words):
    """A port with these keys during the block."""
    words = {key.replace('_', '-'): value for key, value in words.items()}
    before = bridge.switch.port(name)
    bridge.switch.rpc('port.set', {'name': name, **words})
    try:
        yield
    finally:
        bridge.marker_sources.pop(name, None)
        bridge.switch.rpc('port.set', {'name': name, **{key: before[key] for key in words}})


@contextlib.contextmanager
def bound(bridge, name, *macs, **words):
    """A port with these permitted source addresses during the block."""
    with keys(bridge, name, macs=','.join(macs), **words):
        bridge.marker_sources[name] = macs[0]
        yield


def drops(bridge, name, reason):
    return bridge.drops().get((name, 'rx', reason), 0)


def arp(sender, source=A, *tags):
    body = struct.pack('!HHBBH', 1, 0x0800, 6, 4, 2) + address(sender) + bytes(14)
    return frame(BROADCAST, source, *tags, kind=ARP, payload=body + bytes(18))


def discovery(kind, *options, source=A):
    """A message of neighbour discovery, with options given as (type, address) or bytes."""
    fixed = {SOLICITATION: 24, ROUTER: 16}[kind]
    body = bytes([kind]) + bytes(fixed - 1) + b''.join(
        one if isinstance(one, bytes) else bytes([one[0], 1]) + address(one[1]) for one in options)
    return frame(BROADCAST, source, kind=IPV6,
                 payload=struct.pack('!IHBB', 6 << 28, len(body), 58, 255) + bytes(32) + body)


class TestMacs:
    def test_only_these_may_send(self, bridge):
        bridge.learn('p2', B)
        with bound(bridge, 'p1', A, C):
            before = {reason: drops(bridge, 'p1', reason) for reason in ('source', 'bad-source')}
            mine, too = frame(B, A), frame(B, C)
            other, group = frame(B, mac(9)), frame(B, BROADCAST)
            assert bridge.exchange('p1', other, mine, group, too, other) == only(
                bridge, 'p2', mine, too)
            assert {reason: drops(bridge, 'p1', reason) - count for reason, count in before.items()
                    } == {'source': 2, 'bad-source': 1}
            assert bridge.fdb(port='p1') == {(A, 0): ('p1', 'dynamic'), (C, 0): ('p1', 'dynamic')}

    def test_in_any_vlan(self, bridge):
        with bound(bridge, 'p1', A):
            good, bad = frame(BROADCAST, A, tag(7)), frame(BROADCAST, C, tag(7))
            assert bridge.exchange('p1', bad, good) == flooded(bridge, 'p1', good)
            assert (C, 7) not in bridge.fdb()

    def test_set_and_cleared_while_it_runs(self, bridge):
        bridge.learn('p1', C)
        with bound(bridge, 'p1', A):
            assert (C, 0) not in bridge.fdb(), 'learnt before it was forbidden'
            assert bridge.exchange('p1', frame(BROADCAST, C)) == only(bridge, None)
            bridge.switch.rpc('port.set', {'name': 'p1', 'macs': ''})
            one = frame(BROADCAST, C)
            assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)
        assert bridge.switch.port('p1')['macs'] == ''

    @pytest.mark.parametrize('words, says', [
        (['macs=02:00:00:00:00'], 'is not an address'),
        (['macs=01:00:5e:00:00:01'], 'no address that a frame may come from'),
        ([f'macs={A},{A}'], 'named twice'),
        (['macs=' + ','.join(mac(number) for number in range(1, 34))], 'at most|more than 32'),
        (['macs-arp=on'], 'needs macs'),
        (['storm=-1'], 'storm'),
        (['storm=100000001'], 'storm'),
        (['sticky=perhaps'], 'sticky'),
        ([f'macs={A}', 'storm=x'], 'storm'),
    ])
    def test_nonsense_is_refused(self, bridge, words, says):
        with pytest.raises(SwitchError, match=says):
            bridge.switch.cli('port', 'set', 'p1', *words)
        port = bridge.switch.port('p1')
        assert (port['macs'], port['macs-arp'], port['storm'], port['sticky']) == (
            '', 'off', 0, 'off')

    def test_saved_and_read_again(self, bridge, tmp_path):
        """The longest list of addresses."""
        macs = ','.join(mac(0x100 + number) for number in range(32))
        with keys(bridge, 'p1', macs=macs, macs_arp='on', storm=5, sticky='on'):
            bridge.switch.cli('config', 'save', tmp_path / 'saved.yaml')
            bridge.switch.cli('config', 'apply', tmp_path / 'saved.yaml')
            port = bridge.switch.port('p1')
            assert (port['macs'], port['storm'], port['sticky']) == (macs, 5, 'on')
            assert f'moves: {MOVES}' in (tmp_path / 'saved.yaml').read_text()
            bridge.switch.rpc('port.set', {'name': 'p1', 'macs-arp': 'off'})


class TestNeighbours:
    def test_arp_and_discovery(self, bridge):
        with bound(bridge, 'p1', A, C, macs_arp='on'):
            good = [arp(A), arp(C), arp(A, A, tag(3)), discovery(SOLICITATION, (1, A)),
                    discovery(SOLICITATION), frame(BROADCAST, A)]
            bad = [arp(B), arp(B, C), arp(B, A, tag(3)), discovery(SOLICITATION, (1, B)),
                   discovery(ROUTER, (1, A), (2, B)), frame(BROADCAST, A, size=30, kind=ARP)]
            before = drops(bridge, 'p1', 'neighbour')
            mix = [one for pair in zip(good, bad) for one in pair]
            assert bridge.exchange('p1', *mix) == flooded(bridge, 'p1', *good)
            assert drops(bridge, 'p1', 'neighbour') == before + len(bad)
        with bound(bridge, 'p1', A):
            assert bridge.exchange('p1', arp(B)) == flooded(bridge, 'p1', arp(B)), 'not asked for'

    def test_spoofed_sources_are_not_learned(self, bridge):
        with bound(bridge, 'p1', C, A, macs_arp='on'):
            assert bridge.exchange('p1', arp(B, A), arp(B, A)) == only(bridge, None)
            assert (A, 0) not in bridge.fdb()

    def test_of_a_guest_beyond_its_head(self):
        """Messages of which a part is behind the head, in guest memory, are dropped."""
        prefix = bytes([3, 4]) + bytes(30)
        fits, hides = (discovery(ROUTER, (1, A), prefix),
                       discovery(ROUTER, (1, A), prefix, (5, A), (1, B)))
        with Bridge(2) as bridge, bridge.guest('vm1', {'macs': A, 'macs-arp': 'on'}):
            bridge.marker_sources['vm1'] = A
            assert bridge.exchange('vm1', hides, fits) == flooded(bridge, 'vm1', fits)
            assert drops(bridge, 'vm1', 'neighbour') == 1
            assert not unbalanced(bridge.switch.rpc('port.list'))

    def test_trace_says_so(self, bridge):
        with bound(bridge, 'p1', A, macs_arp='on'):
            for one, reason in ((arp(B), 'neighbour'), (frame(B, C), 'source')):
                assert reason in bridge.switch.cli('trace', 'p1', f'hex={one.hex()}').stdout


class TestMoves:
    def test_sticky(self, bridge):
        with keys(bridge, 'p1', sticky='on'):
            bridge.learn('p1', A)
            stuck = bridge.switch.port('p2')['fdb_stuck']
            bridge.learn('p2', A, A, A)
            assert bridge.fdb() == {(A, 0): ('p1', 'dynamic')}
            assert bridge.switch.port('p2')['fdb_stuck'] > stuck
            one = frame(A, B)
            assert bridge.exchange('p3', one) == only(bridge, 'p1', one)
        bridge.learn('p2', A)
        assert bridge.fdb()[A, 0] == ('p2', 'dynamic')

    def test_an_address_at_two_ports_stays(self, bridge):
        before = bridge.switch.json('status')['fdb']
        for _ in range(MOVES):
            bridge.learn('p1', A)
            bridge.learn('p2', A)
        place = bridge.fdb()[A, 0][0]
        other = 'p1' if place == 'p2' else 'p2'
        bridge.learn(other, A)
        assert bridge.fdb()[A, 0][0] == place
        status = bridge.switch.json('status')['fdb']
        assert status['damped'] > before['damped']
        assert status['moved'] <= before['moved'] + MOVES
        assert bridge.switch.port(other)['fdb_damped'] > 0
        one = frame(A, B)
        assert bridge.exchange('p3', one) == only(bridge, place, one)


class TestStorm:
    KINDS = {'broadcast': BROADCAST, 'multicast': MULTICAST, 'unknown': mac(0x77)}

    @pytest.mark.parametrize('kind', KINDS)
    def test_limited(self, bridge, kind):
        count = 300
        received = bridge.switch.port('p1')['rx_packets']
        before = drops(bridge, 'p1', 'storm')
        with keys(bridge, 'p1', storm=1):
            bridge.wire['p1'].send(*count * [frame(self.KINDS[kind], A)])
            bridge.wait_received('p1', received + count)
            wait_until(lambda: drops(bridge, 'p1', 'storm') >= before + count / 2, 30, 'drops')

    def test_known_unicast_passes(self, bridge):
        bridge.learn('p2', B)
        bridge.learn('p3', C)
        with keys(bridge, 'p3', storm=1):
            known = [frame(B, C) for _ in range(200)]
            bridge.wire['p3'].send(*known)
            assert bridge.wire['p2'].receive_count(200, 5) == known
            # Other ports are not limited.
            flood = [frame(BROADCAST, A) for _ in range(50)]
            assert bridge.exchange('p1', *flood) == flooded(bridge, 'p1', *flood)


@pytest.mark.parametrize('words', [
    {}, {'vlan': 5}, {'trunk': '5-9', 'native': 6}, {'trunk': '5'}, {'macs': A}, {'storm': 1000},
    {'isolated': 'on'}, {'learn': 'off'}, {'uplink': 'p4', 'policy': 'vepa'},
    {'uplink': 'p4', 'policy': 'private'}, {'uplink': 'p4', 'policy': 'passthru'},
], ids=str)
def test_reserved_addresses_go_nowhere(bridge, words):
    """Frames to reserved addresses are dropped at ports with any keys."""
    tags = [tag(5)] if words.get('trunk') else []
    before, received = drops(bridge, 'p1', 'reserved'), bridge.switch.port('p1')['rx_packets']
    with keys(bridge, 'p1', **words):
        bridge.wire['p1'].send(*(frame(group, A, *tags) for group in RESERVED))
        bridge.wait_received('p1', received + len(RESERVED))
        wait_until(lambda: drops(bridge, 'p1', 'reserved') == before + len(RESERVED), 30, 'drops')
        assert not bridge.fdb()


@pytest.mark.parametrize('limit', [0, 16])
def test_full_table_keeps_addresses_of_other_ports(bridge, monkeypatch, limit):
    """A port that sends from more sources than the FDB holds."""
    # There is no space for other addresses.
    monkeypatch.setattr(bridge, 'marker_sources', {'p1': mac(0x1000), 'p2': A, 'p3': B, 'p4': C})
    bridge.learn('p2', A)
    bridge.learn('p3', B)
    sources = 4 * CAPACITY
    received = bridge.switch.port('p1')['rx_packets']
    with keys(bridge, 'p1', mac_limit=limit):
        refused = bridge.switch.port('p1')['fdb_refused']
        there, back = frame(A, B), frame(B, A)
        for part in range(4):
            bridge.wire['p1'].send(*(frame(A, mac(0x1000 + number))
                                     for number in range(part * CAPACITY, (part + 1) * CAPACITY)))
            assert bridge.exchange('p2', back)['p3'] == [back]
        bridge.wait_received('p1', received + sources)
        bridge.collect('p3')
        assert bridge.exchange('p3', there) == only(bridge, 'p2', there)
        table = bridge.fdb()
        assert table[A, 0] == ('p2', 'dynamic') and table[B, 0] == ('p3', 'dynamic')
        port = bridge.switch.port('p1')
        assert port['fdb_entries'] == (limit or CAPACITY - 2)
        assert port['fdb_refused'] > refused
        assert bridge.switch.port('p2')['fdb_refused'] == 0
        # A new address is learned too, although the FDB is full.
        bridge.learn('p4', C)
        assert bridge.fdb(port='p4') == {(C, 0): ('p4', 'dynamic')}
