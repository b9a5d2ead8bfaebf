# SPDX-License-Identifier: BSD-3-Clause
"""VPP as a bridge: vhost-user interfaces in one bridge domain, all polled by one worker."""

import re

import proc

from .peer import Peer
from .switch import Cycles

FIB_DEFAULT = 100000    # addresses that its table holds at its default size, with a reserve
MTU_DEFAULT = 1500
INPUT, NEXT = 'vhost-user-input', 'ethernet-input'
INTERFACE = re.compile(r'^VirtualEthernet\S+$')
ROW = re.compile(r'^(\S+) +\S.*? +(\d+) +(\d+) +\d+ +([\d.e+-]+) +[\d.]+$', re.M)
CONFIG = '''
unix {{ nodaemon nobanner cli-no-banner runtime-dir {dir} cli-listen {dir}/cli }}
cpu {{ main-core {control} corelist-workers {switch} }}
plugins {{ plugin default {{ disable }} plugin vhost_plugin.so {{ enable }} }}
statseg {{ socket-name {dir}/stats }}
buffers {{ buffers-per-numa {buffers} }}
'''
FIB_LARGE = 'l2fib { num-buckets 1048576 table-size 2G }\n'
BUFFERS = 65536


class Vpp(Peer):
    """VPP of this machine: no release of Debian has it."""
    name = 'vpp'
    programs = (('vpp', 'vpp'), ('vppctl', 'vpp'))

    def __init__(self, places):
        super().__init__(places)
        self.counted, self.fresh, self.empty_poll = Cycles(0, 0), True, 0
        self.interfaces = {}    # by number

    @classmethod
    def version(cls):
        return f"{cls.output('vpp', '--version')}, bridge domain, one worker"

    def launch(self, layout):
        self.enter()
        config = CONFIG.format(dir=self.dir, control=self.places.control,
                               switch=self.places.switch, buffers=BUFFERS)
        if layout.addresses > FIB_DEFAULT:
            config += FIB_LARGE
        (self.dir / 'startup.conf').write_text(config)
        self.process = self.daemon('vpp.log', 'vpp', '-c', self.dir / 'startup.conf')
        proc.wait_until(self.started, 30, 'vpp', 0.05)
        self.command('create bridge-domain 1')
        for number in range(layout.ports):
            self.attach(number, layout)
        self.wait_sockets(layout.ports)

    def started(self):
        self.check_alive()
        return (self.dir / 'cli').exists() and 'vpp' in self.command('show version')

    def command(self, text, silent=False):
        """Its answer; RuntimeError if a command that is silent on success has one."""
        answer = self.run('vppctl', '-s', self.dir / 'cli', *text.split()).strip()
        if silent and answer:
            raise RuntimeError(f'vpp: {text}: {answer}')
        return answer

    def attach(self, number, layout):
        gso = ' gso' if layout.tso else ''
        answer = self.command(f'create vhost-user socket {self.socket(number)} server{gso}')
        if not INTERFACE.match(answer):
            raise RuntimeError(f'vpp: vhost-user: {answer}')
        self.interfaces[number] = answer
        if layout.mtu > MTU_DEFAULT:
            self.command(f'set interface mtu packet {layout.mtu} {answer}', silent=True)
        for command in ('l2 bridge {} 1', 'rx-mode {} polling', 'state {} up'):
            self.command(f'set interface {command.format(answer)}', silent=True)

    def add_port(self, number, layout):
        self.attach(number, layout)
        self.wait_sockets(number + 1)

    def remove_port(self, number):
        if number in self.interfaces:
            self.command(f'delete vhost-user {self.interfaces.pop(number)}')

    def forget(self):
        self.command('clear l2fib')

    def nodes(self):
        """{name: (calls, packets, cycles)} of its worker since the last call."""
        text = self.command('show runtime').split('vpp_wk_0', 1)[-1]
        self.command('clear runtime')
        return {name: (int(calls), int(packets),
                       float(each) * (int(packets) or int(calls)))
                for name, calls, packets, each in ROW.findall(text.replace('\r', ''))}

    def resume(self):
        super().resume()
        self.fresh = True    # the time for which it was stopped counts for some node

    def cycles(self):
        """Its counters do not distinguish empty polls: their cost is measured where nothing else
        happened between two calls, and subtracted for each of them."""
        nodes = self.nodes()
        fresh, self.fresh = self.fresh, False
        if fresh:
            return self.counted
        polls, packets, polled = nodes.get(INPUT, (0, 0, 0))
        if packets:
            empty = max(polls - nodes.get(NEXT, (0, 0, 0))[0], 0)
            total = sum(cycles for _, _, cycles in nodes.values())
            at_least = total - polled
            busy = max(total - round(empty * self.empty_poll), at_least)
            self.counted = Cycles(self.counted.busy + round(busy), self.counted.packets + packets)
        elif polls:
            self.empty_poll = polled / polls
        return self.counted
