# SPDX-License-Identifier: BSD-3-Clause
"""grout as a bridge: net_vhost ports in one bridge domain, with -p, so that it polls like the
others."""

import collections
import re
import shutil
import socket

import proc

from .peer import Peer
from .switch import Cycles

FDB_MIN = 4096    # its default
MTU_DEFAULT = 1800
NODE = re.compile(r'^grout_node_(\w+){name="([^"]+)"} (\d+)$', re.M)
EACH_LOOP = ('port_rx-', 'control_input', 'overhead')    # nodes that run in empty loops as well


class Grout(Peer):
    """grout of this machine, else that of Debian testing."""
    name = 'grout'
    platform = '' if shutil.which('grout') else 'testing'
    programs = (('grout', 'grout'), ('grcli', 'grout'))

    def __init__(self, places):
        super().__init__(places)
        self.counted, self.last, self.empty_loop = Cycles(0, 0), None, 0

    @classmethod
    def version(cls):
        return f"{cls.output('grout', '--version')}, bridge, poll mode"

    def launch(self, layout):
        self.enter()
        words = ['grout', '-p', '-s', self.dir / 'api', '-M', f'unix:{self.dir}/metrics']
        if layout.mtu > MTU_DEFAULT:
            words += ['-u', layout.mtu]
        self.process = self.daemon('grout.log', *words)
        proc.wait_until(self.started, 30, 'grout', 0.01)
        # The size of the table cannot change once there is a bridge.
        self.command(f'affinity cpus set control {self.places.control} '
                     f'datapath {self.places.switch}',
                     f'fdb config set max {max(FDB_MIN, 2 * layout.addresses)}',
                     'interface add bridge br0')
        self.command(*(self.port(number, layout) for number in range(layout.ports)))
        self.wait_sockets(layout.ports)

    def started(self):
        self.check_alive()
        return (self.dir / 'metrics').exists() and (self.dir / 'api').exists()

    def command(self, *lines):
        """Have grcli execute them; RuntimeError at the first that fails."""
        script = self.dir / 'commands'
        script.write_text(''.join(f'{line}\n' for line in lines))
        self.run('grcli', '-s', self.dir / 'api', '-e', '-p', '-f', script)

    def port(self, number, layout):
        tso = ',tso=1' if layout.tso else ''
        return (f'interface add port vm{number} devargs '
                f'net_vhost{number},iface={self.socket(number)}{tso} domain br0')

    def add_port(self, number, layout):
        self.command(self.port(number, layout))
        self.wait_sockets(number + 1)

    def remove_port(self, number):
        self.command(f'interface del vm{number}')

    def forget(self):
        self.command('fdb flush bridge br0')

    def metrics(self):
        """Its metrics as OpenMetrics text."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(20)
            sock.connect(str(self.dir / 'metrics'))
            sock.sendall(b'GET /metrics HTTP/1.0\r\n\r\n')
            parts = iter(lambda: sock.recv(65536), b'')
            return b''.join(parts).decode()

    def nodes(self):
        """{name: {'packets', 'batches', 'cycles'}} of its graph so far; `overhead` is its loop."""
        found = {}
        for figure, name, value in NODE.findall(self.metrics()):
            found.setdefault(name, collections.Counter())[figure] = int(value)
        return found

    def resume(self):
        super().resume()
        self.last = None    # the time for which it was stopped counts as one loop

    def cycles(self):
        """Its counters do not distinguish empty loops: their cost is measured where nothing else
        happened between two calls, and subtracted for each of them."""
        now, last = self.nodes(), self.last
        self.last = now
        if last is None:
            return self.counted
        new = {name: now[name] - last.get(name, collections.Counter()) for name in now}
        packets = sum(one['packets'] for name, one in new.items() if name.startswith('port_rx-'))
        total = sum(one['cycles'] for one in new.values())
        empty = new['overhead']['batches'] - new.get('iface_input', {}).get('batches', 0)
        if packets:
            at_least = sum(one['cycles'] for name, one in new.items()
                           if not name.startswith(EACH_LOOP))
            busy = max(total - round(empty * self.empty_loop), at_least)
            self.counted = Cycles(self.counted.busy + busy, self.counted.packets + packets)
        elif empty:
            self.empty_loop = total / empty
        return self.counted
