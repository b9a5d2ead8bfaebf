# SPDX-License-Identifier: BSD-3-Clause
"""IGMP and MLD snooping: the ports that get multicast frames (RFC 4541)."""

import pytest

import multicast
from bridge import Bridge
from frames import frame, mac
from multicast import ALLOW, BLOCK, IS_EX, TO_IN, data, group_mac, joined
from proc import wait_until
from switch import unbalanced

ROUTER, HOST, SENDER = mac(1), mac(2), mac(9)
GROUP, OTHER = '239.1.2.3', '239.4.5.6'
GROUP6, OTHER6 = 'ff05::1234', 'ff05::4321'
SECONDS_LAST = 2


@pytest.fixture(scope='module', name='shared')
def fixture_shared():
    """Ports p1 ... p4, whose outer ends are interfaces of a kernel with addresses."""
    with Bridge(4, 'snooping: on\n') as bridge:
        for number in range(4):
            bridge.space.run(f'echo 0 > /proc/sys/net/ipv6/conf/e{number}/accept_dad;'
                             f'ip addr add 10.{number}.0.1/24 dev e{number}')
        yield bridge


@pytest.fixture(name='bridge')
def fixture_bridge(shared):
    """The group table is empty, all ports have their default keys."""
    for name in shared.wire:
        shared.switch.cli('port', 'set', name, 'enabled=off')
        shared.switch.cli('port', 'set', name, 'enabled=on', 'fast-leave=off', 'mcast-router=auto',
                          'mcast-flood=on', 'isolated=off', 'vlan=0', 'trunk=')
    for name in shared.wire:
        shared.switch.wait_link(name)
    wait_until(lambda: not rows(shared), 30, 'nothing known')
    shared.reset()
    yield shared
    wait_until(lambda: not unbalanced(shared.switch.rpc('port.list')), 30, 'balance')


@pytest.fixture(name='ipv6')
def fixture_ipv6(bridge):
    """The kernel uses IPv6 at its interfaces, and reports groups of its own then."""
    def disable(value):
        for number in range(4):
            bridge.space.run(f'echo {value} > /proc/sys/net/ipv6/conf/e{number}/disable_ipv6')
    disable(0)
    yield
    disable(1)


def rows(bridge, **filters):
    """The rows of `group list`."""
    return bridge.switch.rpc('group.list', filters)


def members(bridge, group, vlan=0):
    """The ports that are members of a group."""
    return {row['port'] for row in rows(bridge, vlan=vlan)
            if row['type'] == 'member' and row['group'] == group}


def routers(bridge, vlan=0):
    return {row['port'] for row in rows(bridge, vlan=vlan) if row['type'] == 'router'}


def wait_members(bridge, group, ports, vlan=0):
    wait_until(lambda: members(bridge, group, vlan) == set(ports), 20, f'{group} at {ports}')


def send_message(bridge, name, one):
    """Send a frame, and wait until the switch has processed its message."""
    before = bridge.switch.rpc('status')['snooping']['messages']
    bridge.wire[name].send(one)
    wait_until(lambda: bridge.switch.rpc('status')['snooping']['messages'] > before, 20, 'the message')


def querier(bridge, name='p1', vlan=0, ipv6=False):
    """A querier at a port."""
    query = multicast.mld_query if ipv6 else multicast.igmp_query
    protocol = 'mld' if ipv6 else 'igmp'
    bridge.wire[name].send(query(ROUTER, vlan=vlan))
    wait_until(lambda: any(row['type'] == 'querier' and row['protocol'] == protocol
                           for row in rows(bridge, vlan=vlan)), 20, 'querier')


def reached(bridge, source, one):
    """The ports that a frame leaves by."""
    return {name for name, seen in bridge.exchange(source, one).items() if one in seen}


def others(bridge, source):
    return set(bridge.wire) - {source}


