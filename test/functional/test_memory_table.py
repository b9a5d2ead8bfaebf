# SPDX-License-Identifier: BSD-3-Clause
"""Memory that a running front end plugs and unplugs, on either path."""

import contextlib
import os
import struct

import pytest

from frames import frame
from frontend import (ADD_MEM_REG, CONFIGURE_MEM_SLOTS, FRONT, GET_PROTOCOL, GET_QUEUE_NUM,
                      LOG_ALL, LOW, MB, REM_MEM_REG, SET_FEATURES, FrontEnd, Refused)
from hostile import EVIL, GOOD, Hostile, load, log
from proc import wait_until

MEMORY = 'guest memory that cannot be mapped'
RING = 'ring outside of guest memory, or of no possible size'
HALVES = (4 * MB, 4 * MB)
PATHS = {'direct': 'direct', 'library': 'library: as configured',
         'migration': 'library: migration logs writes'}


@pytest.fixture(scope='module')
def switch():
    with Hostile() as hostile:
        yield hostile


@pytest.fixture(scope='module')
def library():
    with Hostile(datapath='library') as hostile:
        yield hostile


@contextlib.contextmanager
def running(hostile, path, **keys):
    """A front end whose frames move by this path."""
    wanted = LOG_ALL if path == 'migration' else 0
    with hostile.evil(wanted=wanted, **keys) as vm, contextlib.ExitStack() as stack:
        if wanted:
            stack.enter_context(log(vm))
            vm.request(SET_FEATURES, struct.pack('<Q', vm.features | LOG_ALL))
        wait_until(lambda: hostile.port().get('path') == PATHS[path], 20, path)
        yield vm


@pytest.fixture(params=PATHS)
def path(request):
    return request.param


@pytest.fixture
def hostile(request, path):
    return request.getfixturevalue('library' if path == 'library' else 'switch')


def from_second_half(hostile, vm):
    """Send a frame from the plugged memory."""
    one, at = frame(GOOD, EVIL), LOW + 5 * MB
    vm.write(at, bytes(12) + one)
    vm.tx.chain((at, 12 + len(one)))
    hostile.wait_good(one)


def collect_rest(hostile, vm):
    """Collect frames in transit after a load, so that later ones find buffers."""
    ring = hostile.good.tx
    wait_until(lambda: ring.vm.load(ring.used_at + 2) == ring.next, 20, 'the end of the load')
    vm.collect()
    vm.got = []


class TestPlug:
    def test_more(self, hostile, path):
        """One region, then two: the rings stay, buffers may be in either."""
        with running(hostile, path, regions=HALVES) as vm:
            vm.set_memory(vm.table()[:1])
            hostile.exchange()
            vm.set_memory()
            from_second_half(hostile, vm)
            for ring in vm.rings:
                vm.set_address(ring)
            from_second_half(hostile, vm)
            hostile.whole()
            assert hostile.port()['path'] == PATHS[path]

    def test_more_and_less_under_load(self, hostile, path):
        with running(hostile, path, regions=HALVES) as vm:
            with load(hostile, vm):
                for turn in range(30):
                    vm.set_memory(vm.table()[:1 + turn % 2])
                    vm.collect()
            collect_rest(hostile, vm)
            from_second_half(hostile, vm)
            hostile.whole()

    @pytest.mark.parametrize('regions', [2, 8])
    def test_the_same(self, hostile, path, regions):
        with running(hostile, path, regions=[2 * MB] * regions) as vm:
            with load(hostile, vm):
                for _ in range(20):
                    vm.set_memory()
                    vm.collect()
            collect_rest(hostile, vm)
            hostile.whole()

    def test_without_its_rings(self, hostile, path):
        """Rings outside the memory table stop the port, until there is memory for them again."""
        with running(hostile, path, regions=HALVES) as vm:
            vm.set_memory(vm.table()[1:])
            port = wait_until(hostile.broken_port, 20, 'the port broken')
            assert port['broken'] == RING and int(port['faults']) == hostile.faults + 1
            vm.set_memory()
            for ring in vm.rings:
                vm.set_address(ring)
            wait_until(lambda: hostile.port()['link'] == 'up', 20, 'link up again')
            hostile.exchange()
            hostile.unaffected()


def tables(vm, bad):
    """A table that cannot be mapped, and its descriptors; None stands for a pipe's."""
    row = (LOW, 4 * MB, FRONT, 0)
    readable = os.open(f'/proc/self/fd/{vm.fd}', os.O_RDONLY) if bad == 'read-only' else None
    return {
        'pipe': ([row, (LOW + 8 * MB, MB, FRONT + 8 * MB, 0)], [vm.fd, None]),
        'read-only': ([row, (LOW + 8 * MB, MB, FRONT + 8 * MB, 0)],
                      [vm.fd, readable]),
        'nine': ([(LOW + n * MB, MB, FRONT + n * MB, n * MB) for n in range(9)], [vm.fd] * 8),
        'no descriptors': ([(LOW, 8 * MB, FRONT, 0)], []),
        'behind its file': ([row, (LOW + 8 * MB, MB, FRONT + 8 * MB, 8 * MB)], [vm.fd] * 2),
        'wraps': ([row, (2**64 - MB, 2 * MB, FRONT + 8 * MB, 0)], [vm.fd] * 2),
        'overlaps': ([row, (LOW + 2 * MB, 2 * MB, FRONT + 8 * MB, 0)], [vm.fd] * 2),
        'empty': ([row, (LOW + 8 * MB, 0, FRONT + 8 * MB, 0)], [vm.fd] * 2),
    }[bad]


