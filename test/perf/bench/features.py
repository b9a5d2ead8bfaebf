# SPDX-License-Identifier: BSD-3-Clause
"""The cost of a feature: ports vm0 and vm1 of two VMs, with one feature enabled; one line for each.

Frames circulate between the VMs at full speed, so that the difference to the first line is the cost
of the feature for each frame.
"""

from typing import NamedTuple

PLAIN = 'plain'
MACS = ('02:00:00:00:00:00', '02:00:01:00:00:00')    # addresses of shunt-vm's VMs


class Feature(NamedTuple):
    """keys of vm0 and of vm1; others are further ports, {name: keys}; then calls of the RPC. config
    is added to the switch's file; the frames of the port `captured` are captured meanwhile."""
    title: str
    vm0: dict = {}
    vm1: dict = {}
    others: dict = {}
    calls: tuple = ()
    config: str = ''
    captured: str = ''

    def switch_on(self, call):
        """Add further ports and set the keys. call is that of the switch."""
        for name, keys in self.others.items():
            call('port.add', {'name': name, 'type': 'ethdev', 'device': f'net_null_{name},no-rx=1',
                              **keys})
        for name, keys in (('vm0', self.vm0), ('vm1', self.vm1)):
            if keys:
                call('port.set', {'name': name, **keys})
        for method, params in self.calls:
            call(method, params)


def both(title, keys, **others):
    """The same keys on both ports."""
    return Feature(title, keys, keys, others)


def static(number, vlan=0):
    """A call that adds a static entry for a VM."""
    return 'fdb.add', {'mac': MACS[number], 'port': f'vm{number}', 'vlan': vlan}


ALL = {
    PLAIN: Feature('nothing'),
    'vlan-access': both('vlan=10 on both: access ports', {'vlan': 10}),
    # Frames that either VM sends untagged arrive tagged at the other one.
    'vlan-push': Feature('native on one port, trunk on the other: a tag pushed',
                         {'native': 10, 'trunk': '20'}, {'native': 20, 'trunk': '10'},
                         calls=(static(0, 20), static(1, 10))),
    'vlan-elsewhere': both('vlan=10 on a third port', {}, idle={'vlan': 10, 'enabled': 'off'}),
    'bridge': both('policy=bridge with an uplink', {'policy': 'bridge', 'uplink': 'up'},
                   up={'enabled': 'off'}),
    'isolated': both('isolated=on on two other ports', {}, a={'isolated': 'on', 'enabled': 'off'},
                     b={'isolated': 'on', 'enabled': 'off'}),
    'learn-off': Feature('learn=off, static entries', {'learn': 'off'}, {'learn': 'off'},
                         calls=(static(0), static(1))),
    'flood-off': both('flood=off', {'flood': 'off'}),
    'mac-limit': both('mac-limit=16', {'mac-limit': 16}),
    'macs': Feature('macs, each port its address', {'macs': MACS[0]}, {'macs': MACS[1]}),
    'macs-arp': Feature('the same with macs-arp=on', {'macs': MACS[0], 'macs-arp': 'on'},
                        {'macs': MACS[1], 'macs-arp': 'on'}),
    'storm': both('storm=1000', {'storm': 1000}),
    'sticky': both('sticky=on', {'sticky': 'on'}),
    'rate-in': both('rate-in=100G, above the load', {'rate-in': '100G'}),
    'rate-out': both('rate-out=100G, above the load', {'rate-out': '100G'}),
    'mirror': Feature('mirror to a third port that receives nothing', {'mirror': 'probe'}, {},
                      {'probe': {'learn': 'off', 'flood': 'off'}}),
    'snooping': Feature('snooping: on', config='snooping: on\n'),
    'metrics': Feature('metrics server without requests', config='metrics: {metrics}\n'),
    'capture': Feature('a capture whose filter matches no frame', captured='vm0'),
}
