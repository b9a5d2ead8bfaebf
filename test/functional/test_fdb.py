# SPDX-License-Identifier: BSD-3-Clause
"""The FDB by the command line and RPC: static entries, filters, flushes, ageing."""

import time

import pytest

from bridge import flooded, only
from frames import frame, mac, tag
from proc import wait_until
from switch import SwitchError

A, B, C = mac(0x0a), mac(0x0b), mac(0x0c)
AGEING = 10    # seconds, as in conftest.py


def cli_fdb(bridge, *words):
    """`shunt fdb list` with filters: {(mac, vlan): port}."""
    rows = bridge.switch.json('fdb', 'list', *words)
    return {(row['mac'], row['vlan']): row['port'] for row in rows}


class TestStatic:
    def test_add_and_del(self, bridge):
        bridge.switch.cli('fdb', 'add', B, 'port=p3')
        one = frame(B, A)
        assert bridge.exchange('p1', one) == only(bridge, 'p3', one)
        assert bridge.fdb()[B, 0] == ('p3', 'static')
        bridge.switch.cli('fdb', 'del', B)
        assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)

    def test_does_not_move(self, bridge):
        bridge.switch.cli('fdb', 'add', B, 'port=p3')
        bridge.learn('p2', B)
        assert bridge.fdb() == {(B, 0): ('p3', 'static')}
        one = frame(B, A)
        assert bridge.exchange('p1', one) == only(bridge, 'p3', one)

    def test_in_a_vlan(self, bridge):
        bridge.switch.cli('fdb', 'add', B, 'port=p3', 'vlan=10')
        tagged, plain = frame(B, A, tag(10)), frame(B, A)
        assert bridge.exchange('p1', tagged) == only(bridge, 'p3', tagged)
        assert bridge.exchange('p1', plain) == flooded(bridge, 'p1', plain)
        with pytest.raises(SwitchError) as refused:
            bridge.switch.cli('fdb', 'del', B)
        assert refused.value.status == 1
        bridge.switch.cli('fdb', 'del', B, 'vlan=10')
        assert (B, 10) not in bridge.fdb()

    def test_turns_a_learned_one_static(self, bridge):
        bridge.learn('p2', B)
        bridge.switch.cli('fdb', 'add', B, 'port=p3')
        assert bridge.fdb() == {(B, 0): ('p3', 'static')}

    def test_second_port_is_refused(self, bridge):
        bridge.switch.cli('fdb', 'add', B, 'port=p3')
        with pytest.raises(SwitchError, match='static already'):
            bridge.switch.cli('fdb', 'add', B, 'port=p2')
        assert bridge.fdb() == {(B, 0): ('p3', 'static')}

    def test_survives_a_flush(self, bridge):
        bridge.switch.cli('fdb', 'add', B, 'port=p3')
        bridge.learn('p3', A, C)
        bridge.switch.cli('fdb', 'flush', 'port=p3')
        assert bridge.fdb() == {(B, 0): ('p3', 'static')}
        bridge.learn('p3', A)
        bridge.switch.cli('fdb', 'flush')
        assert bridge.fdb() == {(B, 0): ('p3', 'static')}

    def test_survives_its_link_but_not_its_port(self, bridge):
        bridge.switch.cli('fdb', 'add', B, 'port=p3')
        bridge.learn('p3', A)
        bridge.set_link('p3', 'down')
        assert bridge.fdb() == {(B, 0): ('p3', 'static')}
        before = bridge.drops().get(('p3', 'tx', 'link-down'), 0)
        assert bridge.exchange('p1', frame(B, C)) == only(bridge, None)
        assert bridge.drops()['p3', 'tx', 'link-down'] == before + 1
        bridge.set_link('p3', 'up')
        bridge.switch.cli('port', 'del', 'p3')
        try:
            assert (B, 0) not in bridge.fdb()
        finally:
            bridge.plug('p3')
        assert (B, 0) not in bridge.fdb()

    @pytest.mark.parametrize('words, says', [
        (['01:00:5e:00:00:01', 'port=p1'], 'group'),
        ([B, 'port=p9'], "no port 'p9'"),
        ([B, 'port=p1', 'vlan=4095'], 'vlan'),
        (['02:00:00:00:00', 'port=p1'], 'MAC|address'),
        ([B], 'port'),
    ])
    def test_nonsense_is_refused(self, bridge, words, says):
        with pytest.raises(SwitchError, match=says) as refused:
            bridge.switch.cli('fdb', 'add', *words)
        assert refused.value.status in (1, 2)
        assert not bridge.fdb()

    def test_del_of_nothing(self, bridge):
        with pytest.raises(SwitchError, match='not in the table') as refused:
            bridge.switch.cli('fdb', 'del', B, 'vlan=7')
        assert refused.value.status == 1


