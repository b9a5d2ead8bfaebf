# SPDX-License-Identifier: BSD-3-Clause
"""The control socket without the command line: valid JSON-RPC 2.0, and invalid requests."""

import json
import socket
import time

import pytest

from switch import Rpc, Switch

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
REFUSED = -32000
TIMEOUT = 10    # seconds for the rest of a request
LIMIT = 1 << 20  # bytes of a request


@pytest.fixture(scope='module')
def switch():
    with Switch() as running:
        yield running


@pytest.fixture
def peer(switch):
    """A connection; at the end the switch must still answer on another one."""
    with Peer(switch) as one:
        yield one
    other = Rpc(switch.sock)
    assert other.call('status')['pid'] == switch.process.pid
    other.close()


class Peer:
    """Bytes to and lines from the control socket."""

    def __init__(self, switch):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(switch.sock))
        self.sock.settimeout(5)
        self.reader = self.sock.makefile('rb')

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        """The next answer, or None if the switch has closed the connection."""
        line = self.reader.readline()
        return json.loads(line) if line else None

    def ask(self, request):
        self.send(json.dumps(request))
        return self.line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.sock.close()


def request(method='status', number=1, **params):
    whole = {'jsonrpc': '2.0', 'id': number, 'method': method}
    return {**whole, 'params': params} if params else whole


def error(answer):
    """(code, id) of an error."""
    assert set(answer) == {'jsonrpc', 'id', 'error'} and answer['jsonrpc'] == '2.0'
    assert isinstance(answer['error']['message'], str) and answer['error']['message']
    return answer['error']['code'], answer['id']


