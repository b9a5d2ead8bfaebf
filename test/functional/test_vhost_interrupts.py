# SPDX-License-Identifier: BSD-3-Clause
"""Descriptors for interrupts of guests, and front ends without a device model, such as user-mode-
linux: the features that they are offered, and how their rings are enabled."""

import contextlib
import os
import select
import socket
import struct

import pytest

from frames import frame, mac
from frontend import (ANNOUNCE, CTRL_RX, CTRL_VQ, LOG_ALL, MQ, MTU, PROTOCOL, REPLY_ACK,
                      SET_FEATURES, FrontEnd, Refused)
from hostile import EVIL, GOOD, Hostile, log
from proc import wait_until
from switch import Switch

CONTROL = CTRL_VQ | CTRL_RX | ANNOUNCE
KINDS = {'pipe': 'a pipe', 'nonblocking-pipe': 'a pipe', 'file': 'a regular file',
         'folder': 'a directory', 'device': 'a device', 'tcp': 'a socket of another family',
         'epoll': 'of another kind'}
FULL = 400    # interrupts without a reader: more than a socket takes
EXPECTED = "the ring's interrupt descriptor is {}; eventfd or Unix socket expected"


@pytest.fixture(scope='module')
def switch():
    with Hostile() as hostile:
        yield hostile


@contextlib.contextmanager
def descriptor(kind, vm):
    """A descriptor of a kind to interrupt a guest through."""
    if kind.endswith('pipe'):
        fds = os.pipe()
        os.set_blocking(fds[1], False)
        with contextlib.suppress(BlockingIOError):
            while os.write(fds[1], bytes(4096)):
                pass
        os.set_blocking(fds[1], kind == 'pipe')
    elif kind == 'tcp':
        fds = [socket.socket(socket.AF_INET).detach()]
    elif kind == 'epoll':
        poll = select.epoll()
        fds = [os.dup(poll.fileno())]
        poll.close()
    else:
        fds = [{'file': lambda: os.dup(vm.fd), 'folder': lambda: os.open('/', os.O_RDONLY),
                'device': lambda: os.open('/dev/null', os.O_RDWR)}[kind]()]
    try:
        yield fds[-1]
    finally:
        for fd in fds:
            os.close(fd)


@contextlib.contextmanager
def pair(vm, ring, kind=socket.SOCK_STREAM):
    """The front end's end of a socket pair whose other end interrupts a ring."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours:
        ours.setblocking(False)
        with theirs:
            vm.set_call(ring, theirs.fileno())
        yield ours


def interrupts(sock):
    """Interrupts since the last call."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while data := sock.recv(8):
            assert data == struct.pack('=Q', 1)
            count += 1
    return count


@pytest.mark.parametrize('kind', KINDS)
def test_refused(switch, kind):
    """Descriptors that may block a polling lcore are refused, with any status flags."""
    with switch.evil() as vm:
        with descriptor(kind, vm) as fd:
            vm.set_call(vm.rx, fd)
        switch.broken(EXPECTED.format(KINDS[kind]))


@pytest.mark.parametrize('kind', [socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM],
                         ids=['stream', 'seqpacket', 'dgram'])
def test_socket(switch, kind):
    with switch.evil() as vm, pair(vm, vm.rx, kind) as ours:
        switch.exchange()
        wait_until(lambda: interrupts(ours), 20, 'an interrupt')
        assert switch.port()['interrupts'] == 'socket'
        switch.whole()


def test_full_socket(switch):
    """A full socket that is in blocking mode and not read: frames pass, and later reads get
    interrupts."""
    with switch.evil() as vm, pair(vm, vm.rx) as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
        switch.exchange()    # the ring was disabled for a moment
        for _ in range(FULL):
            switch.good.send(frame(EVIL, GOOD))
            vm.wait_frames(1)
            switch.good.tx.take()
        switch.exchange()
        unread = interrupts(ours)
        assert 0 < unread < FULL
        switch.exchange()
        wait_until(lambda: interrupts(ours), 20, 'an interrupt')
        switch.whole()


