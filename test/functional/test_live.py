# SPDX-License-Identifier: BSD-3-Clause
"""Changes while frames pass: the traffic of other ports is not affected."""

import os
import sys
import time

import pytest

from bridge import Bridge
from frames import BROADCAST, frame, mac
from netns import ip
from proc import Process, cpus, wait_until
from sequence import Sequence
from switch import SwitchError, unbalanced
from testpmd import Testpmd, virtio

TIMES = 1000    # ports added and removed, by three tests together
A = mac(0x0a)


@pytest.fixture(scope='module')
def bridge():
    with Bridge(3) as running:
        running.switch.cli('config', 'save')
        yield running


@pytest.fixture
def flows(bridge):
    """Numbered traffic between p1 and p2 during a test, which must arrive completely and in order.
    """
    names = {port['name'] for port in bridge.switch.rpc('port.list')}
    with Sequence(bridge, 'p1', 'p2') as running:
        yield running
    assert not running.wrong()
    assert min(flow['received'] for flow in running.flows()) > 200, 'hardly any traffic'
    for port in bridge.switch.rpc('port.list'):
        if port['name'] not in names:
            bridge.switch.rpc('port.del', {'name': port['name']})


def add_and_remove(switch, times, *ports):
    """Add ports, each (name, type, keys), and remove them in the same order, many times."""
    for _ in range(times):
        for name, kind, keys in ports:
            switch.rpc('port.add', {'name': name, 'type': kind, **keys})
        for name, _, _ in ports:
            switch.rpc('port.del', {'name': name})


