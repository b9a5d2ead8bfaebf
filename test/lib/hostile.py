# SPDX-License-Identifier: BSD-3-Clause
"""A switch with a misbehaving front end, a good one to exchange frames with, and two bystanders.

Floods reach the bystanders as well, and fill their rings while they are not scheduled: a case that
floods declares it and has a switch of its own.

    evil.vm.tx.chain((0, 60))
    evil.broken('buffer outside of guest memory')     # this port is down, no other is
"""

import contextlib
import os
import struct
import threading
import time

from frames import frame, mac
from frontend import LOW, SET_LOG_BASE, FrontEnd
from proc import wait_until
from shuntvm import Beside, vm as vm_argument
from switch import Switch

EVIL, GOOD = mac(0xe0), mac(0x60)
TRIES = 3    # attempts at an exchange of frames
BYSTANDERS = ('by1', 'by2')


class Hostile:
    """Ports evil, good, by1, by2; numbered frames circulate between the last two all the time."""

    def __init__(self, lcores=None, queues=1, floods=False, **keys):
        self.switch = Switch(lcores=lcores)
        self.switch.rests = False
        self.queues, self.floods, self.keys = queues, floods, keys    # keys of the port evil
        self.vm = self.good = self.beside = None

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(self.switch)
        try:
            paths = {name: self.switch.port_add(name, 'vhost') for name in ('good', *BYSTANDERS)}
            paths['evil'] = self.switch.port_add('evil', 'vhost', queues=self.queues, **self.keys)
            self.beside = self.stack.enter_context(Beside(
                *(vm_argument(paths[name], size=8192) for name in BYSTANDERS), mode=['loop'],
                options=['--verify', '--frames', '16']))
            for name in BYSTANDERS:
                self.switch.wait_link(name)
            self.path = paths['evil']
            # Frames to a port that is down are not flooded: bystanders lose none while not
            # scheduled.
            for address, name in ((EVIL, 'evil'), (GOOD, 'good')):
                self.switch.rpc('fdb.add', {'mac': address, 'port': name})
            self.good = self.stack.enter_context(FrontEnd(paths['good']))
            self.switch.wait_link('good')
        except BaseException as error:
            self.stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(self, kind, *rest):
        with self.stack:
            if kind is None:
                result = self.beside.stop()
                bad = {key: result[key] for key in ('duplicated', 'reordered', 'corrupted')}
                assert not any(bad.values()) and result['rx_packets'] > 0, bad
                self.assert_lost(result['lost'])

    def assert_lost(self, lost):
        """Bystanders lose no frames, or with floods only those that found their rings full."""
        drops = [row for row in self.switch.json('drops') if row['port'] in BYSTANDERS]
        if self.floods:
            full = [row['packets'] for row in drops
                    if (row['direction'], row['reason']) == ('tx', 'tx-full')]
            assert lost <= sum(full), drops
        else:
            assert lost == 0, (lost, drops)

    # The misbehaving front end

    @contextlib.contextmanager
    def evil(self, **keys):
        """A front end at the port evil, whose address is in the FDB."""
        self.faults = int(self.port()['faults'])
        with FrontEnd(self.path, **keys) as self.vm:
            self.switch.wait_link('evil')
            self.learn_addresses()
            yield self.vm
        wait_until(lambda: self.port()['front_end'] == 'none', 20, 'the end of the connection')

    def learn_addresses(self):
        """Each learns the other's address: frames between them are not flooded afterwards."""
        # Floods may have filled the ring of the port good, which drops frames then.
        self.good.collect()
        self.good.got = []
        self.vm.send(frame('ff:ff:ff:ff:ff:ff', EVIL))
        self.wait_good(frame('ff:ff:ff:ff:ff:ff', EVIL)[:14])
        self.good.send(frame(EVIL, GOOD))
        self.vm.wait_frames(1)
        self.vm.tx.take()

    def wait_good(self, start):
        """Wait until the port good has received a frame with this beginning."""
        wait_until(lambda: any(data.startswith(start) for _, data in self.good.collect()), 20,
                   'a frame at the good one')
        self.good.got = []
        self.good.tx.take()

    def port(self):
        return self.switch.port('evil')

    def drops(self, direction='rx'):
        return {row['reason']: row['packets'] for row in self.switch.json('drops')
                if (row['port'], row['direction']) == ('evil', direction)}

    # Checks

    def unaffected(self):
        """The traffic of other ports goes on: frames between the bystanders, and to them."""
        def received():
            return [self.switch.port(name)['rx_packets'] for name in BYSTANDERS]
        before = received()
        wait_until(lambda: all(now > then + 100 for now, then in zip(received(), before)), 20,
                   "the bystanders' frames")
        down = [(name, port.get('broken')) for name in (*BYSTANDERS, 'good')
                for port in [self.switch.port(name)] if port['link'] != 'up']
        assert not down

    def broken(self, *reasons):
        """The port is down for a reason, counted once; others are not. Then it recovers."""
        port = wait_until(lambda: self.broken_port(), 20, f'a broken port: {reasons[0]}')
        assert port['broken'] in reasons, port
        assert int(port['faults']) == self.faults + 1
        self.unaffected()
        self.vm.close()
        self.passes()

    def broken_port(self):
        port = self.port()
        return port if 'broken' in port and port['link'] == 'down' else None

    def whole(self):
        """The port is up, there is no fault, and frames pass both ways."""
        assert int(self.port()['faults']) == self.faults
        self.exchange()
        self.unaffected()

    def exchange(self):
        """Frames pass both ways. The control thread may process a link-down late and flush the
        address just learned: then the reply is sent again."""
        for _ in range(TRIES - 1):
            with contextlib.suppress(TimeoutError):
                return self.there_and_back(2)
        return self.there_and_back(20)

    def there_and_back(self, timeout):
        out, back = frame(GOOD, EVIL), frame(EVIL, GOOD)
        self.vm.send(out)
        self.wait_good(out)
        self.good.send(back)
        wait_until(lambda: any(data == back for _, data in self.vm.collect()), timeout,
                   'a frame back')
        self.vm.got = []

    def passes(self):
        """A well-behaved front end can use the port again."""
        with FrontEnd(self.path) as self.vm:
            wait_until(lambda: self.port()['link'] == 'up', 20, 'link up again')
            assert 'broken' not in self.port()
            self.learn_addresses()
            self.exchange()


def outside(vm):
    """A GPA outside of guest memory."""
    return vm.end + LOW


@contextlib.contextmanager
def load(hostile, vm):
    """Frames from the port good to the other one during the block."""
    stop = threading.Event()

    def send():
        while not stop.is_set():
            ring = hostile.good.tx
            ring.take()
            if ring.next - ring.seen & 0xffff < 64:    # never more than the ring holds
                hostile.good.send(*(frame(EVIL, GOOD) for _ in range(8)))
            time.sleep(0.001)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def log(vm, size=64 << 10, offset=0):
    """SET_LOG_BASE with a new file, which is yielded."""
    fd = os.memfd_create('log', os.MFD_CLOEXEC)
    os.ftruncate(fd, size + offset)
    vm.message(SET_LOG_BASE, struct.pack('<QQ', size, offset), [fd])
    try:
        if not offset:
            vm.answer('')
        yield fd
    finally:
        os.close(fd)
