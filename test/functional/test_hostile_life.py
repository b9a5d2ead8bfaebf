# SPDX-License-Identifier: BSD-3-Clause
"""Front ends that send wrong messages, or right ones at the worst time. Numbers are those of the
list of cases."""

import contextlib
import ctypes
import os
import socket
import struct
import time

import pytest

from frames import BROADCAST, frame, mac
from frontend import (EVENT_IDX, FRONT, GET_FEATURES, LOG_ALL, MB, MQ, SEND_RARP, SET_FEATURES,
                      SET_LOG_BASE, SET_MEM_TABLE, SET_VRING_NUM, FrontEnd, Refused)
from hostile import EVIL, GOOD, Hostile, load, log
from proc import wait_until
from shuntvm import Beside, run, vm as vm_argument
from switch import Switch


@pytest.fixture(scope='module')
def switch():
    with Hostile(queues=4) as hostile:
        yield hostile


@pytest.fixture(scope='module')
def flooded():
    """Cases in which frames go to unknown addresses."""
    with Hostile(floods=True) as hostile:
        yield hostile


def idle(hostile):
    """A counter that grows with every empty poll."""
    return hostile.switch.rpc('lcore.list')[0]['idle_cycles']


class TestInterrupts:
    def test_full_and_blocking(self, switch):
        """The file status flags are shared: the front end fills the eventfd and makes it block,
        whatever the switch has set."""
        with switch.evil() as vm:
            for ring in (vm.rx, vm.tx):
                ring.calls()
                os.eventfd_write(ring.call, 2**64 - 2)
                os.set_blocking(ring.call, True)
            for _ in range(5):
                switch.exchange()
            switch.whole()

    def test_20_call_swap_storm(self, switch):
        with switch.evil() as vm:
            with load(switch, vm):
                for turn in range(100):
                    fd = os.eventfd(0, os.EFD_NONBLOCK) if turn % 3 else -1
                    vm.set_call(vm.rx, fd)
                    if fd >= 0:
                        os.close(fd)
                    vm.collect()
            vm.set_call(vm.rx, vm.rx.call)
            vm.rx.calls()
            vm.got = []
            switch.whole()
            assert vm.rx.calls() > 0

    def test_13_event_index(self, switch):
        """No interrupt is lost when indexes wrap, and none is sent that was not requested."""
        with switch.evil(wanted=EVENT_IDX, first=65500) as vm:
            for _ in range(80):
                vm.rx.set_event(vm.rx.seen)    # after the next used entry
                vm.rx.calls()
                switch.good.tx.take()
                switch.good.send(frame(EVIL, GOOD))
                assert len(vm.wait_frames(1)) == 1
                wait_until(lambda: vm.rx.calls() == 1, 20, 'an interrupt')
            vm.rx.set_event(vm.rx.seen + 1000)
            switch.good.send(*(frame(EVIL, GOOD) for _ in range(10)))
            vm.wait_frames(10)
            switch.exchange()
            assert vm.rx.calls() == 0
            switch.whole()


