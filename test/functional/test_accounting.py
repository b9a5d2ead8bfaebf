# SPDX-License-Identifier: BSD-3-Clause
"""Every frame is accounted for: forwarded or dropped, sent or dropped, by port and reason."""

import contextlib

import pytest

from bridge import Bridge
from frames import BROADCAST, frame, mac, tag
from proc import wait_until
from switch import unbalanced
from testpmd import KEEP_RX, Testpmd, virtio

A, B, C = mac(0x0a), mac(0x0b), mac(0x0c)
ENOUGH = 50_000    # frames of load before it ends


@pytest.fixture
def bridge():
    """A switch of its own: deleted ports take their counters with them."""
    with Bridge(2, mtus={'p2': 1000}) as running:
        running.space.run(f"ip link set {running.inside('p2')} mtu 1500")
        yield running


@contextlib.contextmanager
def guests(bridge, *names, **options):
    """Vhost ports with one testpmd for all of them, which is yielded."""
    paths = [bridge.switch.port_add(name, 'vhost') for name in names]
    devices = [virtio(path, number, **options) for number, path in enumerate(paths)]
    with Testpmd(*devices, arguments=[KEEP_RX]) as pmd:
        for name in names:
            bridge.switch.wait_link(name)
        yield pmd
        bridge.switch.at_rest()


def assert_exact(bridge):
    """Assert that all counters of a switch at rest agree; its counters, by port."""
    ports = bridge.switch.at_rest()
    assert not unbalanced(ports.values())
    drops = bridge.switch.json('drops')
    for name, port in ports.items():
        for direction in ('rx', 'tx'):
            rows = [row['packets'] for row in drops
                    if (row['port'], row['direction']) == (name, direction)]
            assert sum(rows) == port[f'{direction}_drops'], f'{name} {direction}'
            assert all(rows), 'a reason without drops is listed'
    polled = sum(lcore['packets'] for lcore in bridge.switch.json('lcore', 'list'))
    assert polled == sum(port['rx_packets'] for port in ports.values())
    return ports


def wait_load(bridge, name, counter='rx_packets', packets=ENOUGH):
    wait_until(lambda: bridge.switch.port(name)[counter] >= packets, 20, f'{counter} of {name}')


def kernel_counts(bridge, name):
    """(frames, bytes) to the switch, (frames) from it, as the outer end of a veth counts them."""
    folder = f'/sys/class/net/{bridge.outside[name]}/statistics'

    def read(counter):
        with open(f'{folder}/{counter}', encoding='ascii') as file:
            return int(file.read())
    return read('rx_packets'), read('rx_bytes'), read('tx_packets') + read('tx_dropped')


def test_quiet_switch(bridge):
    ports = assert_exact(bridge)
    assert not any(port['rx_packets'] or port['tx_packets'] for port in ports.values())


def test_mix_of_everything(bridge):
    """Known numbers of each kind, from wires."""
    switch = bridge.switch
    switch.port_add('off', 'ethdev', device='net_null_off,no-rx=1')
    switch.rpc('port.set', {'name': 'off', 'enabled': 'off'})
    switch.rpc('fdb.add', {'mac': C, 'port': 'off'})
    switch.rpc('fdb.add', {'mac': B, 'port': 'p2'})
    mix = (40 * [frame(B, A)] + 30 * [frame(BROADCAST, A)] + 20 * [frame(B, A, size=1500)]
           + 15 * [frame(C, A)] + 10 * [frame(A, A)] + 7 * [frame('01:80:c2:00:00:00', A)]
           + 5 * [frame(B, A, tag(4095))] + 3 * [frame(BROADCAST, A, size=1500)])
    bridge.wire['p1'].send(*mix)
    bridge.wait_received('p1', len(mix))
    ports = assert_exact(bridge)
    assert bridge.drops() == {
        ('p1', 'rx', 'same-port'): 10, ('p1', 'rx', 'reserved'): 7, ('p1', 'rx', 'bad-tag'): 5,
        ('p2', 'tx', 'too-long'): 23, ('off', 'tx', 'link-down'): 15}
    assert ports['p1']['rx_bytes'] == sum(map(len, mix))
    assert (ports['p2']['tx_packets'], ports['p2']['tx_bytes']) == (70, 70 * 60)
    assert kernel_counts(bridge, 'p1')[:2] == (len(mix), sum(map(len, mix)))
    assert len(bridge.wire['p2'].receive_count(71, 0.2)) == kernel_counts(bridge, 'p2')[2] == 70


def test_two_guests_that_only_send(bridge):
    """Floods to receivers that take no frames: full rings. MTUs are too small as well."""
    with guests(bridge, 'vm1', 'vm2') as pmd:
        pmd.command('set eth-peer 0 02:00:00:00:00:77', 'set eth-peer 1 ff:ff:ff:ff:ff:ff',
                    'set txpkts 1100', 'set fwd txonly', 'start')
        wait_load(bridge, 'vm1')
        wait_load(bridge, 'vm2')
        pmd.command('stop')
        ports = assert_exact(bridge)
        for number, name in enumerate(('vm1', 'vm2')):
            stats = pmd.stats(number)
            assert (ports[name]['rx_packets'], ports[name]['rx_bytes']) == (
                stats['TX-packets'], stats['TX-bytes'])
            assert ports[name]['rx_copies'] == 3 * ports[name]['rx_packets'], 'one for each other'
        drops = bridge.drops()
        assert drops['vm1', 'tx', 'tx-full'] and drops['vm2', 'tx', 'tx-full']
        assert drops['p2', 'tx', 'too-long'] == ports['p2']['tx_drops'] == sum(
            ports[name]['rx_packets'] for name in ('vm1', 'vm2'))
        assert kernel_counts(bridge, 'p1')[2] == ports['p1']['tx_packets']


