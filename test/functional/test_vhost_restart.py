# SPDX-License-Identifier: BSD-3-Clause
"""A switch that ends and starts again while its guests keep running: frames pass, none arrives
twice. Front ends give the position that QEMU gives after the end of its back end: that of the start
for a packed ring."""

import contextlib
import os
import struct

import pytest

from frames import BROADCAST, frame, mac
from frontend import RING_PACKED, WRAP, FrontEnd
from proc import tail, wait_until
from switch import Switch

SIZE = 32       # descriptors of a ring
GIVEN = 12      # receive buffers posted
BATCH = 8
NAMES = ('one', 'two')
PLACE = "position in a packed ring is unknown: reload the guest's driver"


class Numbered:
    """Numbered frames both ways between two front ends."""

    def __init__(self, one, two):
        self.ends = {one: two, two: one}
        self.number = 0

    def send(self, vm, count=BATCH):
        sent = []
        vm.tx.take()
        for _ in range(count):
            self.number += 1
            payload = struct.pack('!Q', self.number) + bytes(40)
            sent.append(frame(BROADCAST, mac(1 + vm.port), payload=payload))
        vm.send(*sent)
        return sent

    def pass_on(self, batches=1):
        """Frames both ways; all arrive, once and in order."""
        for _ in range(batches):
            for vm, other in self.ends.items():
                sent = self.send(vm)
                assert other.wait_frames(len(sent)) == sent


def write_config(switch, **keys):
    words = ''.join(f', {key}: {value}' for key, value in keys.items())
    switch.config.write_text('ports:\n' + ''.join(
        f'  {name}: {{type: vhost, socket: {switch.socket(name)}{words}}}\n' for name in NAMES))


@contextlib.contextmanager
def guests(wanted, **keys):
    """(switch, flow, front ends)"""
    switch = Switch()
    write_config(switch, packed='on', **keys)
    with switch, contextlib.ExitStack() as stack:
        vms = []
        for number, name in enumerate(NAMES):
            vm = FrontEnd(switch.socket(name), size=SIZE, wanted=wanted)
            stack.callback(vm.close)
            vm.connect().start()
            vm.port = number
            vm.give(GIVEN)
            vms.append(vm)
        for name in NAMES:
            switch.wait_link(name)
        yield switch, Numbered(*vms), *vms


def resume(switch, *vms):
    for vm in vms:
        vm.resume()
        switch.wait_link(NAMES[vm.port])


def end(switch, how):
    if how == 'SIGTERM':
        switch.stop()
    else:
        switch.kill9()


kinds = pytest.mark.parametrize('wanted', [0, RING_PACKED], ids=['split', 'packed'])
ends = pytest.mark.parametrize('how', ['SIGTERM', 'kill9'])


@kinds
@ends
@pytest.mark.parametrize('datapath', ['auto', 'library'])
def test_restart(wanted, how, datapath):
    """Several times, in any round of the rings; frames sent meanwhile arrive afterwards."""
    with guests(wanted, datapath=datapath) as (switch, flow, one, two):
        for batches in (0, 3, 2, 6):
            flow.pass_on(batches)
            end(switch, how)
            sent, dropped = flow.send(one, 5), getattr(one.tx, 'dropped', 0)
            switch.start()
            resume(switch, two, one)
            if getattr(one.tx, 'dropped', 0) == dropped:
                assert two.wait_frames(len(sent)) == sent
            flow.pass_on(5)
            assert switch.port('one')['link'] == 'up' and switch.port('one')['faults'] == '0'


@ends
def test_chains(how):
    """Frames of several descriptors, of which all but the first remain marked as available."""
    with guests(RING_PACKED) as (switch, flow, one, two):
        for round_ in range(9):
            data = bytes(12) + frame(BROADCAST, mac(1), payload=bytes([round_]) * 50)
            at = one.slot(600 + round_)
            one.write(at, data)
            one.tx.take()
            one.tx.chain((at, 12), (at + 12, 20), (at + 32, len(data) - 32))
            assert two.wait_frames(1) == [data[12:]]
            end(switch, how)
            switch.start()
            resume(switch, one, two)
            flow.pass_on(1)


@kinds
@ends
def test_interrupts(wanted, how):
    """A guest may wait for an interrupt that the last process did not send: it gets one."""
    with guests(wanted) as (switch, flow, one, two):
        flow.pass_on(2)
        end(switch, how)
        for ring in one.rings + two.rings:
            ring.calls()
        switch.start()
        resume(switch, one, two)
        for ring in one.rings + two.rings:
            wait_until(ring.calls, 30, f'an interrupt of ring {ring.number}')


@pytest.mark.parametrize('datapath', ['auto', 'library'])
@ends
def test_driver_reloaded_meanwhile(how, datapath):
    """The rings begin anew in the same memory: the old position is not used."""
    with guests(RING_PACKED, datapath=datapath) as (switch, flow, one, two):
        flow.pass_on(3)
        end(switch, how)
        one.reload()
        one.give(GIVEN)
        switch.start()
        resume(switch, one, two)
        flow.pass_on(6)


