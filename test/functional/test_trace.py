# SPDX-License-Identifier: BSD-3-Clause
"""`shunt trace`: its results are those of the data path."""

import collections
import random
import subprocess

import proc
import pytest
from bridge import Bridge
from frames import BROADCAST, CTAG, MULTICAST, STAG, frame, mac, tag, write_pcap
from proc import wait_until

FRAMES = 10000
PORTS = 8
KEYS = {
    'p1': {'vlan': 10},
    'p2': {'trunk': '10,20-29', 'native': 30},
    'p3': {},
    'p4': {'policy': 'vepa', 'uplink': 'p3'},
    'p5': {'policy': 'bridge', 'uplink': 'p3'},
    'p6': {'vlan': 10, 'isolated': 'on'},
    'p7': {'trunk': '10,20,100', 'vlan-protocol': '802.1ad', 'flood': 'off'},
    'p8': {'vlan': 20, 'isolated': 'on', 'mcast-flood': 'off'},
}
VLANS = (0, 10, 20, 30, 100)


@pytest.fixture(scope='module', name='bridge')
def fixture_bridge():
    with Bridge(PORTS) as bridge:
        for name, keys in KEYS.items():
            bridge.switch.rpc('port.set', {'name': name, 'learn': 'off', **keys})
        for number in range(1, PORTS + 1):
            for vlan in VLANS:
                bridge.switch.rpc('fdb.add', {'mac': address(number, vlan), 'vlan': vlan,
                                              'port': f'p{number}'})
        yield bridge


def address(number, vlan):
    """An address behind port `number` in a VLAN."""
    return mac(number * 256 + vlan)


def random_frame(dice, number):
    """A frame of any kind, with a number at its end."""
    hosts = [address(port, vlan) for port in range(1, PORTS + 1) for vlan in VLANS]
    target = dice.choice((*hosts, *hosts, BROADCAST, MULTICAST, '01:80:c2:00:00:0e', mac(1)))
    source = dice.choice((*hosts, mac(2), MULTICAST))
    # The outer one is a C-tag: net_af_packet writes one for every tag that the kernel removed.
    tags = [tag(dice.choice((*VLANS, 11, 4095)), dice.randrange(8), tpid)
            for tpid in dice.choice(((), (CTAG,), (CTAG,), (CTAG, CTAG), (CTAG, STAG)))]
    size = dice.choice((60, 64, 100, 200, 600, 1510))    # without the tags
    whole = frame(target, source, *tags, size=size)
    return whole[:-4] + number.to_bytes(4, 'big')


def number_of(one):
    """The number at the end of a frame."""
    return int.from_bytes(one[-4:], 'big')


def promised(bridge, name, pcap):
    """The result of trace: {number: {port: (length, head)}}, and drops by port, direction and
    reason."""
    rows = bridge.switch.rpc('trace', {'name': name, 'pcap': str(pcap)})
    drops = collections.Counter()
    for row in rows:
        if row['verdict'] == 'drop':
            drops[name, 'rx', row['reason']] += 1
        drops.update((one['port'], 'tx', one['drop']) for one in row['ports'] if 'drop' in one)
    return [{one['port']: (one['length'], one['head']) for one in row['ports'] if 'drop' not in one}
            for row in rows], drops


def delivered(bridge, name, frames, count):
    """The same from the frames that arrive at the wires, and from the counters."""
    seen = collections.defaultdict(dict)
    got = []

    def all_there():
        for port, wire in bridge.wire.items():
            got.extend((port, one) for one in wire.drain() if port != name)
        return len(got) >= count

    bridge.wire[name].send(*frames)
    wait_until(all_there, 20, f'{count} frames out of {name}')
    for port, one in got:
        assert port not in seen[number_of(one)], 'twice'
        seen[number_of(one)][port] = (len(one), one[:64].hex())
    return seen


def test_agrees_with_data_path(bridge, tmp_path):
    """Random frames into every port: trace and data path agree on each, and on every counter."""
    dice = random.Random(2009)
    before = collections.Counter(bridge.drops())
    drops = collections.Counter()
    each = FRAMES // PORTS
    for place, name in enumerate(KEYS):
        frames = [random_frame(dice, place * each + i) for i in range(each)]
        said, dropped = promised(bridge, name, write_pcap(tmp_path / 'frames.pcap', frames))
        drops += dropped
        for start in range(0, each, 50):
            chunk = said[start:start + 50]
            seen = delivered(bridge, name, frames[start:start + 50], sum(map(len, chunk)))
            assert [seen[number_of(one)] for one in frames[start:start + 50]] == chunk
    bridge.wait_received('p8', each)
    assert collections.Counter(bridge.drops()) - before == drops
    assert {reason for _, _, reason in drops} >= {'vlan', 'policy', 'same-port', 'reserved',
                                                   'bad-source'}


def test_changes_nothing(bridge):
    """No address is learnt, no counter moves, nothing is sent."""
    bridge.switch.rpc('port.set', {'name': 'p3', 'learn': 'on'})
    before = bridge.switch.rpc('port.list'), bridge.fdb()
    row, = bridge.switch.rpc('trace', {'name': 'p3', 'hex': frame(BROADCAST, mac(77)).hex()})
    bridge.switch.rpc('port.set', {'name': 'p3', 'learn': 'off'})
    assert {'step': 'learn', 'why': f'{mac(77)} is new; it would be learnt here'} in row['steps']
    assert (bridge.switch.rpc('port.list'), bridge.fdb()) == before


def test_readable(bridge):
    """The text for users."""
    text = subprocess.run(
        [proc.program('shunt'), '-s', bridge.switch.sock, 'trace', 'p1',
         'hex=' + frame(address(2, 10), address(1, 10), size=60).hex()],
        check=True, capture_output=True, text=True).stdout
    assert text.splitlines() == [
        'frame 1: forward',
        f'  rx      60 bytes from p1: {address(1, 10)} > {address(2, 10)}, type 0x88b5',
        '  vlan    VLAN 10: p1 is an access port of it',
        '  learn   nothing: learn=off',
        f'  lookup  {address(2, 10)} is at p2, a static entry',
        '  tx      leaves by p2, 64 bytes, tagged 802.1Q VLAN 10 priority 0',
    ]


@pytest.mark.parametrize('params, reason', (
    ({'name': 'p9', 'hex': '00'}, "no port 'p9'"),
    ({'name': 'p1'}, 'either hex=BYTES or pcap=FILE'),
    ({'name': 'p1', 'hex': '00', 'pcap': '/x'}, 'either hex=BYTES or pcap=FILE'),
    ({'name': 'p1', 'hex': '0'}, 'two hexadecimal digits'),
    ({'name': 'p1', 'hex': '0g'}, 'two hexadecimal digits'),
    ({'name': 'p1', 'hex': '00' * 65536}, '1 to 65535 bytes'),
    ({'name': 'p1', 'pcap': '/nonexistent'}, 'No such file'),
    ({'name': 'p1', 'pcap': '/dev/null'}, 'Invalid argument'),
    ({'name': 'p1', 'pcap': '/etc/passwd'}, 'pcap: /etc/passwd: '),
))
def test_refused(bridge, params, reason):
    """The error is one line with the reason."""
    with pytest.raises(Exception, match='.*') as refused:
        bridge.switch.rpc('trace', params)
    assert reason in str(refused.value)
