# SPDX-License-Identifier: BSD-3-Clause
"""Metrics over HTTP: their values, to whom they are served, and that no client can stall the
switch."""

import contextlib
import http.client
import json
import re
import socket
import subprocess
import urllib.parse
import urllib.request

import pytest

from bridge import Bridge
from frames import BROADCAST, frame, mac
from proc import Process, ROOT, temp_dir, wait_until
from switch import Switch, SwitchError

A, B = mac(0x0a), mac(0x0b)
OPEN = {'Accept': 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5'}
CLIENTS_MAX = 32


def free_port(family=socket.AF_INET):
    with socket.socket(family) as sock:
        sock.bind(('::1' if family == socket.AF_INET6 else '127.0.0.1', 0))
        return sock.getsockname()[1]


def get(address, path='/metrics', headers=(), method='GET', timeout=20):
    """(status, headers, text) of a response."""
    host, port = address.rsplit(':', 1)
    connection = http.client.HTTPConnection(host.strip('[]'), int(port), timeout=timeout)
    with contextlib.closing(connection):
        connection.request(method, path, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def samples(address, headers=()):
    """{'name{labels}': value}"""
    text = get(address, headers=headers)[2]
    return {name: float(value) for name, value in
            (line.rsplit(' ', 1) for line in text.splitlines() if not line.startswith('#'))}


def total(values, name, *labels):
    """The sum of a family's samples that carry all these labels."""
    return sum(value for key, value in values.items()
               if key.split('{')[0] == name and all(label in key for label in labels))


@pytest.fixture(scope='module')
def address():
    return f'127.0.0.1:{free_port()}'


@pytest.fixture(scope='module')
def shared(address):
    with Bridge(2, f'metrics: {address}\n') as running:
        yield running


@pytest.fixture
def bridge(shared):
    shared.reset()
    return shared


def send(bridge, name, *frames):
    """Send through a wire, and wait until the switch has received it."""
    before = bridge.switch.port(name)['rx_packets']
    bridge.wire[name].send(*frames)
    bridge.wait_received(name, before + len(frames))


def settled(address, bridge):
    """The samples once all frames are accounted for."""
    bridge.switch.assert_balanced()
    # Responses may be 50 ms old.
    wait_until(lambda: total(samples(address), 'shunt_port_receive_packets_total') ==
               sum(port['rx_packets'] for port in bridge.switch.rpc('port.list')), 10, 'metrics')
    return samples(address)


class TestText:
    def test_plain(self, address, bridge):
        status, headers, text = get(address)
        assert (status, headers['Content-Type']) == (200, 'text/plain; version=0.0.4; '
                                                     'charset=utf-8')
        assert text.endswith('\n# EOF\n')
        done = subprocess.run(['promtool', 'check', 'metrics'], input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert (done.returncode, done.stdout) == (0, '')

    def test_openmetrics(self, address, bridge):
        """The rules of OpenMetrics that a parser enforces."""
        _, headers, text = get(address, headers=OPEN)
        assert headers['Content-Type'] == ('application/openmetrics-text; version=1.0.0; '
                                           'charset=utf-8')
        lines = text.splitlines()
        assert lines.index('# EOF') == len(lines) - 1 and text.endswith('\n')
        seen, family, kind = set(), None, None
        for line in lines[:-1]:
            words = line.split(' ')
            if words[1] == 'HELP':
                family = words[2]
                assert family not in seen, 'a family stands together'
                seen.add(family)
            elif words[1] == 'TYPE':
                kind = words[3]
                assert words[2] == family and not family.endswith(('_total', '_info'))
            elif words[1] == 'UNIT':
                assert words[2] == family and family.endswith(f'_{words[3]}')
            else:
                name = re.match(r'[a-z_]+', line)[0]
                suffixes = {'counter': ['_total'], 'info': ['_info'], 'gauge': [''],
                            'histogram': ['_bucket', '_sum', '_count']}[kind]
                assert name in [family + suffix for suffix in suffixes], line

    def test_both_say_the_same(self, address, bridge):
        plain, openly = samples(address), samples(address, OPEN)
        assert plain.keys() == openly.keys()

    def test_head(self, address, bridge):
        status, headers, text = get(address, method='HEAD')
        assert (status, text) == (200, '') and int(headers['Content-Length']) > 1000

    @pytest.mark.parametrize('path, method, status', [
        ('/', 'GET', 404), ('/metric', 'GET', 404), ('/metrics/', 'GET', 404),
        ('/../metrics', 'GET', 404), ('/', 'POST', 404),
        ('/metrics', 'POST', 405), ('/metrics', 'PUT', 405), ('/metrics', 'DELETE', 405)])
    def test_other_requests(self, address, bridge, path, method, status):
        answer = get(address, path, method=method)
        assert answer[0] == status
        if status == 405:
            assert answer[1]['Allow'] == 'GET, HEAD'

    def test_a_query_is_ignored(self, address, bridge):
        assert get(address, '/metrics?name=x')[0] == 200


class TestFigures:
    def test_traffic(self, address, bridge):
        """Every figure of traffic, compared with the frames sent."""
        before = settled(address, bridge)
        send(bridge, 'p1', *40 * [frame(B, A)], *5 * [frame('01:80:c2:00:00:00', A)])
        send(bridge, 'p2', *7 * [frame(A, B, size=1000)])
        after = settled(address, bridge)

        def grown(name, *labels):
            return total(after, name, *labels) - total(before, name, *labels)
        p1, p2 = 'port="p1"', 'port="p2"'
        assert grown('shunt_port_receive_packets_total', p1) == 45
        assert grown('shunt_port_receive_bytes_total', p2) == 7000
        assert grown('shunt_port_forwarded_packets_total', p1) == 40
        assert grown('shunt_port_copied_packets_total', p1) == 40
        assert grown('shunt_port_transmit_packets_total', p2) == 40
        assert grown('shunt_port_transmit_bytes_total', p1) == 7000
        assert grown('shunt_port_dropped_packets_total', p1, 'direction="rx"',
                     'reason="reserved"', 'owner="peer"') == 5
        assert grown('shunt_port_dropped_packets_total') == 5
        assert grown('shunt_queue_packets_total', p1, 'queue="0"') == 45
        assert grown('shunt_queue_busy_cycles_total', p1) > 0
        assert grown('shunt_lcore_packets_total') == 52
        assert grown('shunt_lcore_burst_packets_sum') == 52
        bursts = grown('shunt_lcore_burst_packets_count')
        assert 2 <= bursts <= 52
        assert grown('shunt_lcore_burst_packets_bucket', 'le="+Inf"') == bursts
        assert grown('shunt_lcore_burst_packets_bucket', 'le="32.0"') == bursts
        assert grown('shunt_fdb_learned_entries_total') == 2
        assert after['shunt_fdb_entries'] == 2 and after['shunt_ports'] == 2
        assert total(after, 'shunt_port_up') == 2

    def test_single_frames_are_bursts_of_one(self, address, bridge):
        before = settled(address, bridge)
        for _ in range(5):
            send(bridge, 'p1', frame(BROADCAST, A))
        after = settled(address, bridge)
        for name, by in (('_bucket{lcore="1",le="1.0"}', 5), ('_sum{lcore="1"}', 5),
                         ('_count{lcore="1"}', 5)):
            key = re.sub('"1"', f'"{bridge.switch.lcores}"',
                         f'shunt_lcore_burst_packets{name}')
            assert after[key] - before[key] == by, key

    def test_rounds(self, address, bridge):
        """The lcore polls all the time; nearly all of its time is in rounds."""
        first = samples(address)
        wait_until(lambda: total(samples(address), 'shunt_lcore_loop_seconds_count') >
                   total(first, 'shunt_lcore_loop_seconds_count') + 1000, 20, 'rounds')
        values = samples(address)
        buckets = [value for key, value in values.items()
                   if key.startswith('shunt_lcore_loop_seconds_bucket')]
        assert len(buckets) == 12 and buckets == sorted(buckets)
        assert buckets[-1] == total(values, 'shunt_lcore_loop_seconds_count')
        assert 0 < total(values, 'shunt_lcore_loop_seconds_sum') < 10_000

    def test_counters_of_a_port_opened_anew_continue(self, address, bridge):
        send(bridge, 'p1', *9 * [frame(BROADCAST, A)])
        before = settled(address, bridge)
        mtu = bridge.switch.port('p1')['mtu']
        bridge.switch.rpc('port.set', {'name': 'p1', 'mtu': 1400})
        bridge.switch.rpc('port.set', {'name': 'p1', 'mtu': mtu})
        after = settled(address, bridge)
        lower = [key for key, value in before.items()
                 if '_total' in key and after.get(key, -1) < value]
        assert not lower
        assert total(after, 'shunt_queue_packets_total', 'port="p1"') == total(
            before, 'shunt_queue_packets_total', 'port="p1"') > 0

    def test_ports_come_and_go(self, address, bridge):
        bridge.switch.port_add('new.port-1', 'ethdev', device='net_null_n1,no-rx=1')
        wait_until(lambda: total(samples(address), 'shunt_port_info', 'port="new.port-1"',
                                 'type="ethdev"') == 1, 10, 'the new port')
        bridge.switch.rpc('port.del', {'name': 'new.port-1'})
        wait_until(lambda: 'new.port-1' not in get(address)[2], 30, 'the end of it')


class TestAddress:
    @staticmethod
    def config(address):
        return f'metrics: "{address}"\n' if address else ''

    def test_ipv6(self):
        address = f'[::1]:{free_port(socket.AF_INET6)}'
        with Switch(self.config(address)) as switch:
            assert 'shunt_ports 0' in get(address)[2]
            assert f'metrics: "{address}"' in switch.cli('config', 'show').stdout

    def test_off(self):
        with Switch() as switch:
            assert 'metrics' not in switch.cli('config', 'show').stdout

    def test_change(self):
        """Metrics on, at another address, on all addresses, off: by SIGHUP and by `config apply`.
        """
        one, port = f'127.0.0.1:{free_port()}', free_port()
        with Switch() as switch:
            for address, ask in ((one, one), (f'127.0.0.1:{port}',) * 2,
                                 (f'0.0.0.0:{port}', f'127.0.0.1:{port}')):
                switch.reload(self.config(address))
                wait_until(lambda: switch.json('config', 'show')['config'].get('metrics') ==
                           address, 20, 'the new address')
                assert get(ask)[0] == 200
            with pytest.raises(ConnectionRefusedError):
                get(one)
            switch.config.write_text('')
            switch.cli('config', 'apply', switch.config)
            with pytest.raises(ConnectionRefusedError):
                get(ask)

    def test_in_use_at_start(self):
        with socket.socket() as other:
            other.bind(('127.0.0.1', 0))
            other.listen()
            address = '127.0.0.1:%d' % other.getsockname()[1]
            with pytest.raises(SwitchError) as refused:
                with Switch(self.config(address)):
                    pass
            assert refused.value.status == 2
            assert re.search(fr'shunt.yaml:1: metrics: cannot listen at {address}: '
                             'Address already in use', str(refused.value))

    def test_in_use_while_it_runs(self):
        """An address in use is refused; nothing of the file is applied, and the metrics stay where
        they are."""
        address = f'127.0.0.1:{free_port()}'
        with socket.socket() as other, Switch(self.config(address)) as switch:
            other.bind(('127.0.0.1', 0))
            other.listen()
            switch.config.write_text(self.config('127.0.0.1:%d' % other.getsockname()[1]) +
                                     'ports: {n: {type: ethdev, device: "net_null0,no-rx=1"}}\n')
            with pytest.raises(SwitchError, match='metrics: cannot listen'):
                switch.cli('config', 'apply', switch.config)
            assert 'shunt_ports 0' in get(address)[2]

    def test_saved(self):
        address = f'127.0.0.1:{free_port()}'
        with Switch(self.config(address)) as switch:
            switch.cli('config', 'save')
            switch.restart()
            assert get(address)[0] == 200


class TestHostile:
    @staticmethod
    def flood(address, n, data):
        """Connections that send a part of a request and then nothing, or are not accepted yet."""
        host, port = address.rsplit(':', 1)
        stack = contextlib.ExitStack()
        for _ in range(n):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex((host, int(port)))
            with contextlib.suppress(BlockingIOError):
                sock.send(data)
        return stack

    @pytest.mark.parametrize('data', [b'', b'G', b'GET /metrics HTTP/1.1\r\nHost: x\r\n',
                                      b'POST /metrics HTTP/1.1\r\nContent-Length: 99999\r\n\r\nx'])
    def test_half_requests(self, address, bridge, data):
        """Fewer than the limit: others are served at once."""
        with self.flood(address, CLIENTS_MAX // 2, data):
            assert get(address)[0] == 200
            assert bridge.switch.rpc('status')['ports'] == 2

    @pytest.mark.parametrize('data', [
        b'\0' * 4096, b'\r\n' * 4096, b'GET /' + b'a' * 20000 + b' HTTP/1.1\r\n\r\n',
        b'GET /metrics HTTP/1.1\r\n' + b'X: y\r\n' * 5000 + b'\r\n',
        b'GET /metrics HTTP/9.9\r\n\r\n', b'GET\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00\x01'])
    def test_nonsense(self, address, bridge, data):
        with contextlib.suppress(OSError):
            with self.flood(address, 4, data):
                pass
        assert get(address)[0] == 200

    def test_more_connections_than_there_may_be(self, address, bridge):
        """The control socket answers meanwhile, frames pass, and metrics are available afterwards.
        """
        with self.flood(address, 2 * CLIENTS_MAX, b'GET /metrics'):
            for _ in range(20):
                assert bridge.switch.rpc('status')['ports'] == 2
            send(bridge, 'p1', *5 * [frame(BROADCAST, A)])
        assert get(address)[0] == 200

    def test_slow_sender_is_closed(self, address, bridge):
        """A byte now and then does not keep a connection open."""
        host, port = address.rsplit(':', 1)
        with socket.create_connection((host, int(port)), 10) as slow:
            slow.sendall(b'GET /metrics HTTP/1.1\r\nX: ')
            slow.settimeout(0.3)

            def ended():
                try:
                    slow.sendall(b'x')
                    return slow.recv(1) == b''
                except TimeoutError:
                    return False
                except OSError:
                    return True
            wait_until(ended, 30, 'the end of patience')

    def test_responses_not_read(self, address, bridge):
        """Requests without end whose responses are not read."""
        with self.flood(address, CLIENTS_MAX - 1, b'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n' * 9):
            assert bridge.switch.rpc('status')['ports'] == 2
            assert get(address)[0] == 200

    def test_stop_with_clients(self):
        address = f'127.0.0.1:{free_port()}'
        with Switch(f'metrics: {address}\n') as switch:
            with self.flood(address, 2 * CLIENTS_MAX, b'GET /metrics HTTP'):
                switch.stop()


@contextlib.contextmanager
def prometheus(address):
    """A Prometheus that scrapes the switch; yields a function that queries it."""
    folder = temp_dir('shunt-prom-')
    listen = f'127.0.0.1:{free_port()}'
    (folder / 'p.yml').write_text(
        'global: {scrape_interval: 200ms}\n'
        f'scrape_configs: [{{job_name: shunt, static_configs: [{{targets: ["{address}"]}}]}}]\n')
    subprocess.run(['promtool', 'check', 'config', folder / 'p.yml'], check=True,
                   stdout=subprocess.DEVNULL)
    process = Process(['prometheus', f'--config.file={folder}/p.yml', '--log.level=warn',
                       f'--storage.tsdb.path={folder}/data', f'--web.listen-address={listen}'],
                      folder / 'log')

    def ask(what):
        with urllib.request.urlopen(f'http://{listen}/api/v1/{what}', timeout=10) as answer:
            return json.load(answer)['data']

    def ready():
        with contextlib.suppress(OSError):
            return ask('status/runtimeinfo')
        return None
    try:
        wait_until(ready, 30, 'prometheus')
        yield ask
    finally:
        process.kill9()


def queries():
    """The queries of the dashboard, with its variables set."""
    board = json.loads((ROOT / 'config/grafana-dashboard.json').read_text())
    lines = [target['expr'] for panel in board['panels'] for target in panel['targets']]
    assert len(lines) > 20
    return [line.replace('$__rate_interval', '1m').replace('$instance', '.*').replace('$port', '.*')
            for line in lines]


def test_dashboard(address, bridge):
    """The dashboard uses all metrics, and only those that exist."""
    there = {re.sub('_(bucket|sum|count)$', '', re.match('[a-z_]+', key)[0])
             for key in samples(address)} | {'shunt_port_dropped_packets_total'}
    asked = {re.sub('_(bucket|sum|count)$', '', name)
             for query in queries() for name in re.findall(r'shunt_[a-z_]+', query)}
    assert asked <= there
    board = (ROOT / 'config/grafana-dashboard.json').read_text()
    document = (ROOT / 'doc/metrics.md').read_text()
    for name in there:
        assert name in board or name in document, f'{name} is not documented'


def test_prometheus(address, bridge):
    """Prometheus reads the values that the switch counted, and the types that it declares."""
    send(bridge, 'p1', *20 * [frame(BROADCAST, A)])
    expected = settled(address, bridge)
    with prometheus(address) as ask:
        def value(query):
            found = ask(f'query?query={query}')['result']
            return float(found[0]['value'][1]) if found else None
        query = 'sum(shunt_port_receive_packets_total)'
        wait_until(lambda: value(query) is not None, 20, 'a scrape')
        assert value(query) == total(expected, 'shunt_port_receive_packets_total')
        assert value('sum(shunt_lcore_burst_packets_count)') == total(
            expected, 'shunt_lcore_burst_packets_count')
        (target,) = ask('targets')['activeTargets']
        assert (target['health'], target['lastError']) == ('up', '')
        types = {name: rows[0] for name, rows in ask('metadata').items()}
        assert types['shunt_port_receive_packets']['type'] == 'counter'
        assert types['shunt_port_receive_packets']['unit'] == 'packets'
        assert types['shunt_lcore_loop_seconds']['type'] == 'histogram'
        assert types['shunt_build']['type'] == 'info'
        for query in queries():
            assert ask(f'query?query={urllib.parse.quote(query)}')['resultType'] == 'vector', query
