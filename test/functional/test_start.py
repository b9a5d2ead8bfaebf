# SPDX-License-Identifier: BSD-3-Clause
"""How shuntd starts, refuses to start, and ends."""

import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess

import pytest

import proc
from switch import Switch, SwitchError

VHOST = 'type: vhost, socket'
CPUS = ','.join(map(str, sorted(os.sched_getaffinity(0))))


@pytest.fixture
def folder():
    path = proc.temp_dir('shunt-start-')
    yield path
    shutil.rmtree(path)


@pytest.fixture
def runtime(monkeypatch):
    """The folder of the EAL's files during a test."""
    path = proc.temp_dir('shunt-run-')
    monkeypatch.setenv('RUNTIME_DIRECTORY', str(path))
    yield path
    shutil.rmtree(path)


def files(path):
    return [one for one in path.rglob('*') if not one.is_dir()]


def shuntd(folder, *arguments, config=None, eal=(), timeout=10):
    """Run shuntd where it must end at once; the completed process."""
    if config is not None:
        (folder / 'c.yaml').write_text(config)
        arguments = ['-c', folder / 'c.yaml', *arguments]
    more = ['--', *eal] if eal else []
    argv = [proc.program('shuntd'), '-s', folder / 'sock', *arguments, *more]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout)


def reason(done):
    """The error at start: the one line on stderr beside those of added and removed ports."""
    lines = [line for line in done.stderr.splitlines()
             if not re.match(r'shuntd: port \S+: (added|removed)', line)]
    assert done.returncode == 2, done
    assert len(lines) == 1 and lines[0].startswith('shuntd: '), done.stderr
    assert done.stdout == ''
    return lines[0]


BAD_FILES = {
    'key': ('bogus: 1\n', 1, 'bogus'),
    'port key': (f'ports:\n  vm1: {{{VHOST}: /x, sockett: /y}}\n', 2, 'vm1.*sockett'),
    'port key, own line': ('ports:\n  vm1:\n    type: vhost\n    sockett: /y\n', 4, 'vm1.*sockett'),
    'fdb key': ('\nfdb: {x: 1}\n', 2, r'fdb\.x'),
    'type': ('ports:\n  vm1: {type: nosuch}\n', 2, 'vm1.*type.*nosuch'),
    'no type': ('ports:\n  vm1: {socket: /x}\n', 2, 'vm1.*type'),
    'no socket': ('ports:\n  vm1: {type: vhost}\n', 2, 'vm1.*socket'),
    'no device': ('ports:\n  e: {type: ethdev}\n', 2, 'port e.*device'),
    'missing interface': ('ports:\n  e: {type: ethdev, device: "net_af_packet0,iface=none"}\n', 2,
                          'port e.*device.*iface=none'),
    'missing PCI device': ('ports:\n  e: {type: ethdev, device: "0000:99:00.0"}\n', 2,
                           'port e.*device.*0000:99:00.0'),
    'missing driver': ('ports:\n  e: {type: ethdev, device: net_bogus0}\n', 2,
                       'port e.*device.*net_bogus0'),
    'long path': (f"ports:\n  vm1: {{{VHOST}: /{'x' * 107}}}\n", 2, 'vm1.*socket.*108'),
    'relative path': (f'ports:\n  vm1: {{{VHOST}: x}}\n', 2, 'vm1.*socket'),
    'missing folder': (f'ports:\n  vm1: {{{VHOST}: /none/x}}\n', 2, 'vm1.*socket.*/none'),
    'number': (f'ports:\n  vm1: {{{VHOST}: /x, queues: 200}}\n', 2, 'vm1.*queues.*200'),
    'no number': (f'ports:\n  vm1: {{{VHOST}: /x, queues: many}}\n', 2, 'vm1.*queues.*many'),
    'switch': (f'ports:\n  vm1: {{{VHOST}: /x, tso: maybe}}\n', 2, 'vm1.*tso.*maybe'),
    'choice': (f'ports:\n  vm1: {{{VHOST}: /x, mode: both}}\n', 2, 'vm1.*mode.*both'),
    'list for a value': (f'ports:\n  vm1: {{{VHOST}: [1]}}\n', 2, 'vm1.*socket'),
    'capacity': ('fdb: {capacity: 1}\n', 1, 'fdb.capacity'),
    'ageing': ('fdb:\n  capacity: 64\n  ageing: 5\n', 3, 'fdb.ageing'),
    'port name': ('ports:\n  "vm 1": {type: vhost, socket: /x}\n', 2, 'vm 1'),
    'port name too long': (f"ports:\n  {'p' * 32}: {{{VHOST}: /x}}\n", 2, 'name'),
    'port twice': (f'ports:\n  vm1: {{{VHOST}: /x}}\n  vm1: {{{VHOST}: /y}}\n', 3, 'vm1.*twice'),
    'key twice': (f'ports:\n  vm1: {{{VHOST}: /x, socket: /y}}\n', 2, 'socket.*twice'),
    'one socket for two': (f'ports:\n  vm1: {{{VHOST}: /tmp/x}}\n  vm2: {{{VHOST}: /tmp/x}}\n', 3,
                           'vm2.*socket.*another port'),
    'ports is no mapping': ('ports: 5\n', 1, 'ports'),
    'no mapping': ('- 1\n', 1, 'mapping'),
    'broken': ('ports:\n  vm1: [\n', 3, ''),
    'colons': ('ports:\n  a: b: c\n', 2, ''),
    'tabs': ('ports:\n\tvm1: {}\n', 2, ''),
    'no text': ('\x01\n', 1, ''),
    'vlan': (f'ports:\n  vm1: {{{VHOST}: /x, vlan: 4095}}\n', 2, 'vm1.*vlan.*4095'),
    'uplink': (f'ports:\n  vm1: {{{VHOST}: /x, uplink: up0}}\n', 2, "vm1: uplink: no port 'up0'"),
    'later type': ('ports:\n  t: {type: tap}\n', 2, "port t.*tap.*not yet supported"),
    'metrics': ('fdb: {}\nmetrics: localhost\n', 2, "metrics: 'localhost' is no address"),
    'metrics elsewhere': ('metrics: 192.0.2.1:9469\n', 1, 'metrics: cannot listen.*assign'),
    'lcores': ('lcores: "99"\n', 1, 'lcores.*99'),
    'lcores without sense': ('fdb: {}\nlcores: many\n', 2, 'lcores.*many'),
    'all lcores': (f'lcores: "{CPUS}"\n', 1, 'lcores.*control'),
}


