# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-testpmd in io mode between net_vhost ports: no lookup at all, each port connected to the
next."""

import contextlib
import re
import subprocess

import proc

from .machine import prefer
from .switch import Cycles, Switch, Unsuited

PORTS_MAX = 32    # RTE_MAX_ETHPORTS of Debian's DPDK
MBUFS_PER_PORT = 8192


class Console:
    """testpmd's command line: commands to its input, output in the log."""
    SENTINEL = 'List of forwarding lcores'

    def __init__(self, argv, folder, name):
        self.process = proc.Process(['stdbuf', '-oL', *argv], folder / f'{name}.log',
                                    stdin=subprocess.PIPE)
        prefer(self.process.pid)
        self.input = self.process.popen.stdin

    def text(self, offset=0):
        with open(self.process.log, errors='replace') as file:
            file.seek(offset)
            return file.read()

    def command(self, line, timeout=10):
        """Its output."""
        offset = self.process.log.stat().st_size
        self.input.write(f'{line}\nshow config cores\n'.encode())
        self.input.flush()

        def done():
            if not self.process.alive():
                raise RuntimeError(f'testpmd ended: {self.process.tail(3)}')
            return self.SENTINEL in self.text(offset)
        proc.wait_until(done, timeout, f'testpmd: {line}', 0.002)
        return self.text(offset)

    def close(self):
        with contextlib.suppress(OSError):
            self.input.close()


class Testpmd(Switch):
    """The floor of librte_vhost: both copies, but no switching."""
    name = 'testpmd'
    programs = (('dpdk-testpmd', 'dpdk'),)

    def __init__(self, places):
        super().__init__(places)
        self.console = None

    @classmethod
    def version(cls):
        done = subprocess.run(['dpdk-testpmd', '-v'], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
        found = re.search(r"RTE Version: '?([^'\n]+)", done.stdout)
        return f"{found[1] if found else 'DPDK'}, io between net_vhost ports, no lookup"

    def suits(self, scenario):
        super().suits(scenario)
        if scenario.layout.ports > PORTS_MAX:
            raise Unsuited(f"Debian's DPDK has {PORTS_MAX} ports at most")
        if scenario.switching:
            raise Unsuited('does not look at addresses')

    def argv(self, layout):
        words = ['dpdk-testpmd', '--lcores', f'0@{self.places.control},1@{self.places.switch}',
                 '--in-memory', '--no-pci', '--log-level=error', '--no-telemetry']
        for number in range(layout.ports):
            options = ',tso=1,legacy-ol-flags=1' if layout.tso else ''
            words += ['--vdev', f'net_vhost{number},iface={self.socket(number)}{options}']
        mbufs = MBUFS_PER_PORT * max(layout.ports, 4)
        return [*words, '--', '-i', '--nb-cores=1', '--forward-mode=io', '--record-core-cycles',
                '--port-topology=chained',
                '--no-mlockall', f'--total-num-mbufs={mbufs}',
                '--mbuf-size=2176']

    def launch(self, layout):
        self.console = Console(self.argv(layout), self.dir, 'testpmd')
        self.process = self.console.process
        self.console.command('start', timeout=30)
        self.wait_sockets(layout.ports)

    def stop(self):
        super().stop()
        if self.console:
            self.console.close()
        self.console = None

    def cycles(self):
        text = self.console.command('show fwd stats all')
        found = re.search(r'(?:busy|total) cycles=(\d+) / total io packets=(\d+)', text)
        return Cycles(int(found[1]), int(found[2])) if found else Cycles(0, 0)
