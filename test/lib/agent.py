# SPDX-License-Identifier: BSD-3-Clause
"""The host's end of the guest agent (test/vm/guest/agent): shell commands over a serial line."""

import base64
import re
import secrets
import select
import socket
import time


AGAIN_SECONDS = 5    # seconds; the line may lose bytes: then a request is sent again


class AgentError(Exception):
    """The line to the guest closed."""


class Agent:
    """Lines to and from the agent.

    check is called while waiting, at least every 0.2 s: it raises if the guest has ended.
    """

    def __init__(self, path, check):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(path))
        self.check = check
        self.buffer = b''
        self.boot_id = None

    def _line(self, deadline, what):
        """The next line without its end; READY lines are recorded."""
        while b'\n' not in self.buffer:
            self.check()
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f'guest: {what}: no answer in time')
            if not select.select([self.sock], [], [], min(left, 0.2))[0]:
                continue
            data = self.sock.recv(65536)
            if not data:
                time.sleep(0.2)    # QEMU may be about to exit: check() reports why
                self.check()
                raise AgentError('the serial line to the guest closed')
            self.buffer += data
        line, self.buffer = self.buffer.split(b'\n', 1)
        text = line.decode(errors='replace').strip()
        ready = re.search(r'READY ([0-9a-f-]{36})$', text)
        if ready:
            self.boot_id = ready[1]
        return text

    def wait_ready(self, timeout, other_than=None):
        """Wait until the agent of a boot runs; other_than names the boot before a reboot."""
        deadline = time.monotonic() + timeout
        while self.boot_id in (None, other_than):
            self._line(deadline, 'boot')
        return self.boot_id

    def send(self, command, timeout=30):
        """Start a shell command, without waiting for it."""
        self._request(secrets.token_hex(4), command, timeout)

    def _request(self, name, command, timeout):
        code = base64.b64encode(command.encode()).decode()
        line = f'RUN {name} {max(1, round(timeout))} {len(code)} {code}\n'
        self.sock.sendall(line.encode())

    def run(self, command, timeout):
        """(exit status, output bytes) of a shell command."""
        name = secrets.token_hex(4)
        end = time.monotonic() + timeout + 5    # the guest's own timeout ends first
        while True:
            self._request(name, command, timeout)
            answer = self._answer(name, command, min(end, time.monotonic() + AGAIN_SECONDS))
            if answer:
                return answer
            if time.monotonic() >= end:
                raise TimeoutError(f'guest: {command}: no answer in time')

    def _answer(self, name, command, deadline):
        """The output of a command; None if it did not arrive completely."""
        boot, status, body = self.boot_id, None, []
        try:
            while True:
                line = self._line(deadline, command)
                if self.boot_id != boot:
                    raise AgentError(f'the guest rebooted during: {command}')
                if line.startswith(f'DONE {name} '):
                    status, body = int(line.split()[2]), []
                elif line.startswith(f'END {name} ') and status is not None:
                    output = base64.b64decode(''.join(body))
                    return (status, output) if len(output) == int(line.split()[2]) else None
                elif status is not None:
                    body.append(line)
        except (TimeoutError, ValueError, IndexError):    # binascii.Error is a ValueError
            return None

    def close(self):
        self.sock.close()