def test_floods_without_querier(bridge):
    """Without a querier memberships are stored, but multicast is flooded."""
    send_message(bridge, 'p2', multicast.igmp_report(HOST, GROUP))
    send_message(bridge, 'p2', multicast.mld_report(HOST, GROUP6))
    assert members(bridge, GROUP) == {'p2'} and members(bridge, GROUP6) == {'p2'}
    for group in (GROUP, OTHER, GROUP6, OTHER6):
        assert reached(bridge, 'p4', data(SENDER, group)) == {'p1', 'p2', 'p3'}


@pytest.mark.parametrize('report', (
    multicast.igmp_report(HOST, GROUP, version=1), multicast.igmp_report(HOST, GROUP, version=2),
    multicast.igmp_report3(HOST, (IS_EX, GROUP, [])),
    multicast.igmp_report3(HOST, (ALLOW, GROUP, ['10.1.1.1'])),
), ids=('v1', 'v2', 'v3', 'v3-source'))
def test_igmp(bridge, report):
    """Members and router ports get the frames of a group; reports go to router ports; other frames
    are flooded."""
    querier(bridge)
    assert reached(bridge, 'p2', report) == {'p1'}
    wait_members(bridge, GROUP, ['p2'])
    assert reached(bridge, 'p4', data(SENDER, GROUP)) == {'p1', 'p2'}
    assert reached(bridge, 'p4', data(SENDER, OTHER)) == {'p1'}
    assert reached(bridge, 'p1', data(SENDER, GROUP)) == {'p2'}
    assert reached(bridge, 'p1', data(SENDER, OTHER)) == set()
    assert bridge.drops()['p1', 'rx', 'no-member'] >= 1
    # There is no querier of the other family; frames to these addresses are always flooded.
    for group in (GROUP6, '224.0.0.251', '224.0.0.1'):
        assert reached(bridge, 'p4', data(SENDER, group)) == {'p1', 'p2', 'p3'}
    unlike = frame(group_mac(GROUP), SENDER)
    assert reached(bridge, 'p4', unlike) == {'p1', 'p2', 'p3'}
    assert reached(bridge, 'p4', multicast.igmp_query(SENDER)) == {'p1', 'p2', 'p3'}


@pytest.mark.parametrize('report', (
    multicast.mld_report(HOST, GROUP6), multicast.mld_report2(HOST, (IS_EX, GROUP6, [])),
    multicast.mld_report2(HOST, (ALLOW, GROUP6, ['fd00::1']), source='::'),
), ids=('v1', 'v2', 'v2-source'))
def test_mld(bridge, report):
    """The same for IPv6; unknown groups of neighbour discovery are always flooded."""
    querier(bridge, ipv6=True)
    assert reached(bridge, 'p2', report) == {'p1'}
    wait_members(bridge, GROUP6, ['p2'])
    assert reached(bridge, 'p4', data(SENDER, GROUP6)) == {'p1', 'p2'}
    assert reached(bridge, 'p4', data(SENDER, OTHER6)) == {'p1'}
    for group in ('ff02::1', 'ff02::1:ff00:77', 'ff02::fb', GROUP):
        assert reached(bridge, 'p4', data(SENDER, group)) == {'p1', 'p2', 'p3'}
    assert reached(bridge, 'p4', multicast.mld_query(SENDER)) == {'p1', 'p2', 'p3'}


@pytest.mark.parametrize('group', (GROUP, GROUP6), ids=('igmp', 'mld'))
def test_kernel(request, bridge, group):
    """A kernel joins a group, answers queries, and leaves."""
    other = OTHER6 if ':' in group else OTHER
    if ':' in group:
        request.getfixturevalue('ipv6')
    querier(bridge, 'p1', ipv6=':' in group)
    with joined(bridge.space.name, bridge.inside('p3'), group):
        wait_members(bridge, group, ['p3'])
        assert reached(bridge, 'p2', data(SENDER, group)) == {'p1', 'p3'}
        assert reached(bridge, 'p2', data(SENDER, other)) == {'p1'}
        with joined(bridge.space.name, bridge.inside('p4'), group):
            wait_members(bridge, group, ['p3', 'p4'])
            assert reached(bridge, 'p2', data(SENDER, group)) == {'p1', 'p3', 'p4'}
            # Deleted with the link, learned again from the answer to a query.
            bridge.set_link('p4', 'down')
            wait_members(bridge, group, ['p3'])
            bridge.set_link('p4', 'up')
            querier(bridge, 'p1', ipv6=':' in group)
            wait_members(bridge, group, ['p3', 'p4'])
        wait_members(bridge, group, ['p3'])
    wait_members(bridge, group, [])
    assert reached(bridge, 'p2', data(SENDER, group)) == {'p1'}


