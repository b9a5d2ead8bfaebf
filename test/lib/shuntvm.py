# SPDX-License-Identifier: BSD-3-Clause
"""shunt-vm, the front end: run to its end, or beside a test; and testpmd as a back end for it.

    result = shunt_vm(a, b, 'loop', '--verify', packed='on')
    assert result['lost'] == 0
"""

import json
import shutil
import signal
import subprocess

import proc
from proc import Process
from testpmd import Testpmd

EXTRAS = ('', 'indirect', 'event_idx', 'in_order', 'all')    # additional features of rings
FEW = 100     # frames
LONGER = 3    # seconds


def vm(socket, **keys):
    """A VM argument; '_' in keys stands for '-'."""
    words = [f"{name.replace('_', '-')}={value}" for name, value in keys.items()]
    return ','.join([f'socket={socket}'] + words)


def keys_of(extra):
    """The keys of a VM for one of EXTRAS."""
    names = EXTRAS[1:-1] if extra == 'all' else [extra] if extra else []
    return {name: 'on' for name in names}


def assert_clean(result, frames=FEW):
    """Frames were exchanged, none was lost, and no checked frame had an error."""
    assert result['tx_packets'] >= frames, result
    for name in ('lost', 'duplicated', 'reordered', 'corrupted', 'foreign'):
        assert result[name] == 0, f'{name}: {result}'
    assert result['rx_packets'] == result['tx_packets'], result


def assert_checked(result, frames=FEW):
    """The same, and every frame was checked."""
    assert_clean(result, frames)
    assert result['checked'] == result['rx_packets'], result


def argv(*vms, mode, options=(), seconds=0.2, timeout=20):
    return [str(word) for word in (proc.program('shunt-vm'), '-j', '--seconds', seconds,
                                   '--timeout', timeout, *vms, '--', *mode, *options)]


def run(*vms, mode, options=(), seconds=0.2, timeout=20, limit=90):
    """Run it: (exit status, result or None, stderr)."""
    done = subprocess.run(argv(*vms, mode=mode, options=options, seconds=seconds, timeout=timeout),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=limit)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def shunt_vm(*words, options=(), seconds=0.2, **keys):
    """shunt_vm(SOCKET..., MODE, ...): keys apply to all VMs. Must succeed; returns the result."""
    sockets = [word for word in words if '/' in str(word)]
    mode = [word for word in words if word not in sockets]
    # A back end may not be scheduled during all of a short run.
    for last in sorted({seconds, max(seconds, LONGER)}):
        status, result, text = run(*(vm(socket, **keys) for socket in sockets), mode=mode,
                                   options=options, seconds=last)
        assert status == 0 and not text, f'exit status {status}: {text}{result}'
        if 'loop' not in mode or result['tx_packets'] >= FEW:
            break
    return result


class Beside:
    """A shunt-vm that runs beside the test until stop(), which returns its result."""

    def __init__(self, *vms, mode, options=(), seconds=600):
        self.dir = proc.temp_dir('shunt-vm-')
        # Only its report may be on stdout; the log gets stderr too.
        self.process = Process(argv(*vms, mode=mode, options=options, seconds=seconds),
                               self.dir / 'log')

    def stop(self, status=0):
        """Interrupt it, wait, and return its report."""
        self.process.signal(signal.SIGINT)
        assert self.process.wait(30) == status, self.process.tail()
        return json.loads(self.process.log.read_text())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill9()
        shutil.rmtree(self.dir, ignore_errors=True)


class VhostPmd(Testpmd):
    """testpmd as a back end: io forwarding between two net_vhost ports, .sockets."""

    def __init__(self, queues=2):
        super().__init__(queues=queues)
        self.sockets = [self.dir / name for name in ('a', 'b')]
        self.devices = [f'net_vhost{number},iface={socket},queues={queues},tso=1'
                        for number, socket in enumerate(self.sockets)]

    def start(self, timeout=30):
        super().start(timeout)
        self.command('set fwd io', 'start')
        return self