def test_closed_peer(switch):
    """The other end is closed: frames pass without interrupts."""
    with switch.evil() as vm:
        with pair(vm, vm.rx):
            pass
        for _ in range(5):
            switch.exchange()
        switch.whole()


class TestLibrary:
    """librte_vhost writes without a check: it gets another descriptor than the front end's."""

    @pytest.fixture(scope='class')
    def library(self):
        with Switch() as running:
            running.rests = False
            for name in ('vm1', 'vm2'):
                running.port_add(name, 'vhost', datapath='library')
            with FrontEnd(running.socket('vm1')) as good:
                running.wait_link('vm1')
                yield running, good

    @staticmethod
    def assert_passes(good, vm):
        """Frames pass both ways."""
        for sender, receiver in ((vm, good), (good, vm)):
            address = [EVIL, GOOD] if sender is good else [GOOD, EVIL]
            receiver.collect()
            receiver.got = []
            sender.send(frame(*address))
            receiver.wait_frames(1)
            sender.tx.take()

    def assert_interrupted(self, good, vm):
        """Frames pass, and the front end is interrupted for each ring."""
        self.assert_passes(good, vm)
        for ring in (vm.rx, vm.tx):
            wait_until(ring.calls, 20, f'an interrupt of ring {ring.number}')

    @pytest.mark.parametrize('kind', KINDS)
    def test_refused(self, library, kind):
        """While frames pass. A full pipe in blocking mode blocks no thread."""
        switch, good = library
        with FrontEnd(switch.socket('vm2')) as vm:
            switch.wait_link('vm2')
            self.assert_interrupted(good, vm)
            assert switch.port('vm2')['interrupts'] == 'eventfd'
            with descriptor(kind, vm) as fd:
                vm.set_call(vm.rx, fd)
                switch.wait_link('vm2', 'down')
                assert switch.port('vm2')['broken'] == EXPECTED.format(KINDS[kind])
        with FrontEnd(switch.socket('vm2')) as vm:
            switch.wait_link('vm2')
            self.assert_interrupted(good, vm)

    def test_full_and_blocking(self, library):
        switch, good = library
        with FrontEnd(switch.socket('vm2')) as vm:
            switch.wait_link('vm2')
            self.assert_interrupted(good, vm)
            for ring in (vm.rx, vm.tx):
                ring.calls()
                os.eventfd_write(ring.call, 2**64 - 2)
                os.set_blocking(ring.call, True)
            for _ in range(5):
                self.assert_passes(good, vm)
            for ring in (vm.rx, vm.tx):
                os.set_blocking(ring.call, False)
                assert ring.calls() >= 2**64 - 2
            self.assert_interrupted(good, vm)

    def test_swapped(self, library):
        """Eventfds and sockets alternately: each gets the interrupts of its time."""
        switch, good = library
        with FrontEnd(switch.socket('vm2')) as vm:
            switch.wait_link('vm2')
            for _ in range(3):
                with pair(vm, vm.rx) as ours:
                    self.assert_passes(good, vm)
                    wait_until(lambda sock=ours: interrupts(sock), 20, 'an interrupt')
                    self.assert_passes(good, vm)
                    wait_until(lambda sock=ours: interrupts(sock), 20, 'another one')
                vm.set_call(vm.rx, vm.rx.call)
                vm.rx.calls()
                self.assert_interrupted(good, vm)

    def test_migration(self, library):
        """A migration begins and is cancelled: the library path, then the direct path again, also
        for a ring that did not stop."""
        switch, good = library
        path = switch.port_add('moves', 'vhost')
        with FrontEnd(path) as vm, log(vm), pair(vm, vm.tx) as ours:
            def passes(way):
                self.assert_passes(good, vm)
                port = switch.port('moves')
                assert (port['path'], port['interrupts']) == (way, 'socket')
                wait_until(lambda: interrupts(ours), 20, 'an interrupt')
                wait_until(vm.rx.calls, 20, 'an interrupt of the other ring')
            switch.wait_link('moves')
            passes('direct')
            vm.request(SET_FEATURES, struct.pack('<Q', vm.features | LOG_ALL))
            passes('library: migration logs writes')
            base = vm.get_base(0)
            vm.request(SET_FEATURES, struct.pack('<Q', vm.features))
            vm.start_ring(vm.rx, base)
            vm.enable(0)
            switch.wait_link('moves')
            passes('direct')
        switch.cli('port', 'del', 'moves')

    def test_from_the_start(self, library):
        """The fault is that of the front end's descriptor, also after further messages."""
        switch, good = library
        vm = FrontEnd(switch.socket('vm2')).connect()
        vm.start(enable=False)
        with contextlib.closing(vm), descriptor('pipe', vm) as fd:
            vm.set_call(vm.rx, fd)
            for ring in vm.rings:
                vm.enable(ring.number)
            wait_until(lambda: switch.port('vm2').get('broken'), 20, 'a broken port')
            vm.set_address(vm.rx)
            assert switch.port('vm2')['broken'] == EXPECTED.format('a pipe')
            vm.set_call(vm.rx, vm.rx.call)
            switch.wait_link('vm2')
            vm.give(64)
            self.assert_interrupted(good, vm)