class TestRings:
    def test_14_stop_and_start(self, switch):
        """Every head is returned once: none is lost, none duplicated."""
        with switch.evil() as vm:
            sent = []
            for _ in range(10):
                frames = [frame(GOOD, EVIL) for _ in range(8)]
                vm.send(*frames)
                bases = [vm.get_base(1), vm.get_base(0)]
                assert bases[0] == vm.tx.seen + vm.tx.used()
                sent += frames
                for ring, base in ((vm.tx, bases[0]), (vm.rx, bases[1])):
                    vm.start_ring(ring, base)
                    vm.enable(ring.number)
                vm.tx.wait_used(8)
                vm.tx.take()
                wait_until(lambda: len(switch.good.collect()) >= len(sent), 20, 'frames')
            assert [data for _, data in switch.good.got] == sent
            switch.good.got = []
            switch.whole()

    def test_15_stop_of_a_later_ring_alone(self, switch):
        """Ring 3 of 4 stops: the first pair continues."""
        with switch.evil(pairs=2, wanted=MQ) as vm:
            vm.get_base(3)
            switch.switch.wait_link('evil')
            vm.enable(0)
            vm.enable(1)
            switch.whole()

    def test_17_only_the_first_ring_enabled(self, switch):
        with FrontEnd(switch.path) as vm:
            vm.enable(1, 0)
        with FrontEnd(switch.path) as vm:
            vm.get_base(0)
        vm = FrontEnd(switch.path).connect().start(enable=False)
        vm.enable(0)
        vm.close()
        switch.unaffected()
        switch.passes()

    def test_17_a_second_connection(self, switch):
        with switch.evil(), socket.socket(socket.AF_UNIX) as second:
            second.settimeout(20)
            second.connect(str(switch.path))
            assert second.recv(1) == b''
            switch.whole()

    def test_17_port_deleted_under_load(self, switch):
        path = switch.switch.port_add('gone', 'vhost')
        with FrontEnd(path) as vm:
            switch.switch.wait_link('gone')
            vm.send(*(frame(GOOD, mac(0x99)) for _ in range(100)))
            switch.switch.rpc('port.del', {'name': 'gone'})
        switch.unaffected()
        switch.good.collect()
        switch.good.got = []

    def test_18_descriptor_number_is_used_again(self, switch):
        """File descriptor numbers that librte_vhost has closed are used again at once, by other
        sockets."""
        paths = [switch.switch.port_add(f'turn{number}', 'vhost') for number in range(2)]
        with switch.evil() as vm, load(switch, vm):
            for turn in range(10):
                with FrontEnd(paths[turn % 2]) as other:
                    switch.switch.wait_link(f'turn{turn % 2}')
                    other.send(frame(GOOD, mac(0x70 + turn)))
                    other.tx.wait_used(1)
                vm.collect()
        for number in range(2):
            switch.switch.rpc('port.del', {'name': f'turn{number}'})
        switch.good.collect()
        switch.good.got = []
        switch.unaffected()
        switch.passes()

    def test_19_every_page_written_is_logged(self, switch):
        with switch.evil(wanted=LOG_ALL) as vm, log(vm, size=256 << 10) as bitmap:
            for ring in (vm.rx, vm.tx):
                vm.set_address(ring, flags=1)
            with load(switch, vm):
                for turn in range(6):
                    on = LOG_ALL if turn % 2 == 0 else 0
                    vm.request(SET_FEATURES, struct.pack('<Q', vm.features & ~LOG_ALL | on))
                    vm.collect()
            vm.request(SET_FEATURES, struct.pack('<Q', vm.features | LOG_ALL))
            vm.collect()
            vm.got = []
            os.pwrite(bitmap, bytes(256 << 10), 0)
            wait_until(lambda: logged(switch, vm, bitmap), 20, 'a page in the log')

    def test_19_log_behind_its_mapping(self, switch):
        """A log with an offset, which librte_vhost would add twice."""
        with switch.evil(wanted=LOG_ALL) as vm:
            with pytest.raises((Refused, ConnectionError)), log(vm, size=4096, offset=64 << 10):
                vm.ask(GET_FEATURES)
            switch.unaffected()
        switch.passes()

    def test_21_disabled(self, switch):
        """A disabled ring receives nothing, and frames sent are taken and dropped; enabled again,
        frames pass."""
        with switch.evil() as vm:
            before = switch.drops().get('disabled', 0)
            vm.enable(1, 0)
            for _ in range(2):    # a poll that began before still forwards
                polled = idle(switch)
                wait_until(lambda then=polled: idle(switch) != then, 20, 'another poll')
            vm.send(*(frame(GOOD, EVIL) for _ in range(5)))
            vm.tx.wait_used(5)
            vm.tx.take()
            # The buffers are returned before the drops are counted.
            wait_until(lambda: switch.drops().get('disabled', 0) >= before + 5, 20, 'the drops')
            assert switch.drops()['disabled'] == before + 5
            vm.enable(0, 0)
            vm.collect()
            vm.got = []
            switch.good.send(frame(EVIL, GOOD))
            switch.good.tx.wait_used(1)
            assert vm.collect() == []
            vm.enable(0)
            vm.enable(1)
            switch.whole()

    def test_22_fewer_queues_than_offered(self, switch):
        with switch.evil(pairs=1, wanted=MQ):
            assert switch.port()['rx_queues'] == 4
            switch.whole()

    def test_24_receiver_that_takes_nothing(self, switch):
        """The sender of frames to it gets its buffers back; the frames are dropped."""
        with switch.evil() as vm:
            before = switch.drops('tx').get('tx-full', 0)
            for _ in range(20):
                switch.good.send(*(frame(EVIL, GOOD) for _ in range(100)))
                switch.good.tx.wait_used(100)
                switch.good.tx.take()
            dropped = before + 2000 - vm.post
            wait_until(lambda: switch.drops('tx').get('tx-full', 0) >= dropped, 20, 'the drops')
            assert switch.drops('tx')['tx-full'] == dropped
            vm.collect()
            vm.got = []
            switch.whole()

    def test_25_rarp(self, switch):
        with switch.evil() as vm:
            vm.request(SEND_RARP, bytes.fromhex(EVIL.replace(':', '')) + b'\0\0')
            wait_until(lambda: [0 for _, data in switch.good.collect()
                                if data[12:14] == b'\x80\x35'], 20, 'a RARP')
            switch.good.got = []
            switch.whole()


