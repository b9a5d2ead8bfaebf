# SPDX-License-Identifier: BSD-3-Clause
"""Real Linux guests on the switch: traffic, offloads, reboots, ends of either side.

Two pairs of guests are booted once and shared: vm1 and vm2 connect to the switch (port
mode=server); vm3 and vm4 listen (mode=client), with two queue pairs and jumbo frames.
"""

import contextlib
import re

import pytest

import traffic
from guest import Guest
from netns import Netns
from proc import wait_until
from switch import Switch, unbalanced

CLIENT_CONFIG = """
ports:
  vm3: {{type: vhost, socket: {vm3}, mode: client, queues: 2, mtu: 9000}}
  vm4: {{type: vhost, socket: {vm4}, mode: client, queues: 2, mtu: 9000}}
"""
FILE_MB = 64


def guest(switch, number):
    """vm1 or vm2, not started."""
    return Guest(f'vm{number}', switch.socket(f'vm{number}'), mac=f'02:00:00:00:00:0{number}',
                 ip=f'10.0.0.{number}/24')


@contextlib.contextmanager
def boot(*guests):
    """Guests started together and booted; stopped at the end."""
    with contextlib.ExitStack() as stack:
        for one in guests:
            stack.enter_context(one)
        for one in guests:
            one.wait_boot()
        yield guests


@pytest.fixture(scope='class')
def switch():
    with Switch() as running:
        running.port_add('vm1', 'vhost')
        running.port_add('vm2', 'vhost')
        yield running


@pytest.fixture(scope='class')
def pair(switch):
    with boot(guest(switch, 1), guest(switch, 2)) as guests:
        for name in ('vm1', 'vm2'):
            switch.wait_link(name)
        traffic.wait_ping(*guests[:1], guests[1].address)
        yield guests


@pytest.fixture(scope='class')
def namespace(switch):
    """A host behind a veth whose other end is a port of the switch."""
    with Netns() as space:
        outside = space.veth(ip_address='10.0.0.9/24')
        switch.port_add('up0', 'ethdev', device=f'net_af_packet0,iface={outside}')
        yield space
        switch.cli('port', 'del', 'up0')


def assert_balanced(switch):
    """The counters of all ports balance once the last frames have passed."""
    def wrong():
        return unbalanced(switch.rpc('port.list'))
    try:
        wait_until(lambda: not wrong(), 30, 'counters', 0.2)
    except TimeoutError:
        pytest.fail('\n'.join(wrong()))


def assert_ping(host, other, **options):
    result = traffic.ping(host, other.address, **options)
    assert result.received == result.sent, f'{host.name} to {other.name}: {result}'


