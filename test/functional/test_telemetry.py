# SPDX-License-Identifier: BSD-3-Clause
"""DPDK's telemetry: dpdk-telemetry.py shows the switch; no file of it remains."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

import proc
from frames import mac
from switch import Switch


@pytest.fixture(scope='module')
def runtime():
    """The folder of the EAL's sockets."""
    path = proc.temp_dir('shunt-tele-')
    before = os.environ.get('RUNTIME_DIRECTORY')
    os.environ['RUNTIME_DIRECTORY'] = str(path)
    yield path
    os.environ.pop('RUNTIME_DIRECTORY')
    if before is not None:
        os.environ['RUNTIME_DIRECTORY'] = before
    shutil.rmtree(path)


@pytest.fixture(scope='module')
def switch(runtime):
    with Switch() as running:
        running.port_add('vm-1', 'vhost')
        running.port_add('n.1', 'ethdev', device='net_null_t1,no-rx=1')
        yield running


def ask(*commands):
    """The output of dpdk-telemetry.py for commands: {command: answer}."""
    done = subprocess.run(['dpdk-telemetry.py'], input='\n'.join(commands) + '\n', text=True,
                          stdout=subprocess.PIPE, timeout=30, check=True)
    answers = {}
    for line in done.stdout.splitlines():
        answers.update(json.loads(line))
    return answers


def test_commands_are_listed(switch):
    answers = ask('/', '/help,/shunt/fdb')
    assert {f'/shunt/{word}' for word in ('ports', 'port', 'fdb', 'drops', 'lcores')} <= set(
        answers['/'])
    assert 'filtering table' in answers['/help']['/shunt/fdb']


def test_ports(switch):
    assert ask('/shunt/ports')['/shunt/ports'] == {'total': 2, 'ports': ['vm-1', 'n.1']}
    assert ask('/shunt/ports,1')['/shunt/ports'] == {'total': 2, 'ports': ['n.1']}
    assert ask('/shunt/ports,9')['/shunt/ports'] == {'total': 2, 'ports': []}


def test_port(switch):
    (port,) = ask('/shunt/port,vm-1').values()
    shown = switch.port('vm-1')
    assert port['name'] == 'vm-1' and port['type'] == 'vhost' and port['mac_limit'] == 0
    assert {key for key in shown if not isinstance(shown[key], list)} == {
        key.replace('_', '-') if key.replace('_', '-') in shown else key for key in port}


@pytest.mark.parametrize('command', ['/shunt/port', '/shunt/port,none', '/shunt/port,' + 'x' * 900])
def test_no_such_port(switch, command):
    assert ask(command)['/shunt/port'] is None


def test_fdb(switch):
    """Totals, and no more rows than fit."""
    for number in range(200):
        switch.rpc('fdb.add', {'mac': mac(0x1000 + number), 'port': 'n.1', 'vlan': 7})
    (fdb,) = ask('/shunt/fdb').values()
    assert (fdb['entries'], fdb['capacity']) == (200, 65536)
    assert len(fdb['addresses']) == 128 and len(set(fdb['addresses'])) == 128
    assert all(re.fullmatch(r'02(:[0-9a-f]{2}){5} vlan 7 port n\.1 static age 0', row)
               for row in fdb['addresses'])


def test_drops_and_lcores(switch):
    (drops,) = ask('/shunt/drops').values()
    assert drops['total'] == len(switch.json('drops'))
    (lcores,) = ask('/shunt/lcores').values()
    assert lcores['total'] == 1 and lcores['0']['lcore'] == int(switch.lcores)
    assert lcores['0']['queues'] == 2 and lcores['0']['idle_cycles'] > 0


def test_many_ports_fit(monkeypatch):
    """Answers that DPDK truncates at 16 KB are valid JSON."""
    names = [f'port-with-a-long-name-{number:09}' for number in range(300)]
    lines = [f'  {name}: {{type: vhost, socket: SOCK/{number}, enabled: off}}'
             for number, name in enumerate(names)]
    folder = proc.temp_dir('shunt-many-')
    monkeypatch.setenv('RUNTIME_DIRECTORY', str(folder))
    try:
        with Switch('ports:\n' + '\n'.join(lines).replace('SOCK', str(folder)) + '\n'):
            first = ask('/shunt/ports')['/shunt/ports']
            rest = ask(f"/shunt/ports,{len(first['ports'])}")['/shunt/ports']
            assert first['total'] == 300 and first['ports'] + rest['ports'] == names
    finally:
        shutil.rmtree(folder)


def telemetry_socket(runtime):
    return runtime / 'dpdk/rte/dpdk_telemetry.v2'


def test_control_that_does_not_answer(switch, runtime):
    """Telemetry times out, and works again when the control thread does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(30)
        client.connect(str(telemetry_socket(runtime)))
        client.recv(1024)
        # Only the main thread must be busy: it lists the FDB, again and again.
        with contextlib.ExitStack() as stack:
            rpc = stack.enter_context(socket.socket(socket.AF_UNIX))
            rpc.connect(str(switch.sock))
            batch = [{'jsonrpc': '2.0', 'id': n, 'method': 'fdb.list'} for n in range(256)]
            rpc.sendall(json.dumps(batch).encode())
            for _ in range(5):
                client.send(b'/shunt/fdb')
                answer = json.loads(client.recv(16384))
                assert answer['/shunt/fdb'] is None or answer['/shunt/fdb']['entries'] == 200
        client.send(b'/shunt/ports')
        assert json.loads(client.recv(16384))['/shunt/ports']['total'] == 2


def test_beside_changes(switch):
    """Queried by several clients while ports and lcores change: no crash, only valid answers."""
    path = telemetry_socket(proc.pathlib.Path(os.environ['RUNTIME_DIRECTORY']))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
                   for _ in range(4)]
        for client in clients:
            client.settimeout(30)
            client.connect(str(path))
            client.recv(1024)
        for _ in range(10):
            for client, command in zip(clients, (b'/shunt/ports', b'/shunt/port,come', b'/shunt/fdb',
                                                 b'/shunt/lcores')):
                client.send(command)
            switch.port_add('come', 'ethdev', device='net_null_t2,no-rx=1')
            switch.rpc('port.del', {'name': 'come'})
            answers = {}
            for client in clients:
                answers.update(json.loads(client.recv(16384)))
            assert answers['/shunt/ports']['total'] in (2, 3)
            assert answers['/shunt/lcores']['total'] == 1


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_nothing_stays_behind(runtime, number):
    before = {path for path in runtime.rglob('*') if not path.is_dir()}
    with Switch() as switch, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        new = {path for path in runtime.rglob('*') if not path.is_dir()} - before
        assert [path.name.split(':')[0] for path in new] == ['dpdk_telemetry.v2']
        client.connect(str(new.pop()))
        switch.process.signal(number)
        assert switch.process.wait(60) == 0
        assert {path for path in runtime.rglob('*') if not path.is_dir()} == before
        switch.start()


def test_without_a_place_for_its_socket(monkeypatch):
    """The switch runs without telemetry."""
    monkeypatch.setenv('RUNTIME_DIRECTORY', '/none')
    with Switch() as switch:
        assert switch.rpc('status')['ports'] == 0


def test_no_thread_on_polling_lcores(switch, runtime):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(str(telemetry_socket(runtime)))
        client.recv(1024)
        pid = switch.rpc('status')['pid']
        for task in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{task}/comm', encoding='ascii') as file:
                if not file.read().startswith('poll-'):
                    assert int(switch.lcores) not in os.sched_getaffinity(int(task))
