# SPDX-License-Identifier: BSD-3-Clause
"""Front ends that violate the rules of their rings, one rule each: the port is marked broken (link
down, reason shown, counted) or the frame is dropped and counted, and other ports are not affected.
Numbers are those of the list of cases; 6 and 13 are in test_hostile_life.py, packed rings in the
unit tests of lib/vring."""

import struct

import pytest

from frames import frame
from frontend import (BUFFERS, CSUM, GUEST_CSUM, GUEST_TSO4, HOST_TSO4, IN_TABLE, INDIRECT, LOW, MB,
                      MRG_RXBUF, NEXT, WRITE, FrontEnd, flipping)
from hostile import EVIL, GOOD, Hostile, outside
from proc import wait_until

INDEX = 'available index ahead of the ring by more than its size'
HEAD = 'descriptor number beyond the ring'
ADDRESS = 'buffer outside of guest memory'
CHAIN = 'descriptor chain that does not end'
DIRECTION = 'buffer of the wrong direction'
TABLE = 'malformed table of indirect descriptors'
RECEIVE = 'receive buffer shorter than its header'
HEADER = 12


@pytest.fixture(scope='module')
def switch():
    with Hostile() as hostile:
        yield hostile


def spoil(hostile, vm, way, *parts):
    """Make one chain of the guest's own available: to send, or instead of all receive buffers."""
    if way == 'tx':
        vm.tx.chain(*parts)
        return
    parts = [(*part[:2], (part[2] if len(part) > 2 else 0) ^ WRITE) for part in parts]
    receive_by(hostile, vm, lambda: vm.rx.chain(*parts), frame(EVIL, GOOD))


def receive_by(hostile, vm, post, *frames):
    """Have all posted buffers used up, post others, and send frames there."""
    hostile.good.send(*(frame(EVIL, GOOD) for _ in range(vm.post)))
    vm.rx.wait_used(vm.post)
    hostile.good.tx.wait_used(vm.post)
    hostile.good.tx.take()
    vm.rx.take()
    post()
    hostile.good.send(*frames)


BAD_CHAINS = {
    'address-nowhere': (ADDRESS, lambda vm: [(outside(vm), 76)]),
    'address-zero': (ADDRESS, lambda vm: [(0, 76)]),
    'address-wraps': (ADDRESS, lambda vm: [(2**64 - 16, 76)]),
    '02-one-byte-too-far': (ADDRESS, lambda vm: [(vm.end - 76, 77)]),
    'length-4G': (ADDRESS, lambda vm: [(vm.slot(600), 2**32 - 1)]),
    'empty-buffer-nowhere': (ADDRESS, lambda vm: [(vm.slot(600), 76), (outside(vm), 0),
                                                  (vm.slot(601), 60)]),
    'direction': (DIRECTION, lambda vm: [(vm.slot(600), 76, WRITE)]),
}


@pytest.mark.parametrize('way', ['tx', 'rx'])
@pytest.mark.parametrize('case', BAD_CHAINS)
def test_bad_buffer(switch, case, way):
    reason, parts = BAD_CHAINS[case]
    with switch.evil() as vm:
        spoil(switch, vm, way, *parts(vm))
        switch.broken(reason)


@pytest.mark.parametrize('way', ['tx', 'rx'])
def test_02_buffer_over_two_regions(switch, way):
    """Valid: regions that are adjacent in GPA and far apart in HVA."""
    with switch.evil(regions=(2 * MB, 2 * MB)) as vm:
        at = LOW + 2 * MB - 30
        one = frame(*((GOOD, EVIL) if way == 'tx' else (EVIL, GOOD)), size=200)
        if way == 'tx':
            vm.write(at, bytes(HEADER) + one)
            vm.tx.chain((at, HEADER + len(one)))
            switch.wait_good(one)
        else:
            receive_by(switch, vm, lambda: vm.rx.chain((at, ROOM_OF_TEST, WRITE)), one)
            vm.rx.wait_used(1)
            assert vm.read(at + HEADER, len(one)) == one
            vm.rx.take()
            vm.post = 0
            vm.give(8)
        switch.whole()


ROOM_OF_TEST = 1024


def test_02_buffer_that_ends_with_the_memory(switch):
    with switch.evil() as vm:
        one = frame(GOOD, EVIL, size=300)
        vm.write(vm.end - HEADER - 300, bytes(HEADER) + one)
        vm.tx.chain((vm.end - HEADER - 300, HEADER + 300))
        switch.wait_good(one)
        switch.whole()


def bad_head(vm, ring, flags):
    ring.offer(vm.size)


def bad_next(vm, ring, flags):
    ring.desc(ring.head, vm.slot(600), 6, flags | NEXT, vm.size)
    ring.offer(ring.head)