class TestNoDeviceModel:
    """A front end that begins with SET_OWNER may pass all features offered to its driver."""

    @pytest.fixture(scope='class')
    def ports(self):
        with Switch() as running:
            running.rests = False
            running.port_add('one', 'vhost')
            running.port_add('mtu', 'vhost', mtu=1500)
            running.port_add('two', 'vhost', queues=2)
            yield running

    @pytest.mark.parametrize('port,owner_first,offered', [
        ('one', False, CONTROL | MTU), ('one', True, 0), ('mtu', True, MTU),
        ('two', False, CONTROL | MQ | MTU), ('two', True, CONTROL | MQ)])
    def test_offered(self, ports, port, owner_first, offered):
        with contextlib.closing(FrontEnd(ports.socket(port), owner_first=owner_first)) as vm:
            vm.connect()
            assert vm.offered & (CONTROL | MQ | MTU) == offered

    def test_control_queue_without_pairs(self, ports):
        """A control queue without multiple queue pairs is a fault: no back end would serve it."""
        vm = FrontEnd(ports.socket('two'), owner_first=True, wanted=CONTROL | MQ,
                      protocol=REPLY_ACK)
        with contextlib.closing(vm), pytest.raises(Refused):
            vm.connect()
        port = wait_until(lambda: 'broken' in ports.port('two') and ports.port('two'), 20, 'a fault')
        assert 'queues=1 expected' in port['broken']
        with FrontEnd(ports.socket('two'), owner_first=True, wanted=CONTROL | MQ):
            ports.wait_link('two')
            assert 'broken' not in ports.port('two')

    def test_enabled_by_features(self, ports):
        """Without VHOST_USER_F_PROTOCOL_FEATURES rings are enabled when they start; the bit may be
        withdrawn."""
        vm = FrontEnd(ports.socket('one'), owner_first=True).connect()
        with contextlib.closing(vm), FrontEnd(ports.socket('mtu')) as other:
            vm.request(SET_FEATURES, struct.pack('<Q', vm.features & ~PROTOCOL))
            vm.start(enable=False)
            vm.give(64)
            for name in ('one', 'mtu'):
                ports.wait_link(name)
            assert ports.port('one')['queues_enabled'] == '1'
            vm.send(frame(mac(2), mac(1)))
            other.wait_frames(1)
            other.send(frame(mac(1), mac(2)))
            vm.wait_frames(1)