class TestRequests:
    @pytest.mark.parametrize('number', [1, 0, -5, 'text', '', 1.5, None])
    def test_answers_have_the_id(self, peer, number):
        answer = peer.ask(request(number=number))
        assert answer['id'] == number and answer['jsonrpc'] == '2.0' and 'result' in answer

    def test_one_after_the_other(self, peer):
        for number in range(100):
            assert peer.ask(request(number=number))['id'] == number

    def test_many_at_once(self, peer):
        peer.send(''.join(json.dumps(request(number=number)) for number in range(200)))
        assert [peer.line()['id'] for _ in range(200)] == list(range(200))

    def test_white_space_and_pieces(self, peer):
        for byte in b' \n\r\t' + json.dumps(request(), indent=4).encode() + b'\n\n':
            peer.send(bytes([byte]))
        assert peer.line()['result']['pid']

    def test_braces_in_text(self, peer):
        assert error(peer.ask(request('port.show', name='}{][\\"\\\\'))) == (REFUSED, 1)

    def test_batch(self, peer):
        answers = peer.ask([request(number=1), request('nosuch', 2), request('port.list', 3)])
        assert [answer['id'] for answer in answers] == [1, 2, 3]
        assert answers[1]['error']['code'] == NO_METHOD and answers[2]['result'] == []

    def test_batch_with_notifications(self, peer):
        one = {'jsonrpc': '2.0', 'method': 'status'}
        assert [answer['id'] for answer in peer.ask([one, request(number=7), one])] == [7]

    def test_batch_of_notifications_only(self, peer):
        peer.send(json.dumps([{'jsonrpc': '2.0', 'method': 'status'}] * 2))
        assert peer.ask(request(number=8))['id'] == 8

    def test_batch_of_nonsense(self, peer):
        answers = peer.ask([1, 'x', None, [], {}])
        assert [error(answer) for answer in answers] == [(INVALID_REQUEST, None)] * 5

    def test_empty_batch(self, peer):
        assert error(peer.ask([])) == (INVALID_REQUEST, None)

    def test_notification(self, switch, peer):
        """It is executed, and not answered."""
        peer.send(json.dumps({'jsonrpc': '2.0', 'method': 'port.add', 'params': {
            'name': 'n', 'type': 'ethdev', 'device': 'net_null_n,no-rx=1'}}))
        assert peer.ask(request(number=9))['id'] == 9
        assert [port['name'] for port in switch.rpc('port.list')] == ['n']
        switch.rpc('port.del', {'name': 'n'})

    @pytest.mark.parametrize('method', ['nosuch', 'port', 'port.nosuch', 'PORT.LIST', '',
                                        'x' * 100000])
    def test_unknown_method(self, peer, method):
        assert error(peer.ask(request(method))) == (NO_METHOD, 1)

    @pytest.mark.parametrize('bad', [{'id': 1}, {'jsonrpc': '2.0', 'id': 1, 'method': 5}, {}])
    def test_no_request(self, peer, bad):
        assert error(peer.ask(bad)) == (INVALID_REQUEST, bad.get('id'))

    @pytest.mark.parametrize('params', [[], [1], 'x', 5, True])
    def test_params_are_no_object(self, peer, params):
        assert error(peer.ask({**request(), 'params': params}))[0] == INVALID_PARAMS

    @pytest.mark.parametrize('method, params, says', [
        ('status', {'x': 1}, 'x'), ('port.list', {'x': 1}, 'x'), ('drops', {'x': 1}, 'x'),
        ('port.add', {'name': 'x'}, 'type'), ('port.add', {'type': 'vhost'}, 'name'),
        ('port.add', {'name': 5, 'type': 'vhost'}, 'name'),
        ('port.add', {'name': 'x', 'type': 'nosuch'}, 'type'),
        ('port.add', {'name': 'x', 'type': 'vhost', 'socket': ['/x']}, 'socket'),
        ('port.add', {'name': 'x', 'type': 'vhost', 'socket': None}, 'socket'),
        ('port.add', {'name': 'x', 'type': 'vhost', 'socket': '/x', 'queues': 1.5}, 'queues'),
        ('port.add', {'name': 'x', 'type': 'vhost', 'bogus': 1}, 'bogus'),
        ('port.add', {'name': 'x y', 'type': 'vhost'}, 'name'),
        ('port.add', {'name': '', 'type': 'vhost'}, 'name'),
        ('port.add', {'name': 'x\u0000y', 'type': 'vhost'}, ''),
        ('fdb.list', {'vlan': 4095}, 'vlan'), ('fdb.list', {'vlan': 'x'}, 'vlan'),
        ('fdb.list', {'vlan': {}}, 'vlan'), ('fdb.add', {'mac': 'x', 'port': 'p'}, 'mac'),
        ('fdb.add', {'mac': 5}, 'mac'), ('fdb.del', {}, 'mac'), ('lcore.add', {}, 'lcore'),
        ('lcore.add', {'lcore': -1}, 'lcore'), ('lcore.add', {'lcore': 1 << 62}, 'lcore'),
        ('config.apply', {'file': 'relative'}, 'file'), ('config.save', {'file': 5}, 'file'),
        ('port.add', {'name': 'x', 'type': 'vhost', 'vlan': 4095}, "vlan: '4095' is not a number"),
        ('port.add', {'name': 'x', 'type': 'tap'}, 'not yet supported'),
    ])
    def test_wrong_params(self, switch, peer, method, params, says):
        answer = peer.ask({**request(method), 'params': params})
        assert error(answer) in ((INVALID_PARAMS, 1), (PARSE_ERROR, None))
        assert says in answer['error']['message']
        assert switch.rpc('port.list') == []

    @pytest.mark.parametrize('method, params', [
        ('port.show', {'name': 'none'}), ('port.del', {'name': 'none'}),
        ('port.set', {'name': 'none'}), ('fdb.list', {'port': 'none'}), ('drops', {'port': 'none'}),
        ('lcore.del', {'lcore': 999}),
        ('port.qemu', {'name': 'none'}), ('fdb.del', {'mac': '02:00:00:00:00:01'}),
    ])
    def test_refused(self, peer, method, params):
        assert error(peer.ask({**request(method), 'params': params})) == (REFUSED, 1)

    def test_numbers_and_switches(self, switch, peer):
        """Keys may be numbers, text, true or false."""
        keys = {'queues': '2', 'mtu': 1400, 'tso': False, 'packed': True, 'csum': 'on'}
        path = str(switch.socket('vm1'))
        added = peer.ask(request('port.add', name='vm1', type='vhost', socket=path, **keys))
        assert added['result'] == {}
        shown = peer.ask(request('port.show', name='vm1'))['result']
        assert [shown[key] for key in keys] == [2, 1400, 'off', 'on', 'on']
        assert peer.ask(request('port.del', name='vm1'))['result'] == {}