def self_loop(vm, ring, flags):
    ring.desc(ring.head, vm.slot(600), 16, flags | NEXT, ring.head)
    ring.offer(ring.head)


def empty_loop(vm, ring, flags):
    ring.desc(ring.head, vm.slot(600), 0, flags | NEXT, ring.head)
    ring.offer(ring.head)


def long_loop(vm, ring, flags):
    for index in range(vm.size):
        ring.desc(index, vm.slot(600), 0, flags | NEXT, (index + 1) % vm.size)
    ring.offer(3)


@pytest.mark.parametrize('way', ['tx', 'rx'])
@pytest.mark.parametrize('act, reason', [(bad_head, HEAD), (bad_next, HEAD), (self_loop, CHAIN),
                                         (empty_loop, CHAIN), (long_loop, CHAIN)],
                         ids=lambda value: getattr(value, '__name__', ''))
def test_03_chain(switch, act, reason, way):
    with switch.evil() as vm:
        if way == 'tx':
            act(vm, vm.tx, 0)
        else:
            receive_by(switch, vm, lambda: act(vm, vm.rx, WRITE), frame(EVIL, GOOD))
        switch.broken(reason)


@pytest.mark.parametrize('by', [257, 0x8000, 0xff00])
@pytest.mark.parametrize('way', ['tx', 'rx'])
def test_04_avail_jump(switch, way, by):
    with switch.evil() as vm:
        if way == 'tx':
            vm.tx.jump(by)
        else:
            vm.rx.jump(by)    # some are posted already: further ahead, or behind
            switch.good.send(frame(EVIL, GOOD))
        switch.broken(INDEX)


def test_04_indexes_wrap(switch):
    """65535 is followed by 0: every frame arrives once, in order."""
    with switch.evil(first=65500) as vm:
        frames = [frame(GOOD, EVIL) for _ in range(50)]
        vm.send(*frames)
        vm.tx.wait_used(50)
        assert switch.good.wait_frames(50) == frames
        back = [frame(EVIL, GOOD) for _ in range(50)]
        switch.good.send(*back)
        assert vm.wait_frames(50) == back
        switch.whole()


def table(vm, *rows):
    """An indirect table in guest memory; its (address, length)."""
    at = vm.slot(700) + 8    # no alignment is required
    vm.write(at, b''.join(struct.pack('<QIHH', *row) for row in rows))
    return at, 16 * len(rows)


def one_row(vm):
    return table(vm, (vm.slot(600), 76, 0, 0))


BAD_TABLES = {
    'empty': (TABLE, lambda vm: [(one_row(vm)[0], 0, IN_TABLE)]),
    'not-times-16': (TABLE, lambda vm: [(one_row(vm)[0], 24, IN_TABLE)]),
    'larger-than-ring': (TABLE, lambda vm: [(one_row(vm)[0], 16 * 257, IN_TABLE)]),
    'length-4G': (TABLE, lambda vm: [(one_row(vm)[0], 2**32 - 16, IN_TABLE)]),
    'nested': (TABLE, lambda vm: [(*table(vm, (vm.slot(650), 16, IN_TABLE, 0)), IN_TABLE)]),
    'with-next': (TABLE, lambda vm: [(*one_row(vm), IN_TABLE), (vm.slot(600), 76)]),
    'loops': (CHAIN, lambda vm: [(*table(vm, (vm.slot(600), 76, NEXT, 0)), IN_TABLE)]),
    'goes-on-beyond': (CHAIN, lambda vm: [(*table(vm, (vm.slot(600), 76, NEXT, 1)), IN_TABLE)]),
    'over-regions': (ADDRESS, lambda vm: [(LOW + 2 * MB - 8, 16, IN_TABLE)]),
    'nowhere': (ADDRESS, lambda vm: [(outside(vm), 16, IN_TABLE)]),
}


@pytest.mark.parametrize('case', BAD_TABLES)
def test_05_indirect(switch, case):
    reason, parts = BAD_TABLES[case]
    with switch.evil(wanted=INDIRECT, regions=(2 * MB, 2 * MB)) as vm:
        vm.tx.chain(*parts(vm))
        switch.broken(reason)


def test_05_indirect_good(switch):
    """The same table without an error."""
    with switch.evil(wanted=INDIRECT) as vm:
        one = frame(GOOD, EVIL, size=100)
        vm.write(vm.slot(600), bytes(HEADER) + one)
        vm.tx.chain((*table(vm, (vm.slot(600), 50, NEXT, 1), (vm.slot(600) + 50, 62, 0, 0)),
                     IN_TABLE))
        switch.wait_good(one)
        switch.whole()