class TestServerMode:
    """QEMU connects to the switch."""

    def test_ping(self, pair):
        one, two = pair
        assert_ping(one, two)
        assert_ping(two, one)

    def test_iperf_counters(self, switch, pair):
        one, two = pair
        before = switch.port('vm1'), switch.port('vm2')
        result = traffic.iperf(one, two, seconds=3)
        assert result.gbps > 0
        after = switch.port('vm1'), switch.port('vm2')
        assert after[0]['rx_bytes'] - before[0]['rx_bytes'] >= result.bytes
        assert after[1]['tx_bytes'] - before[1]['tx_bytes'] >= result.bytes
        assert after[1]['rx_packets'] > before[1]['rx_packets'], 'no acknowledgements'
        assert_balanced(switch)

    def test_learning(self, switch, pair):
        found = {row['mac']: row for row in switch.json('fdb', 'list')}
        for one in pair:
            assert found[one.mac]['port'] == one.name
            assert found[one.mac]['type'] == 'dynamic'

    def test_file_between_guests(self, switch, pair):
        one, two = pair
        traffic.transfer(one, two, FILE_MB)
        traffic.transfer(two, one, FILE_MB)
        assert_balanced(switch)

    def test_namespace_ping(self, pair, namespace):
        traffic.wait_ping(namespace, pair[0].address)
        assert_ping(namespace, pair[0])
        assert_ping(pair[1], namespace)

    def test_file_between_guest_and_namespace(self, switch, pair, namespace):
        traffic.transfer(pair[0], namespace, FILE_MB)
        traffic.transfer(namespace, pair[0], FILE_MB)
        assert_balanced(switch)

    @pytest.mark.parametrize('inside', [False, True], ids=['reset', 'from-inside'])
    def test_reboot(self, switch, pair, inside):
        one, two = pair
        two.reboot(inside=inside)
        switch.wait_link('vm2')
        traffic.wait_ping(one, two.address)
        assert_ping(one, two, count=20)
        assert_ping(two, one, count=20)

    def test_kill9_of_a_guest(self, switch, pair, namespace):
        one, two = pair
        traffic.wait_ping(namespace, one.address)
        pings = namespace.spawn(f'busybox ping -q -c 150 -i 0.02 {one.address}')
        two.kill9()
        switch.wait_link('vm2', 'down')
        assert two.mac not in [row['mac'] for row in switch.json('fdb', 'list')]
        assert switch.port('vm1')['link'] == 'up'
        assert re.search(r' 0% packet loss', pings.wait(20)), pings.output()
        two.start().wait_boot()    # a new guest on the same socket
        switch.wait_link('vm2')
        traffic.wait_ping(one, two.address)
        assert_ping(two, one)
        assert_balanced(switch)

    def test_port_deleted_and_added_again(self, switch, pair):
        """QEMU as client without reconnect= does not connect again; a guest started later finds the
        new port."""
        one, two = pair
        switch.cli('port', 'del', 'vm2')
        assert not switch.socket('vm2').exists()
        two.kill9()
        switch.port_add('vm2', 'vhost')
        two.start().wait_boot()
        traffic.wait_ping(one, two.address)
        assert_ping(one, two, count=20)


@pytest.fixture(scope='class')
def listening():
    """(switch, vm3, vm4): guests that listen; the ports come from the configuration file."""
    guests = [Guest(f'vm{number}', mode='server', queues=2, mtu=9000, ip=f'10.0.1.{number}/24',
                    mac=f'02:00:00:00:00:0{number}') for number in (3, 4)]
    config = CLIENT_CONFIG.format(vm3=guests[0].sock, vm4=guests[1].sock)
    with Switch(config) as running, boot(*guests):
        traffic.wait_ping(guests[0], guests[1].address)
        yield (running, *guests)


def queue_packets(one):
    """{'tx_queue_0': packets, ...} as the guest's driver counts them; from Linux 6.10 on, which
    does not print them, interrupts."""
    text = one.run('ethtool -S eth0')
    counts = re.findall(r'(\w+_queue_\d)_packets: (\d+)', text)
    if not counts:
        text = one.run('cat /proc/interrupts')
        counts = [(f'{"rx" if way == "input" else "tx"}_queue_{queue}', sum(map(int, cpus.split())))
                  for cpus, way, queue in
                  re.findall(r':((?: +\d+)+) .*virtio\d+-(input|output)\.(\d+)', text)]
    return {name: int(count) for name, count in counts}


class TestClientMode:
    """The switch connects to QEMU, and reconnects when necessary."""

    def test_two_queues(self, listening):
        running, three, four = listening
        assert re.search(r'Combined:\s*2\s*$', three.run('ethtool -l eth0'))
        assert running.port('vm3')['rx_queues'] == 2
        traffic.iperf(three, four, seconds=2, options='-P 8')
        used = queue_packets(three)
        assert used['tx_queue_0'] and used['tx_queue_1'], used
        assert_balanced(running)

    def test_jumbo(self, listening):
        _, three, four = listening
        assert_ping(three, four, count=20, size=8000)
        assert_ping(four, three, count=20, size=8000)

    def test_kill9_of_the_switch(self, listening):
        running, three, four = listening
        boots = three.run('cat /proc/sys/kernel/random/boot_id'), four.boots
        running.kill9()
        running.start()
        running.wait_link('vm3', timeout=20)
        running.wait_link('vm4', timeout=20)
        traffic.wait_ping(three, four.address)
        assert_ping(three, four)
        assert_ping(four, three, size=8000, count=20)
        assert boots == (three.run('cat /proc/sys/kernel/random/boot_id'), four.boots)
        assert_balanced(running)
