# SPDX-License-Identifier: BSD-3-Clause
"""Guests' frames that a device reads from guest memory: every byte is right, and other frames are
not blocked.

net_ring passes frames back to the switch by reference: a frame sent there is in flight until the
switch has polled it, which it does not while the port is off. r0 is polled before any guest, so
some frames stay in it if r0 is switched off while a guest still has frames to send.
"""

import contextlib
import os
import pathlib

import pytest

import proc
from bridge import Bridge
from frames import frame, mac, write_pcap
from proc import wait_until
from shuntvm import run, vm
from switch import unbalanced
from testpmd import KEEP_RX, Testpmd, virtio

A, B, C = mac(0x0a), mac(0x0b), mac(0x0c)
SIZES = [60, 127, 128, 129, 511, 512, 513, 640, 1000, 1513, 1514]
RING = 256    # entries, of which at most a quarter is in flight


@pytest.fixture
def bridge():
    """A wire p1, and r0, which keeps the frames sent to it while it is off."""
    running = Bridge(0)
    with running:
        running.switch.port_add('r0', 'ethdev', device='net_ring0')
        running.add('p1')
        yield running


@contextlib.contextmanager
def vhost(bridge, *names):
    """Vhost ports; their sockets."""
    yield [bridge.switch.port_add(name, 'vhost') for name in names]
    for name in names:
        bridge.switch.rpc('port.del', {'name': name})


def static(bridge, **macs):
    """Static entries, which learning does not change."""
    for port, address in macs.items():
        bridge.switch.rpc('fdb.add', {'mac': address, 'port': port})


def moved(bridge, address, port):
    bridge.switch.rpc('fdb.del', {'mac': address})
    bridge.switch.rpc('fdb.add', {'mac': address, 'port': port})


def replay(bridge, socket, frames, **keys):
    """Send frames from a guest that waits until all of its buffers are returned."""
    file = write_pcap(bridge.switch.dir / 'in.pcap', frames)
    status, result, text = run(vm(socket, size=RING, **keys), mode=['replay', str(file), '--max'],
                               seconds=10)
    assert status == 0, text
    return result


def assert_balanced(bridge):
    ports = []

    def rest():
        ports.append(bridge.switch.rpc('port.list'))
        return len(ports) > 1 and ports[-1] == ports[-2]
    wait_until(rest, 30, 'rest', 0.1)
    assert not unbalanced(ports[-1])
    return {port['name']: port for port in ports[-1]}


@pytest.mark.parametrize('keys', [{}, {'chain': 4}, {'indirect': 'on', 'chain': 2},
                                  {'in_order': 'on'}, {'regions': 4}],
                         ids=['one buffer', 'chains', 'indirect', 'in order', 'regions'])
def test_bytes(bridge, keys):
    """Frames of all sizes arrive unchanged and in order."""
    frames = [frame(B, A, size=size) for size in SIZES * 20]
    with vhost(bridge, 'vm1') as (socket,):
        static(bridge, p1=B)
        assert bridge.switch.port('p1')['guest_frames'] == 'by reference'
        replay(bridge, socket, frames, **keys)
        assert bridge.wire['p1'].receive_count(len(frames)) == frames
        assert_balanced(bridge)


def test_flood(bridge):
    """To several devices: at most one of them reads guest memory."""
    bridge.switch.rpc('port.set', {'name': 'r0', 'enabled': 'off'})    # would release them
    bridge.add('p2')
    frames = [frame(C, A, size=size) for size in SIZES * 5]
    with vhost(bridge, 'vm1') as (socket,):
        replay(bridge, socket, frames)
        for name in ('p1', 'p2'):
            assert bridge.wire[name].receive_count(len(frames)) == frames
        assert_balanced(bridge)


@contextlib.contextmanager
def busy_guest(bridge, name='vm1'):
    """A guest that keeps sending frames to B: (its testpmd, the frames)."""
    with vhost(bridge, name) as (socket,):
        static(bridge, r0=B, **{name: A})
        frames = [frame(B, A, size=1000 + number) for number in range(200)]
        file = write_pcap(bridge.switch.dir / 'busy.pcap', frames)
        devices = (virtio(socket, in_order=0, queue_size=RING),
                   f'net_pcap0,rx_pcap={file},infinite_rx=1')
        with Testpmd(*devices, arguments=[KEEP_RX]) as pmd:
            bridge.switch.wait_link(name)
            pmd.command('set fwd io', 'start')
            yield pmd, frames


def received(bridge, name, more):
    """Wait until the switch has received this many more frames from a port."""
    before = bridge.switch.port(name)['rx_packets']
    wait_until(lambda: bridge.switch.port(name)['rx_packets'] >= before + more, 20, f'from {name}')


