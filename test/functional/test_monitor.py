# SPDX-License-Identifier: BSD-3-Clause
"""Events: changes in the switch, read by subscribers on the control socket."""

import json
import os
import pathlib
import re
import select
import signal
import subprocess
import time

import pytest

from frames import BROADCAST, frame, mac, write_pcap
from frontend import FrontEnd
from proc import cpus, program, wait_until
from switch import Rpc, Switch, SwitchError

KINDS = ['port', 'link', 'front-end', 'fdb', 'lcore', 'config']
INVALID_PARAMS, REFUSED = -32602, -32000
QUEUE, OUTPUT = 1024, 1 << 16    # events and bytes that the switch queues for a subscriber
SHORTEST = 130                   # bytes of an FDB event


class Monitor(Rpc):
    """A subscription on a connection of its own."""

    def __init__(self, switch, *kinds):
        super().__init__(switch.sock, timeout=30)
        result = self.call('monitor', {'events': list(kinds)} if kinds else None)
        assert result == {'events': [kind for kind in KINDS if not kinds or kind in kinds]}

    def next(self):
        """The next event, without its time."""
        line = json.loads(self.reader.readline())
        assert set(line) == {'jsonrpc', 'method', 'params'} and line['method'] == 'event'
        event = line['params']
        assert isinstance(event.pop('time_us'), int)
        return event

    def until(self, last):
        """Events up to the first that has all of `last`."""
        events = []
        while not events or not last.items() <= events[-1].items():
            events.append(self.next())
        return events

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def event(kind, action, **nouns):
    return {'event': kind, 'action': action, **nouns}


def learned(number, port, vlan=0):
    return event('fdb', 'learned', mac=mac(number), vlan=vlan, port=port)


