# SPDX-License-Identifier: BSD-3-Clause
"""The ports by which a frame leaves: IEEE 802.1Q learning, flooding, filtering."""

import pytest

from bridge import flooded, only
from frames import BROADCAST, MULTICAST, frame, mac, tag

A, B, C = mac(0x0a), mac(0x0b), mac(0x0c)
PORTS = ('p1', 'p2', 'p3', 'p4')


def drops_of(bridge, port, direction, reason):
    return bridge.drops().get((port, direction, reason), 0)


class TestFlooding:
    @pytest.mark.parametrize('source', PORTS)
    def test_unknown_unicast_goes_everywhere_but_back(self, bridge, source):
        one = frame(B, A)
        assert bridge.exchange(source, one) == flooded(bridge, source, one)

    @pytest.mark.parametrize('group', [BROADCAST, MULTICAST, '33:33:00:00:00:01',
                                       '01:80:c2:00:00:10', '01:80:c2:00:01:00'])
    def test_groups_go_everywhere_but_back(self, bridge, group):
        bridge.learn('p2', A)
        one = frame(group, B)
        assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)

    @pytest.mark.parametrize('last', range(16))
    def test_reserved_addresses_go_nowhere(self, bridge, last):
        before = drops_of(bridge, 'p1', 'rx', 'reserved')
        one = frame(f'01:80:c2:00:00:{last:02x}', A)
        assert bridge.exchange('p1', one) == only(bridge, None)
        assert drops_of(bridge, 'p1', 'rx', 'reserved') == before + 1
        assert not bridge.fdb(), 'learned from a frame that is not forwarded'

    def test_order_within_a_burst(self, bridge):
        """Unicast and broadcast frames, mixed. Those to the same address keep their order."""
        bridge.learn('p2', B)
        to_one, to_all = ([frame(dst, A) for _ in range(100)] for dst in (B, BROADCAST))
        seen = bridge.exchange('p1', *(one for pair in zip(to_one, to_all) for one in pair))
        at_p2 = seen.pop('p2')
        assert [one for one in at_p2 if one in to_one] == to_one
        assert [one for one in at_p2 if one not in to_one] == to_all
        assert seen == {'p1': [], 'p3': to_all, 'p4': to_all}


class TestLearning:
    def test_learned_unicast_goes_to_its_port(self, bridge):
        bridge.learn('p3', B)
        one = frame(B, A)
        assert bridge.exchange('p1', one) == only(bridge, 'p3', one)
        assert bridge.fdb() == {(B, 0): ('p3', 'dynamic'), (A, 0): ('p1', 'dynamic')}

    def test_two_hosts_at_one_port(self, bridge):
        bridge.learn('p2', A, B)
        before = drops_of(bridge, 'p2', 'rx', 'same-port')
        assert bridge.exchange('p2', frame(B, A)) == only(bridge, None)
        assert drops_of(bridge, 'p2', 'rx', 'same-port') == before + 1

    @pytest.mark.parametrize('source', ['01:00:00:00:00:01', '03:00:00:00:00:01', BROADCAST,
                                        '00:00:00:00:00:00'])
    def test_no_source(self, bridge, source):
        """Frames from invalid source addresses are neither forwarded nor learned from."""
        bridge.learn('p2', B)
        before = drops_of(bridge, 'p1', 'rx', 'bad-source')
        bad = [frame(target, source, *tags) for target in (B, mac(99), BROADCAST)
               for tags in ([], [tag(7)])]
        good = frame(BROADCAST, A)
        assert bridge.exchange('p1', *bad, good, bad[0]) == flooded(bridge, 'p1', good)
        assert drops_of(bridge, 'p1', 'rx', 'bad-source') == before + len(bad) + 1
        assert set(bridge.fdb()) == {(A, 0), (B, 0)}

    def test_host_moves(self, bridge):
        bridge.learn('p1', A)
        bridge.learn('p4', A)
        assert bridge.fdb() == {(A, 0): ('p4', 'dynamic')}
        one = frame(A, B)
        assert bridge.exchange('p2', one) == only(bridge, 'p4', one)

    def test_host_moves_there_and_back_within_a_burst(self, bridge):
        for _ in range(20):
            bridge.learn('p1', A)
            bridge.learn('p2', A)
        one = frame(A, B)
        assert bridge.exchange('p3', one) == only(bridge, 'p2', one)
        assert bridge.switch.port('p1')['fdb_entries'] == 0
        assert bridge.switch.port('p2')['fdb_entries'] == 1

    def test_many_hosts(self, bridge):
        hosts = [mac(0x1000 + n) for n in range(500)]
        bridge.learn('p1', *hosts[:250])
        bridge.learn('p2', *hosts[250:])
        frames = [frame(host, A) for host in hosts]
        seen = bridge.exchange('p3', *frames)
        assert seen == {'p1': frames[:250], 'p2': frames[250:], 'p3': [], 'p4': []}

    def test_mac_limit(self, bridge):
        bridge.switch.rpc('port.set', {'name': 'p2', 'mac-limit': 2})
        try:
            bridge.learn('p2', A, B, C)
            assert sorted(bridge.fdb(port='p2')) == [(A, 0), (B, 0)]
            bridge.learn('p1', C)
            assert bridge.fdb(port='p1') == {(C, 0): ('p1', 'dynamic')}
        finally:
            bridge.switch.rpc('port.set', {'name': 'p2', 'mac-limit': 0})