@pytest.mark.parametrize('leave', (
    multicast.igmp_leave(HOST, GROUP), multicast.igmp_report3(HOST, (TO_IN, GROUP, [])),
), ids=('v2', 'v3'))
def test_leave(bridge, leave):
    """A leave takes effect after the last member query time, with fast-leave=on at once."""
    querier(bridge)
    send_message(bridge, 'p2', multicast.igmp_report(HOST, GROUP))
    send_message(bridge, 'p3', multicast.igmp_report(HOST, GROUP))
    assert reached(bridge, 'p2', leave) == {'p1'}
    send_message(bridge, 'p3', leave)
    send_message(bridge, 'p3', multicast.igmp_report(HOST, GROUP))
    rest = {row['port']: row['expires_s'] for row in rows(bridge) if row['type'] == 'member'}
    assert rest['p3'] > 200 and rest.get('p2', 0) <= SECONDS_LAST
    wait_members(bridge, GROUP, ['p3'])
    bridge.switch.cli('port', 'set', 'p3', 'fast-leave=on')
    send_message(bridge, 'p3', leave)
    assert all(row['expires_s'] > SECONDS_LAST for row in rows(bridge))
    wait_members(bridge, GROUP, [])


def test_sources(bridge):
    """A membership with sources ends with the last source."""
    querier(bridge)
    bridge.switch.cli('port', 'set', 'p2', 'fast-leave=on')
    send_message(bridge, 'p2',
                 multicast.igmp_report3(HOST, (ALLOW, GROUP, ['10.1.1.1', '10.1.1.2'])))
    send_message(bridge, 'p2', multicast.igmp_report3(HOST, (BLOCK, GROUP, ['10.1.1.1'])))
    assert reached(bridge, 'p4', data(SENDER, GROUP)) == {'p1', 'p2'}
    send_message(bridge, 'p2', multicast.igmp_report3(HOST, (BLOCK, GROUP, ['10.1.1.2'])))
    wait_members(bridge, GROUP, [])
    assert reached(bridge, 'p4', data(SENDER, GROUP)) == {'p1'}


def test_routers(bridge):
    """Configured router ports, detected ones, and queries that are ignored."""
    bridge.switch.cli('port', 'set', 'p3', 'mcast-router=on')
    bridge.switch.cli('port', 'set', 'p4', 'mcast-router=off')
    send_message(bridge, 'p4', multicast.igmp_query(ROUTER))
    send_message(bridge, 'p1', multicast.igmp_query(ROUTER, source='0.0.0.0'))
    assert not rows(bridge)
    querier(bridge, 'p1')
    assert routers(bridge) == {'p1', 'p3'}
    row, = (row for row in rows(bridge) if row['type'] == 'querier')
    assert (row['address'], row['port'], row['version']) == ('10.9.0.1', 'p1', 3)
    assert 250 < row['expires_s'] <= 255
    assert reached(bridge, 'p2', data(SENDER, GROUP)) == {'p1', 'p3'}
    bridge.switch.cli('port', 'set', 'p3', 'mcast-router=auto')
    wait_until(lambda: routers(bridge) == {'p1'}, 30, 'p3 is none')
    assert reached(bridge, 'p2', data(SENDER, GROUP)) == {'p1'}
    bridge.switch.cli('port', 'set', 'p1', 'mcast-router=off')
    wait_until(lambda: not rows(bridge), 30, 'no querier')
    assert reached(bridge, 'p2', data(SENDER, GROUP)) == {'p1', 'p3', 'p4'}


