# SPDX-License-Identifier: BSD-3-Clause
"""`shunt capture`: the frames of a port, in files and as text, with any behaviour of the reader."""

import array
import contextlib
import mmap
import os
import re
import signal
import socket
import subprocess
import time

import pytest

import pcapng
from bridge import Bridge
from frames import BROADCAST, frame, mac, tag
from frontend import FrontEnd
from pcapng import IN, OUT
from proc import program, wait_until
from switch import Rpc, SwitchError, imbalance

A, B, C = mac(0x0a), mac(0x0b), mac(0x0c)
RESERVED = '01:80:c2:00:00:00'
RING = 4 << 20
PAGE = 4096


@pytest.fixture(scope='module')
def ports():
    with Bridge(2) as running:
        yield running


@pytest.fixture
def bridge(ports):
    ports.reset()
    ports.switch.rpc('fdb.add', {'mac': A, 'port': 'p1'})
    ports.switch.rpc('fdb.add', {'mac': B, 'port': 'p2'})
    return ports


class Capture:
    """`shunt capture WORDS`, started; .end() ends it like Ctrl-C."""

    def __init__(self, switch, *words, stdout=subprocess.PIPE):
        self.popen = subprocess.Popen(
            [program('shunt'), '-s', switch.sock, 'capture', *map(str, words)],
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE)
        self.first = self.popen.stderr.readline().decode()
        assert self.first.startswith('capturing at'), self.first

    def end(self, number=signal.SIGINT):
        """(standard output, captured, lost), after a clean end."""
        self.popen.send_signal(number)
        return self.result()

    def result(self):
        out, err = self.popen.communicate(timeout=20)
        assert self.popen.returncode == 0, err
        counts = re.search(rb'^(\d+) frames captured, (\d+) lost$', err, re.M)
        return (out or b'', *map(int, counts.groups()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.communicate()


def pass_by(bridge, source, *frames):
    """Send frames into a port and wait until the switch has processed them."""
    before = bridge.switch.port(source)['rx_packets']
    bridge.wire[source].send(*frames)
    bridge.wait_received(source, before + len(frames))
    time.sleep(0.02)    # counted first, recorded right after


def capture(bridge, *words, frames=(), source='p1'):
    """The file that a capture to standard output writes of frames received by a port."""
    with Capture(bridge.switch, *words, '-w', '-') as running:
        pass_by(bridge, source, *frames)
        return pcapng.read(running.end()[0])


def seen(file):
    """The frames of a file, except for a host's own solicitations (IPv6 multicast)."""
    return [(one.direction, one.data, one.comment) for one in file.frames
            if one.data[:2] != b'\x33\x33']


def test_both_directions(bridge):
    before = time.time_ns()
    there, back, flood = frame(B, A), frame(A, B), frame(BROADCAST, B, size=1514)
    with Capture(bridge.switch, 'p1', '-w', '-') as running:
        pass_by(bridge, 'p1', there)
        pass_by(bridge, 'p2', back, flood)
        out, captured, lost = running.end()
    file = pcapng.read(out)
    assert seen(file) == [(IN, there, ''), (OUT, back, ''), (OUT, flood, '')]
    assert (captured, lost, file.statistics) == (3, 0, (3, 0))
    assert (file.name, file.snaplen, file.filter) == ('p1', 262144, '')
    times = [one.ns for one in file.frames]
    assert times == sorted(times)
    assert before < times[0] and times[-1] < time.time_ns()


@pytest.mark.parametrize('direction, wanted', [('rx', [IN]), ('tx', [OUT]), ('both', [IN, OUT])])
def test_one_direction(bridge, direction, wanted):
    with Capture(bridge.switch, 'p1', '-Q', direction, '-w', '-') as running:
        pass_by(bridge, 'p1', frame(B, A))
        pass_by(bridge, 'p2', frame(A, B))
        file = pcapng.read(running.end()[0])
    assert [one.direction for one in file.frames] == wanted


def test_count(bridge):
    frames = [frame(B, A) for _ in range(5)]
    with Capture(bridge.switch, 'p1', '-c', 3, '-w', '-') as running:
        pass_by(bridge, 'p1', *frames)
        out, captured, _ = running.result()
    assert [one.data for one in pcapng.read(out).frames] == frames[:3] and captured == 3


@pytest.mark.parametrize('expression, matches', [
    ('ether src ' + A, 3), ('vlan 10', 1), ('vlan and ether dst ' + B, 1), ('greater 1000', 1),
    ('ether proto 0x88b5', 2), ('not ether proto 0x88b5', 1), ('ether[20:4] = 0x01020304', 1),
    ('tcp port 80', 0)])
def test_filter(bridge, expression, matches):
    mix = (frame(B, A, size=1514), frame(B, A, tag(10)),
           frame(B, A, payload=bytes(6) + bytes((1, 2, 3, 4)) + bytes(36)))
    file = capture(bridge, 'p1', *expression.split(), frames=mix)
    assert len(file.frames) == matches and file.filter == expression


@pytest.mark.parametrize('snaplen', [1, 14, 64, 1000])
def test_snap_length(bridge, snaplen):
    one = frame(B, A, size=700)
    file = capture(bridge, 'p1', '-s', snaplen, frames=[one])
    assert [(got.data, got.length) for got in file.frames] == [(one[:snaplen], 700)]


def test_received_and_dropped(bridge):
    bad, reserved, same = frame(B, A, tag(4095)), frame(RESERVED, A), frame(A, A)
    file = capture(bridge, 'p1', frames=[bad, reserved, same])
    assert seen(file) == [(IN, bad, 'dropped: bad-tag'), (IN, reserved, 'dropped: reserved'),
                          (IN, same, 'dropped: same-port')]


def test_dropped_at_forwarding(bridge):
    bridge.switch.cli('port', 'set', 'p2', 'enabled=off')
    try:
        one = frame(BROADCAST, A)
        assert seen(capture(bridge, 'p1', frames=[one])) == [(IN, one, 'dropped: no-target')]
        one = frame(B, A)
        bridge.switch.rpc('fdb.add', {'mac': B, 'port': 'p2'})
        assert seen(capture(bridge, 'p2', frames=[one])) == [(OUT, one, 'dropped: link-down')]
    finally:
        bridge.switch.cli('port', 'set', 'p2', 'enabled=on')


def test_over_the_rate(bridge):
    bridge.switch.cli('port', 'set', 'p1', 'rate-in=1k', 'burst-in=1')
    try:
        first, second = frame(B, A), frame(B, A)
        # The frames of a burst that are dropped at ingress are recorded before those forwarded.
        assert sorted(seen(capture(bridge, 'p1', frames=[first, second]))) == sorted([
            (IN, first, ''), (IN, second, 'dropped: rate')])
    finally:
        bridge.switch.cli('port', 'set', 'p1', 'rate-in=off', 'burst-in=auto')


def test_tags_as_on_the_wire(bridge):
    payload = bytes(46)
    bridge.switch.cli('port', 'set', 'p1', 'vlan=10')
    bridge.switch.cli('port', 'set', 'p2', 'trunk=10')
    try:
        untagged, tagged = (frame(B, A, *tags, payload=payload) for tags in ((), (tag(10),)))
        foreign = frame(A, B, tag(20), payload=payload)
        assert seen(capture(bridge, 'p2', frames=[untagged])) == [(OUT, tagged, '')]
        assert seen(capture(bridge, 'p1', frames=[untagged])) == [(IN, untagged, '')]
        assert seen(capture(bridge, 'p2', frames=[foreign], source='p2')) == [
            (IN, foreign, 'dropped: vlan')]
    finally:
        bridge.switch.cli('port', 'set', 'p1', 'vlan=0')
        bridge.switch.cli('port', 'set', 'p2', 'trunk=')


def test_too_long_to_leave(bridge):
    bridge.switch.cli('port', 'set', 'p2', 'mtu=1300')
    bridge.switch.wait_link('p2')
    try:
        one = frame(B, A, size=1514)
        assert seen(capture(bridge, 'p2', frames=[one])) == [(OUT, one, 'dropped: too-long')]
    finally:
        bridge.switch.cli('port', 'set', 'p2', 'mtu=1500')
        bridge.switch.wait_link('p2')
        bridge.wake('p2')


@pytest.fixture
def guest(bridge):
    """A guest behind port C; frames that it sends may be in several pieces of guest memory."""
    path = bridge.switch.port_add('vm', 'vhost')
    with FrontEnd(path) as vm:
        bridge.switch.wait_link('vm')
        bridge.switch.rpc('fdb.add', {'mac': C, 'port': 'vm'})
        yield vm
    bridge.switch.rpc('port.del', {'name': 'vm'})


def test_guest_without_room(bridge, guest):
    """Each frame that found no buffer is recorded as dropped."""
    frames = [frame(C, A) for _ in range(70)]
    with Capture(bridge.switch, 'vm', '-w', '-') as running:
        pass_by(bridge, 'p1', *frames)
        file = pcapng.read(running.end()[0])
    assert seen(file) == ([(OUT, one, '') for one in frames[:64]]
                          + [(OUT, one, 'dropped: tx-full') for one in frames[64:]])


def test_guest_memory_in_pieces(bridge, guest):
    one = frame(B, C, size=1400)
    data, pieces, at = bytes(12) + one, [], 0
    for number, size in enumerate((12, 50, 300, len(data) - 362)):
        address = guest.slot(600 + number)
        guest.write(address, data[at:at + size])
        pieces.append((address, size))
        at += size
    with Capture(bridge.switch, 'vm', '-Q', 'rx', '-w', '-') as running:
        guest.tx.chain(*pieces)
        guest.tx.wait_used(1)
        file = pcapng.read(running.end()[0])
    assert seen(file) == [(IN, one, '')]


def test_several_at_once(bridge):
    there = frame(B, A)
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(Capture(bridge.switch, *words, '-w', '-')) for words in (
            ('p1',), ('p1', '-s', '20'), ('p2',), ('p1', 'vlan'))]
        pass_by(bridge, 'p1', there)
        files = [pcapng.read(one.end()[0]) for one in running]
    assert [seen(file) for file in files] == [
        [(IN, there, '')], [(IN, there[:20], '')], [(OUT, there, '')], []]


def test_lines(bridge):
    ip = bytes.fromhex('4500002400010000401100000a0000010a000002') + bytes.fromhex('1388003500100000')
    with Capture(bridge.switch, 'p1') as running:
        pass_by(bridge, 'p1', frame(B, A, tag(10, 3), kind=0x0800, payload=ip + bytes(18)),
                frame(B, A, tag(4095)), frame(B, A, payload=b'\x1b[2J' * 12))
        lines = running.end()[0].decode().splitlines()
    time_of_day = r'\d\d:\d\d:\d\d\.\d{9}'
    assert re.fullmatch(rf'{time_of_day} rx {A} > {B} vlan 10 p 3 IPv4, length 64: '
                        r'10\.0\.0\.1\.5000 > 10\.0\.0\.2\.53 UDP', lines[0])
    assert lines[1].endswith(f'rx {A} > {B} vlan 4095 0x88b5, length 60, dropped: bad-tag')
    assert lines[2].endswith(f'rx {A} > {B} 0x88b5, length 62') and len(lines) == 3


def test_into_tcpdump(bridge):
    with Capture(bridge.switch, 'p1', '-w', '-') as running:
        reader = subprocess.Popen(['tcpdump', '-r', '-', '-nn', '-e', '-c', '2'],
                                  stdin=running.popen.stdout, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        running.popen.stdout.close()
        running.popen.stdout = None
        pass_by(bridge, 'p1', frame(B, A), frame(B, A, tag(7)))
        lines = reader.communicate(timeout=20)[0].decode().splitlines()
        # The reader has closed the pipe: the capture ends with the next frame, without a message.
        pass_by(bridge, 'p1', frame(B, A))
        running.result()
    assert f'{A} > {B}' in lines[0] and any('vlan 7' in line for line in lines)


def test_ring_of_files(bridge, tmp_path):
    """Files of a megabyte each, of which the last two are kept."""
    with Capture(bridge.switch, 'p1', '-w', tmp_path / 'f', '-C', 1, '-W', 2) as running:
        for _ in range(16):
            pass_by(bridge, 'p1', *(frame(B, A, size=1514) for _ in range(100)))
        _, captured, lost = running.end()
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ['f0', 'f1'] and (captured, lost) == (1600, 0)
    parsed = [pcapng.read(path.read_bytes()) for path in files]
    assert 1000000 <= files[1].stat().st_size < 1003000
    assert parsed[0].frames[0].ns >= parsed[1].frames[-1].ns, 'f0 was begun anew'
    assert parsed[0].statistics[0] == 1600 > parsed[1].statistics[0]


def test_files_one_after_the_other(bridge, tmp_path):
    with Capture(bridge.switch, 'p1', '-w', tmp_path / 'f', '-C', 1) as running:
        for _ in range(8):
            pass_by(bridge, 'p1', *(frame(B, A, size=1514) for _ in range(100)))
        assert running.end()[1] == 800
    parsed = [pcapng.read((tmp_path / name).read_bytes()) for name in ('f', 'f1')]
    assert len(parsed[0].frames) + len(parsed[1].frames) == 800


def test_summary_as_json(bridge, tmp_path):
    with Capture(bridge.switch, 'p1', '-j', '-c', 1, '-w', tmp_path / 'f') as running:
        pass_by(bridge, 'p1', frame(B, A))
        assert running.result()[0] == b'{"captured": 1, "lost": 0}\n'


def test_stalled_reader(bridge):
    """Frames that do not fit are counted as lost, the port forwards them, and the filter still
    applies."""
    burst = [frame(B, A, size=1514) for _ in range(100)]
    copies = imbalance(bridge.switch.rpc('port.list'))
    with Capture(bridge.switch, 'p1', '-w', '-', 'greater 1000', stdout=subprocess.DEVNULL) as stalled:
        stalled.popen.send_signal(signal.SIGSTOP)
        before = bridge.switch.port('p2')['tx_packets']
        for _ in range(40):
            pass_by(bridge, 'p1', *burst, frame(B, A))
            bridge.wire['p2'].drain()
        wait_until(lambda: bridge.switch.port('p2')['tx_packets'] == before + 40 * 101, 20, 'frames')
        stalled.popen.send_signal(signal.SIGCONT)
        _, captured, lost = stalled.end()
    assert captured + lost == 4000 and lost > 0
    assert captured in range(RING // 1568 - 1, RING // 1568 + 1), 'the ring was full'
    wait_until(lambda: imbalance(bridge.switch.rpc('port.list')) == copies, 30, 'balance')


def test_port_deleted(bridge):
    bridge.switch.port_add('gone', 'ethdev', device='net_null_gone,no-rx=1')
    with Capture(bridge.switch, 'gone') as running:
        bridge.switch.cli('port', 'del', 'gone')
        _, err = running.popen.communicate(timeout=20)
    assert running.popen.returncode == 1 and b'port gone is deleted' in err


def test_port_opened_anew(bridge):
    """The port stays the same: its capture continues."""
    one = frame(BROADCAST, A)
    with Capture(bridge.switch, 'p1', '-Q', 'rx', '-w', '-') as running:
        bridge.switch.cli('port', 'set', 'p1', 'mtu=1400')
        bridge.switch.wait_link('p1')
        pass_by(bridge, 'p1', one)
        file = pcapng.read(running.end()[0])
    bridge.switch.cli('port', 'set', 'p1', 'mtu=1500')
    bridge.switch.wait_link('p1')
    assert (IN, one, '') in seen(file)


@pytest.mark.parametrize('words, status, reason', [
    (['p1', 'tcp', 'prot', '80'], 1, 'filter: '), (['p1', 'protochain', '\\tcp'], 1, 'filter: '),
    (['nobody'], 1, "no port 'nobody'"), (['p1', '-c', '0'], 2, '-c must be'),
    (['p1', '-s', '300000'], 2, '-s must be'), (['p1', '-W', '2'], 2, '-W FILES goes'),
    (['p1', '-C', '1'], 2, '-C MB goes'), (['p1', '-Q', 'up'], 2, '-Q must be'),
    (['p1', '-x'], 2, '-x'), ([], 2, 'NAME'), (['p1', '-w', '/nowhere/at/all'], 1, '/nowhere/at/all'),
])
def test_refused(bridge, words, status, reason):
    done = bridge.switch.cli('capture', *words, check=False)
    assert done.returncode == status and reason in done.stderr and done.stdout == ''


def test_filter_that_does_not_compile_leaves_files_alone(bridge, tmp_path):
    path = tmp_path / 'f'
    path.write_text('mine')
    assert bridge.switch.cli('capture', 'p1', '-w', path, 'tcp prot', check=False).returncode == 1
    assert bridge.switch.cli('capture', 'px', '-w', path, check=False).returncode == 1
    assert path.read_text() == 'mine'


class Hostile:
    """A client that can send arbitrary requests."""

    def __init__(self, switch, **params):
        self.rpc = Rpc(switch.sock)
        request = b'{"jsonrpc":"2.0","id":1,"method":"capture","params":{"name":"p1"}}\n'
        self.rpc.sock.sendall(request)
        data, ancillary, _, _ = self.rpc.sock.recvmsg(65536, 64)
        assert data[:1] == b'{'
        descriptors = array.array('i', ancillary[0][2])
        self.fd = descriptors[0]
        self.memory = mmap.mmap(self.fd, 0)

    def close(self):
        self.memory.close()
        self.rpc.close()


def words_of(number):
    """The values that a hostile client writes to the control words of its ring."""
    return number.to_bytes(8, 'little')


@pytest.mark.parametrize('tail', [0, 1, 31, RING, RING + 1, 2**31, 2**63, 2**64 - 1, 2**64 - RING])
def test_scribbles_over_the_ring(bridge, tail):
    hostile = Hostile(bridge.switch)
    one = frame(B, A, size=1514)
    try:
        for offset in (0, 8, 64):
            hostile.memory[offset:offset + 8] = words_of(tail)
        for at in range(PAGE, RING, 1 << 16):
            hostile.memory[at:at + 64] = b'\xff' * 64
        for _ in range(4):
            pass_by(bridge, 'p1', *[one] * 30)
            hostile.memory[64:72] = words_of(tail)
        assert len(bridge.wire['p2'].receive_count(120, 5)) == 120
    finally:
        hostile.close()
    assert seen(capture(bridge, 'p1', frames=[one])) == [(IN, one, '')]


def test_rings_cannot_be_cut(bridge):
    hostile = Hostile(bridge.switch)
    try:
        with pytest.raises(OSError):
            os.ftruncate(hostile.fd, 0)
    finally:
        hostile.close()


@pytest.mark.parametrize('program', [
    'x', [[0, 0, 0]], [[6, 0, 0, -1]], [[5, 0, 0, 4294967295]], [[0x28, 0, 0, 0]],
    [[0x60, 0, 0, 16], [6, 0, 0, 1]], [[0x34, 0, 0, 0], [6, 0, 0, 1]], [[0x08, 0, 0, 0], [6, 0, 0, 0]],
    [[0xffff, 0, 0, 0]], [[6, 0, 0, 1]] * 5000], ids=range(10))
def test_programs_that_are_none(bridge, program):
    with pytest.raises(SwitchError, match='filter'):
        bridge.switch.rpc('capture', {'name': 'p1', 'filter': program})


def test_request_in_a_batch_or_twice(bridge):
    rpc = Rpc(bridge.switch.sock)
    try:
        rpc.sock.sendall(b'[{"jsonrpc":"2.0","id":1,"method":"capture","params":{"name":"p1"}}]\n')
        assert 'batch' in rpc.reader.readline()
        rpc.call('capture', {'name': 'p1'})
        with pytest.raises(SwitchError, match='taken'):
            rpc.call('capture', {'name': 'p1'})
    finally:
        rpc.close()


def test_limit_of_captures(bridge):
    clients = []
    try:
        for _ in range(16):
            clients.append(Rpc(bridge.switch.sock))
            clients[-1].call('capture', {'name': 'p1'})
        with pytest.raises(SwitchError, match='16 captures'):
            bridge.switch.rpc('capture', {'name': 'p1'})
    finally:
        for client in clients:
            client.close()

    def ended():
        with contextlib.suppress(SwitchError), contextlib.closing(Rpc(bridge.switch.sock)) as rpc:
            return rpc.call('capture', {'name': 'p1'})
    wait_until(ended, 30, 'captures that ended')