def test_another_guest():
    """Another VM at the socket, with the same layout of its memory."""
    with guests(RING_PACKED) as (switch, flow, one, two):
        flow.pass_on(3)
        switch.kill9()
        one.close()
        switch.start()
        resume(switch, two)
        with FrontEnd(switch.socket('one'), wanted=RING_PACKED) as other:
            other.port = 0
            switch.wait_link('one')
            Numbered(other, two).pass_on(6)


@pytest.mark.parametrize('datapath', ['auto', 'library'])
def test_front_end_drops(datapath):
    """QEMU drops frames sent without a back end, starting from its own position, which may be
    within a chain: all buffers are returned, and frames pass."""
    with guests(RING_PACKED, datapath=datapath) as (switch, flow, one, two):
        given = one.tx.dropped
        for count in (9, 20, 31, 17, 25, 31):
            end(switch, 'kill9')
            for number in range(count // 2):
                at = one.slot(512 + one.tx.head)
                one.tx.chain(*[(at, 30), (at + 30, 42)][:1 + number % 2])
            one.sock.close()
            one.tx.restored()    # the connection is closed before there is another back end
            switch.start()
            resume(switch, two, one)
            wait_until(lambda: one.tx.take() is not None and one.tx.seen == one.tx.next, 10,
                       'buffers that come back')
            two.collect()
            two.got.clear()
            flow.pass_on(1)
        assert one.tx.dropped > given
        assert switch.port('one')['faults'] == '0'


@pytest.mark.parametrize('datapath', ['auto', 'library'])
def test_unknown_position(datapath):
    """The position of a ring in use is not guessed without the journal: the port is broken, with
    the reason, until the guest's driver is reloaded."""
    with guests(RING_PACKED, datapath=datapath) as (switch, flow, one, two):
        flow.pass_on(3)
        switch.stop()
        switch.journal.unlink()
        switch.start()
        one.resume()
        wait_until(lambda: switch.port('one').get('broken') == PLACE, 30, 'a broken port')
        assert switch.port('one')['link'] == 'down'
        assert "reload the guest's driver" in tail(switch.log, 40)
        two.close()
        for ring in one.rings:
            one.get_base(ring.number)
        one.reload()
        one.give(GIVEN)
        for ring in one.rings:
            one.start_ring(ring, WRAP)
        switch.wait_link('one')
        assert 'broken' not in switch.port('one')
        with FrontEnd(switch.socket('two'), wanted=RING_PACKED) as other:
            other.port = 1
            switch.wait_link('two')
            Numbered(one, other).pass_on(6)


def test_position_that_the_front_end_knows():
    """The base given by a front end that got it by GET_VRING_BASE is used, also if another back end
    sent it."""
    with guests(RING_PACKED) as (switch, flow, one, two):
        flow.pass_on(3)
        bases = [one.get_base(ring.number) for ring in one.rings]
        assert bases[1] & 0xffff != WRAP
        switch.stop()
        switch.journal.unlink()
        switch.start()
        two.reload()
        two.give(GIVEN)
        resume(switch, two)
        for ring, base in zip(one.rings, bases):
            ring.dropped = base & 0x7fff | (0 if base & WRAP else SIZE)
            assert ring.place(ring.dropped) == base & 0xffff
        resume(switch, one)
        flow.pass_on(6)


def test_port_removed_and_added():
    """The journal survives the port as it survives the switch."""
    with guests(RING_PACKED) as (switch, flow, one, two):
        flow.pass_on(3)
        switch.cli('port', 'del', 'one')
        switch.port_add('one', 'vhost', packed='on')
        resume(switch, one)
        flow.pass_on(6)


def test_journal_file():
    """The journal exists while a ring may need it, readable by its owner only; other files at its
    path are not touched."""
    with guests(RING_PACKED) as (switch, _, one, _):
        assert switch.journal.stat().st_mode & 0o777 == 0o600
        assert switch.journal.stat().st_blocks * 512 < 1 << 20
        switch.stop()
        assert switch.journal.exists()
        switch.journal.unlink()
        victim = switch.dir / 'victim'
        victim.write_text('untouched')
        os.symlink(victim, switch.journal)
        switch.start()
        assert 'guests with packed rings will need their driver reloaded' in tail(switch.log, 40)
        assert victim.read_text() == 'untouched'
        one.reload()
        resume(switch, one)
    switch = Switch()
    switch.run.rmdir()
    with switch:
        assert switch.journal.exists()
        switch.port_add('one', 'vhost')
        with FrontEnd(switch.socket('one')):
            switch.wait_link('one')
        journal = switch.journal
        switch.stop()
        assert not journal.exists()
        journal.write_bytes(b'of another version' * 1000)
        journal.chmod(0o600)
        switch.start()
        switch.port_add('one', 'vhost', packed='on')
        with FrontEnd(switch.socket('one'), wanted=RING_PACKED):
            switch.wait_link('one')
