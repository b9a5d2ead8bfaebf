# SPDX-License-Identifier: BSD-3-Clause
"""The direct path on packed rings, and compared with the library path: the results are equal."""

import random
import struct

import pytest

from frames import BROADCAST, frame, mac, read_pcap, tag, write_pcap
from proc import wait_until
from shuntvm import EXTRAS, Beside, assert_checked, keys_of, run, shunt_vm, vm
from switch import Switch

COUNTERS = ('rx_packets', 'rx_bytes', 'rx_drops', 'tx_packets', 'tx_bytes', 'tx_drops')
RUN_OVER = 300    # frames: several rounds of rings of 256


@pytest.fixture(scope='module')
def switch():
    with Switch() as running:
        for number in range(3):
            running.port_add(f'vm{number}', 'vhost', queues=2, packed='on')
        yield running


@pytest.fixture
def ports(switch):
    return [switch.socket(f'vm{number}') for number in range(3)]


class TestPacked:
    @pytest.mark.parametrize('extra', EXTRAS)
    @pytest.mark.parametrize('mrg', ('off', 'on'))
    def test_matrix(self, ports, mrg, extra):
        assert_checked(shunt_vm(*ports, 'loop', '--verify', seconds=0.1, packed='on', mrg=mrg,
                                queues=2, **keys_of(extra)))

    @pytest.mark.parametrize('keys', [{'chain': 4}, {'chain': 4, 'mrg': 'on', 'indirect': 'on'},
                                      {'regions': 5}, {'size': 32}], ids=str)
    def test_shapes(self, ports, keys):
        assert_checked(shunt_vm(*ports, 'loop', '--verify', packed='on', **keys))

    @pytest.mark.parametrize('mrg', ('off', 'on'))
    @pytest.mark.parametrize('size', ('imix', '9018', 'tso'))
    def test_sizes(self, ports, size, mrg):
        assert_checked(shunt_vm(*ports[:2], 'loop', '--verify', '--frame', size, packed='on',
                                mrg=mrg, tso='on'), 10)

    def test_beside_split(self, ports):
        status, result, text = run(vm(ports[0], packed='on'), vm(ports[1]), vm(ports[2], mrg='on'),
                                   mode=['loop'], options=['--verify'])
        assert status == 0, text
        assert_checked(result)

    @pytest.mark.parametrize('datapath,path', [('auto', 'direct'),
                                               ('library', 'library: as configured')])
    @pytest.mark.parametrize('packed', ('off', 'on'))
    def test_path(self, packed, datapath, path):
        with Switch() as switch:
            sockets = [switch.port_add(name, 'vhost', packed=packed, datapath=datapath)
                       for name in ('one', 'two')]
            with Beside(*(vm(socket, packed=packed) for socket in sockets),
                        mode=['loop', '--verify']) as beside:
                wait_until(lambda: switch.port('one')['tx_packets'] > 100, 30, 'frames')
                assert switch.port('one')['path'] == path
                assert switch.port('one')['datapath'] == datapath
                result = beside.stop()
                assert result['duplicated'] == result['reordered'] == result['corrupted'] == 0

    def test_switch_comes_back(self):
        with Switch() as switch:
            names = ('one', 'two')
            sockets = [switch.port_add(name, 'vhost', packed='on') for name in names]
            with Beside(*(vm(socket, packed='on', size=256) for socket in sockets),
                        mode=['loop', '--reconnect']) as beside:
                wait_until(lambda: switch.port('two')['tx_packets'] > RUN_OVER, 30, 'frames')
                switch.kill9()
                switch.start()
                for name in names:
                    switch.port_add(name, 'vhost', packed='on')
                wait_until(lambda: switch.port('two')['tx_packets'] > RUN_OVER, 20, 'frames again')
                assert switch.port('two')['path'] == 'direct'
                result = beside.stop()
                assert result['reconnected'] == 2 and result['corrupted'] == 0

    @pytest.mark.parametrize('name', ['stop-start', 'mem-table', 'hang-up', 'log-toggle',
                                      'bad-address', 'rx-short', 'indirect-length', 'flip'])
    def test_attack(self, ports, name):
        """VM 0 misbehaves; the others lose no frames, and its port works again afterwards."""
        keys = {'packed': 'on', 'tso': 'on'}
        if name.startswith('indirect'):
            keys['indirect'] = 'on'
        status, result, text = run(*(vm(port, **keys) for port in ports), mode=['attack', name],
                                   options=['--verify'], seconds=0.3)
        assert status == 0, text
        assert result['reachable'] and result['others_received'] > 0 and result['rounds'] > 0

    def test_stop_and_start(self):
        """GET_VRING_BASE and a start from there: no frame arrives twice, lost ones were dropped."""
        with Switch() as switch:
            sockets = [switch.port_add(name, 'vhost', packed='on') for name in ('one', 'two')]
            result = shunt_vm(*sockets, 'migrate', '--verify', seconds=2, packed='on')
            assert result['pages_changed'] > 0 and result['pages_unlogged'] == 0
            assert result['duplicated'] == result['reordered'] == result['corrupted'] == 0
            # Drops may include frames that announce addresses before the counted ones.
            assert result['lost'] <= sum(row['packets'] for row in switch.rpc('drops'))

    def test_watched(self, switch):
        """Idle queues, more than a round polls: frames in them are noticed."""
        names = [f'idle{number}' for number in range(12)]
        for name in names:
            switch.port_add(name, 'vhost', packed='on')
        try:
            result = shunt_vm(*(switch.socket(name) for name in names), 'send', '--count', 25,
                              '--rate', 50, '--verify', seconds=5, packed='on', size=32)
            assert result['tx_packets'] == result['rx_packets'] == 25
        finally:
            for name in names:
                switch.cli('port', 'del', name)


