#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Two Linux guests under QEMU on two vhost-user ports: ping, then iperf3, and the output of shunt.
"""

import contextlib
import time

from stage import elapsed, need, run, say, show, summary

import guest
import traffic
from guest import Guest
from switch import Switch

PINGS = 20
IPERF_SECONDS = 5
PROGRAMS = {'qemu-system-x86_64': 'qemu-system-x86', 'setpriv': 'util-linux',
            'taskset': 'util-linux', 'iperf3': 'iperf3', 'busybox': 'busybox-static',
            'ethtool': 'ethtool', 'cpio': 'cpio'}


def guests():
    """The two guests, not started; QEMU listens and the switch connects."""
    return [Guest(f'vm{number}', mode='server', mac=f'02:00:00:00:00:0{number}',
                  ip=f'10.0.0.{number}/24') for number in (1, 2)]


def totals(switch):
    """(packets, bytes, drops) of all ports."""
    ports = switch.rpc('port.list')
    return (sum(port['rx_packets'] for port in ports), sum(port['rx_bytes'] for port in ports),
            sum(port['rx_drops'] + port['tx_drops'] for port in ports))


def rates(switch, seconds):
    """Print the traffic of each second."""
    before, then = totals(switch), time.monotonic()
    for _ in range(seconds):
        time.sleep(1)
        after, now = totals(switch), time.monotonic()
        packets = (after[0] - before[0]) / (now - then)
        bits = (after[1] - before[1]) * 8 / (now - then)
        say(f'  {packets:9,.0f} packets/s  {bits / 1e9:6.3f} Gb/s')
        before, then = after, now


def ping(one, two):
    result = traffic.ping(one, two.address, count=PINGS, interval=0.05)
    loss = 100 * (result.sent - result.received) // result.sent
    average = f', {result.avg_ms:.1f} ms on average' if result.avg_ms is not None else ''
    return result, f'{result.received} of {result.sent} answered, {loss} % lost{average}'


def iperf(switch, one, two):
    """iperf3 for some seconds while shunt shows the switch."""
    server = two.spawn('iperf3 -s -1')
    traffic.wait_listening(two, traffic.IPERF_PORT)
    client = one.spawn(f'iperf3 -J -c {two.address} -t {IPERF_SECONDS}')
    rates(switch, IPERF_SECONDS)
    result = traffic.parse_iperf(client.wait(30))
    server.wait(10)
    return result, (f'{result.gbps:.2f} Gb/s, {result.bytes / 1e6:,.0f} MB in {IPERF_SECONDS} s, '
                    f'{result.retransmits} retransmits')


def load(switch):
    """(busy, all) cycles of the polling lcores."""
    rows = switch.json('lcore', 'list')
    busy = sum(row['busy_cycles'] for row in rows)
    return busy, busy + sum(row['idle_cycles'] for row in rows)


def start(switch, stack):
    say('shuntd runs; adding two vhost-user ports')
    pair = guests()
    for one in pair:
        switch.port_add(one.name, 'vhost', socket=one.sock, mode='client')
        print(f'    $ shunt port add {one.name} vhost socket={one.sock} mode=client')
    say('booting two Linux guests under QEMU (emulated, no KVM needed)')
    for one in pair:
        stack.enter_context(one)
    for one in pair:
        one.wait_boot()
        say(f'{one.name} is up: {one.ip}, {one.mac}')
    return pair


def demo(switch, stack):
    one, two = start(switch, stack)
    say(f'{one.name} pings {two.name}')
    traffic.wait_ping(one, two.address)
    pinged, ping_text = ping(one, two)
    say(f'  {ping_text}')
    say(f'{one.name} runs iperf3 against {two.name}')
    before = load(switch)
    measured, iperf_text = iperf(switch, one, two)
    busy, cycles = (after - start for after, start in zip(load(switch), before))
    for command in ('port', 'fdb', 'lcore'):
        show(switch, command, 'list')
    packets, octets, drops = totals(switch)
    say('stopping')
    rows = [('ping', ping_text), ('iperf3', iperf_text),
            ('switch', f'{packets:,} packets, {octets / 1e6:,.0f} MB, {drops} dropped, '
                       f'polling lcore {100 * busy // cycles} % busy during iperf3')]
    return rows, pinged.received == pinged.sent and measured.bytes > 0


def main():
    need(PROGRAMS)
    say('guest image')
    guest.image()
    with Switch() as switch, contextlib.ExitStack() as stack:
        rows, flowed = demo(switch, stack)
    summary(rows + [('time', f'{elapsed():.0f} s')])
    if not flowed:
        raise RuntimeError('traffic did not flow')


if __name__ == '__main__':
    run(main)