@pytest.mark.parametrize('case', BAD_FILES)
def test_bad_file(folder, runtime, case):
    config, line, key = BAD_FILES[case]
    text = reason(shuntd(folder, config=config))
    assert re.match(fr"shuntd: {re.escape(str(folder / 'c.yaml'))}:{line}: .*{key}", text), text
    assert [path.name for path in folder.iterdir()] == ['c.yaml']
    assert not files(runtime)


def test_first_port_is_removed_if_the_second_fails(folder):
    config = (f'ports:\n  vm1: {{{VHOST}: {folder}/vm1}}\n'
              '  e: {type: ethdev, device: "net_af_packet0,iface=none"}\n')
    assert 'c.yaml:3: port e: device' in reason(shuntd(folder, config=config))
    assert [path.name for path in folder.iterdir()] == ['c.yaml']


@pytest.mark.parametrize('arguments, says', [
    (['--lcores', '9999'], 'lcores'), (['--lcores', CPUS], 'no CPU for the control thread'),
    (['--lcores', ''], 'lcores'), (['--lcores', '1-'], 'lcores'), (['--lcores', '1,,2'], 'lcores'),
    (['--lcores', '2-1'], 'lcores'), (['--bogus'], '--bogus'), (['-x'], '-x'), (['extra'], 'extra'),
    (['--log-level', 'loud'], '--log-level loud'), (['-c'], '-c'), (['--lcores'], '--lcores'),
    (['-c', '/none.yaml'], '/none.yaml'), (['-s', '/' + 's' * 107], 'socket path'),
    (['-c', '/' + 'c' * 5000], 'path'), (['-c', '/tmp'], '/tmp'),
], ids=lambda value: ' '.join(value)[:20] if isinstance(value, list) else '')
def test_bad_arguments(folder, arguments, says):
    assert says in reason(shuntd(folder, *arguments))
    assert not list(folder.iterdir())


@pytest.mark.parametrize('word, starts', [('--help', 'Usage: shuntd'), ('-h', 'Usage'),
                                          ('--version', 'shuntd 0'), ('-V', 'shuntd 0')])
def test_help(folder, word, starts):
    done = shuntd(folder, word)
    assert done.returncode == 0 and done.stdout.startswith(starts) and not done.stderr


def test_unreadable_file(folder):
    (folder / 'c.yaml').write_bytes(b'ports: {}\n' + b'#' * (64 << 20))
    assert 'c.yaml' in reason(shuntd(folder, '-c', folder / 'c.yaml'))


def test_bad_eal_argument(folder):
    done = shuntd(folder, config='', eal=['--bogus'])
    assert done.returncode == 2 and 'DPDK does not start' in done.stderr
    assert not (folder / 'sock').exists()