def checksum(data):
    """The sum of RFC 1071, not inverted."""
    words = sum(struct.unpack(f'!{len(data) // 2}H', data[:len(data) // 2 * 2]))
    words += data[-1] << 8 if len(data) % 2 else 0
    while words > 0xffff:
        words = (words & 0xffff) + (words >> 16)
    return words


def ip_frame(rng, size, protocol, *tags):
    """A TCP or UDP frame with a checksum request: it has the sum of the pseudo header."""
    length = size - 14 - 4 * len(tags)
    ip = bytearray(struct.pack('!BBHHHBBH4s4s', 0x45, 0, length, rng.randrange(65536), 0, 64,
                               protocol, 0, rng.randbytes(4), rng.randbytes(4)))
    ip[10:12] = struct.pack('!H', 0xffff - checksum(ip))
    pseudo = checksum(bytes(ip[12:20]) + struct.pack('!HH', protocol, length - 20))
    if protocol == 6:
        layer4 = rng.randbytes(12) + struct.pack('!BBHHH', 0x50, 0x18, 512, pseudo, 0)
    else:
        layer4 = rng.randbytes(4) + struct.pack('!HH', length - 20, pseudo)
    payload = bytes(ip) + layer4 + rng.randbytes(length - 20 - len(layer4))
    return frame(BROADCAST, mac(1), *tags, kind=0x0800, payload=payload)


def traffic(seed):
    """Frames of many lengths, with and without offload requests, in random order."""
    rng = random.Random(seed)
    sizes = [*range(14, 20), 59, 60, 61, 127, 128, 129, 255, 1499, 1500, 1513, 1514]
    frames = [frame(BROADCAST, mac(1), payload=rng.randbytes(size - 14))
              for size in sizes + [rng.randrange(14, 1515) for _ in range(60)]]
    for protocol, low in ((6, 54), (17, 42)):
        frames += [ip_frame(rng, rng.randrange(low, 1503), protocol) for _ in range(40)]
        frames += [ip_frame(rng, rng.randrange(low + 4, 1503), protocol, tag(5)) for _ in range(5)]
    frames += [ip_frame(rng, rng.randrange(1600, 12000), 6) for _ in range(12)]
    frames += [ip_frame(rng, 60000, 6, tag(7))]
    rng.shuffle(frames)
    return frames


def without_sum(one):
    """A frame to be segmented, without its TCP checksum: librte_vhost subtracts the length from it.

    A segmenting receiver does not need it; the direct path passes on the sender's value.
    """
    at = 18 if one[12:14] == b'\x81\x00' else 14
    if len(one) <= 1514 or one[at - 2:at] != b'\x08\x00' or one[at + 9] != 6:
        return one
    return one[:at + 36] + one[at + 38:]


def recorded(capture):
    """The number of frames in a file that is being written."""
    try:
        return len(read_pcap(capture))
    except struct.error:
        return 0


def through(datapath, capture, folder, sender, receiver):
    """Send a capture from one VM to another. Returns the frames received, and both ports' counters.
    """
    out = folder / f'{datapath}.pcap'
    count = len(read_pcap(capture))
    with Switch() as switch:
        one, two = (switch.port_add(name, 'vhost', packed='on', datapath=datapath)
                    for name in ('one', 'two'))
        with Beside(vm(two, **receiver), mode=['record', out]) as record:
            switch.wait_link('two')
            status, _, text = run(vm(one, **sender), mode=['replay', capture, '--offload'])
            assert status == 0, text
            wait_until(lambda: switch.port('one')['rx_packets'] == count, 30, 'frames')
            wait_until(lambda: recorded(out) >= switch.port('two')['tx_packets'], 30, 'the rest')
            assert switch.port('two')['path'].startswith('library') == (datapath == 'library')
            record.stop()
        counters = {port['name']: [port[name] for name in COUNTERS]
                    for port in switch.rpc('port.list')}
        return read_pcap(out), counters


class TestBothPaths:
    """Seeded traffic on the library path and on the direct path: equal bytes, order and counters.
    """

    @pytest.mark.parametrize('packed', ('off', 'on'))
    @pytest.mark.parametrize('sender,receiver', [
        ({'chain': 4}, {'mrg': 'on', 'tso': 'on'}),
        ({'chain': 4, 'indirect': 'on'}, {}),
        ({}, {'csum': 'on', 'event_idx': 'on'}),
    ], ids=['offloads pass', 'offloads in software', 'checksums pass'])
    def test_equal(self, tmp_path, packed, sender, receiver):
        frames = traffic(len(sender))
        capture = write_pcap(tmp_path / 'in.pcap', frames, gap=300)
        ways = [through(datapath, capture, tmp_path, {'tso': 'on', 'packed': packed, **sender},
                        {'packed': packed, **receiver}) for datapath in ('library', 'auto')]
        (theirs, counted), (ours, counters) = ways
        assert len(ours) == len(theirs) >= len(frames)
        assert [*map(without_sum, ours)] == [*map(without_sum, theirs)]
        assert counters == counted
        if receiver.get('tso'):
            assert ours == frames
