# SPDX-License-Identifier: BSD-3-Clause
"""The command line interface that scripts use: exit statuses, the fields of -j, errors of one line.
"""

import json
import os
import re
import subprocess

import pytest

import proc
from switch import unbalanced
from testpmd import WiredGuest
from frames import BROADCAST, frame, mac

DONE, REFUSED, USAGE, ABSENT = range(4)
COUNTERS = ['rx_packets', 'rx_bytes', 'rx_drops', 'tx_packets', 'tx_bytes', 'tx_drops']


def fails(switch, status, *words):
    """The error of a command that fails: one line on stderr, nothing on stdout."""
    done = switch.cli(*words, check=False)
    assert done.returncode == status, done
    assert done.stdout == ''
    assert done.stderr.startswith('shunt: ') and done.stderr.count('\n') == 1, done.stderr
    return done.stderr


class TestStatus:
    @pytest.mark.parametrize('words', [
        'port show none', 'port del none', 'port set none queues=1', 'port qemu none',
        'port add x vhost', 'port add x vhost socket=rel', 'port add x vhost socket=/x bogus=1',
        'port add x ethdev device=net_af_packet0,iface=none', 'port add x tap', 'port add x nosuch',
        'port add x vhost socket=/x vlan=4095', 'fdb del 02:00:00:00:00:01', 'fdb list port=none',
        'fdb add 02:00:00:00:00:01 port=none', 'drops port=none', 'lcore del 99', 'lcore add 999',
        'config apply /none', 'config save /none/x',
    ])
    def test_refused(self, switch, words):
        fails(switch, REFUSED, *words.split())
        assert switch.rpc('port.list') == []

    @pytest.mark.parametrize('words', [
        '', 'nosuch', 'port', 'port nosuch', 'port add', 'port add x', 'port set x',
        'port set x nokey', 'port show', 'port show x y', 'port add x vhost socket=/x socket=/y',
        'fdb add nomac port=x', 'fdb add 02:00:00:00:00:01', 'fdb list vlan=x',
        'fdb list vlan=4095', 'fdb list bogus=1', 'lcore add', 'lcore add x', 'status x',
        '--bogus', '-s', '-x status', 'config apply', 'wait x',
    ])
    def test_usage(self, switch, words):
        fails(switch, USAGE, *words.split())

    @pytest.mark.parametrize('words', ['status', 'port list', 'stop', 'wait 0.2', '-j drops'])
    def test_absent(self, switch, words):
        argv = [proc.program('shunt'), '-s', switch.run / 'none', *words.split()]
        done = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=10)
        assert done.returncode == ABSENT and not done.stdout
        assert done.stderr.count('\n') == 1 and str(switch.run / 'none') in done.stderr

    @pytest.mark.parametrize('words', [
        'status', 'port list', 'fdb list', 'lcore list', 'drops', 'wait', 'config show',
        'lcore balance', 'fdb flush', 'help', '--help', '--version', 'help port add', '--man',
        '--completion bash',
    ])
    def test_done(self, switch, words):
        done = switch.cli(*words.split())
        assert done.returncode == DONE and not done.stderr

    def test_versions(self, switch):
        """All programs have one version, and report DPDK's: shuntd that of the library that it runs
        with."""
        version = re.search(r"version: '(.*)'", (proc.ROOT / 'meson.build').read_text())[1]
        status, own = switch.json('status'), switch.json('--version')
        assert status['version'] == own['version'] == version
        says = {name: subprocess.run([proc.program(name), '--version'], check=True, text=True,
                                     stdout=subprocess.PIPE).stdout
                for name in ('shuntd', 'shunt', 'shunt-vm')}
        assert says == {'shuntd': f"shuntd {version} (DPDK {status['dpdk']})\n",
                        'shunt': f"shunt {version} (built with DPDK {own['dpdk']})\n",
                        'shunt-vm': f'shunt-vm {version}\n'}

    def test_socket_from_the_environment(self, switch):
        env = dict(os.environ, SHUNT_SOCKET=str(switch.sock))
        done = subprocess.run([proc.program('shunt'), '-j', 'status'], env=env, check=True,
                              stdout=subprocess.PIPE)
        assert json.loads(done.stdout)['pid'] == switch.process.pid

    def test_full_disk(self, switch):
        with open('/dev/full', 'w', encoding='ascii') as full:
            done = subprocess.run([proc.program('shunt'), '-s', switch.sock, 'status'], stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        assert done.returncode == REFUSED and 'cannot write' in done.stderr


def has(document, **types):
    """The document has at least these fields, of these types."""
    for name, kind in types.items():
        value = document[name]
        good = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        assert good, f'{name}: {value!r}'


class TestJson:
    def test_status(self, switch):
        status = switch.json('status')
        has(status, version=str, dpdk=str, pid=int, uptime_s=int, ports=int, lcores=list, fdb=dict)
        has(status['fdb'], entries=int, capacity=int)
        assert status['lcores'] == [int(switch.lcores)]
        assert status['dpdk'][0].isdigit()

    @pytest.mark.parametrize('words', ['port list', 'fdb list', 'drops'])
    def test_empty_lists(self, switch, words):
        assert switch.json(*words.split()) == []

    def test_port_list(self, switch):
        switch.port_add('vm1', 'vhost', queues=2)
        switch.port_add('n1', 'ethdev', device='net_null0,no-rx=1')
        vm1, n1 = switch.json('port', 'list')
        for port in (vm1, n1):
            has(port, name=str, type=str, link=str, numa_node=int, rx_queues=int, tx_queues=int,
                **dict.fromkeys(COUNTERS, int))
            assert [port[name] for name in COUNTERS] == [0] * 6
        fields = ('name', 'type', 'link', 'rx_queues')
        assert [vm1[name] for name in fields] == ['vm1', 'vhost', 'down', 2]
        assert [n1[name] for name in fields] == ['n1', 'ethdev', 'up', 1]
        assert vm1['numa_node'] >= 0 and n1['numa_node'] >= 0

    def test_port_show(self, switch):
        """The keys are those of port add, those at their default included."""
        switch.port_add('vm1', 'vhost', queues=2, mtu=1400)
        port = switch.json('port', 'show', 'vm1')
        expected = {'socket': str(switch.socket('vm1')), 'mode': 'server', 'queues': 2, 'mtu': 1400,
                    'packed': 'off', 'tso': 'on', 'csum': 'on', 'perm': '0660',
                    'datapath': 'auto', 'enabled': 'on'}
        assert {key: port[key] for key in expected} == expected
        assert [row['queue'] for row in port['polled_by']] == [0, 1]
        has(port, **dict.fromkeys(COUNTERS, int))
        again = [f'{key}={port[key]}' for key in ('socket', 'mode', 'queues', 'mtu', 'tso', 'perm')]
        switch.cli('port', 'del', 'vm1')
        switch.cli('port', 'add', 'vm1', 'vhost', *again)
        assert switch.json('port', 'show', 'vm1')['mtu'] == 1400

    def test_keys_are_those_of_the_switch(self, switch):
        """Help lists the types and keys of the running switch, with their defaults."""
        (command,) = switch.json('help', 'port', 'add')['commands']
        listed = {}
        for key in command['keys']:
            listed.setdefault(key['type'], {})[key['key']] = key['default']
        types = fails(switch, REFUSED, *'port add x nonesuch'.split()).split('there are ')[1]
        assert set(types.strip().split(', ')) == set(listed) - {None}
        given = {'vhost': {'socket': switch.socket('x')}, 'ethdev': {'device': 'net_null0,no-rx=1'}}
        for kind in set(listed) - {None}:
            needed = given[kind]
            switch.port_add('x', kind, **needed)
            port = switch.json('port', 'show', 'x')
            expected = {**listed[None], **listed[kind], **{k: str(v) for k, v in needed.items()}}
            assert {key: str(port.get(key)) for key in expected} == expected
            switch.cli('port', 'del', 'x')

    def test_lcore_list(self, switch):
        switch.port_add('vm1', 'vhost', queues=2)
        (lcore,) = switch.json('lcore', 'list')
        has(lcore, lcore=int, numa_node=int, queues=list, busy_cycles=int, idle_cycles=int,
            packets=int)
        assert lcore['lcore'] == int(switch.lcores)
        assert lcore['queues'] == [{'port': 'vm1', 'queue': 0}, {'port': 'vm1', 'queue': 1}]

    def test_commands_without_a_result(self, switch):
        assert switch.json('port', 'add', 'n1', 'ethdev', 'device=net_null0,no-rx=1') == {}
        assert switch.json('port', 'set', 'n1', 'enabled=off') == {}
        assert switch.json('port', 'del', 'n1') == {}

    def test_traffic(self, switch):
        """The values that traffic changes: counters, addresses, drops, cycles."""
        path = switch.port_add('vm1', 'vhost')
        switch.port_add('n1', 'ethdev', device='net_null0,no-rx=1')
        with WiredGuest(path) as guest:
            switch.wait_link('vm1')
            guest.wire.send(*(frame(dst, mac(1)) for dst in (BROADCAST, '01:80:c2:00:00:00',
                                                             BROADCAST)))
            proc.wait_until(lambda: switch.port('vm1')['rx_packets'] == 3, 20, 'three frames')
            (row,) = switch.json('fdb', 'list')
            has(row, mac=str, vlan=int, port=str, type=str, age_s=int)
            del row['age_s']
            assert row == {'mac': mac(1), 'vlan': 0, 'port': 'vm1', 'type': 'dynamic'}
            assert switch.json('drops') == [
                {'port': 'vm1', 'direction': 'rx', 'reason': 'reserved', 'owner': 'guest',
                 'packets': 1}]
            assert switch.json('drops', 'port=n1') == []
            (lcore,) = switch.json('lcore', 'list')
            assert lcore['packets'] >= 3 and lcore['busy_cycles'] > 0 and lcore['idle_cycles'] > 0
            vm1, n1 = switch.json('port', 'list')
            assert [vm1[name] for name in COUNTERS] == [3, 180, 1, 0, 0, 0]
            assert [n1[name] for name in COUNTERS] == [0, 0, 0, 2, 120, 0]
            assert not unbalanced([vm1, n1])


class TestPortSet:
    def test_several_keys_or_none(self, switch):
        """One invalid key, and nothing is changed."""
        switch.port_add('n1', 'ethdev', device='net_null0,no-rx=1')
        assert 'bogus' in fails(switch, REFUSED, 'port', 'set', 'n1', 'mac-limit=5', 'bogus=1')
        assert switch.port('n1')['mac-limit'] == 0
        switch.cli('port', 'set', 'n1', 'mac-limit=5', 'enabled=off')
        assert (switch.port('n1')['mac-limit'], switch.port('n1')['enabled']) == (5, 'off')

    def test_type_stays(self, switch):
        switch.port_add('n1', 'ethdev', device='net_null0,no-rx=1')
        assert 'type' in fails(switch, REFUSED, 'port', 'set', 'n1', 'type=vhost')

    def test_same_name_twice(self, switch):
        switch.port_add('n1', 'ethdev', device='net_null0,no-rx=1')
        words = 'port add n1 ethdev device=net_null1'.split()
        assert 'already' in fails(switch, REFUSED, *words)

    def test_same_device_twice(self, switch):
        switch.port_add('n1', 'ethdev', device='net_null0,no-rx=1')
        words = 'port add n2 ethdev device=net_null0'.split()
        assert 'another port' in fails(switch, REFUSED, *words)
        assert switch.port('n1')['link'] == 'up'

    def test_failed_change_keeps_the_port(self, switch):
        switch.port_add('n1', 'ethdev', device='net_null0,no-rx=1')
        fails(switch, REFUSED, 'port', 'set', 'n1', 'device=net_af_packet0,iface=none')
        port = switch.port('n1')
        assert (port['device'], port['link']) == ('net_null0,no-rx=1', 'up')

    def test_more_queues_than_there_are(self, switch):
        switch.port_add('n1', 'ethdev', device='net_pcap0,tx_pcap=/dev/null')
        assert 'queues' in fails(switch, REFUSED, 'port', 'set', 'n1', 'queues=5')
        assert switch.port('n1')['rx_queues'] == 1

    @pytest.mark.parametrize('name', ['x', '0', 'a.b-c_d', 'n' * 31])
    def test_good_names(self, switch, name):
        switch.port_add(name, 'ethdev', device='net_null0,no-rx=1')
        assert switch.port(name)['name'] == name

    @pytest.mark.parametrize('name', ['', '.x', '-x', 'x y', 'x/y', 'n' * 32, 'é', 'x\n'])
    def test_bad_names(self, switch, name):
        done = switch.cli('port', 'add', '--', name, 'ethdev', 'device=net_null0,no-rx=1',
                          check=False)
        assert done.returncode in (REFUSED, USAGE) and done.stderr.count('\n') == 1
        assert switch.rpc('port.list') == []