class TestControlSocket:
    def test_taken(self, folder):
        with Switch() as switch:
            text = reason(shuntd(folder, '-s', switch.sock))
            assert 'another switch runs at' in text and str(switch.sock) in text
            assert switch.rpc('status')['pid'] == switch.process.pid

    def test_other_file(self, folder):
        (folder / 'sock').write_text('precious')
        assert 'is not a socket' in reason(shuntd(folder))
        assert (folder / 'sock').read_text() == 'precious'

    def test_stale(self):
        with Switch() as switch:
            switch.kill9()
            assert switch.sock.exists(), 'no stale socket'
            switch.start()
            assert switch.rpc('status')['pid'] == switch.process.pid

    def test_mode(self):
        with Switch() as switch:
            assert stat.S_IMODE(os.stat(switch.sock).st_mode) == 0o660

    def test_environment(self, folder):
        env = dict(os.environ, SHUNT_SOCKET=str(folder / 'env'))
        lcore = str(proc.cpus()[1])
        (folder / 'c.yaml').write_text('')
        running = proc.Process([proc.program('shuntd'), '-c', folder / 'c.yaml', '--lcores', lcore],
                               folder / 'log', env=env)
        subprocess.run([proc.program('shunt'), 'wait', '10'], env=env, check=True)
        subprocess.run([proc.program('shunt'), 'stop'], env=env, check=True)
        assert running.wait(60) == 0 and not (folder / 'env').exists()


class TestEnd:
    @pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
    def test_signals(self, runtime, number):
        """Status 0, and no files remain: sockets of ports, control socket, files of the EAL."""
        with Switch() as switch:
            switch.port_add('vm1', 'vhost')
            switch.port_add('vm2', 'vhost', mode='client')
            switch.port_add('n', 'ethdev', device='net_null0,no-rx=1')
            switch.process.signal(number)
            assert switch.process.wait(60) == 0
            assert not list(switch.run.iterdir())
            assert not files(runtime)
            switch.start()

    def test_stop_command(self):
        with Switch() as switch:
            switch.cli('stop')
            assert not switch.sock.exists()
            assert switch.process.wait(60) == 0
            assert switch.cli('status', check=False).returncode == 3
            switch.start()

    def test_connected_clients_do_not_matter(self):
        with Switch() as switch, socket.socket(socket.AF_UNIX) as client:
            client.connect(str(switch.sock))
            client.sendall(b'{"jsonrpc"')
            switch.port_add('vm1', 'vhost')
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(str(switch.socket('vm1')))
                switch.stop()
            assert client.recv(100) == b''
            switch.start()


class TestWhereItRuns:
    @pytest.mark.skipif(proc.hugepages_free_mb() >= 96, reason='there are hugepages')
    def test_too_few_huge_pages(self):
        """The switch runs with 4 KB pages, and reports that in one line."""
        with Switch() as switch:
            lines = [line for line in proc.tail(switch.log, 60).splitlines() if 'hugepages' in line]
        assert len(lines) == 1 and 'using 4 KB pages' in lines[0] and 'nr_hugepages' in lines[0]

    def test_without_huge_pages(self):
        with Switch(eal=['--no-huge', '-m', '512']) as switch:
            switch.port_add('vm1', 'vhost')
            assert switch.rpc('status')['ports'] == 1

    def test_as_an_ordinary_user(self):
        """Vhost ports in a folder of the user's; ports that need root are refused."""
        with Switch() as switch:
            switch.stop()
            subprocess.run(['chown', '-R', 'nobody', switch.dir], check=True)
            argv = switch.argv() + ['--', '--no-huge', '-m', '512']
            words = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups',
                     '--inh-caps=-all']
            env = dict(os.environ, HOME=str(switch.dir), XDG_RUNTIME_DIR=str(switch.dir))
            switch.log.unlink()
            switch.process = proc.Process(words + argv, switch.log, env=env)
            switch.wait_ready()
            assert os.stat(f'/proc/{switch.process.pid}').st_uid == os.stat(switch.sock).st_uid != 0
            path = switch.port_add('vm1', 'vhost')
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(str(path))
            with pytest.raises(SwitchError, match='device'):
                switch.port_add('e', 'ethdev', device='net_af_packet0,iface=lo')
            with pytest.raises(SwitchError, match='owner'):
                switch.port_add('vm2', 'vhost', owner='root')
            assert [port['name'] for port in switch.rpc('port.list')] == ['vm1']

    def test_two_at_once(self):
        with Switch() as one, Switch() as other:
            one.port_add('vm1', 'vhost')
            other.port_add('vm1', 'vhost')
            with pytest.raises(SwitchError, match='in use by another program'):
                other.port_add('vm2', 'vhost', socket=one.socket('vm1'))

    def test_no_threads_of_control_on_polling_cpus(self):
        with Switch() as switch:
            switch.port_add('vm1', 'vhost')
            polling = {int(switch.lcores)}
            for task in pathlib.Path(f'/proc/{switch.process.pid}/task').iterdir():
                name = (task / 'comm').read_text().strip()
                allowed = os.sched_getaffinity(int(task.name))
                if name.startswith('poll-'):
                    assert allowed == polling and name == f'poll-{switch.lcores}'
                else:
                    assert not allowed & polling, name
