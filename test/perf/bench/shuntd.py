# SPDX-License-Identifier: BSD-3-Clause
"""Shunt itself, queried through its control socket."""

import os
import subprocess

import proc
from switch import Rpc, Switch as Daemon

from . import features
from .switch import Absent, Cycles, Switch, Unsuited

FDB_MIN, FDB_MAX = 65536, 1048576


class Shuntd(Switch):
    """shuntd with vhost ports only."""
    name = 'shuntd'
    port_options = {}    # beside type and socket
    build = None         # folder of another build
    metrics = '127.0.0.1:19469'

    def __init__(self, places):
        super().__init__(places)
        self.daemon = None
        self.reader = None    # the process of a capture

    @classmethod
    def check(cls):
        try:
            proc.program('shuntd', cls.build)
        except FileNotFoundError as error:
            raise Absent(str(error)) from None

    @classmethod
    def version(cls):
        words = [proc.program('shunt', cls.build), '--version']
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        return done.stdout.strip().splitlines()[0] if done.returncode == 0 else 'shunt'

    def launch(self, layout):
        capacity = min(max(FDB_MIN, 2 * layout.addresses), FDB_MAX)
        feature = features.ALL[layout.feature or features.PLAIN]
        config = f'fdb: {{capacity: {capacity}, ageing: 300}}\n' \
            + feature.config.replace('{metrics}', self.metrics)
        self.daemon = Daemon(config, lcores=self.places.switch, folder=self.dir,
                             build=self.build)
        self.daemon.start()
        self.process = self.daemon.process
        for number in range(layout.ports):
            self.add_port(number, layout)
        feature.switch_on(self.call)
        if feature.captured:
            self.capture(feature.captured)
        self.wait_sockets(layout.ports)

    def capture(self, name):
        """Compare all frames of a port with a filter that none of them passes."""
        self.reader = subprocess.Popen(
            [proc.program('shunt', self.build), '-s', self.daemon.sock, 'capture', name, '-w', '/dev/null',
             'ether', 'proto', '0x9999'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        self.reader.stderr.readline()    # it has started

    def suits(self, scenario):
        """All that is asked for."""

    def shut_down(self):
        if self.reader is not None:
            self.reader.terminate()
            self.reader.communicate()
            self.reader = None
        try:
            self.daemon.stop()
        except (AssertionError, TimeoutError) as error:
            print(f'{self.name}: did not stop cleanly: {error}')

    def stop(self):
        if self.daemon and not self.process:    # its start failed
            self.daemon.kill9()
        super().stop()
        self.daemon = None

    def socket(self, number):
        return self.dir / 'run' / f'vm{number}'

    def cycles(self):
        lcores = self.daemon.rpc('lcore.list')
        return Cycles(sum(lcore['busy_cycles'] for lcore in lcores),
                      sum(lcore['packets'] for lcore in lcores))

    def forget(self):
        self.daemon.rpc('fdb.flush')

    def add_port(self, number, _layout):
        self.call('port.add', {'name': f'vm{number}', 'type': 'vhost',
                               'socket': str(self.socket(number)), **self.port_options})

    def remove_port(self, number):
        self.call('port.del', {'name': f'vm{number}'})

    def call(self, method, params):
        """On a connection of its own: another thread may be querying figures."""
        rpc = Rpc(self.daemon.sock)
        try:
            return rpc.call(method, params)
        finally:
            rpc.close()


class Library(Shuntd):
    """The same switch, with the library path on every port."""
    name = 'library'
    quick = False
    port_options = {'datapath': 'library'}

    @classmethod
    def version(cls):
        return f"{super().version()}, datapath=library on every port"

    def suits(self, scenario):
        if scenario.section != 'frames':
            raise Unsuited('beside shuntd by frame size only')


class Before(Shuntd):
    """Another build, such as the one before a change."""
    name = 'before'
    quick = False
    build = os.environ.get('BEFORE')
    metrics = '127.0.0.2:19469'    # both run at the same time