class TestEvents:
    def test_ports(self, switch):
        with Monitor(switch, 'port') as monitor:
            switch.port_add('a', 'vhost')
            assert monitor.next() == event('port', 'added', port='a', type='vhost')
            switch.cli('port', 'set', 'a', 'mac-limit=10')    # in operation
            assert monitor.next() == event('port', 'changed', port='a', type='vhost')
            switch.cli('port', 'set', 'a', 'queues=2')    # opened anew
            assert monitor.next() == event('port', 'changed', port='a', type='vhost')
            with pytest.raises(SwitchError):
                switch.port_add('a', 'vhost')
            switch.cli('port', 'del', 'a')
            assert monitor.next() == event('port', 'deleted', port='a', type='vhost')

    def test_front_end_and_link(self, switch):
        path = switch.port_add('a', 'vhost')
        with Monitor(switch, 'front-end', 'link') as monitor:
            connected = event('front-end', 'connected', port='a')
            gone = event('front-end', 'disconnected', port='a')
            up, down = event('link', 'up', port='a'), event('link', 'down', port='a')
            for _ in range(3):
                with FrontEnd(path):
                    assert [monitor.next(), monitor.next()] == [connected, up]
                assert [monitor.next(), monitor.next()] == [down, gone]
            with FrontEnd(path):
                assert [monitor.next(), monitor.next()] == [connected, up]
                switch.cli('port', 'del', 'a')
                assert [monitor.next(), monitor.next()] == [down, gone]

    def test_a_device_that_is_up_at_once(self, switch):
        with Monitor(switch, 'port', 'link') as monitor:
            switch.port_add('n', 'ethdev', device='net_null_m,no-rx=1')
            assert monitor.next() == event('port', 'added', port='n', type='ethdev')
            assert monitor.next() == event('link', 'up', port='n')
            switch.cli('port', 'del', 'n')
            assert monitor.next() == event('link', 'down', port='n')
            assert monitor.next() == event('port', 'deleted', port='n', type='ethdev')

    def test_learned_and_moved(self, switch):
        a, b = switch.port_add('a', 'vhost'), switch.port_add('b', 'vhost')
        with Monitor(switch, 'fdb') as monitor, FrontEnd(a) as one, FrontEnd(b) as two:
            one.send(frame(BROADCAST, mac(1)))
            assert monitor.next() == learned(1, 'a')
            one.send(frame(BROADCAST, mac(1)))    # known: no event
            two.send(frame(BROADCAST, mac(2)))
            assert monitor.next() == learned(2, 'b')
            two.send(frame(BROADCAST, mac(1)))
            assert monitor.next() == event(
                'fdb', 'moved', mac=mac(1), vlan=0, port='b', **{'from': 'a'})
            two.send(frame(BROADCAST, mac(3)))
            assert monitor.next() == learned(3, 'b')

    def test_static_and_flushed(self, switch):
        path = switch.port_add('a', 'vhost', vlan=10)
        with Monitor(switch, 'fdb') as monitor, FrontEnd(path) as vm:
            switch.cli('fdb', 'add', mac(9), 'port=a', 'vlan=10')
            assert monitor.next() == event('fdb', 'added', mac=mac(9), vlan=10, port='a')
            vm.send(*(frame(BROADCAST, mac(number)) for number in range(1, 9)))
            assert [monitor.next() for _ in range(8)] == [
                learned(number, 'a', 10) for number in range(1, 9)]
            switch.cli('fdb', 'del', mac(1), 'vlan=10')
            assert monitor.next() == event('fdb', 'deleted', mac=mac(1), vlan=10, port='a')
            switch.cli('fdb', 'flush', 'vlan=11')    # has none: no event
            switch.cli('fdb', 'flush', 'port=a', 'vlan=10')
            assert monitor.next() == event('fdb', 'flushed', type='dynamic', port='a', vlan=10)
            vm.send(frame(BROADCAST, mac(1)))
            assert monitor.next() == learned(1, 'a', 10)
            switch.cli('fdb', 'flush')
            assert monitor.next() == event('fdb', 'flushed', type='dynamic')

    def test_one_event_for_the_addresses_of_a_port(self, switch):
        path = switch.port_add('a', 'vhost')
        with Monitor(switch, 'fdb', 'port', 'link') as monitor, FrontEnd(path) as vm:
            assert monitor.next() == event('link', 'up', port='a')
            vm.send(*(frame(BROADCAST, mac(number)) for number in range(1, 33)))
            assert [monitor.next() for _ in range(32)] == [
                learned(number, 'a') for number in range(1, 33)]
            switch.cli('fdb', 'add', mac(99), 'port=a')
            monitor.next()
            switch.cli('port', 'del', 'a')
            assert monitor.until({'event': 'port'}) == [
                event('link', 'down', port='a'),
                event('fdb', 'flushed', type='all', port='a'),
                event('port', 'deleted', port='a', type='vhost')]

    def test_link_down_flushes(self, switch):
        path = switch.port_add('a', 'vhost')
        with Monitor(switch, 'fdb') as monitor:
            with FrontEnd(path) as vm:
                vm.send(frame(BROADCAST, mac(1)))
                assert monitor.next() == learned(1, 'a')
            assert monitor.next() == event('fdb', 'flushed', type='dynamic', port='a')

    def test_aged(self):
        with Switch('fdb: {ageing: 10}\n') as switch:
            path = switch.port_add('a', 'vhost')
            with Monitor(switch, 'fdb') as monitor, FrontEnd(path) as vm:
                vm.send(frame(BROADCAST, mac(1)))
                assert monitor.next() == learned(1, 'a')
                assert monitor.next() == event('fdb', 'aged', mac=mac(1), vlan=0, port='a')

    def test_lcores(self):
        with Switch() as switch, Monitor(switch, 'lcore') as monitor:
            here = int(switch.lcores)
            there = next(cpu for cpu in sorted(os.sched_getaffinity(0)) if cpu != here)
            switch.config.write_text(f'lcores: "{there}"\n')
            switch.cli('config', 'apply', switch.config)
            assert monitor.next() == event('lcore', 'added', lcore=there)
            assert monitor.next() == event('lcore', 'deleted', lcore=here)

    @pytest.mark.skipif(len(os.sched_getaffinity(0)) < 3, reason='needs three CPUs')
    def test_balanced(self, switch):
        path = switch.port_add('a', 'vhost', queues=4)
        third = next(cpu for cpu in cpus() if cpu not in (0, int(switch.lcores)))
        with Monitor(switch, 'lcore') as monitor, FrontEnd(path, pairs=4):
            switch.rpc('lcore.add', {'lcore': third})
            assert monitor.next() == event('lcore', 'added', lcore=third)
            assert monitor.next()['moved'] > 0
            switch.rpc('lcore.del', {'lcore': third})
            assert monitor.next() == event('lcore', 'deleted', lcore=third)

    def test_configuration(self, switch):
        saved = switch.dir / 'saved.yaml'
        with Monitor(switch, 'config', 'port') as monitor:
            switch.cli('config', 'save', saved)
            assert monitor.next() == event('config', 'saved', file=str(saved))
            switch.cli('config', 'apply', saved)
            assert monitor.next() == event('config', 'applied', file=str(saved))
            switch.reload('ports: {a: {type: vhost, socket: %s}}\n' % switch.socket('a'))
            assert monitor.next() == event('port', 'added', port='a', type='vhost')
            assert monitor.next() == event('config', 'reloaded', file=str(switch.config))
            switch.reload('ports: {a: {type: nosuch}}\n')
            failed = monitor.next()
            assert 'nosuch' in failed.pop('reason')
            assert failed == event('config', 'failed', file=str(switch.config))
            with pytest.raises(SwitchError):
                switch.cli('config', 'apply', switch.dir / 'none')
            assert monitor.next()['action'] == 'failed'
            with pytest.raises(SwitchError):
                switch.cli('config', 'save', '/proc/none')
            assert monitor.next()['action'] == 'failed'
        switch.config.write_text('')

    def test_time(self, switch):
        with Monitor(switch) as monitor:
            before = time.time_ns() // 1000
            switch.port_add('a', 'vhost')
            line = json.loads(monitor.reader.readline())
            assert before <= line['params']['time_us'] <= time.time_ns() // 1000


