# SPDX-License-Identifier: BSD-3-Clause
"""user-mode-linux on the switch: a front end without a device model, interrupted through sockets."""

import contextlib

import pytest

import traffic
import uml
from netns import Netns
from switch import Switch
from test_vm import assert_balanced, assert_ping

pytestmark = pytest.mark.skipif(bool(uml.missing()), reason=str(uml.missing()))
FILE_MB = 16


@pytest.fixture(scope='module')
def switch():
    with Switch() as running:
        for name in ('uml1', 'uml2'):
            running.port_add(name, 'vhost')
        yield running


@pytest.fixture(scope='module')
def pair(switch):
    """Two guests that reach each other."""
    with contextlib.ExitStack() as stack:
        guests = [stack.enter_context(uml.Uml(f'uml{number}', switch.socket(f'uml{number}'),
                                              ip=f'10.0.0.{number}/24')) for number in (1, 2)]
        for one in guests:
            one.wait_boot()
            switch.wait_link(one.name)
        traffic.wait_ping(guests[0], guests[1].address)
        yield guests


def test_ping(switch, pair):
    one, two = pair
    assert_ping(one, two)
    assert_ping(two, one, size=1400)
    for guest in pair:
        port = switch.port(guest.name)
        assert (port['interrupts'], port['path'], port['faults']) == ('socket', 'direct', '0')
    found = {row['mac']: row['port'] for row in switch.json('fdb', 'list')}
    assert found[one.run('cat /sys/class/net/eth0/address').strip()] == one.name


@pytest.mark.parametrize('options', ['', '-R', '-u -b 20M'], ids=['tcp', 'tcp-back', 'udp'])
def test_iperf(switch, pair, options):
    one, two = pair
    before = switch.port('uml1')
    result = traffic.iperf(one, two, seconds=3, options=options)
    assert result.bytes > 0
    after = switch.port('uml1')
    moved = 'tx_bytes' if options == '-R' else 'rx_bytes'
    assert after[moved] - before[moved] >= result.bytes
    assert_balanced(switch)


def test_file(switch, pair):
    one, two = pair
    traffic.transfer(one, two, FILE_MB)
    assert_balanced(switch)


def test_kill9_of_a_guest(switch, pair):
    """A guest started again on the same socket, with another MAC address, can use the port."""
    one, two = pair
    two.kill9()
    switch.wait_link('uml2', 'down')
    two.start().wait_boot()
    switch.wait_link('uml2')
    traffic.wait_ping(two, one.address)
    assert_ping(one, two)
    assert_balanced(switch)


def test_namespace(switch, pair):
    """Guests leave checksums and segmentation to the switch towards an interface of the host. This
    test is the last: the counters of a deleted port are missing in sums."""
    with Netns() as space:
        outside = space.veth(ip_address='10.0.0.9/24')
        switch.port_add('up0', 'ethdev', device=f'net_af_packet0,iface={outside}')
        traffic.wait_ping(space, pair[0].address)
        assert_ping(space, pair[1])
        traffic.transfer(pair[0], space, FILE_MB)
        assert_balanced(switch)
        switch.cli('port', 'del', 'up0')
