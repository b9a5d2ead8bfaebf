# SPDX-License-Identifier: BSD-3-Clause
"""shuntd under test, in a folder of its own.

    with Switch() as switch:
        switch.port_add('vm1', 'vhost', queues=2)     # on switch.socket('vm1')
        print(switch.rpc('port.list'))

The end of the block stops it and asserts a clean end; if the block failed, its log is printed.
"""

import contextlib
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import proc
from proc import Process


ATTEMPTS = 3    # starts, where fanout groups may collide: see met_another()
IDLE_CYCLES = 5000    # TSC cycles of dozens of empty polls; an lcore without links naps


class SwitchError(Exception):
    """The switch refused a command, or does not run."""

    def __init__(self, message, status=None, code=None, data=None):
        super().__init__(message)
        self.status, self.code, self.data = status, code, data


def met_another(error):
    """Whether a switch collided with another: the kernel groups the sockets of a net_af_packet
    device by a number of 16 bits made of process id and interface, which may be equal for two
    switches."""
    return 'PACKET_FANOUT' in str(error)


class Rpc:
    """One connection to the control socket: JSON-RPC 2.0, a line each way."""

    def __init__(self, path, timeout=10):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.number = 0
        try:
            self.sock.connect(str(path))
        except OSError:
            self.sock.close()
            raise
        self.reader = self.sock.makefile('r')

    def call(self, method, params=None):
        """The result; SwitchError with .code if the switch refuses."""
        self.number += 1
        request = {'jsonrpc': '2.0', 'id': self.number, 'method': method}
        if params:
            request['params'] = params
        self.sock.sendall(json.dumps(request).encode() + b'\n')
        line = self.reader.readline()
        if not line:
            raise SwitchError(f'{method}: the switch closed the connection')
        answer = json.loads(line)
        if 'error' in answer:
            error = answer['error']
            raise SwitchError(error.get('message'), code=error.get('code'), data=error.get('data'))
        assert answer['id'] == self.number, f'answer {answer} to request {request}'
        return answer['result']

    def close(self):
        self.reader.close()
        self.sock.close()


