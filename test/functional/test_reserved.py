# SPDX-License-Identifier: BSD-3-Clause
"""The reserved addresses of IEEE 802.1Q, and which of them a port forwards."""

import contextlib

import pytest

from frames import STAG, frame, mac, tag
from frontend import FrontEnd
from proc import wait_until
from switch import Switch, SwitchError

A = mac(0x0a)
ALL = set(range(16))
BEYOND_8021AD = {0x0, 0xb, 0xc, 0xd, 0xf}    # all but those of IEEE 802.1Q table 8-2
S_VLAN = {'vlan': 100, 'vlan-protocol': '802.1ad'}
PLAIN = {'vlan': 0, 'trunk': '', 'vlan-protocol': '802.1Q', 'forward-reserved': '',
         'mcast-flood': 'on', 'policy': 'bridge', 'uplink': ''}


@pytest.fixture(scope='module')
def guests():
    """The front ends of three guests by the names of their ports, and the switch."""
    with Switch() as switch, contextlib.ExitStack() as stack:
        vm = {}
        for name in ('vm1', 'vm2', 'vm3'):
            vm[name] = stack.enter_context(FrontEnd(switch.port_add(name, 'vhost')))
            switch.wait_link(name)
        vm['switch'] = switch
        yield vm


@pytest.fixture
def configure(guests):
    """Set keys of ports, which get their defaults again at the end."""
    def run(**ports):
        for name, keys in ports.items():
            guests['switch'].rpc('port.set', {'name': name, **keys})
    yield run
    run(**{name: PLAIN for name in ('vm3', 'vm2', 'vm1')})


def group(last):
    return f'01:80:c2:00:00:{last:02x}'


def passes(guests, source, *tags):
    """{port: last bytes of reserved addresses of which it gets frames from a guest}; trace agrees.
    """
    switch, names = guests['switch'], {'vm1', 'vm2', 'vm3'} - {source}
    before = switch.port(source)
    frames = {frame(group(last), A, *tags): last for last in ALL}
    guests[source].send(*frames)
    wait_until(lambda: switch.port(source)['rx_packets'] == before['rx_packets'] + 16, 20, 'frames')
    copies = switch.port(source)['rx_copies'] - before['rx_copies']
    seen = {name: set() for name in names}
    got = {name: [] for name in names}

    def arrived():
        for name in names:
            got[name] += guests[name].wait_frames(0)
        return sum(map(len, got.values())) >= copies
    wait_until(arrived, 20, f'{copies} copies')
    for name in names:
        seen[name] = {one[5] for one in got[name]}
        assert len(got[name]) == len(seen[name])
    said = {name: set() for name in names}
    for one, last in frames.items():
        row, = switch.rpc('trace', {'name': source, 'hex': one.hex()})
        assert row.get('reason', 'reserved') == 'reserved'
        for port in row['ports']:
            said[port['port']].add(last)
    assert said == seen
    return seen


def test_plain_ports_pass_none(guests, configure):
    assert passes(guests, 'vm1') == {'vm2': set(), 'vm3': set()}
    configure(vm1={'vlan': 100}, vm2={'vlan': 100})
    assert passes(guests, 'vm1') == {'vm2': set(), 'vm3': set()}


@pytest.mark.parametrize('keys, tags', [
    (S_VLAN, []), (S_VLAN, [tag(7)]),
    ({'trunk': '100', 'vlan-protocol': '802.1ad'}, [tag(100, tpid=STAG)]),
    ({'vlan-protocol': '802.1ad'}, []), ({'vlan-protocol': '802.1ad'}, [tag(100, tpid=STAG)]),
], ids=['access', 'customer tag', 'trunk', 'no VLANs', 'no VLANs, tagged'])
def test_service_ports(guests, configure, keys, tags):
    """Frames between customers' bridges cross a provider bridge, in its VLAN."""
    configure(vm1=keys, vm2=S_VLAN if 'vlan' in keys or 'trunk' in keys else {}, vm3={'vlan': 5})
    assert passes(guests, 'vm1', *tags) == {'vm2': BEYOND_8021AD, 'vm3': set()}


@pytest.mark.parametrize('value, passing', [
    ('lldp', {0xe}), ('stp,lacp,eapol,elmi,provider-stp,provider-mvrp,lldp', {0, 2, 3, 7, 8, 0xd, 0xe}),
    ('2,e', {2, 0xe}), ('0x0e,02,F', {2, 0xe, 0xf}), ('0,2,3,4,5,6,7,8,9,a,b,c,d,e,f', ALL - {1}),
    (2, {2}), ('', set()),
])
def test_lists(guests, configure, value, passing):
    configure(vm1={'forward-reserved': value})
    assert passes(guests, 'vm1') == {'vm2': passing, 'vm3': passing}
    assert guests['switch'].port('vm1')['forward-reserved'] == str(value)


def test_rules_are_those_of_the_source_port(guests, configure):
    configure(vm1={'forward-reserved': 'lacp'}, vm2={'forward-reserved': 'lldp'})
    assert passes(guests, 'vm1') == {'vm2': {2}, 'vm3': {2}}
    assert passes(guests, 'vm2') == {'vm1': {0xe}, 'vm3': {0xe}}
    assert passes(guests, 'vm3') == {'vm1': set(), 'vm2': set()}


def test_list_adds_to_service_tags(guests, configure):
    configure(vm1={**S_VLAN, 'forward-reserved': 'lacp,stp'}, vm2=S_VLAN)
    assert passes(guests, 'vm1')['vm2'] == BEYOND_8021AD | {2}


def test_forwarded_as_multicast(guests, configure):
    configure(vm1={'forward-reserved': 'lldp'}, vm2={'mcast-flood': 'off'})
    assert passes(guests, 'vm1') == {'vm2': set(), 'vm3': {0xe}}
    configure(vm1={'policy': 'vepa', 'uplink': 'vm2'})
    assert passes(guests, 'vm1') == {'vm2': {0xe}, 'vm3': set()}


@pytest.mark.parametrize('value, says', [
    ('1', 'pause frames'), ('lldp,pause', 'pause frames'), ('10', "'10' is neither"),
    ('stp,', "'' is neither"), (',', "'' is neither"), ('lldp lacp', "'lldp lacp' is neither"),
    ('e,lldp', '01:80:c2:00:00:0e is named twice'), ('-1', "'-1' is neither"), ('g', 'neither'),
    ('x' * 90, 'neither'), ('x' * 96, 'at most'), ('all', 'neither'),
])
def test_nonsense_is_refused(guests, configure, value, says):
    """The error is one line, and the list is unchanged."""
    configure(vm1={'forward-reserved': 'lldp'})
    done = guests['switch'].cli('port', 'set', 'vm1', f'forward-reserved={value}', check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert 'forward-reserved' in done.stderr and says in done.stderr
    assert guests['switch'].port('vm1')['forward-reserved'] == 'lldp'
    with pytest.raises(SwitchError, match='forward-reserved'):
        guests['switch'].port_add('vm4', 'vhost', forward_reserved=value)


def test_configuration(guests, configure, tmp_path):
    """The key is saved, and read again from the file."""
    switch, file = guests['switch'], tmp_path / 'saved.yaml'
    configure(vm1={'forward-reserved': 'stp,lldp'})
    switch.cli('config', 'save', str(file))
    configure(vm1={'forward-reserved': ''})
    switch.cli('config', 'apply', str(file))
    assert switch.port('vm1')['forward-reserved'] == 'stp,lldp'
    assert passes(guests, 'vm1')['vm2'] == {0, 0xe}
