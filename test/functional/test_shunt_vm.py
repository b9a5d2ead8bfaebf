# SPDX-License-Identifier: BSD-3-Clause
"""shunt-vm through back ends: DPDK's own (testpmd with net_vhost) and shuntd."""

import itertools
import signal

import pytest

from frames import BROADCAST, frame, mac, read_pcap, write_pcap
from proc import wait_until
from shuntvm import (EXTRAS, Beside, VhostPmd, assert_checked, assert_clean, keys_of, run,
                     shunt_vm, vm)
from switch import Switch


@pytest.fixture(scope='module')
def pmd():
    with VhostPmd() as running:
        yield running


@pytest.fixture(scope='module')
def switch():
    with Switch() as running:
        for number in range(3):
            running.port_add(f'vm{number}', 'vhost', queues=2, tso='on', csum='on',
                             packed='on')
        yield running


@pytest.fixture
def ports(switch):
    return [switch.socket(f'vm{number}') for number in range(3)]


class TestRings:
    """Every kind of ring, through testpmd."""

    @pytest.mark.parametrize('extra', EXTRAS)
    @pytest.mark.parametrize('packed,mrg,queues', itertools.product(('off', 'on'), ('off', 'on'),
                                                                    (1, 2)))
    def test_matrix(self, pmd, packed, mrg, queues, extra):
        result = shunt_vm(*pmd.sockets, 'loop', '--verify', seconds=0.1, packed=packed, mrg=mrg,
                          queues=queues, **keys_of(extra))
        assert_checked(result)

    @pytest.mark.parametrize('mrg', ('off', 'on'))
    def test_legacy(self, pmd, mrg):
        assert_clean(shunt_vm(*pmd.sockets, 'loop', '--verify', legacy='on', mrg=mrg))

    @pytest.mark.parametrize('keys', [{'chain': 4}, {'chain': 4, 'packed': 'on'},
                                      {'regions': 5, 'size': 256}, {'size': 32}],
                             ids=lambda keys: '-'.join(keys))
    def test_shapes(self, pmd, keys):
        assert_clean(shunt_vm(*pmd.sockets, 'loop', '--verify', **keys))

    @pytest.mark.parametrize('packed', ('off', 'on'))
    def test_light(self, pmd, packed):
        """Only one frame in 64 is checked, and sequence numbers agree with the counters."""
        result = shunt_vm(*pmd.sockets, 'loop', packed=packed, seconds=0.3)
        assert_clean(result, 64)
        assert 0 < result['checked'] <= result['rx_packets'] / 32
        assert result['sampled_missing'] == result['sampled_unexpected'] == 0
        assert result['ceiling_mpps'] > 0

    @pytest.mark.parametrize('size', ('64', '65', '1518', 'imix'))
    @pytest.mark.parametrize('keys', [{}, {'mrg': 'on'}], ids=('plain', 'mrg'))
    def test_sizes(self, pmd, size, keys):
        assert_clean(shunt_vm(*pmd.sockets, 'loop', '--verify', '--vlan', 5, '--frame', size,
                              **keys))

    def test_touch(self, pmd):
        assert shunt_vm(*pmd.sockets, 'loop', '--touch')['touch'] is True