class TestSubscriptions:
    def test_kinds_are_chosen(self, switch):
        with Monitor(switch, 'fdb') as addresses, Monitor(switch, 'port', 'link') as ports, \
                Monitor(switch) as everything:
            path = switch.port_add('a', 'vhost')
            with FrontEnd(path) as vm:
                vm.send(frame(BROADCAST, mac(1)))
                assert addresses.next() == learned(1, 'a')
            switch.cli('port', 'del', 'a')
            last = event('port', 'deleted', port='a', type='vhost')
            assert {one['event'] for one in ports.until(last)} == {'port', 'link'}
            assert {one['event'] for one in everything.until(last)} == {
                'port', 'link', 'front-end', 'fdb'}

    def test_requests_beside_events(self, switch):
        with Monitor(switch, 'port') as monitor:
            assert monitor.call('status')['pid'] == switch.process.pid
            switch.port_add('a', 'vhost')
            assert monitor.next()['action'] == 'added'
            assert [port['name'] for port in monitor.call('port.list')] == ['a']

    def test_one_for_each_connection(self, switch):
        with Monitor(switch, 'port') as monitor:
            with pytest.raises(SwitchError, match='taken') as refused:
                monitor.call('monitor')
            assert refused.value.code == REFUSED
            switch.port_add('a', 'vhost')
            assert monitor.next()['action'] == 'added'

    @pytest.mark.parametrize('params, reason', [
        ({'events': ['nosuch']}, "no event 'nosuch'; there are port, link, front-end, fdb, lcore, "
                                 'config'),
        ({'events': ['port', 5]}, 'no event'), ({'events': [None]}, 'no event'),
        ({'events': [['port']]}, 'no event'), ({'events': 'port'}, 'array'),
        ({'events': {}}, 'array'), ({'events': None}, 'array'), ({'kinds': ['port']}, 'kinds'),
        ({'events': ['x' * 10000]}, 'no event'), ({'events': ['']}, 'no event')])
    def test_malformed(self, switch, params, reason):
        rpc = Rpc(switch.sock)
        with pytest.raises(SwitchError, match=reason) as refused:
            rpc.call('monitor', params)
        assert refused.value.code == INVALID_PARAMS and '\n' not in str(refused.value)
        assert rpc.call('monitor', {'events': []}) == {'events': KINDS}
        rpc.close()

    def test_no_part_of_a_batch(self, switch):
        rpc = Rpc(switch.sock)
        rpc.sock.sendall(b'[{"jsonrpc":"2.0","id":1,"method":"monitor"}]')
        (answer,) = json.loads(rpc.reader.readline())
        assert 'batch' in answer['error']['message']
        rpc.close()

    def test_many(self, switch):
        monitors = [Monitor(switch, 'port') for _ in range(100)]
        for number in range(20):
            switch.rpc('port.add', {'name': f'n{number}', 'type': 'vhost',
                                    'socket': str(switch.socket(f'n{number}'))})
        for monitor in monitors:
            assert [monitor.next()['port'] for _ in range(20)] == [f'n{n}' for n in range(20)]
            monitor.close()

    def test_some_that_die(self, switch):
        switch.port_add('a', 'vhost')
        with Monitor(switch, 'fdb') as stays:
            for number in range(1, 51):
                dies = Monitor(switch, 'fdb')
                switch.rpc('fdb.add', {'mac': mac(number), 'port': 'a'})
                dies.close()    # with an event in transit, or unread
                assert stays.next()['mac'] == mac(number)
        assert switch.rpc('status')['pid'] == switch.process.pid