def test_keys(bridge):
    """mcast-flood=off applies to floods; isolated ports get no frames from each other."""
    bridge.switch.cli('port', 'set', 'p2', 'mcast-flood=off', 'isolated=on')
    bridge.switch.cli('port', 'set', 'p3', 'isolated=on')
    assert reached(bridge, 'p4', data(SENDER, GROUP)) == {'p1', 'p3'}
    querier(bridge)
    for name in ('p2', 'p3'):
        send_message(bridge, name, multicast.igmp_report(HOST, GROUP))
    assert reached(bridge, 'p4', data(SENDER, GROUP)) == {'p1', 'p2', 'p3'}
    assert reached(bridge, 'p4', data(SENDER, '224.0.0.251')) == {'p1', 'p3'}
    one = data(SENDER, GROUP)
    bridge.wire['p2'].send(one)
    bridge.wire['p1'].receive_until(one)
    assert all(one not in seen for seen in bridge.collect('p4').values())


def test_vlans(bridge):
    """Queriers and members of a VLAN do not affect another VLAN."""
    bridge.switch.cli('port', 'set', 'p1', 'trunk=10,20')
    for name in ('p2', 'p3'):
        bridge.switch.cli('port', 'set', name, 'vlan=10')
    bridge.switch.cli('port', 'set', 'p4', 'vlan=20')
    querier(bridge, 'p1', vlan=10)
    send_message(bridge, 'p2', multicast.igmp_report(HOST, GROUP))
    send_message(bridge, 'p4', multicast.igmp_report(HOST, GROUP))
    assert members(bridge, GROUP, vlan=10) == {'p2'} and members(bridge, GROUP, vlan=20) == {'p4'}
    assert members(bridge, GROUP) == set()
    assert [row['vlan'] for row in rows(bridge, port='p4')] == [20]

    def left(source, vlan):
        """The ports that a frame leaves by, tagged or not as configured."""
        one = data(SENDER, GROUP)
        tagged = one[:12] + bytes((0x81, 0, 0, vlan)) + one[12:]
        bridge.wire[source].send(tagged if source == 'p1' else one)
        found = set()
        last = frame('ff:ff:ff:ff:ff:ff', SENDER)
        tag = bytes((0x81, 0, 0, vlan))
        bridge.wire[source].send(last[:12] + tag + last[12:] if source == 'p1' else last)
        reach = {10: {'p1', 'p2', 'p3'}, 20: {'p1', 'p4'}}[vlan] - {source}
        for name in reach:
            end = last[:12] + tag + last[12:] if name == 'p1' else last
            seen = bridge.wire[name].receive_until(end)
            found |= {name} if (tagged if name == 'p1' else one) in seen else set()
        return found

    assert left('p3', 10) == {'p1', 'p2'}
    assert left('p1', 10) == {'p2'}
    # There is no querier in the other VLAN.
    assert left('p1', 20) == {'p4'}
    assert left('p4', 20) == {'p1'}
    # Members in a VLAN that the port no longer carries are deleted.
    bridge.switch.cli('port', 'set', 'p2', 'vlan=20')
    wait_until(lambda: not members(bridge, GROUP, vlan=10), 30, 'members deleted')


def test_malformed(bridge):
    """Malformed messages are counted, and change nothing."""
    good = (multicast.igmp_report(HOST, GROUP), multicast.mld_report(HOST, GROUP6),
            multicast.igmp_report3(HOST, (IS_EX, GROUP, [])), multicast.igmp_query(ROUTER),
            multicast.mld_query(ROUTER))
    before = bridge.switch.rpc('status')['snooping']
    bridge.wire['p2'].send(*(one[:-1] + bytes((one[-1] ^ 1,)) for one in good))
    wait_until(lambda: bridge.switch.rpc('status')['snooping']['malformed'] >=
               before['malformed'] + len(good), 20, 'counted')
    assert not rows(bridge)