class TestPayload:
    def test_lengths_and_bytes(self, bridge):
        bridge.learn('p2', B)
        frames = [frame(B, A, size=size) for size in (*range(14, 130), 256, 511, 512, 513, 1024,
                                                      1279, 1280, 1500, *range(1505, 1515))]
        assert bridge.exchange('p1', *frames) == only(bridge, 'p2', *frames)

    def test_flooded_bytes(self, bridge):
        frames = [frame(BROADCAST, A, size=size) for size in range(14, 1515, 50)]
        assert bridge.exchange('p1', *frames) == flooded(bridge, 'p1', *frames)

    @pytest.mark.parametrize('kind', [0x0000, 0x002e, 0x05dc, 0x0800, 0x0806, 0x86dd, 0x8808,
                                      0x8847, 0x9100, 0xffff])
    def test_any_type(self, bridge, kind):
        """Not 0x88a8: net_af_packet turns it into 0x8100; see test_pcap.py."""
        one = frame(B, A, kind=kind)
        assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)


class TestPortsComeAndGo:
    def test_link_down_and_up(self, bridge):
        bridge.learn('p2', B)
        bridge.learn('p3', C)
        bridge.set_link('p2', 'down')
        try:
            assert bridge.fdb() == {(C, 0): ('p3', 'dynamic')}
            one = frame(B, A)
            assert bridge.exchange('p1', one) == {'p1': [], 'p2': [], 'p3': [one], 'p4': [one]}
        finally:
            bridge.set_link('p2', 'up')
        one = frame(BROADCAST, B)
        assert bridge.exchange('p2', one) == flooded(bridge, 'p2', one)
        assert bridge.fdb(port='p2') == {(B, 0): ('p2', 'dynamic')}

    def test_carrier_lost(self, bridge):
        """The other end goes down: the port loses its carrier."""
        bridge.learn('p2', B)
        bridge.space.run(f"ip link set {bridge.inside('p2')} down")
        try:
            bridge.switch.wait_link('p2', 'down')
            assert not bridge.fdb()
        finally:
            bridge.space.run(f"ip link set {bridge.inside('p2')} up")
            bridge.switch.wait_link('p2', 'up')
        bridge.wake('p2')
        one = frame(BROADCAST, A)
        assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)

    def test_disabled_port(self, bridge):
        bridge.learn('p2', B)
        bridge.switch.cli('port', 'set', 'p2', 'enabled=off')
        try:
            assert bridge.switch.port('p2')['link'] == 'down'
            assert not bridge.fdb()
            bridge.wire['p2'].send(frame(BROADCAST, B))
            one = frame(B, A)
            assert bridge.exchange('p1', one) == {'p1': [], 'p2': [], 'p3': [one], 'p4': [one]}
            assert not bridge.fdb(port='p2')
        finally:
            bridge.switch.cli('port', 'set', 'p2', 'enabled=on')

    def test_port_deleted_and_added(self, bridge):
        bridge.learn('p2', B)
        bridge.switch.cli('port', 'del', 'p2')
        try:
            assert not bridge.fdb()
            one = frame(B, A)
            assert bridge.exchange('p1', one) == {'p1': [], 'p2': [], 'p3': [one], 'p4': [one]}
        finally:
            bridge.plug('p2')
        assert bridge.switch.port('p2')['rx_packets'] == 0
        assert bridge.exchange('p1', one) == flooded(bridge, 'p1', one)

    def test_no_other_port(self, bridge):
        for name in PORTS[1:]:
            bridge.switch.rpc('port.set', {'name': name, 'enabled': 'off'})
        before = bridge.switch.port('p1')
        try:
            bridge.wire['p1'].send(frame(BROADCAST, A), frame(B, A))
            bridge.wait_received('p1', before['rx_packets'] + 2)
            assert bridge.switch.port('p1')['rx_drops'] == before['rx_drops'] + 2
            assert drops_of(bridge, 'p1', 'rx', 'no-target') == 2
        finally:
            for name in PORTS[1:]:
                bridge.switch.rpc('port.set', {'name': name, 'enabled': 'on'})