def logged(hostile, vm, bitmap):
    """Whether the page into which a frame was received is in the log."""
    hostile.good.tx.take()
    hostile.good.send(frame(EVIL, GOOD))
    wait_until(lambda: vm.rx.used() > 0, 20, 'a frame')
    head, _ = vm.rx.take()[0]
    page = vm.peek('<Q', vm.rx.at + 16 * head)[0] >> 12
    vm.rx.offer(head)
    return os.pread(bitmap, 1, page // 8)[0] >> page % 8 & 1


class TestTrust:
    @pytest.mark.parametrize('ring', [8, 255, 256, 2**31 - 1, 2**32 - 1])
    def test_ring_number(self, switch, ring):
        with switch.evil() as vm:
            with contextlib.suppress(Refused, ConnectionError):
                vm.state(SET_VRING_NUM, ring, 256)
            switch.unaffected()
        switch.passes()

    @pytest.mark.parametrize('desc', [0, FRONT + 1, FRONT + 4 * MB - 16, 2**64 - 16])
    def test_ring_address(self, switch, desc):
        with switch.evil() as vm:
            with contextlib.suppress(Refused, ConnectionError):
                vm.set_address(vm.tx, desc)
            switch.unaffected()
        switch.passes()

    def test_descriptors_do_not_pile_up(self, switch):
        """Descriptors that come with requests that do not take any are closed."""
        folder = f'/proc/{switch.switch.process.pid}/fd'
        with switch.evil() as vm:
            spare = [os.dup(vm.fd) for _ in range(8)]
            before = len(os.listdir(folder))
            for _ in range(10):
                with contextlib.suppress(Refused, ConnectionError):
                    vm.request(SET_VRING_NUM, struct.pack('<II', 0, 256), spare)
                with contextlib.suppress(Refused, ConnectionError):
                    vm.request(SET_MEM_TABLE, struct.pack('<II', 9, 0) + bytes(32), spare)
                with contextlib.suppress(Refused, ConnectionError):
                    vm.request(SET_LOG_BASE, struct.pack('<QQ', 4096, 4096), spare[:1])
            wait_until(lambda: len(os.listdir(folder)) <= before, 20, 'descriptors closed')
            for fd in spare:
                os.close(fd)
        switch.passes()

    def test_28_half_a_message(self, switch):
        """Frames pass while librte_vhost waits for the rest."""
        with switch.evil() as vm:
            vm.sock.sendall(struct.pack('<III', SET_MEM_TABLE, 1, 40))
            switch.exchange()
            switch.unaffected()
            switch.exchange()
        switch.passes()

    def test_28_half_a_header(self, switch):
        with switch.evil() as vm:
            vm.sock.sendall(struct.pack('<II', SET_MEM_TABLE, 1)[:5])
            switch.switch.wait_link('evil', 'down')
            switch.unaffected()
        switch.passes()

    @pytest.mark.parametrize('attack', ['flip', 'call-storm', 'enable-toggle', 'features'])
    def test_06_at_full_speed(self, flooded, attack):
        """A thread changes the rings while they are read; messages arrive while frames pass."""
        # Its default address is that of the first bystander, which would get its frames.
        status, result, text = run(vm_argument(flooded.path, mac=mac(0xa6)),
                                   mode=['attack', attack], seconds=0.3)
        assert status == 0, text
        assert result['rounds'] > 0 and result['reachable']
        flooded.unaffected()
        flooded.passes()


class TestSwitch:
    def test_16_killed_under_load(self):
        """The front ends connect to a new switch, and the frames pass again."""
        with Switch() as switch:
            paths = [switch.port_add(name, 'vhost', mode='client') for name in ('vm1', 'vm2')]
            switch.cli('config', 'save')
            with Beside(*(vm_argument(path, server='on') for path in paths),
                        mode=['loop', '--reconnect', '--verify']) as beside:
                wait_until(lambda: switch.port('vm1')['rx_packets'] > 1000, 20, 'frames')
                switch.kill9()
                switch.start()
                wait_until(lambda: switch.port('vm1')['rx_packets'] > 1000, 20, 'frames again')
                result = beside.stop()
            assert result['reconnected'] >= 2 and not result['corrupted'] + result['reordered']

    def test_26_crossing_and_floods(self):
        """A to B and B to A on lcores of their own, and floods to both: no deadlock."""
        if len(os.sched_getaffinity(0)) < 3:
            pytest.skip('three CPUs are needed: two that poll, one that does not')
        with Switch(lcores=','.join(map(str, sorted(os.sched_getaffinity(0))[1:3]))) as switch:
            paths = [switch.port_add(name, 'vhost') for name in ('a', 'b', 'c')]
            with Beside(*(vm_argument(path) for path in paths[:2]), mode=['loop']), \
                    FrontEnd(paths[2]) as vm:
                switch.wait_link('c')
                for _ in range(20):
                    vm.send(*(frame(BROADCAST, EVIL) for _ in range(200)))
                    vm.tx.wait_used(200)
                    vm.tx.take()
                    vm.collect()
                before = [switch.port(name)['rx_packets'] for name in 'ab']
                wait_until(lambda: all(switch.port(name)['rx_packets'] > then + 100
                                       for name, then in zip('ab', before)), 20, 'frames')
                polling = [row for row in switch.json('lcore', 'list') if row['queues']]
                assert len(polling) == 2

    def test_27_control_thread_stopped(self, switch):
        """Polling lcores are not affected."""
        with switch.evil(), stopped(switch.switch.process.pid):
            until = time.monotonic() + 0.3
            rounds = 0
            while time.monotonic() < until:
                switch.exchange()
                rounds += 1
            assert rounds > 1
        switch.unaffected()


PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000


@contextlib.contextmanager
def stopped(thread):
    """One thread of another process is stopped during the block."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(PTRACE_SEIZE, thread, None, None) < 0:
        pytest.skip(f'no ptrace: {os.strerror(ctypes.get_errno())}')
    libc.ptrace(PTRACE_INTERRUPT, thread, None, None)
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        libc.ptrace(PTRACE_DETACH, thread, None, None)
