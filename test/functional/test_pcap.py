# SPDX-License-Identifier: BSD-3-Clause
"""Frames that no kernel passes, replayed from capture files: runts, truncated tags, jumbo frames.
"""

import random

import pytest

from frames import BROADCAST, STAG, address, frame, mac, read_pcap, tag, write_pcap
from proc import wait_until
from switch import Switch, SwitchError, unbalanced

A, B = mac(0x0a), mac(0x0b)
HEAD = address(BROADCAST) + address(A)


@pytest.fixture(scope='module')
def switch():
    with Switch() as running:
        yield running


@pytest.fixture
def replay(switch):
    """Replay frames into port `in`: (frames that left by port `out`, counters of both, drops)."""
    folder = switch.dir

    def run(frames, **keys):
        switch.port_add('out', 'ethdev', device=f'net_pcap_out,tx_pcap={folder}/out.pcap', **keys)
        write_pcap(folder / 'in.pcap', frames)
        switch.port_add('in', 'ethdev', device=f'net_pcap_in,rx_pcap={folder}/in.pcap', **keys)
        wait_until(lambda: switch.port('in')['rx_packets'] == len(frames), 20, 'frames read')
        counters = {name: switch.port(name) for name in ('in', 'out')}
        assert not unbalanced(counters.values())
        drops = {(row['port'], row['direction'], row['reason']): row['packets']
                 for row in switch.rpc('drops')}
        run.fdb = switch.rpc('fdb.list')
        switch.cli('port', 'del', 'out')    # closes the file
        return read_pcap(folder / 'out.pcap'), counters, drops

    yield run
    for port in switch.rpc('port.list'):
        switch.rpc('port.del', {'name': port['name']})


@pytest.mark.parametrize('runt', [
    *(HEAD[:size] for size in (0, 1, 5, 6, 11, 12)), HEAD + b'\x08',
    HEAD + b'\x81\x00', HEAD + b'\x81\x00\x00', HEAD + tag(5), HEAD + tag(5) + b'\x08',
], ids=lambda runt: f'{len(runt)}-{runt[12:].hex()}')
def test_runts(replay, runt):
    """A frame without a complete Ethernet header, its tag included, is dropped; the next is
    forwarded."""
    good = frame(BROADCAST, B)
    seen, _, drops = replay([runt, good])
    assert seen == [good]
    assert drops == {('in', 'rx', 'runt'): 1}
    assert [row['mac'] for row in replay.fdb] == [B], 'learned from a runt'


def test_shortest_good_frames(replay):
    frames = [HEAD + b'\x88\xb5', HEAD + b'\x88\xb5\x00', HEAD + tag(5) + b'\x88\xb5',
              HEAD + b'\x00\x00', HEAD + tag(0) + tag(5)]
    seen, _, drops = replay(frames)
    assert seen == frames and not drops


@pytest.mark.parametrize('tags', [
    [tag(11, tpid=STAG)], [tag(11, tpid=STAG), tag(12)], [tag(4095, tpid=STAG)],
    [tag(11, tpid=0x9100)], [tag(11, tpid=0x9100), tag(12)],
], ids=lambda tags: '-'.join(one.hex() for one in tags))
def test_other_tags_are_payload(replay, tags):
    """Only 0x8100 is a customer VLAN: a frame with another outer tag is untagged."""
    one = frame(BROADCAST, A, *tags)
    seen, _, drops = replay([one])
    assert seen == [one] and not drops
    assert [(row['mac'], row['vlan']) for row in replay.fdb] == [(A, 0)]


def verdict(one):
    """The reason to drop a broadcast frame, or None."""
    tagged = one[12:14] == b'\x81\x00'
    if len(one) < (18 if tagged else 14):
        return 'runt'
    if tagged and one[14] & 15 == 15 and one[15] == 255:
        return 'bad-tag'
    return 'bad-source' if one[6] & 1 or not any(one[6:12]) else None


def test_random_frames(replay):
    """Random bytes: frames that are no runts and have valid tags and sources are forwarded
    unchanged."""
    rand = random.Random(1)
    kinds = [b'\x81\x00', b'\x81\x00\xff\xff', b'\x81\x00\x00\x00', b'\x88\xa8', b'']
    lengths = [rand.choice([rand.randrange(6, 30), rand.randrange(30, 1515)]) for _ in range(1000)]
    frames = [(HEAD[:6] + rand.randbytes(6) + rand.choice(kinds) + rand.randbytes(1514))[:length]
              for length in lengths]
    verdicts = [verdict(one) for one in frames]
    seen, counters, drops = replay(frames)
    assert seen == [one for one, why in zip(frames, verdicts) if why is None]
    assert drops == {('in', 'rx', why): verdicts.count(why)
                     for why in ('runt', 'bad-tag', 'bad-source')}
    assert counters['out']['tx_bytes'] == sum(map(len, seen))


def test_jumbo(replay):
    """With mtu=9000 on both sides long frames are forwarded unchanged."""
    frames = [frame(BROADCAST, A, size=size) for size in (14, 1514, 1515, 2048, 2049, 4096, 8999,
                                                          9000, 9013, 9014, 60)]
    tagged = frame(BROADCAST, A, tag(7), size=9018)
    longer = [frame(BROADCAST, A, size=9015), frame(BROADCAST, A, tag(7), size=9019)]
    seen, _, drops = replay([*frames, tagged, *longer], mtu=9000)
    assert seen == [*frames, tagged]
    assert drops == {('out', 'tx', 'too-long'): 2}


def test_counters(replay):
    """Bytes and frames, dropped ones included."""
    frames = [frame(BROADCAST, A, size=100), HEAD, frame('01:80:c2:00:00:00', A, size=70),
              frame(BROADCAST, A, tag(4095), size=80), frame(BROADCAST, A, size=1515)]
    seen, counters, drops = replay(frames)
    assert seen == frames[:1]
    one, out = counters['in'], counters['out']
    assert (one['rx_packets'], one['rx_bytes']) == (5, sum(map(len, frames)))
    assert (one['rx_forwarded'], one['rx_copies'], one['rx_drops']) == (2, 2, 3)
    assert (out['tx_packets'], out['tx_bytes'], out['tx_drops']) == (1, 100, 1)
    assert drops == {('in', 'rx', 'runt'): 1, ('in', 'rx', 'reserved'): 1,
                     ('in', 'rx', 'bad-tag'): 1, ('out', 'tx', 'too-long'): 1}


def test_counters_start_again(switch, replay):
    """A port with the name of a deleted one starts at 0."""
    for _ in range(2):
        seen, counters, _ = replay([frame(BROADCAST, A)])
        assert len(seen) == counters['in']['rx_packets'] == counters['out']['tx_packets'] == 1
        switch.rpc('port.del', {'name': 'in'})


def test_missing_file(switch):
    with pytest.raises(SwitchError, match='port in: device: cannot open') as refused:
        switch.port_add('in', 'ethdev', device=f'net_pcap_in,rx_pcap={switch.dir}/none.pcap')
    assert refused.value.status == 1
    assert not switch.rpc('port.list')