class Switch:
    """One shuntd. config is YAML text; lcores the polling ones; eal adds EAL arguments; wrapper are
    words before the command, which must exec it (see confine.py).

    Its counters must balance at the end: see assert_balanced().

    Sockets of ports belong into .run (see socket()): the folder must be empty after stop().
    """

    running = []    # every switch between start() and its end
    rests = True    # no frames are in transit between tests; False: only before it ends

    def __init__(self, config='', lcores=None, eal=(), arguments=(), folder=None,
                 wrapper=(), build=None):
        self.dir = pathlib.Path(folder) if folder else proc.temp_dir('shunt-sw-')
        self.run = self.dir / 'run'
        self.run.mkdir(exist_ok=True)
        self.sock = self.run / 'shunt.sock'
        self.build = build
        self.log = self.dir / 'shuntd.log'
        self.config = self.dir / 'shunt.yaml'
        self.config.write_text(config)
        self.lcores = str(proc.cpus()[1]) if lcores is None else str(lcores)
        self.eal = list(eal)
        self.arguments = list(arguments)
        self.wrapper = list(wrapper)
        self.process = None
        self._rpc = None
        self.journal = self._journal()

    def _journal(self):
        """The journal of packed rings: in memory, at a path where the next process finds it."""
        name = f'{self.sock.name}.rings'
        kind = subprocess.run(['stat', '-f', '-c', '%T', self.run], stdout=subprocess.PIPE,
                              text=True, check=True).stdout.strip()
        if kind == 'tmpfs':
            return self.run / name
        folder = str(self.run.resolve()).replace('/', '-')
        return pathlib.Path(f'/dev/shm/shunt{folder}-{name}')

    def socket(self, name):
        """The path of a port's Unix socket."""
        return self.run / f'{name}.sock'

    # Life

    def argv(self):
        return [*self.wrapper, proc.program('shuntd', self.build), '-c', self.config, '-s', self.sock,
                '--lcores', self.lcores, *self.arguments, *(['--', *self.eal] if self.eal else [])]

    def start(self, timeout=20):
        """Start it and wait until it accepts commands. Returns self."""
        for attempt in range(ATTEMPTS):
            try:
                return self._start(timeout)
            except SwitchError as error:
                if attempt + 1 == ATTEMPTS or not met_another(error):
                    raise

    def _start(self, timeout):
        self.process = Process(self.argv(), self.log)
        try:
            self.wait_ready(timeout)
        except BaseException:
            self.kill9()
            raise
        Switch.running.append(self)
        return self

    def wait_ready(self, timeout=20):
        """`shunt wait`, which fails at once if shuntd ends meanwhile."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.process.alive():
                status = self.process.wait(1)
                raise SwitchError(f'shuntd ended with {status}:\n{self.process.tail()}', status)
            if self.cli('wait', '1', check=False).returncode == 0:
                return
        raise SwitchError(f'shuntd was not ready within {timeout} s:\n{self.process.tail()}')

    def stop(self, timeout=10):
        """SIGTERM; asserts exit status 0 and no files left behind."""
        self._disconnect()
        self.process.signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout)
        except TimeoutError:
            self.process.kill9()
            raise
        assert status == 0, f'shuntd ended with {status}:\n{self.process.tail()}'
        left = sorted(path.name for path in self.run.iterdir() if path != self.journal)
        assert not left, f'shuntd left files behind: {left}'
        self._ended()

    def kill9(self):
        """kill -9: no cleanup."""
        self._disconnect()
        self._ended()
        if self.process:
            self.process.kill9()

    def restart(self):
        """Stop cleanly and start again with the same arguments."""
        self.stop()
        return self.start()

    def reload(self, config):
        """Write a new configuration file and send SIGHUP."""
        self.config.write_text(config)
        self.process.signal(signal.SIGHUP)

    def alive(self):
        return self.process is not None and self.process.alive()

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, *_):
        failed = kind is not None
        try:
            if not failed:
                if self.alive():
                    self.assert_balanced()
                self.stop()
        except BaseException:
            failed, kind = True, Exception
            raise
        finally:
            self.kill9()
            if failed and issubclass(kind, Exception):    # not when interrupted
                print(f'--- shuntd\n{proc.tail(self.log, 60)}', file=sys.stderr)
            shutil.rmtree(self.dir, ignore_errors=True)
            self.journal.unlink(missing_ok=True)

    # Commands

    def cli(self, *words, check=True, timeout=15):
        """Run `shunt WORDS`; the completed process. SwitchError with .status if it fails."""
        done = subprocess.run([proc.program('shunt'), '-s', self.sock, *map(str, words)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=timeout)
        if check and done.returncode:
            raise SwitchError(f"shunt {' '.join(map(str, words))}: {done.stderr.strip()}",
                              done.returncode)
        return done

    def json(self, *words):
        """The output of `shunt -j WORDS`, parsed."""
        return json.loads(self.cli('-j', *words).stdout)

    def rpc(self, method, params=None):
        """A JSON-RPC call on a connection that stays open."""
        if self._rpc is None:
            self._rpc = Rpc(self.sock)
        return self._rpc.call(method, params)

    def port_add(self, name, kind, **keys):
        """`port add`; a vhost port gets socket(name) by default. '_' in keys stands for '-'."""
        if kind == 'vhost':
            keys.setdefault('socket', self.socket(name))
        words = [f"{key.replace('_', '-')}={value}" for key, value in keys.items()]
        self.cli('port', 'add', name, kind, *words)
        return keys.get('socket')

    def port(self, name):
        """`port show`: the counters and keys of a port."""
        return self.json('port', 'show', name)

    def wait_link(self, name, state='up', timeout=20):
        """Wait until a port's link is up or down."""
        proc.wait_until(lambda: self.port(name)['link'] == state, timeout,
                        f'link of {name} {state}')

    def at_rest(self, timeout=30, adds_up=lambda totals, ports, drops: True):
        """The counters of all ports, by name, once no frames are in transit.

        That is when two readings are equal and every lcore had the time between them to find its
        queues empty: the counters of an lcore that is not scheduled do not change either.
        """
        first = None

        def reading():
            idle = {row['lcore']: row['idle_cycles'] for row in rpc.call('lcore.list')}
            return idle, [rpc.call('status')['totals'], rpc.call('port.list'), rpc.call('drops')]

        def rests():
            nonlocal first
            now = reading()
            if first is None or now[1] != first[1]:
                first = now    # the first reading with these counters
                return False
            return adds_up(*now[1]) and all(
                cycles > first[0].get(lcore, cycles) + IDLE_CYCLES
                for lcore, cycles in now[0].items())
        with contextlib.closing(Rpc(self.sock)) as rpc:
            proc.wait_until(rests, timeout, 'rest')
        return {port['name']: port for port in first[1][1]}

    def assert_balanced(self, timeout=20):
        """Wait until no frames are in transit; then every frame must be accounted for."""
        wrong = []

        def adds_up(totals, ports, drops):
            wrong[:] = unbalanced([{'name': 'all ports', **totals}]) + unexplained(ports, drops)
            return not wrong
        try:
            self.at_rest(timeout, adds_up)
        except TimeoutError:
            raise AssertionError('\n'.join(wrong or ['frames still come and go'])) from None

    def _ended(self):
        if self in Switch.running:
            Switch.running.remove(self)

    def _disconnect(self):
        if self._rpc:
            self._rpc.close()
        self._rpc = None


def unbalanced(ports):
    """Errors in the sums of the counters of all ports of a switch at rest: lines of text.

    Every frame received was forwarded or dropped, and every copy was sent, dropped, or is delayed.
    """
    wrong = []
    for port in ports:
        if port['rx_packets'] != port['rx_forwarded'] + port['rx_drops']:
            wrong.append('{name}: rx {rx_packets} != forwarded {rx_forwarded} + '
                         'dropped {rx_drops}'.format(**port))
    copies = sum(port['rx_copies'] for port in ports)
    ends = sum(port['tx_packets'] + port['tx_drops'] + port['tx_held'] for port in ports)
    if copies != ends:
        wrong.append(f'copies {copies} != sent, dropped or held {ends}')
    return wrong


def unexplained(ports, drops):
    """Errors in the counters of existing ports: sums, and drops without a reason; lines of text."""
    wrong = []
    for port in ports:
        wrong += [line for line in unbalanced([port]) if 'copies' not in line]
        for direction in ('rx', 'tx'):
            reasons = sum(row['packets'] for row in drops
                          if (row['port'], row['direction']) == (port['name'], direction))
            if reasons != port[f'{direction}_drops']:
                wrong.append(f"{port['name']}: {direction}: {port[f'{direction}_drops']} dropped, "
                             f'for reasons {reasons}')
    return wrong


def imbalance(ports):
    """Copies that were neither sent nor dropped; ports that were deleted have taken their counters
    along."""
    return sum(port['rx_copies'] - port['tx_packets'] - port['tx_drops'] for port in ports)