def test_07_address_flips_while_it_is_forwarded(switch):
    """A receiver gets only frames with its address, whatever the sender writes to its buffer
    afterwards."""
    with switch.evil() as vm:
        at = vm.slot(600)
        good, own = frame(GOOD, EVIL), frame(EVIL, EVIL)
        vm.write(at, bytes(HEADER) + good)
        changes = [(BUFFERS + 600 * 2048 + HEADER, data[:6]) for data in (good, own)]
        def both_seen():
            for _ in range(20):
                vm.tx.chain((at, HEADER + len(good)))
            vm.tx.wait_used(20)
            vm.tx.take()
            switch.good.collect()
            # A frame classified with the other address is dropped: that is on its source port.
            return switch.good.got and switch.drops().get('same-port', 0) > 0

        with flipping(vm, changes):
            wait_until(both_seen, 60, 'frames forwarded and dropped', interval=0)
            for _ in range(40):
                both_seen()
        assert {data[:6] for _, data in switch.good.got} == {good[:6]}
        switch.good.got = []
        switch.whole()


SMALL = {
    'nothing': [0], 'part-of-header': [11], 'header-alone': [HEADER], 'empty-parts': [0, 0, 5],
    'header-in-parts': [4, 4, 4],
}


@pytest.mark.parametrize('case', SMALL)
def test_08_no_frame_in_chain(switch, case):
    with switch.evil() as vm:
        before = switch.drops().get('bad-frame', 0)
        vm.tx.chain(*((vm.slot(600), length) for length in SMALL[case]))
        vm.tx.wait_used(1)
        wait_until(lambda: switch.drops().get('bad-frame', 0) == before + 1, 20, 'the drop')
        vm.tx.take()
        switch.whole()


@pytest.mark.parametrize('parts', [[1] * HEADER, [5, 7], [3, 3, 3, 20], [11, 2, 1]], ids=str)
def test_08_header_in_parts(switch, parts):
    """Valid: no layout of the header is prescribed (virtio 1.2 section 2.7.4)."""
    with switch.evil() as vm:
        one = frame(GOOD, EVIL, size=150)
        at = vm.slot(600)
        vm.write(at, bytes(HEADER) + one)
        chain, offset = [], 0
        for length in [*parts, HEADER + len(one) - sum(parts)]:
            chain.append((at + offset, length))
            offset += length
        vm.tx.chain(*chain)
        switch.wait_good(one)
        switch.whole()


@pytest.mark.parametrize('length', [0, 1, 9, 10, 11])
def test_08_receive_buffer_without_room_for_the_header(switch, length):
    with switch.evil() as vm:
        receive_by(switch, vm, lambda: vm.rx.chain((vm.slot(600), length, WRITE)),
                   frame(EVIL, GOOD))
        switch.broken(RECEIVE)


@pytest.mark.parametrize('parts', [[100 << 10] * 16, [32 * MB] * 128 + [72], [70000]],
                         ids=['1.6-MB', 'sum-wraps', 'too-long'])
def test_09_giant(switch, parts):
    with switch.evil(regions=(48 * MB,)) as vm:
        before = switch.drops().get('bad-frame', 0)
        vm.tx.chain(*((LOW + 2 * MB, length) for length in parts))
        vm.tx.wait_used(1)
        wait_until(lambda: switch.drops().get('bad-frame', 0) == before + 1, 20, 'the drop')
        vm.tx.take()
        switch.whole()


def net_header(flags=0, gso=0, header=0, size=0, start=0, offset=0):
    return struct.pack('<BBHHHHH', flags, gso, header, size, start, offset, 0)


def test_10_offload_grid(switch):
    """Every combination is forwarded or dropped, by reason; the ring and other ports continue."""
    values = [0, 1, 13, 14, 33, 34, 54, 59, 60, 61, 1448, 0x7fff, 0xffff]
    grid = [net_header(flags, gso, size, size, start, offset)
            for flags in (0, 1, 3) for gso in (0, 1, 3, 4, 0x81, 0xff) for size in (0, 1448)
            for start in values for offset in (0, 6, 16, 58, 255, 256, 0xffff)]
    with switch.evil(wanted=CSUM | HOST_TSO4) as vm:
        before = switch.port()
        for at in range(0, len(grid), 128):
            for header in grid[at:at + 128]:
                vm.send(frame(GOOD, EVIL), header=header)
            vm.tx.wait_used(len(grid[at:at + 128]))
            vm.tx.take()
            switch.good.collect()
        after = wait_until(lambda: received(switch, before, len(grid)), 20, 'the grid')
        dropped = after['rx_drops'] - before['rx_drops']
        assert 0 < dropped < len(grid)
        assert after['rx_forwarded'] - before['rx_forwarded'] + dropped == len(grid)
        switch.good.got = []
        switch.whole()


def received(switch, before, frames):
    port = switch.port()
    return port if port['rx_packets'] - before['rx_packets'] == frames else None