@pytest.mark.usefixtures('flows')
class TestNothingIsLost:
    def test_without_changes(self):
        time.sleep(1)

    def test_devices_come_and_go(self, bridge):
        """Every broadcast leaves by one more port while that exists."""
        device = {'device': 'net_null_x,no-rx=1', 'queues': 2}
        add_and_remove(bridge.switch, TIMES * 4 // 10, ('x', 'ethdev', device))

    def test_vhost_ports_come_and_go(self, bridge):
        for mode in ('server', 'client'):
            keys = {'socket': str(bridge.switch.socket('x')), 'mode': mode, 'queues': 3}
            add_and_remove(bridge.switch, TIMES // 10, ('x', 'vhost', keys))

    def test_several_ports_come_and_go(self, bridge):
        sockets = [{'socket': str(bridge.switch.socket(name))} for name in 'xy']
        add_and_remove(bridge.switch, TIMES // 10, ('x', 'vhost', sockets[0]),
                       ('n', 'ethdev', {'device': 'net_null_n,no-rx=1'}),
                       ('y', 'vhost', sockets[1]),
                       ('m', 'ethdev', {'device': 'net_null_m,no-rx=1'}))

    def test_devices_that_send_come_and_go(self, bridge):
        """The third port's link goes down and up, and its wire sends meanwhile."""
        for _ in range(20):
            bridge.switch.rpc('port.del', {'name': 'p3'})
            bridge.plug('p3')
            bridge.wire['p3'].send(*(frame(BROADCAST, A) for _ in range(20)))
        bridge.wire['p3'].drain()

    def test_refused_ports(self, bridge):
        """A port that cannot be opened leaves no trace."""
        for _ in range(50):
            for keys in ({'type': 'ethdev', 'device': 'net_af_packet_x,iface=none'},
                         {'type': 'ethdev', 'device': 'net_null_x', 'mtu': 60},
                         {'type': 'vhost', 'socket': '/none/x.sock'}):
                with pytest.raises(SwitchError):
                    bridge.switch.rpc('port.add', {'name': 'x', **keys})

    def test_keys_change(self, bridge):
        """Keys of another port, which take effect at once or open it anew."""
        for number in range(100):
            bridge.switch.rpc('port.set', {'name': 'p3', 'mac-limit': number % 3})
            bridge.switch.rpc('port.set', {'name': 'p3', 'enabled': 'off'})
            bridge.switch.rpc('port.set', {'name': 'p3', 'enabled': 'on'})
        for number in range(10):
            bridge.switch.rpc('port.set', {'name': 'p3', 'mtu': 1400 + number})
        bridge.switch.rpc('config.apply')

    def test_own_live_keys_change(self, bridge):
        for number in range(200):
            bridge.switch.rpc('port.set', {'name': 'p1', 'mac-limit': 10 + number % 3})
        bridge.switch.rpc('port.set', {'name': 'p1', 'mac-limit': 0})

    def test_tables_change(self, bridge):
        """Flushes of other addresses; static entries; lists of an FDB that changes."""
        for number in range(200):
            bridge.wire['p3'].send(frame(BROADCAST, mac(number)))
            bridge.switch.rpc('fdb.add', {'mac': mac(0xf00 + number % 7), 'port': 'p3', 'vlan': 5})
            bridge.switch.rpc('fdb.list')
            bridge.switch.rpc('fdb.flush', {'port': 'p3'})
            bridge.switch.rpc('fdb.del', {'mac': mac(0xf00 + number % 7), 'vlan': 5})

    def test_lcores_are_balanced(self, bridge):
        for _ in range(300):
            bridge.switch.rpc('lcore.balance')

    def test_links_change(self, bridge):
        for state in 2 * ('down', 'up'):
            ip('link', 'set', bridge.outside['p3'], state)
            bridge.switch.wait_link('p3', state)

    def test_front_ends_connect_and_close(self, bridge):
        path = bridge.switch.port_add('x', 'vhost', queues=2)
        with Testpmd(virtio(path, queues=2), queues=2) as pmd:
            bridge.switch.wait_link('x')
            pmd.command('set fwd rxonly', 'start')
            pmd.kill9()
            bridge.switch.wait_link('x', 'down')
            pmd.start()
            bridge.switch.wait_link('x')

    def test_questions(self, bridge):
        """Any number of requests of any kind."""
        for _ in range(100):
            for method in ('status', 'port.list', 'fdb.list', 'lcore.list', 'drops', 'config.show'):
                bridge.switch.rpc(method)
            bridge.switch.rpc('port.show', {'name': 'p1'})

    def test_same_configuration(self, bridge):
        for _ in range(50):
            assert bridge.switch.rpc('config.apply') == {'added': [], 'removed': [], 'changed': []}


HOST_TRAFFIC = """
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        sock.sendto(bytes(18), ('127.0.0.1', 9))
    except OSError:    # nobody listens there
        pass
"""


def test_a_new_port_hears_only_its_own_interface(bridge):
    """A socket of net_af_packet receives all frames of the host until it is bound: those are
    discarded."""
    noise = Process([sys.executable, '-c', HOST_TRAFFIC], bridge.switch.dir / 'noise',
                    cpu=cpus()[1])
    try:
        for _ in range(20):
            bridge.switch.rpc('port.del', {'name': 'p3'})
            bridge.plug('p3')
            assert bridge.switch.port('p3')['rx_packets'] == 0
    finally:
        noise.kill9()


def test_sighup_applies_differences_only(bridge, flows):
    """SIGHUP: p3 changes, a port is added and removed; p1 and p2 continue, and so do their
    counters."""
    before = {name: bridge.switch.port(name) for name in ('p1', 'p2')}
    text = bridge.switch.config.read_text()
    extra = text + f"  x: {{type: vhost, socket: {bridge.switch.socket('x')}}}\n"
    assert "device: \"net_af_packet_p3" in text
    for config in (text.replace('net_af_packet_p3', 'net_af_packet_q3'), extra, text):
        bridge.switch.reload(config)
        wait_until(lambda: bridge.switch.json('config', 'show') and
                   ('x' in config_ports(bridge)) == ('x:' in config), 20, 'new configuration')
    after = {name: bridge.switch.port(name) for name in ('p1', 'p2')}
    for name, port in before.items():
        for counter in ('rx_packets', 'tx_packets', 'rx_bytes', 'tx_bytes', 'rx_forwarded'):
            assert after[name][counter] >= port[counter] > 0, f'{counter} of {name}'
    assert flows.received() > 0


def config_ports(bridge):
    return [port['name'] for port in bridge.switch.rpc('port.list')]


class TestLcores:
    def test_the_last_one_stays(self, bridge):
        (lcore,) = bridge.switch.rpc('status')['lcores']
        with pytest.raises(SwitchError, match='last one that polls') as refused:
            bridge.switch.cli('lcore', 'del', lcore)
        assert refused.value.status == 1

    def test_one_that_polls_already(self, bridge):
        (lcore,) = bridge.switch.rpc('status')['lcores']
        with pytest.raises(SwitchError, match='polls already'):
            bridge.switch.cli('lcore', 'add', lcore)

    def test_one_that_does_not_poll(self, bridge):
        with pytest.raises(SwitchError, match='does not poll'):
            bridge.switch.cli('lcore', 'del', 0 if bridge.switch.lcores != '0' else 1)

    def test_no_such_cpu(self, bridge):
        for cpu in (999, 1023):
            with pytest.raises(SwitchError, match='no CPU'):
                bridge.switch.cli('lcore', 'add', cpu)

    @pytest.mark.skipif(len(os.sched_getaffinity(0)) > 2, reason='there is a CPU to spare')
    def test_control_keeps_a_cpu(self, bridge):
        polling = int(bridge.switch.lcores)
        with pytest.raises(SwitchError, match='the control thread needs it'):
            bridge.switch.cli('lcore', 'add', min(os.sched_getaffinity(0) - {polling}))
        assert bridge.switch.rpc('status')['lcores'] == [polling]

    @pytest.mark.skipif(len(os.sched_getaffinity(0)) < 3, reason='needs 3 CPUs')
    def test_queues_move_while_frames_flow(self, bridge, flows):
        first = int(bridge.switch.lcores)
        second = max(os.sched_getaffinity(0) - {first, min(os.sched_getaffinity(0))})
        for _ in range(50):
            bridge.switch.rpc('lcore.add', {'lcore': second})
            assert sorted(bridge.switch.rpc('status')['lcores']) == sorted([first, second])
            bridge.switch.rpc('lcore.balance')
            bridge.switch.rpc('lcore.del', {'lcore': first})
            bridge.switch.rpc('lcore.add', {'lcore': first})
            bridge.switch.rpc('lcore.del', {'lcore': second})
        assert flows.received()


def test_counters_balance(bridge):
    """After all of these tests: each port forwarded or dropped the frames that it received."""
    wrong = [line for line in unbalanced(bridge.switch.rpc('port.list')) if 'copies' not in line]
    assert not wrong