class TestFilters:
    @pytest.fixture
    def entries(self, bridge):
        bridge.learn('p1', A)
        bridge.learn('p1', A, tags=[tag(10)])
        bridge.learn('p2', B)
        bridge.learn('p2', B, tags=[tag(10)])
        bridge.learn('p2', C, tags=[tag(20)])
        return {(A, 0): 'p1', (A, 10): 'p1', (B, 0): 'p2', (B, 10): 'p2', (C, 20): 'p2'}

    def test_list(self, bridge, entries):
        assert cli_fdb(bridge) == entries
        assert cli_fdb(bridge, 'port=p2') == {k: v for k, v in entries.items() if v == 'p2'}
        assert cli_fdb(bridge, 'vlan=10') == {(A, 10): 'p1', (B, 10): 'p2'}
        assert cli_fdb(bridge, 'vlan=0') == {(A, 0): 'p1', (B, 0): 'p2'}
        assert cli_fdb(bridge, 'port=p2', 'vlan=20') == {(C, 20): 'p2'}
        assert cli_fdb(bridge, 'port=p3') == {}

    @pytest.mark.parametrize('words, gone', [
        (['port=p2'], lambda vlan, port: port == 'p2'),
        (['vlan=10'], lambda vlan, port: vlan == 10),
        (['vlan=0'], lambda vlan, port: vlan == 0),
        (['port=p2', 'vlan=10'], lambda vlan, port: (port, vlan) == ('p2', 10)),
        (['port=p3'], lambda vlan, port: False),
        ([], lambda vlan, port: True),
    ], ids=['port', 'vlan', 'vlan 0', 'port and vlan', 'nothing', 'all'])
    def test_flush(self, bridge, entries, words, gone):
        left = {key: port for key, port in entries.items() if not gone(key[1], port)}
        flushed = bridge.switch.json('fdb', 'flush', *words)
        assert flushed == {'flushed': len(entries) - len(left)}
        assert cli_fdb(bridge) == left
        assert bridge.switch.json('status')['fdb']['entries'] == len(left)

    def test_flushed_addresses_are_flooded_and_learned_again(self, bridge, entries):
        bridge.switch.cli('fdb', 'flush', 'port=p2')
        one = frame(B, A)
        assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)
        bridge.learn('p2', B)
        assert bridge.exchange('p1', one) == only(bridge, 'p2', one)
        assert cli_fdb(bridge) == {(A, 0): 'p1', (A, 10): 'p1', (B, 0): 'p2'} and entries

    def test_unknown_port(self, bridge):
        for command in ('list', 'flush'):
            with pytest.raises(SwitchError, match="no port 'p9'"):
                bridge.switch.cli('fdb', command, 'port=p9')


def test_entries_count_and_age(bridge):
    bridge.learn('p1', A, B)
    status = bridge.switch.json('status')['fdb']
    assert status['entries'] == 2 and bridge.switch.port('p1')['fdb_entries'] == 2

    def ages():
        return {row['mac']: row['age_s'] for row in bridge.switch.json('fdb', 'list')}
    wait_until(lambda: min(ages().values()) >= 2, 20, 'age 2', 0.1)
    bridge.learn('p1', A)
    assert ages()[A] < 2 <= ages()[B]


def test_ageing(bridge):
    """Addresses without frames age out; those with frames and static ones remain."""
    bridge.switch.cli('fdb', 'add', C, 'port=p3')
    bridge.learn('p1', A)
    since = time.monotonic()
    bridge.learn('p2', B)

    def is_gone():
        bridge.learn('p2', B)
        return (A, 0) not in bridge.fdb()
    wait_until(is_gone, AGEING + 30, 'ageing', 0.5)
    assert time.monotonic() - since >= AGEING, 'gone before its time'
    assert bridge.fdb() == {(B, 0): ('p2', 'dynamic'), (C, 0): ('p3', 'static')}
    one = frame(A, B)
    assert bridge.exchange('p2', one) == flooded(bridge, 'p2', one)
