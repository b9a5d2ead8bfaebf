# SPDX-License-Identifier: BSD-3-Clause
"""shunt-vm against back ends that refuse, close, answer wrongly or not at all: one line of error,
no hang."""

import contextlib
import mmap
import os
import socket
import struct
import subprocess
import threading
import time

import pytest

import proc
from shuntvm import Beside, argv, run, vm

GET_FEATURES, SET_FEATURES, SET_OWNER, SET_MEM_TABLE, SET_VRING_ADDR = 1, 2, 3, 5, 9
GET_PROTOCOL, SET_PROTOCOL, GET_QUEUE_NUM = 15, 16, 17
NET_SET_MTU, GET_MAX_MEM_SLOTS, ADD_MEM_REG, SET_STATUS = 20, 36, 37, 39
REPLY = 1 << 2 | 1
VERSION_1, PROTOCOL = 1 << 32, 1 << 30
MQ, REPLY_ACK, NET_MTU, MEM_SLOTS, STATUS = 1, 1 << 3, 1 << 4, 1 << 15, 1 << 16


MUTE = object()


def number(request, value, flags=REPLY, size=8):
    return struct.pack('<IIIQ', request, flags, size, value)


class BackEnd(threading.Thread):
    """Answers requests from a table {request: bytes}; None closes, absent means no answer, as does
    MUTE where an acknowledgement is due."""

    def __init__(self, path, answers):
        super().__init__(daemon=True)
        self.answers, self.connection, self.seen = answers, None, []
        self.memory = self.memory_at = None
        self.used = {}    # ring: offset of its used ring
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.start()

    def run(self):
        self.connection, _ = self.listener.accept()
        with self.connection, contextlib.suppress(OSError):
            while True:
                header, fds, *_ = socket.recv_fds(self.connection, 12, 8, socket.MSG_WAITALL)
                if not header:
                    return
                request, flags, size = struct.unpack('<III', header)
                payload = self.connection.recv(size, socket.MSG_WAITALL) if size else b''
                self.note(request, payload, fds)
                answer = self.answers.get(request, b'')
                if answer is None:
                    return
                if answer is MUTE:
                    continue
                self.connection.sendall(answer)
                if flags & 8 and not answer:
                    self.connection.sendall(number(request, self.answers.get('ack', 0)))

    def note(self, request, payload, fds):
        """Record the request, and the offsets of used rings."""
        self.seen.append(request)
        if request == SET_MEM_TABLE:
            _, size, self.memory_at, offset = struct.unpack_from('<QQQQ', payload, 8)
            self.memory = mmap.mmap(fds[0], offset + size)
        elif request == SET_VRING_ADDR and self.memory:
            ring, _, _, used = struct.unpack_from('<IIQQ', payload)
            self.used[ring] = used - self.memory_at
        for fd in fds:
            os.close(fd)

    def complete(self, ring, count):
        """Set the used index of a split ring to a number of buffers."""
        # In one store: struct.pack_into() writes zeros first, and the front end polls.
        with memoryview(self.memory).cast('H') as words:
            words[self.used[ring] // 2 + 1] = count

    def hang_up(self):
        self.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def path():
    return proc.temp_dir('shunt-be-') / 's'


GOOD = {GET_FEATURES: number(GET_FEATURES, VERSION_1 | PROTOCOL),
        GET_PROTOCOL: number(GET_PROTOCOL, MQ),
        GET_QUEUE_NUM: number(GET_QUEUE_NUM, 1)}
ACKS = GOOD | {GET_PROTOCOL: number(GET_PROTOCOL, REPLY_ACK)}


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
    (ACKS | {SET_MEM_TABLE: number(SET_MEM_TABLE, 1)}, {}, 'SET_MEM_TABLE: refused by the back end'),
    (ACKS | {SET_VRING_ADDR: MUTE}, {}, 'SET_VRING_ADDR: no answer within 0.5 s'),
    (ACKS | {SET_VRING_ADDR: number(SET_MEM_TABLE, 0)}, {}, 'SET_VRING_ADDR: answered with request 5'),
])
def test_bad_back_end(path, answers, keys, reason):
    BackEnd(path, answers)
    since = time.monotonic()
    status, result, text = run(vm(path, **keys), mode=['loop'], timeout=0.5, limit=20)
    assert status == 1 and result is None
    assert text.count('\n') == 1 and str(path) in text and reason in text, text
    assert time.monotonic() - since < 10


def test_protocol_features(path):
    """Each offered protocol feature is used."""
    offered = MQ | REPLY_ACK | NET_MTU | MEM_SLOTS | STATUS
    back = BackEnd(path, GOOD | {GET_PROTOCOL: number(GET_PROTOCOL, offered),
                                 GET_MAX_MEM_SLOTS: number(GET_MAX_MEM_SLOTS, 8)})
    status, _, text = run(vm(path, regions=3, mtu=9000), mode=['idle'], seconds=0.1)
    assert status == 0, text
    counts = {request: back.seen.count(request)
              for request in (SET_MEM_TABLE, ADD_MEM_REG, NET_SET_MTU, SET_STATUS)}
    assert counts == {SET_MEM_TABLE: 0, ADD_MEM_REG: 3, NET_SET_MTU: 1, SET_STATUS: 1}


def test_silent_device(path):
    """A back end that accepts all settings and takes no frame: frames are lost, nothing hangs."""
    BackEnd(path, GOOD)
    status, result, text = run(vm(path), mode=['loop'], timeout=0.5, limit=30)
    assert status == 0, text
    assert result['rx_packets'] == 0 and result['lost'] == result['tx_packets'] > 0


MODES = ['loop', 'send', 'ndr', 'broadcast', 'latency', 'burst', 'idle', 'echo', 'learn',
         'congestion', 'migrate']


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('way,reason', [('hang-up', 'the back end closed the connection'),
                                        ('nonsense', 'ring 0: the back end completed what was not')])
def test_fault_in_every_mode(path, mode, way, reason):
    """A fault in the middle of every mode: one line, exit 1, and the counts until then."""
    paths = [path, path.parent / 't', path.parent / 'u'][:3 if mode != 'idle' else 1]
    ends = [BackEnd(one, GOOD) for one in paths]
    with Beside(*map(vm, paths), mode=[mode]) as beside:
        proc.wait_until(lambda: len(ends[-1].used) == 2, 20, 'the last VM')
        ends[0].hang_up() if way == 'hang-up' else ends[0].complete(0, 5000)
        assert beside.process.wait(20) == 1
        text = beside.process.log.read_text()
    assert f'{path}: {reason}' in text and '"mode"' in text, text


def test_no_socket(path):
    status, _, text = run(vm(path), mode=['loop'], timeout=0.3)
    assert status == 1 and f'{path}: connect: No such file or directory' in text


def test_no_back_end(path):
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
