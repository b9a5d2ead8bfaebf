# SPDX-License-Identifier: BSD-3-Clause
"""Guest memory that is invalid, changes while frames pass, or is removed. Numbers are those of the
list of cases."""

import contextlib
import os
import struct
import time

import pytest

from frames import frame
from frontend import (FRONT, GET_QUEUE_NUM, LOG_ALL, LOW, MB, RESET_OWNER, SET_FEATURES,
                      SET_VRING_ADDR, WRITE, Refused)
from hostile import EVIL, GOOD, Hostile, load, log
from proc import wait_until

LOST = 'guest memory was truncated'
MEMORY = 'guest memory that cannot be mapped'
RING = 'ring outside of guest memory, or of no possible size'
HUGE = 2 * MB


@pytest.fixture(scope='module')
def switch():
    with Hostile() as hostile:
        yield hostile


def free_hugepages():
    with open('/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages', encoding='ascii') as file:
        return int(file.read())


def broken(hostile, reason):
    port = hostile.port()
    return port if port['link'] == 'down' and port.get('broken') == reason else None


class TestMemory:
    @pytest.mark.parametrize('regions', [2, 8])
    def test_01_same_table_under_load(self, switch, regions):
        with switch.evil(regions=[2 * MB] * regions) as vm:
            with load(switch, vm):
                for _ in range(20):
                    vm.set_memory()
                    vm.collect()
            vm.got = []
            switch.whole()

    def test_01_changed_table_under_load(self, switch):
        with switch.evil(regions=(4 * MB, 2 * MB)) as vm:
            with load(switch, vm):
                for turn in range(20):
                    vm.set_memory(vm.table()[:1 + turn % 2])
                    vm.collect()
            vm.got = []
            switch.whole()

    @pytest.mark.parametrize('then', ['memory', 'call', 'features', 'owner'])
    @pytest.mark.parametrize('bad', ['descriptor', 'nine', 'none'])
    def test_01_failing_table(self, switch, bad, then):
        """librte_vhost has no memory after a table that it refuses: the rings must not be used
        then."""
        with switch.evil() as vm:
            rows = {'descriptor': vm.table(), 'nine': [(LOW + n * MB, MB, FRONT + n * MB, n * MB)
                                                       for n in range(9)], 'none': vm.table()}[bad]
            pipe = os.pipe()
            fds = {'descriptor': [pipe[0]], 'nine': [vm.fd] * 8, 'none': []}[bad]
            changed = [(guest, size, front + 4096, offset) for guest, size, front, offset in rows]
            with pytest.raises((Refused, ConnectionError)):
                vm.set_memory(changed, fds)
            for fd in pipe:
                os.close(fd)
            # On the same connection, in any state that this has left.
            with contextlib.suppress(Refused, ConnectionError):
                if then == 'call':
                    vm.set_call(vm.rx, vm.rx.call)
                elif then == 'features':
                    vm.request(SET_FEATURES, struct.pack('<Q', vm.features))
                elif then == 'owner':
                    vm.request(RESET_OWNER)
                    vm.set_call(vm.rx, vm.rx.call)
                else:
                    vm.set_memory()
                    switch.exchange()
            switch.unaffected()
        switch.passes()

    @pytest.mark.parametrize('row, reason', [
        ((LOW, 4 * MB, FRONT, 4 * MB), MEMORY), ((2**64 - MB, 4 * MB, FRONT, 0), MEMORY),
        ((LOW, 64 * MB, FRONT, 0), MEMORY), ((LOW, 8192, FRONT, 0), RING)],
        ids=['behind-its-file', 'wraps', 'larger-than-its-file', 'without-the-rings'])
    def test_01_impossible_region(self, switch, row, reason):
        with switch.evil() as vm:
            with contextlib.suppress(Refused, ConnectionError):
                vm.set_memory([row])
            port = switch.port()
            assert 'broken' not in port or port['broken'] in (reason, LOST, MEMORY)
            switch.unaffected()
        switch.passes()

    def test_01_overlapping_regions(self, switch):
        with switch.evil() as vm:
            vm.set_memory([(LOW, 4 * MB, FRONT, 0), (LOW + 2 * MB, 2 * MB, FRONT + 8 * MB, 0)])
            switch.broken(MEMORY)

    def test_memory_that_is_no_shared_memory(self, switch, tmp_path):
        """A page of a file system in user space may never be delivered; one of a disk may take
        long."""
        path = tmp_path / 'memory'
        with open(path, 'wb+') as file, switch.evil() as vm:
            if os.statvfs(tmp_path).f_fsid == os.statvfs('/dev/shm').f_fsid:
                pytest.skip('only shared memory here')
            os.ftruncate(file.fileno(), 4 * MB)
            file.write(vm.memory[:])
            file.flush()
            vm.set_memory([(LOW, 4 * MB, FRONT, 0), (2 * LOW, MB, 2 * FRONT, 0)],
                          [vm.fd, file.fileno()])
            switch.broken(MEMORY)

    @pytest.mark.parametrize('what', ['all', 'buffers', 'unread'])
    @pytest.mark.parametrize('huge', [False, True], ids=['pages', 'hugepages'])
    def test_23_truncated_under_load(self, switch, huge, what):
        """Frames in both directions, then the memory is truncated."""
        regions = (2 * HUGE,)
        if huge and free_hugepages() < 8:
            pytest.skip('no free hugepages')
        with switch.evil(regions=regions, huge=huge) as vm:
            if what == 'buffers':    # in the second half: the rings stay mapped
                vm.rx.chain((LOW + HUGE + 4096, 2048, WRITE))
                vm.post = 0
            with load(switch, vm):
                time.sleep(0.02)
                if what == 'buffers':
                    os.ftruncate(vm.fd, HUGE)
                    vm.tx.chain((LOW + HUGE + 8192, 76))
                elif what == 'all':
                    os.ftruncate(vm.fd, 0)
                else:
                    for _ in range(20):
                        vm.tx.chain((LOW + HUGE + 8192, 2000))
                    os.ftruncate(vm.fd, 0)
                port = wait_until(lambda: broken(switch, LOST), 20, 'the port broken')
            assert int(port['faults']) == switch.faults + 1
            switch.unaffected()
            vm.forget()
        switch.passes()

    @pytest.mark.parametrize('huge', [False, True], ids=['pages', 'hugepages'])
    def test_23_truncated_before_a_message(self, switch, huge):
        """librte_vhost reads the rings while it handles a message."""
        if huge and free_hugepages() < 8:
            pytest.skip('no free hugepages')
        with switch.evil(regions=(2 * HUGE,), huge=huge) as vm:
            os.ftruncate(vm.fd, 0)
            address = struct.pack('<IIQQQQ', 0, 0, FRONT, FRONT + 8192, FRONT + 4096, 0)
            with contextlib.suppress(Refused, ConnectionError):
                for _ in range(3):
                    vm.request(SET_VRING_ADDR, address)
            wait_until(lambda: 'broken' in switch.port(), 20, 'the port broken')
            switch.unaffected()
            vm.forget()
        switch.passes()

    def test_23_truncated_does_not_affect_other_ports(self, switch):
        """A fault that the message of one front end caused is not charged to the next front end."""
        with switch.evil() as vm:
            os.ftruncate(vm.fd, 0)
            address = struct.pack('<IIQQQQ', 0, 0, FRONT, FRONT + 8192, FRONT + 4096, 0)
            with contextlib.suppress(Refused, ConnectionError):
                vm.request(SET_VRING_ADDR, address)
            assert switch.good.ask(GET_QUEUE_NUM) == (1,)
            wait_until(lambda: 'broken' in switch.port(), 20, 'the port broken')
            assert switch.switch.port('good')['faults'] == '0'
            switch.unaffected()
            vm.forget()
        switch.passes()

    def test_23_truncated_during_migration(self, switch):
        """The bursts of librte_vhost, while writes are logged; the log may be truncated as well."""
        with switch.evil(wanted=LOG_ALL) as vm, log(vm) as bitmap:
            vm.request(SET_FEATURES, struct.pack('<Q', vm.features | LOG_ALL))
            switch.exchange()
            os.ftruncate(bitmap, 0)
            os.ftruncate(vm.fd, 0)
            switch.good.send(*(frame(EVIL, GOOD) for _ in range(20)))
            wait_until(lambda: broken(switch, LOST), 20, 'the port broken')
            switch.unaffected()
            vm.forget()
        switch.passes()