def more_than_is_kept():
    """More events than the queue of a subscriber that does not read has space for."""
    buffer = int(pathlib.Path('/proc/sys/net/core/wmem_default').read_text())
    return QUEUE + (buffer + OUTPUT) // SHORTEST + 1000


def drain(monitor, total):
    """(events, lost) until their sum is `total`."""
    events, lost = [], 0
    while len(events) + lost < total:
        one = monitor.next()
        if one['event'] == 'lost':
            assert set(one) == {'event', 'lost'} and one['lost'] > 0
            lost += one['lost']
        else:
            events.append(one)
    return events, lost


class TestLoss:
    def test_a_slow_subscriber_alone(self, switch):
        """A slow subscriber loses events and is informed of their number; another one gets all of
        them."""
        total = more_than_is_kept() // 100 * 100
        switch.port_add('a', 'vhost')
        with Monitor(switch, 'fdb') as slow, Monitor(switch, 'fdb') as prompt:
            for number in range(total // 2):
                switch.rpc('fdb.add', {'mac': mac(1), 'port': 'a'})
                switch.rpc('fdb.del', {'mac': mac(1)})
                if number % 50 == 49:
                    assert [prompt.next()['action'] for _ in range(100)] == [
                        'added', 'deleted'] * 50
            assert switch.rpc('status')['pid'] == switch.process.pid
            events, lost = drain(slow, total)
            assert lost > 0 and len(events) >= QUEUE
            kept = [one['action'] for one in events]
            assert kept == (['added', 'deleted'] * total)[:len(kept)]
            switch.rpc('fdb.add', {'mac': mac(2), 'port': 'a'})
            assert slow.next() == event('fdb', 'added', mac=mac(2), vlan=0, port='a')

    def test_storm_of_addresses(self, switch):
        """Each address is an event or counted as lost, for a subscriber that reads late and one
        that reads."""
        total = more_than_is_kept() + 20000
        pcap = switch.dir / 'storm.pcap'
        write_pcap(pcap, [frame(BROADCAST, f'02:00:00:{number >> 16:02x}:{number >> 8 & 0xff:02x}:'
                                f'{number & 0xff:02x}') for number in range(total)])
        with Monitor(switch, 'fdb') as late, Monitor(switch, 'fdb') as reads:
            switch.port_add('storm', 'ethdev', device=f'net_pcap_storm,rx_pcap={pcap}')
            events, _ = drain(reads, total)
            assert {one['action'] for one in events} == {'learned'}
            assert len({one['mac'] for one in events}) == len(events)
            assert switch.rpc('status')['fdb']['entries'] == total
            events, lost = drain(late, total)
            assert lost > 0 and {one['action'] for one in events} == {'learned'}
            # One that has caught up gets no further events.
            switch.cli('fdb', 'flush')
            assert late.next() == reads.next() == event('fdb', 'flushed', type='dynamic')
        pcap.unlink()

    def test_no_events_without_subscriber(self, switch):
        """Addresses learnt while there is no subscriber cause no event later."""
        path = switch.port_add('a', 'vhost')
        with FrontEnd(path) as vm:
            with Monitor(switch, 'fdb') as monitor:
                vm.send(frame(BROADCAST, mac(1)))
                assert monitor.next() == learned(1, 'a')
            switch.rpc('status')    # the switch has noticed the end of the connection before
            vm.send(frame(BROADCAST, mac(2)))
            wait_until(lambda: len(switch.rpc('fdb.list')) == 2, 30, 'two addresses')
            with Monitor(switch, 'fdb') as monitor:
                vm.send(frame(BROADCAST, mac(3)))
                assert monitor.next() == learned(3, 'a')


class Command:
    """`shunt monitor` as a process; its events must include those of config."""

    def __init__(self, switch, *words, options=()):
        self.switch = switch
        self.process = subprocess.Popen(
            [program('shunt'), '-s', switch.sock, *options, 'monitor', *words], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.subscribe()

    def subscribe(self):
        """Wait until it has subscribed, and skip its output until then."""
        first, last = self.switch.dir / 'first.yaml', self.switch.dir / 'last.yaml'
        while not select.select([self.process.stdout], [], [], 0.05)[0]:
            self.switch.cli('config', 'save', first)
        self.switch.cli('config', 'save', last)
        while str(last) not in self.line():
            pass

    def line(self):
        line = self.process.stdout.readline()
        assert line.endswith('\n'), f'{line!r} {self.process.poll()}'
        return line[:-1]

    def end(self, number=None):
        """(status, standard error) after a signal, or at its own end."""
        if number is not None:
            self.process.send_signal(number)
        errors = self.process.communicate(timeout=30)[1]
        return self.process.returncode, errors

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


class TestCommand:
    def test_json_is_a_document_a_line(self, switch):
        with Command(switch, options=['-j']) as command:
            before = time.time_ns() // 1000
            path = switch.port_add('a', 'vhost')
            one = json.loads(command.line())
            assert before <= one.pop('time_us') <= time.time_ns() // 1000
            assert one == event('port', 'added', port='a', type='vhost')
            with FrontEnd(path) as vm:
                assert [json.loads(command.line())['event'] for _ in range(2)] == [
                    'front-end', 'link']
                vm.send(frame(BROADCAST, mac(1)))
                one = json.loads(command.line())
                del one['time_us']
                assert one == learned(1, 'a')

    def test_text(self, switch):
        with Command(switch, 'fdb', 'port', 'config') as command:
            path = switch.port_add('a', 'vhost', vlan=10)
            at = r'\d\d:\d\d:\d\d\.\d\d\d  '
            assert re.fullmatch(at + r'port {7}a added \(vhost\)', command.line())
            with FrontEnd(path) as vm:
                vm.send(frame(BROADCAST, mac(1)))
                assert re.fullmatch(at + rf'fdb {{8}}{mac(1)} learned at a, VLAN 10',
                                    command.line())
            assert re.fullmatch(at + r'fdb {8}flushed: dynamic addresses at a', command.line())
            switch.reload('ports: {a: {type: nosuch}}\n')
            assert re.fullmatch(at + r'config {5}\S+/shunt.yaml failed: .*nosuch.*',
                                command.line())
        switch.config.write_text('')

    @pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
    def test_ends_by_a_signal(self, switch, number):
        with Command(switch) as command:
            assert command.end(number) == (0, '')

    def test_ends_with_its_reader(self, switch):
        with Command(switch, 'config') as command:
            command.process.stdout.close()
            switch.cli('config', 'save', switch.dir / 'more.yaml')
            assert command.process.wait(30) == 0 and command.process.stderr.read() == ''
            command.process.stdout = None

    @pytest.mark.parametrize('end', ['stop', 'kill9'])
    def test_the_switch_goes_away(self, end):
        with Switch() as switch:
            with Command(switch) as command:
                getattr(switch, end)()
                status, errors = command.end()
                assert status == 3 and errors.count('\n') == 1 and 'went away' in errors
            switch.start()

    def test_no_switch(self, switch):
        done = subprocess.run([program('shunt'), '-s', switch.dir / 'none', 'monitor'], text=True,
                              capture_output=True)
        assert done.returncode == 3 and done.stderr.count('\n') == 1

    @pytest.mark.parametrize('words', [['nosuch'], ['port', 'ports'], [''], ['port=a'], ['\xff']])
    def test_unknown_event(self, switch, words):
        done = switch.cli('monitor', *words, check=False)
        assert done.returncode == 2 and done.stderr.count('\n') == 1 and done.stdout == ''
        assert ', '.join(KINDS) in done.stderr

    def test_help_names_the_events(self, switch):
        text = switch.cli('help', 'monitor').stdout
        page = switch.cli('--man').stdout.replace('\\-', '-')
        completion = switch.cli('--completion', 'bash').stdout
        (command,) = switch.json('help', 'monitor')['commands']
        assert [row['event'] for row in command['events']] == KINDS
        assert f"echo '{' '.join(KINDS)}'" in completion
        for row in command['events']:
            assert row['help'] in page and f"\n  {row['event']} " in text

    def test_slow(self, switch):
        """Its reader stops; the command blocks, the switch does not, and all events are accounted
        for."""
        switch.port_add('a', 'vhost')
        with Command(switch, 'config', 'fdb', options=['-j']) as command:
            # The pipe and the connection buffers of the command hold more events than its queue.
            total = (more_than_is_kept() + 2 * (1 << 20) // SHORTEST) // 2 * 2
            for _ in range(total // 2):
                switch.rpc('fdb.add', {'mac': mac(1), 'port': 'a'})
                switch.rpc('fdb.del', {'mac': mac(1)})
            seen, lost = 0, 0
            while seen + lost < total:
                one = json.loads(command.line())
                lost += one.get('lost', 0)
                seen += one['event'] == 'fdb'
            assert lost > 0 and seen >= QUEUE