def test_limit(bridge):
    """A port over its limit gets all multicast frames, other ports do not."""
    querier(bridge)
    for part in range(1100 // 100):
        send_message(bridge, 'p2', multicast.igmp_report3(
            HOST, *((IS_EX, f'239.77.{part}.{i}', []) for i in range(100))))
    found = rows(bridge, port='p2')
    assert sum(row['type'] == 'member' for row in found) == 1024
    assert [row['port'] for row in found if row['type'] == 'overflow'] == ['p2']
    assert bridge.switch.rpc('status')['snooping']['refused'] == 1100 - 1024
    assert reached(bridge, 'p4', data(SENDER, OTHER)) == {'p1', 'p2'}


def test_hog(bridge):
    """Many reports from one port do not suppress those of another."""
    querier(bridge)
    reports = [multicast.igmp_report(HOST, f'239.9.0.{i}') for i in range(200)]
    bridge.wire['p2'].send(*reports)
    send_message(bridge, 'p3', multicast.igmp_report(HOST, GROUP))
    wait_members(bridge, GROUP, ['p3'])
    bridge.wait_received('p2', len(reports))


def test_trace(bridge):
    """A trace shows the group's ports."""
    querier(bridge)
    send_message(bridge, 'p2', multicast.igmp_report(HOST, GROUP))

    def trace(group):
        row, = bridge.switch.rpc('trace', {'name': 'p4', 'hex': data(SENDER, group).hex()})
        return row['verdict'], {one['port'] for one in row['ports']}
    wait_until(lambda: trace(GROUP) == ('group', {'p1', 'p2'}), 30, 'published')
    assert trace(OTHER) == ('group', {'p1'})
    assert trace('224.0.0.251') == ('flood', {'p1', 'p2', 'p3'})


def test_readable(bridge):
    """The text for users."""
    assert bridge.switch.cli('group', 'list').stdout.startswith('nothing heard of groups')
    querier(bridge)
    send_message(bridge, 'p2', multicast.igmp_report(HOST, GROUP))
    lines = [line.split() for line in bridge.switch.cli('group', 'list').stdout.splitlines()]
    assert lines[0] == ['VLAN', 'TYPE', 'GROUP', 'PORT', 'EXPIRES']
    assert [line[:4] for line in lines[1:]] == [
        ['0', 'querier', '10.9.0.1', 'p1'], ['0', 'router', '-', 'p1'],
        ['0', 'member', GROUP, 'p2']]
    with pytest.raises(Exception, match="no port 'p9'"):
        rows(bridge, port='p9')


def test_switched(tmp_path):
    """Off by default; switched on while frames pass, and shown."""
    with Bridge(3) as bridge:
        def apply(text):
            ports = ''.join(f'  {name}: {{type: ethdev, device: "{bridge.device(name)}"}}\n'
                            for name in bridge.wire)
            path = tmp_path / 'file.yaml'
            path.write_text(f'{text}ports:\n{ports}')
            return bridge.switch.rpc('config.apply', {'file': str(path)})
        assert bridge.switch.rpc('config.show')['config']['snooping'] == 'off'
        assert 'snooping' not in bridge.switch.rpc('status')
        bridge.wire['p1'].send(multicast.igmp_query(ROUTER))
        assert reached(bridge, 'p2', data(SENDER, GROUP)) == {'p1', 'p3'}
        assert apply('snooping: on\n') == {'added': [], 'removed': [], 'changed': []}
        assert bridge.switch.rpc('config.show')['config']['snooping'] == 'on'
        querier(bridge)
        assert reached(bridge, 'p2', data(SENDER, GROUP)) == {'p1'}
        with pytest.raises(Exception, match=r'file.yaml:1: snooping: .*on.*off'):
            apply('snooping: maybe\n')
        assert reached(bridge, 'p2', data(SENDER, GROUP)) == {'p1'}
        apply('')
        assert reached(bridge, 'p2', data(SENDER, GROUP)) == {'p1', 'p3'}
        assert rows(bridge) == []