BAD = ('pipe', 'read-only', 'nine', 'no descriptors', 'behind its file', 'wraps', 'overlaps', 'empty')


class TestRefused:
    @pytest.mark.parametrize('bad', BAD)
    @pytest.mark.parametrize('path', ['library', 'migration'], indirect=True)
    def test_library(self, hostile, path, bad):
        """Tables that librte_vhost would fail with, or that are invalid, are refused; the last one
        stays."""
        with running(hostile, path, regions=HALVES) as vm:
            rows, fds = tables(vm, bad)
            pipe = os.pipe()
            with load(hostile, vm):
                for _ in range(10):
                    with pytest.raises(Refused, match='request'):
                        vm.set_memory(rows, [pipe[0] if fd is None else fd for fd in fds])
                    vm.collect()
            for fd in {*pipe, *fds} - {None, vm.fd}:
                os.close(fd)
            collect_rest(hostile, vm)
            hostile.whole()
            says = f'{hostile.path}: another memory table was refused: '
            assert hostile.switch.log.read_text().count(says) >= 1
            vm.set_memory()
            hostile.whole()

    @pytest.mark.parametrize('bad', ['pipe', 'no descriptors'])
    def test_then_logged(self, switch, bad):
        """librte_vhost has no memory: its bursts must not begin."""
        with switch.evil() as vm, log(vm):
            rows, fds = tables(vm, bad)
            pipe = os.pipe()
            with pytest.raises(Refused, match='request'):
                vm.set_memory(rows, [pipe[0] if fd is None else fd for fd in fds])
            for fd in pipe:
                os.close(fd)
            vm.request(SET_FEATURES, struct.pack('<Q', vm.features | LOG_ALL))
            switch.good.send(*(frame(EVIL, GOOD) for _ in range(20)))
            port = wait_until(switch.broken_port, 20, 'the port broken')
            assert port['broken'] == MEMORY
            switch.unaffected()
        switch.passes()

    def test_is_shown(self, switch):
        """A refused table without a further message breaks the port."""
        with switch.evil() as vm:
            rows, _ = tables(vm, 'pipe')
            pipe = os.pipe()
            with pytest.raises(Refused, match='request'):
                vm.set_memory(rows, [vm.fd, pipe[0]])
            for fd in pipe:
                os.close(fd)
            assert wait_until(switch.broken_port, 20, 'the port broken')['broken'] == MEMORY
            assert 'path' not in switch.port() or switch.port()['path'] == 'direct'
            vm.set_memory()
            wait_until(lambda: switch.port()['link'] == 'up', 20, 'link up again')
            switch.exchange()
        switch.passes()


class TestSlots:
    """Memory region by region is neither offered nor accepted."""

    def test_not_offered(self, switch):
        with switch.evil() as vm:
            assert not vm.ask(GET_PROTOCOL)[0] & CONFIGURE_MEM_SLOTS

    @pytest.mark.parametrize('what', ['add', 'remove'])
    def test_memory_region_requests_are_refused(self, switch, what):
        """The request is refused, and the connection continues; without an acknowledgement it ends.
        """
        with switch.evil(regions=HALVES) as vm:
            number, row, fds = {'add': (ADD_MEM_REG, (2 * LOW, MB, 2 * FRONT, 0), [vm.fd]),
                                'remove': (REM_MEM_REG, vm.table()[1], [])}[what]
            region = struct.pack('<QQQQQ', 0, *row)
            with pytest.raises(Refused, match='request'):
                vm.request(number, region, fds)
            switch.whole()
            vm.message(number, region, fds)
            with pytest.raises((Refused, ConnectionError)):
                vm.ask(GET_QUEUE_NUM)
            switch.unaffected()
        switch.passes()


class TestLog:
    """The reason of a broken port is logged, with a limit on the number of lines."""

    def test_why(self):
        with Hostile() as hostile:
            def lines():
                return [line for line in hostile.switch.log.read_text().splitlines()
                        if 'port evil: broken: ' in line]
            with hostile.evil() as vm:
                vm.tx.chain((vm.end + LOW, 60))
                wait_until(hostile.broken_port, 20, 'the port broken')
                line, = wait_until(lines, 20, 'a line')
                assert 'ring 1 (queue pair 0, what the guest sends): ' \
                    'buffer outside of guest memory; ' in line

    def test_again_and_again(self):
        """All breaks are counted in log lines, but not each has a line of its own."""
        breaks = 12
        with Hostile() as hostile:
            def counted():
                text = hostile.switch.log.read_text()
                more = [int(part.split()[0]) for part in text.split('it broke ')[1:]]
                return text.count('port evil: broken: '), sum(more)
            for _ in range(breaks):
                with hostile.evil() as vm:
                    vm.tx.chain((vm.end + LOW, 60))
                    wait_until(hostile.broken_port, 20, 'the port broken')
            lines = wait_until(lambda: sum(counted()) == breaks and counted()[0], 40, 'all breaks')
            assert lines < breaks / 2

    def test_early(self):
        """A port that breaks before any frame has passed shows no path."""
        with Hostile() as hostile:
            vm = FrontEnd(hostile.path)
            vm.table = lambda: [(LOW, 4 * MB, FRONT, 0),
                                (LOW + 2 * MB, 2 * MB, FRONT + 8 * MB, 0)]
            with vm:
                port = wait_until(hostile.broken_port, 20, 'the port broken')
                assert port['broken'] == MEMORY and 'path' not in port
            hostile.passes()