@pytest.mark.parametrize('options', [{}, {'mrg_rxbuf': 0}], ids=['mergeable', 'not mergeable'])
def test_frames_in_a_circle(bridge, options):
    """Guests that send back the frames that they receive, with wires listening: the counts of
    guests and switch are equal."""
    with guests(bridge, 'vm1', 'vm2', **options) as pmd:
        bridge.switch.rpc('fdb.add', {'mac': mac(1), 'port': 'vm1'})
        bridge.switch.rpc('fdb.add', {'mac': mac(2), 'port': 'vm2'})
        pmd.command(f'set eth-peer 0 {mac(2)}', f'set eth-peer 1 {mac(1)}', 'set fwd txonly',
                    'start')
        wait_load(bridge, 'vm1', packets=1000)
        pmd.command('stop', 'set fwd mac', 'start')
        wait_load(bridge, 'vm1')
        wait_load(bridge, 'vm2')
        pmd.command('stop', 'set fwd rxonly', 'start')
        ports = bridge.switch.at_rest()
        wait_until(lambda: pmd.stats(0)['RX-packets'] == ports['vm1']['tx_packets'], 20, 'all read')
        ports = assert_exact(bridge)
        for number, name in enumerate(('vm1', 'vm2')):
            stats = pmd.stats(number)
            assert ports[name]['rx_packets'] == stats['TX-packets']
            assert ports[name]['rx_bytes'] == stats['TX-bytes']
            assert ports[name]['tx_packets'] == stats['RX-packets']
            assert ports[name]['tx_bytes'] == stats['RX-bytes']


def test_a_guest_dies_under_load(bridge):
    """Frames in transit to the guest are dropped and counted."""
    with guests(bridge, 'vm1') as sender, guests(bridge, 'vm2') as receiver:
        bridge.switch.rpc('fdb.add', {'mac': B, 'port': 'vm2'})
        sender.command(f'set eth-peer 0 {B}', 'set fwd txonly', 'start')
        receiver.command('set fwd rxonly', 'start')
        wait_load(bridge, 'vm2', 'tx_packets')
        receiver.kill9()
        bridge.switch.wait_link('vm2', 'down')
        wait_until(lambda: bridge.drops().get(('vm2', 'tx', 'link-down'), 0) > 1000, 30, 'drops')
        receiver.start()
        receiver.command('set fwd rxonly', 'start')
        bridge.switch.wait_link('vm2')
        before = bridge.switch.port('vm2')['tx_packets']
        wait_load(bridge, 'vm2', 'tx_packets', before + 1000)
        sender.command('stop')
        ports = assert_exact(bridge)
        assert ports['vm1']['rx_packets'] == sender.stats()['TX-packets']
        assert ports['vm2']['tx_packets'] + ports['vm2']['tx_drops'] == ports['vm1']['rx_packets']


def test_sender_dies(bridge):
    """Frames taken before the end of the sender are counted."""
    with guests(bridge, 'vm1') as pmd:
        pmd.command('set fwd txonly', 'start')
        wait_load(bridge, 'vm1')
        pmd.kill9()
        bridge.switch.wait_link('vm1', 'down')
        ports = assert_exact(bridge)
        assert ports['p1']['tx_packets'] + ports['p1']['tx_drops'] == ports['vm1']['rx_packets']


def test_ports_change_under_load(bridge):
    """MTU, enabled, mac-limit and flushes change while two guests flood."""
    switch = bridge.switch
    with guests(bridge, 'vm1', 'vm2') as pmd:
        pmd.command('set fwd txonly', 'start')
        wait_load(bridge, 'vm1')
        for _ in range(10):
            switch.rpc('port.set', {'name': 'p1', 'enabled': 'off'})
            switch.rpc('fdb.flush')
            switch.rpc('port.set', {'name': 'vm2', 'mac-limit': 1})
            switch.rpc('port.set', {'name': 'p1', 'enabled': 'on'})
            switch.rpc('port.set', {'name': 'vm2', 'enabled': 'off'})
            switch.rpc('port.set', {'name': 'vm2', 'enabled': 'on', 'mac-limit': 0})
            switch.rpc('lcore.balance')
        pmd.command('stop')
        ports = assert_exact(bridge)
        assert ports['vm1']['rx_packets'] == pmd.stats(0)['TX-packets']
        assert ports['vm2']['rx_packets'] == pmd.stats(1)['TX-packets']


def test_a_port_opened_anew_keeps_its_counters(bridge):
    """A port that a key change opens anew keeps its counters."""
    bridge.wire['p1'].send(frame(BROADCAST, A), frame(BROADCAST, A))
    bridge.wait_received('p1', 2)
    before = bridge.switch.port('p1')['rx_packets']
    bridge.switch.rpc('port.set', {'name': 'p1', 'mtu': 1400})
    assert bridge.switch.port('p1')['rx_packets'] == before
    assert_exact(bridge)