@contextlib.contextmanager
def on_one_cpu(bridge):
    """Run the polling lcore on the CPU of guest and control: interrupted anywhere in a round."""
    pid = bridge.switch.rpc('status')['pid']
    tids = [int(task.name) for task in pathlib.Path(f'/proc/{pid}/task').iterdir()
            if (task / 'comm').read_text().startswith('poll-')]
    own = {tid: os.sched_getaffinity(tid) for tid in tids}
    for tid in tids:
        os.sched_setaffinity(tid, {proc.cpus()[0]})
    try:
        yield
    finally:
        for tid in tids:
            os.sched_setaffinity(tid, own[tid])


def leave_some(bridge):
    """Switch r0 off while frames pass until some stay in it: their number."""
    def left():
        received(bridge, 'vm1', 1)
        bridge.switch.rpc('port.set', {'name': 'r0', 'enabled': 'off'})
        port = bridge.switch.port('r0')
        if port['tx_packets'] == port['rx_packets']:
            bridge.switch.rpc('port.set', {'name': 'r0', 'enabled': 'on'})
        return port['tx_packets'] - port['rx_packets']
    with on_one_cpu(bridge):
        return wait_until(left, 20, 'a frame that stays in r0', 0)


def mappings(bridge):
    """Shared mappings of guest memory; those of the switch's own memory do not count."""
    own = ('/memfd:seg_', '[aio]')    # hugepages; interrupts to be sent
    pid = bridge.switch.rpc('status')['pid']
    with open(f'/proc/{pid}/maps', encoding='ascii') as file:
        return sum(' rw-s ' in line and not any(name in line for name in own) for line in file)


def assert_kept_come_out(bridge, kept, frames=None):
    """The frames left in r0 leave by the wire, unchanged unless the guest has modified them."""
    moved(bridge, B, 'p1')
    bridge.wire['p1'].drain()
    bridge.switch.rpc('port.set', {'name': 'r0', 'enabled': 'on'})
    seen = bridge.wire['p1'].receive_count(kept)
    assert len(seen) == kept
    assert frames is None or all(one in frames for one in seen)


def test_stuck_device_blocks_no_other_port(bridge):
    """Frames from the guest to other ports pass, and those in flight are complete once they are
    read."""
    with busy_guest(bridge) as (pmd, frames):
        kept = leave_some(bridge)
        received(bridge, 'vm1', 20 * RING)
        moved(bridge, B, 'p1')
        before = bridge.switch.port('p1')['tx_packets']
        wait_until(lambda: bridge.switch.port('p1')['tx_packets'] >= before + 20 * RING, 20, 'p1')
        pmd.command('stop')
        assert_balanced(bridge)
        assert_kept_come_out(bridge, kept, frames)
        pmd.command('start')
        received(bridge, 'vm1', 20 * RING)
        pmd.command('stop')
        assert assert_balanced(bridge)['vm1']['rx_packets'] == pmd.stats()['TX-packets']


def test_guest_killed_while_frames_are_in_flight(bridge):
    """Guest memory stays mapped until the device has read it, and no longer."""
    before = mappings(bridge)
    with busy_guest(bridge) as (pmd, frames):
        kept = leave_some(bridge)
        pmd.kill9()
        bridge.switch.wait_link('vm1', 'down')
        assert mappings(bridge) > before
        assert_kept_come_out(bridge, kept, frames)
        wait_until(lambda: mappings(bridge) == before, 30, 'memory given back')
        assert_balanced(bridge)


def test_port_deleted_while_frames_are_in_flight(bridge):
    before = mappings(bridge)
    with busy_guest(bridge) as (pmd, frames):
        kept = leave_some(bridge)
        pmd.command('stop')
        bridge.switch.rpc('port.del', {'name': 'vm1'})
        assert mappings(bridge) > before
        assert_kept_come_out(bridge, kept, frames)
        bridge.switch.port_add('vm1', 'vhost')
        wait_until(lambda: mappings(bridge) <= before + 1, 30, 'memory given back')


def test_guest_stops_and_starts_while_frames_are_in_flight(bridge):
    """GET_VRING_BASE has a timeout, and the rings work afterwards."""
    with busy_guest(bridge) as (pmd, _):
        kept = leave_some(bridge)
        pmd.command('stop', 'port stop 0', 'port start 0')
        bridge.switch.wait_link('vm1')
        pmd.command('start')
        received(bridge, 'vm1', 20 * RING)
        pmd.command('stop')
        assert_balanced(bridge)
        assert_kept_come_out(bridge, kept)
        assert_balanced(bridge)
