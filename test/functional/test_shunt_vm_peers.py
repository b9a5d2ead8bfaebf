# SPDX-License-Identifier: BSD-3-Clause
"""shunt-vm against back ends that refuse, close, answer wrongly or not at all: one line, never a
hang."""

import contextlib
import socket
import struct
import subprocess
import threading
import time

import pytest

import proc
from shuntvm import argv, run, vm

GET_FEATURES, SET_FEATURES, SET_OWNER = 1, 2, 3
GET_PROTOCOL, SET_PROTOCOL, GET_QUEUE_NUM = 15, 16, 17
REPLY = 1 << 2 | 1
VERSION_1, PROTOCOL = 1 << 32, 1 << 30
MQ, REPLY_ACK = 1, 1 << 3


def number(request, value, flags=REPLY, size=8):
    return struct.pack('<IIIQ', request, flags, size, value)


class BackEnd(threading.Thread):
    """Answers requests from a table {request: bytes}; None closes, absent is silence."""

    def __init__(self, path, answers):
        super().__init__(daemon=True)
        self.answers, self.seen = answers, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.start()

    def run(self):
        connection, _ = self.listener.accept()
        with connection, contextlib.suppress(ConnectionError):
            while header := connection.recv(12, socket.MSG_WAITALL):
                request, flags, size = struct.unpack('<III', header)
                connection.recv(size, socket.MSG_WAITALL) if size else None
                self.seen.append(request)
                answer = self.answers.get(request, b'')
                if answer is None:
                    return
                connection.sendall(answer)
                if flags & 8 and not answer:
                    connection.sendall(number(request, self.answers.get('ack', 0)))


@pytest.fixture
def path():
    return proc.temp_dir('shunt-be-') / 's'


GOOD = {GET_FEATURES: number(GET_FEATURES, VERSION_1 | PROTOCOL),
        GET_PROTOCOL: number(GET_PROTOCOL, MQ),
        GET_QUEUE_NUM: number(GET_QUEUE_NUM, 1)}


@pytest.mark.parametrize('answers,keys,reason', [
    ({}, {}, 'GET_FEATURES: no answer within 0.5 s'),
    ({GET_FEATURES: None}, {}, 'GET_FEATURES: the back end closed the connection'),
    ({GET_FEATURES: b'abc'}, {}, 'GET_FEATURES: no answer within 0.5 s'),
    ({GET_FEATURES: number(GET_FEATURES, 0, size=4)}, {}, '4 bytes instead of 8'),
    ({GET_FEATURES: number(GET_FEATURES, 0, size=1 << 31)}, {}, 'bytes instead of 8'),
    ({GET_FEATURES: number(SET_OWNER, 0)}, {}, 'answered with request 3'),
    ({GET_FEATURES: number(GET_FEATURES, 0, flags=1)}, {}, 'GET_FEATURES: answered with'),
    ({GET_FEATURES: number(GET_FEATURES, PROTOCOL)}, {}, 'VERSION_1 (try legacy=on) is not offered'),
    (GOOD, {'packed': 'on'}, 'RING_PACKED (packed=on) is not offered'),
    (GOOD, {'mtu': 9000}, 'NET_MTU (mtu=) is not offered'),
    (GOOD | {GET_FEATURES: number(GET_FEATURES, VERSION_1 | PROTOCOL | 1 << 22)}, {'queues': 2},
     'GET_QUEUE_NUM: 2 queue pairs are not offered, 1 are'),
    (GOOD | {GET_PROTOCOL: None}, {}, 'GET_PROTOCOL_FEATURES: the back end closed'),
    (GOOD | {GET_PROTOCOL: number(GET_PROTOCOL, REPLY_ACK), 'ack': 1}, {},
     'SET_OWNER: refused by the back end (1)'),
    (GOOD | {SET_FEATURES: None}, {}, 'the back end closed the connection'),
])
def test_bad_back_end(path, answers, keys, reason):
    BackEnd(path, answers)
    since = time.monotonic()
    status, result, text = run(vm(path, **keys), mode=['loop'], timeout=0.5, limit=20)
    assert status == 1 and result is None
    assert text.count('\n') == 1 and str(path) in text and reason in text, text
    assert time.monotonic() - since < 10


def test_silent_device(path):
    """A back end that takes every setting and never a frame: frames are lost, nothing hangs."""
    BackEnd(path, GOOD)
    status, result, text = run(vm(path), mode=['loop'], limit=30)
    assert status == 0, text
    assert result['rx_packets'] == 0 and result['lost'] == result['tx_packets'] > 0


def test_nobody_there(path):
    status, _, text = run(vm(path), mode=['loop'], timeout=0.3)
    assert status == 1 and f'{path}: connect: No such file or directory' in text


def test_nobody_comes(path):
    status, _, text = run(vm(path, server='on'), mode=['loop'], timeout=0.3)
    assert status == 1 and f'{path}: listening: no back end connected within 0.3 s' in text
    assert not path.exists(), 'left its socket behind'


@pytest.mark.parametrize('words', [['a', 'b'], ['a', '--', 'fly'], ['--', 'loop'],
                                   ['a', '--', 'loop', '--frame', '1']])
def test_usage(words):
    done = subprocess.run([proc.program('shunt-vm'), *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=10)
    assert done.returncode == 2 and done.stderr.count('\n') == 1 and not done.stdout


def test_help():
    done = subprocess.run([argv(mode=[])[0], '--help'], stdout=subprocess.PIPE, text=True,
                          timeout=10)
    assert done.returncode == 0
    for word in ('loop', 'ndr', 'replay', '--frame', 'packed=on'):
        assert word in done.stdout
