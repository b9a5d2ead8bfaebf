# SPDX-License-Identifier: BSD-3-Clause
"""Open vSwitch on DPDK with its NORMAL action, with a database and folders of its own."""

import json
import os
import re
import socket

import proc

from .peer import Peer
from .switch import Cycles

DAEMON = '/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk'
SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
PACKAGE = 'openvswitch-switch-dpdk'
MAC_TABLE_MAX = 1000000


def _unixctl(path, method, *params, timeout=20):
    """ovs-appctl without a process: JSON-RPC 1.0 on the control socket."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(timeout)
        sock.connect(str(path))
        request = {'id': 0, 'method': method, 'params': list(params)}
        sock.sendall(json.dumps(request).encode())
        text = ''
        while True:
            data = sock.recv(65536)
            if not data:
                raise RuntimeError(f'ovs: {method}: connection closed')
            text += data.decode()
            try:
                answer = json.loads(text)
            except ValueError:
                continue
            if answer.get('error'):
                raise RuntimeError(f"ovs: {method}: {answer['error']}")
            return answer['result']


def _figure(pattern, text):
    """0 if it is absent, as after a time too short for one iteration."""
    found = re.search(pattern, text)
    return float(found[1]) if found else 0


def _listens(path):
    """Whether a process accepts connections there: a socket exists before it listens."""
    with socket.socket(socket.AF_UNIX) as sock:
        return sock.connect_ex(str(path)) == 0


class Ovs(Peer):
    """Default settings, with EMC; dpdkvhostuser (server) ports."""
    name = 'ovs'
    programs = ((DAEMON, PACKAGE), ('ovsdb-server', 'openvswitch-switch'),
                ('ovsdb-tool', 'openvswitch-common'), ('ovs-vsctl', 'openvswitch-switch'))

    def __init__(self, places):
        super().__init__(places)
        self.database = None
        self.counted = Cycles(0, 0)

    @classmethod
    def version(cls):
        text = cls.output(DAEMON, '--version').split(' ', 1)[-1]
        return f'{text}, NORMAL, EMC at its defaults'

    def environment(self):
        folders = dict.fromkeys(('OVS_RUNDIR', 'OVS_LOGDIR', 'OVS_DBDIR', 'OVS_SYSCONFDIR'),
                                str(self.dir))
        return dict(os.environ, **folders)

    def vsctl(self, *words, wait=True):
        command = ['ovs-vsctl', f'--db=unix:{self.dir}/db.sock', '--timeout=40',
                   *([] if wait else ['--no-wait']), *map(str, words)]
        try:
            self.run(*command, env=self.environment())
        except RuntimeError as error:
            raise RuntimeError(f'{error} {self.errors()}') from None

    def errors(self):
        lines = [line for line in proc.tail(self.dir / 'ovs.log', 200).splitlines()
                 if '|ERR|' in line or '|EMER|' in line]
        return lines[-1] if lines else ''

    def launch(self, layout):
        self.connects = layout.tso    # only these ports offer TSO
        self.enter()
        self.run('ovsdb-tool', 'create', f'{self.dir}/conf.db', SCHEMA, env=self.environment())
        self.database = self.daemon(
            'db.log', 'ovsdb-server', f'{self.dir}/conf.db',
            f'--remote=punix:{self.dir}/db.sock', f'--unixctl={self.dir}/db.ctl',
            env=self.environment())
        proc.wait_until(lambda: _listens(self.dir / 'db.sock'), 20, 'ovsdb-server', 0.01)
        self.vsctl('init', wait=False)
        self.vsctl('set', 'Open_vSwitch', '.', *self.options(layout), wait=False)
        # Its taps br0 and ovs-netdev exist once in each network namespace.
        self.process = self.daemon(
            'ovs.log', DAEMON, f'unix:{self.dir}/db.sock', f'--unixctl={self.dir}/ovs.ctl',
            env=self.environment())
        proc.wait_until(self.started, 30, 'ovs-vswitchd', 0.01)
        words = ['--', 'add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev',
                 f'other_config:mac-table-size={self.mac_table(layout)}']
        for number in range(layout.ports):
            words += self.port_words(number, layout)
        self.vsctl(*words)
        if not self.connects:
            self.wait_sockets(layout.ports)

    def started(self):
        self.check_alive()
        return _listens(self.dir / 'ovs.ctl')

    @staticmethod
    def mac_table(layout):
        return min(max(8192, 2 * layout.addresses), MAC_TABLE_MAX)

    def options(self, layout):
        options = {'dpdk-init': 'true', 'pmd-cpu-mask': f'{1 << self.places.switch:#x}',
                   'dpdk-lcore-mask': f'{1 << self.places.control:#x}',
                   'dpdk-extra': '"--no-pci --in-memory --no-telemetry"'}
        if layout.tso:
            options['userspace-tso-enable'] = 'true'
        return [f'other_config:{key}={value}' for key, value in options.items()]

    def port_words(self, number, layout):
        name = f'vm{number}'
        words = ['--', 'add-port', 'br0', name, '--', 'set', 'interface', name]
        if self.connects:
            return [*words, 'type=dpdkvhostuserclient',
                    f'options:vhost-server-path={self.socket(number)}']
        return [*words, 'type=dpdkvhostuser', f'mtu_request={layout.mtu}']

    def add_port(self, number, layout):
        self.vsctl(*self.port_words(number, layout))
        self.wait_sockets(number + 1)

    def remove_port(self, number):
        self.vsctl('--if-exists', 'del-port', 'br0', f'vm{number}')

    def stop(self):
        super().stop()
        if self.database:
            self.database.kill9()
        self.database = None

    def cycles(self):
        """pmd-perf-show, which 3.1 and 4.0 print alike, gives the busy share to a tenth of a
        percent: counters are read and cleared, so that it is the share of this window, and added up
        here."""
        text = _unixctl(self.dir / 'ovs.ctl', 'dpif-netdev/pmd-perf-show', '-nh')
        _unixctl(self.dir / 'ovs.ctl', 'dpif-netdev/pmd-stats-clear')
        busy, packets = self.counted
        for part in re.split(r'^(?=pmd thread|main thread)', text, flags=re.M):
            if not part.startswith('pmd thread'):
                continue
            used = _figure(r'Used TSC cycles: +(\d+)', part)
            share = _figure(r'busy iterations: +\d+ +\( *([\d.]+) %', part)
            busy += round(used * share / 100)
            packets += int(_figure(r'Rx packets: +(\d+)', part))
        self.counted = Cycles(busy, packets)
        return self.counted

    def forget(self):
        _unixctl(self.dir / 'ovs.ctl', 'fdb/flush', 'br0')
        _unixctl(self.dir / 'ovs.ctl', 'revalidator/purge')


class Ovs13(Ovs):
    """Open vSwitch of Debian 13."""
    name = 'ovs-13'
    platform = '13'


class OvsTesting(Ovs):
    """Open vSwitch of Debian testing."""
    name = 'ovs-testing'
    platform = 'testing'
