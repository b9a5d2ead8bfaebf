# SPDX-License-Identifier: BSD-3-Clause
"""QEMU's machine protocol (QMP) over a unix socket."""

import json
import socket


class QmpError(Exception):
    """QEMU refused a command, or closed the connection."""


class Qmp:
    """One QMP connection. Events received meanwhile are kept in .events."""

    def __init__(self, path, timeout=10):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.events = []
        try:
            self.sock.connect(str(path))
            self.reader = self.sock.makefile('r')
            self._receive()    # the greeting
            self.execute('qmp_capabilities')
        except BaseException:
            self.sock.close()
            raise

    def _receive(self):
        line = self.reader.readline()
        if not line:
            raise QmpError('QEMU closed the QMP connection')
        return json.loads(line)

    def execute(self, command, **arguments):
        """Execute a command and return its result; '_' in argument names stands for '-'."""
        request = {'execute': command,
                   'arguments': {key.replace('_', '-'): val for key, val in arguments.items()}}
        self.sock.sendall(json.dumps(request).encode() + b'\n')
        while True:
            answer = self._receive()
            if 'event' in answer:
                self.events.append(answer)
            elif 'error' in answer:
                raise QmpError(f"{command}: {answer['error']['desc']}")
            elif 'return' in answer:
                return answer['return']

    def close(self):
        self.reader.close()
        self.sock.close()
