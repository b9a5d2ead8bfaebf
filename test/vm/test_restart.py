# SPDX-License-Identifier: BSD-3-Clause
"""The switch ends and starts again under real guests that send: traffic continues both ways, and no
frame arrives twice. Rings are split and packed; QEMU connects to the switch, or the switch to QEMU.
"""

import contextlib
import json
import re

import pytest

import traffic
from guest import Guest
from proc import wait_until
from switch import Switch

RATE = '5M'
FLOW_SECONDS = 12
PINGS, GAP = 900, 0.01
PORTS = 5201, 5202


def make_guest(switch, number, packed, mode):
    return Guest(f'vm{number}', switch.socket(f'vm{number}') if mode == 'client' else None, mode=mode,
                 mac=f'02:00:00:00:00:0{number}', ip=f'10.0.0.{number}/24', reconnect=1,
                 device_options='packed=on' if packed else '')


@pytest.fixture(scope='class', params=[(True, 'client'), (True, 'server'), (False, 'client')],
                ids=['packed', 'packed-listening', 'split'])
def bench(request):
    """(switch, vm1, vm2); the ports come from the configuration, so that a restart finds them."""
    packed, mode = request.param
    switch = Switch()
    guests = [make_guest(switch, number, packed, mode) for number in (1, 2)]
    keys = f"packed: on, mode: {'client' if mode == 'server' else 'server'}"
    switch.config.write_text('ports:\n' + ''.join(
        f'  {one.name}: {{type: vhost, socket: {one.sock}, {keys}}}\n' for one in guests))
    with contextlib.ExitStack() as stack:
        stack.enter_context(switch)
        for one in guests:
            stack.enter_context(one)
        for one in guests:
            one.wait_boot()
        for one in guests:
            switch.wait_link(one.name)
            assert bool(int(switch.port(one.name)['features'], 16) >> 34 & 1) == packed
        traffic.wait_ping(guests[0], guests[1].address)
        yield (switch, *guests)


def end(switch, how):
    if how == 'SIGTERM':
        switch.stop()
    else:
        switch.kill9()


def flow(client, server, port, rate=RATE):
    """A flow of numbered datagrams at a steady rate; the result at its receiver, as a function."""
    sink = server.spawn(f'iperf3 -J -s -1 -p {port}')
    traffic.wait_listening(server, port)
    source = client.spawn(f'iperf3 -c {server.address} -p {port} -u -b {rate} -l 1200 '
                          f'-t {FLOW_SECONDS}')

    def result():
        source.wait(60)
        text = sink.wait(30)
        assert '{' in text, text
        return json.loads(text[text.index('{'):])['end']['streams'][0]['udp']
    return result


def pings(client, server):
    """Many pings meanwhile: the counts of (sent, received, duplicated), as a function."""
    job = client.spawn(f'busybox ping -q -c {PINGS} -i {GAP} -W 2 {server.address}')

    def result():
        text = job.wait(60)
        again = re.search(r'(\d+) duplicates', text)
        counts = re.search(r'(\d+) packets transmitted, (\d+) packets received', text)
        return int(counts[1]), int(counts[2]), int(again[1]) if again else 0
    return result


def bind(guest, on):
    """Unbind the driver from the network card, or bind it and set the interface up."""
    action = 'bind' if on else 'unbind'
    guest.run('cd /sys/bus/virtio/drivers/virtio_net; '
              f'for d in /sys/bus/virtio/devices/virtio*; do echo ${{d##*/}} >{action}; done || true')
    if on:
        wait_until(lambda: guest.call('ip link show eth0')[0] == 0, 30, 'eth0')
        guest.run(f'ip addr add {guest.ip} dev eth0; ip link set eth0 up')


def assert_both_ways(switch, one, two, loaded=False):
    """Pings are answered both ways: all of them, except under load."""
    for guest in (one, two):
        switch.wait_link(guest.name)
    for source, sink in ((one, two), (two, one)):
        traffic.wait_ping(source, sink.address)
        result = traffic.ping(source, sink.address, count=50)
        assert result.received == result.sent or loaded
    assert all(switch.port(guest.name)['faults'] == '0' for guest in (one, two))


class TestRestart:
    @pytest.mark.parametrize('how', ['SIGTERM', 'kill9'])
    def test_under_load(self, bench, how):
        switch, one, two = bench
        there, back = flow(one, two, PORTS[0]), flow(two, one, PORTS[1])
        asked = pings(one, two)
        for _ in range(2):
            before = switch.port('vm2')['tx_packets']
            wait_until(lambda: switch.port('vm2')['tx_packets'] > before + 500, 20, 'load')
            end(switch, how)
            switch.start()
            assert_both_ways(switch, one, two, loaded=True)
        for result in (there(), back()):
            assert result['packets'] > 1000
            assert result['out_of_order'] == 0, result    # duplicates count as out of order
        sent, received, twice = asked()
        assert sent == PINGS and received > 0 and twice == 0
        traffic.transfer(one, two, 8)
        traffic.transfer(two, one, 8)

    @pytest.mark.parametrize('how', ['SIGTERM', 'kill9'])
    def test_full_rings(self, bench, how):
        """A guest that sends at full speed: its ring holds more frames than the switch has taken.
        """
        switch, one, two = bench
        for _ in range(2):
            flow(one, two, PORTS[0], rate=0)
            flow(two, one, PORTS[1], rate=0)
            before = switch.port('vm2')['tx_packets']
            wait_until(lambda: switch.port('vm2')['tx_packets'] > before + 500, 20, 'load')
            end(switch, how)
            switch.start()
            assert_both_ways(switch, one, two, loaded=True)
            for guest in (one, two):
                guest.call('killall -KILL iperf3')
        assert_both_ways(switch, one, two)
        traffic.transfer(one, two, 4)
        traffic.transfer(two, one, 4)

    def test_guest_restarts_meanwhile(self, bench):
        """The rings of a guest, or of a driver, that restarts while there is no switch begin anew.
        """
        switch, one, two = bench
        switch.kill9()
        two.reboot()
        switch.start()
        assert_both_ways(switch, one, two)
        switch.stop()
        bind(one, False)
        bind(one, True)
        switch.start()
        assert_both_ways(switch, one, two)

    def test_driver_is_reloaded_after(self, bench):
        """A ring that was resumed may be stopped and begin anew."""
        switch, one, two = bench
        switch.kill9()
        switch.start()
        assert_both_ways(switch, one, two)
        bind(two, False)
        bind(two, True)
        assert_both_ways(switch, one, two)

    def test_unknown_position(self, bench):
        """The position of a packed ring is not guessed without the journal: the port is broken
        until the guest's driver is reloaded. Split rings need no journal."""
        switch, one, two = bench
        packed = int(switch.port('vm1')['features'], 16) >> 34 & 1
        switch.kill9()
        switch.journal.unlink()
        switch.start()
        if packed:
            for name in ('vm1', 'vm2'):
                wait_until(lambda name=name: 'broken' in switch.port(name), 20, 'a broken port')
            for guest in (one, two):
                bind(guest, False)
                bind(guest, True)
            for guest in (one, two):
                switch.wait_link(guest.name)
            traffic.wait_ping(one, two.address)
        else:
            assert_both_ways(switch, one, two)
