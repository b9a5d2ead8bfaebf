# SPDX-License-Identifier: BSD-3-Clause
"""Guests with the options that `shunt port qemu` prints: started by QEMU itself, and by libvirt.

Two guests on one switch, vm1 on a port with mode=client and vm2 on one with mode=server.
"""

import contextlib

import pytest

import libvirt_guest
import traffic
from guest import Guest, qemu_reconnects
from libvirt_guest import LibvirtGuest
from switch import Switch

MODES = {'vm1': 'client', 'vm2': 'server'}
ADDRESS = {name: f'10.0.0.{name[2]}' for name in MODES}
CONFIG = """
ports:
  vm1: {{type: vhost, socket: "{folder}/a b,c&'1.sock", mode: client, queues: 2}}
  vm2: {{type: vhost, socket: {folder}/run/vm2.sock, mode: server}}
"""
QUEUES = {'vm1': 2, 'vm2': 1}


class Pair:
    """The switch and both guests, booted."""

    def __init__(self, kind):
        self.kind = kind
        self.switch = Switch()
        self.switch.config.write_text(CONFIG.format(folder=self.switch.dir))
        self.guests = {}

    def boot(self, stack):
        stack.enter_context(self.switch)
        for name in MODES:
            printed = self.switch.json('port', 'qemu', name)
            one = self.kind(name, printed=printed, ip=f'{ADDRESS[name]}/24', queues=QUEUES[name])
            self.guests[name] = stack.enter_context(one)
        for one in self.guests.values():
            one.wait_boot()

    def talk(self):
        """Wait until both guests reach each other."""
        one, two = self.guests.values()
        for name in MODES:
            self.switch.wait_link(name, timeout=60)
        traffic.wait_ping(one, two.address)
        for host, other in ((one, two), (two, one)):
            result = traffic.ping(host, other.address)
            assert result.received == result.sent, f'{host.name}: {result}'

    def restart(self, name):
        """The guest's QEMU is killed and started again."""
        self.guests[name].kill9()
        self.switch.wait_link(name, 'down')
        self.guests[name].start().wait_boot()


@pytest.fixture(scope='module', params=[Guest, LibvirtGuest], ids=['qemu', 'libvirt'])
def pair(request):
    reason = libvirt_guest.why_not() if request.param is LibvirtGuest else None
    if reason:
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        made = Pair(request.param)
        made.boot(stack)
        yield made


class TestPrinted:
    def test_boots_and_talks(self, pair):
        pair.talk()
        assert pair.switch.port('vm1')['queues_enabled'] == '2'

    @pytest.mark.parametrize('end', ['stop', 'kill9'])
    def test_switch_restarts(self, pair, end):
        if not qemu_reconnects():
            pytest.skip('QEMU 11.0 does not connect again')
        boots = {name: one.run('cat /proc/sys/kernel/random/boot_id')
                 for name, one in pair.guests.items()}
        if end == 'stop':
            pair.switch.stop()
        pair.switch.kill9()
        pair.switch.start()
        pair.talk()
        assert boots == {name: one.run('cat /proc/sys/kernel/random/boot_id')
                         for name, one in pair.guests.items()}

    @pytest.mark.parametrize('name', MODES)
    def test_qemu_restarts(self, pair, name):
        pair.restart(name)
        pair.talk()