class TestModes:
    """The results that the modes document, through shuntd."""

    @pytest.mark.parametrize('packed', ('off', 'on'))
    def test_loop(self, ports, packed):
        assert_clean(shunt_vm(*ports, 'loop', '--verify', mrg='on', packed=packed))

    @pytest.mark.parametrize('order', ('sequential', 'random'))
    @pytest.mark.parametrize('macs', (300, 3000))
    def test_addresses(self, ports, macs, order):
        result = shunt_vm(*ports, 'loop', '--verify', '--macs', macs, '--mac-order', order)
        assert_clean(result)
        assert result['stray'] <= result['rx_packets'] / 100, 'flooded: addresses were not learned'

    @pytest.mark.parametrize('size', ('9018', 'tso'))
    def test_large(self, ports, size):
        result = shunt_vm(*ports[:2], 'loop', '--verify', '--frame', size, mrg='on', tso='on')
        assert_clean(result, 10)

    def test_two_threads(self, ports):
        status, result, text = run(*(vm(port) for port in ports), mode=['loop'],
                                   options=['--verify', '--threads', 2])
        assert status == 0, f'{text}{result}'
        assert_clean(result)

    def test_long_idle(self, switch):
        """Idle queues of which there are many: frames in them are noticed."""
        names = [f'idle{number}' for number in range(12)]
        for name in names:
            switch.port_add(name, 'vhost', queues=2)
        try:
            result = shunt_vm(*(switch.socket(name) for name in names), 'send', '--count', 25,
                              '--rate', 50, '--verify', seconds=5)
            assert result['tx_packets'] == result['rx_packets'] == 25
            assert_clean(shunt_vm(*(switch.socket(name) for name in names), 'loop', '--verify'))
        finally:
            for name in names:
                switch.cli('port', 'del', name)

    def test_send_count(self, ports):
        result = shunt_vm(*ports, 'send', '--count', 500, '--rate', '5k', '--verify', seconds=5)
        assert result['tx_packets'] == result['rx_packets'] == 500
        assert [row['tx_packets'] for row in result['per_vm']] == [500, 0, 0]
        assert [row['rx_packets'] for row in result['per_vm']] == [0, 500, 0]
        assert result['latency_us']['frames'] == 500
        assert 0 < result['latency_us']['p50'] <= result['latency_us']['max']

    def test_ndr(self, ports):
        result = shunt_vm(*ports[:2], 'ndr', '--trial', 0.2)
        assert 0 <= result['ndr_mpps'] <= result['pdr_mpps'] * 1.001
        assert result['mrr_mpps'] > 0

    def test_latency(self, ports):
        result = shunt_vm(*ports[:2], 'latency', '--rate', '10k')
        assert result['latency_us']['frames'] > 100

    def test_broadcast(self, ports):
        result = shunt_vm(*ports, 'broadcast', '--trial', 0.2, '--verify')
        assert result['receivers'] == 2
        assert 0 <= result['ndr_mpps'] <= result['pdr_mpps'] * 1.001
        assert result['mrr_mpps'] > 0 and result['ceiling_mpps'] > 0
        assert [row['tx_packets'] for row in result['per_vm']][1:] == [0, 0]

    def test_congestion(self, ports):
        result = shunt_vm(*ports, 'congestion', '--rate', '50k', seconds=1)
        assert result['stalled_lost'] > 0, result
        assert result['other_mpps'] > 0

    def test_learn(self):
        with Switch('fdb: {capacity: 4096}\n') as small:
            sockets = [small.port_add(f'vm{number}', 'vhost') for number in range(3)]
            result = shunt_vm(*sockets, 'learn')
            # On a busy machine a lost probe looks like a learned address.
            assert 4096 <= result['capacity'] <= 4106 and not result['capacity_limited']
            assert result['learning_rate'] > 0

    @pytest.mark.parametrize('packed', ('off', 'on'))
    def test_migrate(self, ports, packed):
        result = shunt_vm(*ports[:2], 'migrate', '--verify', seconds=4, packed=packed)
        assert result['pages_changed'] > 0 and result['pages_unlogged'] == 0
        assert result['duplicated'] == result['reordered'] == result['corrupted'] == 0

    def test_interrupt(self, switch, ports):
        before = switch.port('vm1')['tx_packets']
        with Beside(*(vm(port) for port in ports), mode=['loop']) as beside:
            wait_until(lambda: switch.port('vm1')['tx_packets'] > before + 100, 30, 'frames')
            result = beside.stop()
        assert result['mode'] == 'loop' and result['interrupted']
        assert result['lost'] == 0, 'frames under way when the signal came'

    def test_interrupt_waiting(self, tmp_path):
        """Interrupted before a back end is there: an error, and no socket remains."""
        with Beside(vm(tmp_path / 's', server='on'), mode=['idle']) as beside:
            wait_until((tmp_path / 's').exists, 30, 'its socket')
            beside.process.signal(signal.SIGINT)
            assert beside.process.wait(60) == 1
        assert not (tmp_path / 's').exists()

    def test_reconnect(self):
        with Switch() as switch:
            sockets = [switch.port_add(f'vm{number}', 'vhost') for number in range(2)]
            names = [f'vm{number}' for number in range(2)]
            with Beside(*map(vm, sockets), mode=['loop', '--reconnect']) as beside:
                for name in names:
                    switch.wait_link(name)
                switch.kill9()
                switch.start()
                for name in names:
                    switch.port_add(name, 'vhost')
                for name in names:
                    switch.wait_link(name)
                wait_until(lambda: switch.port('vm1')['tx_packets'] > 100, 30, 'frames again')
                result = beside.stop()
                assert result['reconnected'] == 2
                assert result['outage_ms'] > 0