class TestNonsense:
    @pytest.mark.parametrize('data', [
        b'x', b'\0', b'5', b'"x"', b'null', b'}', b'GET / HTTP/1.1\r\n\r\n', b'{"a":}', b'{"a":1,}',
        b"{'a':1}", b'{"a":1,"a":2}', b'[1 2]', b'{]', b'\xff\xfe{', b'{"\xff":1}', b'{"x":"\x01"}',
    ])
    def test_not_json(self, peer, data):
        """It is answered with an error, and the connection is closed."""
        peer.send(data)
        assert error(peer.line()) == (PARSE_ERROR, None)
        assert peer.line() is None

    def test_deep_nesting(self, peer):
        peer.send(b'[' * 100000 + b']' * 100000)
        assert error(peer.line()) == (PARSE_ERROR, None)
        assert peer.line() is None

    def test_too_long(self, peer):
        try:
            peer.send(b'{"jsonrpc":"2.0","id":1,"method":"' + b'x' * (2 * LIMIT))
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            assert error(peer.line()) == (PARSE_ERROR, None)
            assert peer.line() is None
        except ConnectionResetError:
            pass    # it was closed before all had been sent

    def test_long_enough(self, peer):
        assert error(peer.ask(request('x' * (LIMIT - 100)))) == (NO_METHOD, 1)

    def test_nothing(self, switch):
        for _ in range(300):
            Peer(switch).__exit__()
        assert switch.rpc('status')

    def test_sending_side_closed(self, peer):
        """A client that shuts down its sending side still gets its answer."""
        peer.send(json.dumps(request()))
        peer.sock.shutdown(socket.SHUT_WR)
        assert peer.line()['result']['pid']
        assert peer.line() is None


def test_half_a_request(switch):
    """Other clients are answered meanwhile; after a timeout the connection is closed."""
    with Peer(switch) as slow, Peer(switch) as other:
        slow.sock.settimeout(2 * TIMEOUT)
        since = time.monotonic()
        slow.send('{"jsonrpc": "2.0", ')
        while time.monotonic() - since < 1:
            assert other.ask(request())['result']['pid']
        assert slow.line() is None
        assert time.monotonic() - since >= TIMEOUT - 1, 'closed too early'
        assert other.ask(request())['result']['pid'], 'an idle connection stays'


def test_many_connections(switch):
    """Up to a limit; further connections are closed, and slots become free again."""
    peers = [Peer(switch) for _ in range(300)]
    answers = 0
    for one in peers:
        try:
            answers += one.ask(request()) is not None
        except (BrokenPipeError, ConnectionResetError):
            pass
    for one in peers:
        one.__exit__()
    assert 200 <= answers < 300
    assert switch.cli('status', check=False).returncode == 0


def test_a_peer_that_does_not_read(switch):
    """Its answers are queued up to a limit, then its requests are not read; those of others are."""
    with Peer(switch) as deaf, Peer(switch) as other:
        deaf.sock.setblocking(False)
        whole = json.dumps([request(number=number) for number in range(100)]).encode()
        sent = 0
        since = time.monotonic()
        while time.monotonic() - since < 1:
            try:
                sent += deaf.sock.send(whole)
            except BlockingIOError:
                time.sleep(0.01)
            except (BrokenPipeError, ConnectionResetError):
                break
        assert other.ask(request())['result']['pid']
        with open(f'/proc/{switch.process.pid}/statm', encoding='ascii') as file:
            assert int(file.read().split()[1]) * 4 < 1 << 20, 'over 1 GB resident'