def test_10_data_valid_from_a_guest(switch):
    """DATA_VALID from a guest, which only a device may set, is passed on to no other guest."""
    with switch.evil(wanted=CSUM | GUEST_CSUM) as vm:
        one = frame(GOOD, EVIL)
        vm.send(one, header=net_header(flags=2))
        wait_until(lambda: one in [data for _, data in switch.good.collect()], 20, 'the frame')
        assert [header for header, data in switch.good.got if data == one] == [
            bytes(10) + b'\1\0']
        switch.good.got = []
        switch.whole()


@pytest.mark.parametrize('mergeable', [0, MRG_RXBUF], ids=['whole', 'mergeable'])
def test_11_jumbo(switch, mergeable):
    with switch.evil(wanted=mergeable) as vm:
        one = frame(EVIL, GOOD, size=9014)
        at = switch.good.slot(900)
        switch.good.write(at, bytes(HEADER) + one)

        def post():
            for number in range(8 if mergeable else 1):
                vm.rx.chain((vm.slot(600 + number), 2048 if mergeable else 16384, WRITE))
            switch.good.tx.chain((at, HEADER + len(one)))
        receive_by(switch, vm, post)
        vm.rx.wait_used(1)
        taken = vm.rx.take()
        data = b''.join(vm.read(vm.slot(600) + 2048 * number, length)
                        for number, (_, length) in enumerate(taken))
        assert struct.unpack_from('<H', data, 10)[0] == len(taken) == (5 if mergeable else 1)
        assert data[HEADER:] == one


def tso_frame(size):
    """An Ethernet, IPv4 and TCP header, and payload."""
    ip = struct.pack('>BBHHHBBHII', 0x45, 0, size - 14, 0, 0, 64, 6, 0, 1, 2)
    tcp = struct.pack('>HHIIBBHHH', 1, 2, 0, 0, 5 << 4, 0x10, 100, 0, 0)
    return frame(EVIL, GOOD, size=size, kind=0x0800, payload=ip + tcp + bytes(size - 54))


@pytest.mark.parametrize('mergeable', [0, MRG_RXBUF], ids=['whole', 'mergeable'])
def test_11_tso(switch, mergeable):
    """64 KB from a guest that requests segmentation to one that receives it unsegmented."""
    with switch.evil(wanted=mergeable | GUEST_CSUM | GUEST_TSO4) as vm, \
            FrontEnd(switch.switch.port_add('tso', 'vhost'), wanted=CSUM | HOST_TSO4) as sender:
        switch.switch.wait_link('tso')
        one = tso_frame(65000)
        header = net_header(1, 1, 54, 1448, 34, 16)
        sender.write(LOW + 2 * MB, header + one)

        def post():
            if mergeable:
                for number in range(40):
                    vm.rx.chain((LOW + 2 * MB + 2048 * number, 2048, WRITE))
            else:
                vm.rx.chain((LOW + 2 * MB, 68 << 10, WRITE))
            sender.tx.chain((LOW + 2 * MB, HEADER + len(one)))
        receive_by(switch, vm, post)
        vm.rx.wait_used(1)
        taken = vm.rx.take()
        data = vm.read(LOW + 2 * MB, sum(length for _, length in taken))
        assert data[HEADER:] == one and data[:10] == header[:10]
        assert struct.unpack_from('<H', data, 10)[0] == len(taken)
    switch.switch.rpc('port.del', {'name': 'tso'})


def test_12_receive_chain_too_short(switch):
    """Without mergeable buffers a frame that does not fit is dropped, and the next one is received.
    """
    with switch.evil() as vm:
        before = switch.drops('tx').get('too-long', 0)
        long, short = frame(EVIL, GOOD, size=300), frame(EVIL, GOOD, size=60)

        def post():
            vm.rx.chain((vm.slot(600), 100, WRITE), (vm.slot(601), 100, WRITE))
            switch.good.send(long)
        receive_by(switch, vm, post, short)
        vm.rx.wait_used(1)
        assert vm.rx.take()[0][1] == HEADER + 60
        assert vm.read(vm.slot(600) + HEADER, 60) == short
        wait_until(lambda: switch.drops('tx').get('too-long', 0) == before + 1, 20, 'the drop')
        vm.post = 0
        vm.give(8)
        switch.whole()


def test_12_receive_chain_longer_than_is_read(switch):
    """A chain as long as a ring of 512 permits: its first buffers hold the frame."""
    with switch.evil(size=512) as vm:
        one = frame(EVIL, GOOD, size=400)
        at = vm.slot(600)
        receive_by(switch, vm, lambda: vm.rx.chain(*((at + 2 * number, 2, WRITE)
                                                    for number in range(400))), one)
        vm.rx.wait_used(1)
        assert vm.rx.take()[0][1] == HEADER + 400
        assert vm.read(at + HEADER, 400) == one
        vm.post = 0
        vm.give(8)
        switch.whole()