class TestFaults:
    """An echo that loses, duplicates and reorders frames, and a checker that detects each case."""

    @staticmethod
    def load(switch, port, frames, *options, status=1):
        """The counts of a loop until this many frames have passed. Duplicates and swaps are an
        error."""
        before = switch.port('vm1')['tx_packets']
        with Beside(vm(port), mode=['loop', '--verify', *options]) as load:
            wait_until(lambda: switch.port('vm1')['tx_packets'] > before + frames, 60, 'frames')
            return load.stop(status)

    def test_exact(self, switch, ports):
        faults = ['--drop-every', 101, '--dup-every', 103, '--swap-every', 107]
        with Beside(vm(ports[1], mac='02:ff:ff:00:00:00'), mode=['echo', *faults]) as echo:
            switch.wait_link('vm1')
            seen = self.load(switch, ports[0], 1000, '--frames', 100)
            done = echo.stop()
        assert done['dropped'] > 3 and done['doubled'] > 3 and done['swapped'] > 3
        assert done['refused'] == 0
        assert seen['lost'] == done['dropped']
        assert seen['duplicated'] == done['doubled']
        assert seen['reordered'] == done['swapped']
        assert seen['corrupted'] == 0

    @pytest.mark.parametrize('fault,done_as,seen_as', [
        ('--drop-every', 'dropped', 'lost'), ('--dup-every', 'doubled', 'duplicated'),
        ('--swap-every', 'swapped', 'reordered')])
    def test_one_in_100000(self, switch, ports, fault, done_as, seen_as):
        """Each fault is detected, and nothing else."""
        with Beside(vm(ports[1], mac='02:ff:ff:00:00:00'),
                    mode=['echo', fault, 100000]) as echo:
            switch.wait_link('vm1')
            seen = self.load(switch, ports[0], 110000, status=0 if seen_as == 'lost' else 1)
            done = echo.stop()
        assert done[done_as] >= 1
        wrong = {name: seen[name] for name in ('lost', 'duplicated', 'reordered', 'corrupted')
                 if seen[name]}
        assert wrong == {seen_as: done[done_as]}


class TestPcap:
    def test_round_trip(self, switch, ports, tmp_path):
        frames = [frame(BROADCAST, mac(number), size=14 + number * 7) for number in range(200)]
        write_pcap(tmp_path / 'in.pcap', frames)
        record = ['record', tmp_path / 'out.pcap', '--count', len(frames)]
        with Beside(vm(ports[1]), mode=record) as beside:
            switch.wait_link('vm1')
            status, sent, text = run(vm(ports[0]), mode=['replay', tmp_path / 'in.pcap', '--max'])
            assert status == 0, text
            beside.process.wait(20)
        assert sent['tx_packets'] == len(frames)
        assert read_pcap(tmp_path / 'out.pcap') == frames

    def test_timing(self, switch, ports, tmp_path):
        """write_pcap() writes timestamps a second apart."""
        write_pcap(tmp_path / 'in.pcap', [frame(BROADCAST, mac(1))] * 2)
        status, result, text = run(vm(ports[0]), mode=['replay', tmp_path / 'in.pcap'])
        assert status == 0, text
        assert result['seconds'] >= 1

    @pytest.mark.parametrize('content', [b'', b'no capture at all, just some bytes of a text'])
    def test_no_capture(self, ports, tmp_path, content):
        (tmp_path / 'in.pcap').write_bytes(content)
        status, _, text = run(vm(ports[0]), mode=['replay', tmp_path / 'in.pcap'])
        assert status == 1 and text.count('\n') == 1


class TestAttacks:
    """The back end survives, serves other front ends, and accepts the attacker again."""

    @pytest.mark.parametrize('name', ['at-end', 'bad-address', 'bad-head', 'short-header',
                                      'mem-table', 'stop-start', 'hang-up', 'half-message'])
    def test_attack(self, ports, name):
        status, result, text = run(*(vm(port) for port in ports), mode=['attack', name],
                                   options=['--verify'], seconds=0.3)
        assert status == 0, text
        assert result['reachable'] and result['others_received'] > 0
        assert result['rounds'] > 0

    def test_list(self):
        status, result, _ = run(mode=['attack', 'list'])
        assert status == 0 and len(result) > 40
