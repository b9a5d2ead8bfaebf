# SPDX-License-Identifier: BSD-3-Clause
"""Raw frames at an interface in any network namespace.

    wire = Wire('eth0', namespace.name)
    wire.send(frame)
    frames = wire.drain()

Frames are bytes as on the wire: a VLAN tag that the kernel removed is inserted again.
"""

import contextlib
import ctypes
import errno
import os
import socket
import struct
import time

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33
TP_STATUS_VLAN_VALID = 1 << 4
TP_STATUS_VLAN_TPID_VALID = 1 << 6
CLONE_NEWNET = 0x40000000
RECEIVE_BUFFER = 64 << 20
FRAME_MAX = 1 << 17
TIMEOUT = 20    # seconds: a busy machine may take long, a lost frame never arrives

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(namespace):
    """Run the block in a network namespace; None is that of this process."""
    if namespace is None:
        yield
        return
    home = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
    there = os.open(f'/run/netns/{namespace}', os.O_RDONLY)
    try:
        _setns(there)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(there)
        os.close(home)


def _setns(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), 'setns')


class Wire:
    """Both directions of an interface. Frames that a Wire sends itself are not received."""

    def __init__(self, ifname, namespace=None):
        self.ifname = ifname
        with inside(namespace):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
            self.sock.bind((ifname, ETH_P_ALL))

    def send(self, *frames):
        for frame in frames:
            self.sock.send(frame)

    def receive(self, timeout):
        """The next frame, or None."""
        self.sock.settimeout(timeout or 1e-6)
        try:
            data, control, flags, _ = self.sock.recvmsg(FRAME_MAX, 64)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError as error:
            if error.errno != errno.ENETDOWN:    # reported once after the interface was down
                raise
            return self.receive(timeout)
        assert not flags & socket.MSG_TRUNC
        return _with_tag(data, control)

    def receive_until(self, last, timeout=TIMEOUT):
        """All frames before the frame `last`; TimeoutError if that is not received."""
        frames = []
        deadline = time.monotonic() + timeout
        while True:
            frame = self.receive(max(deadline - time.monotonic(), 0))
            if frame is None:
                raise TimeoutError(f'{self.ifname}: no {last.hex()} within {timeout} s, but '
                                   f'{[one.hex() for one in frames]}')
            if frame == last:
                return frames
            frames.append(frame)

    def receive_count(self, count, timeout=TIMEOUT):
        """Up to count frames; fewer at the timeout."""
        frames = []
        deadline = time.monotonic() + timeout
        while len(frames) < count:
            frame = self.receive(max(deadline - time.monotonic(), 0))
            if frame is None:
                break
            frames.append(frame)
        return frames

    def drain(self):
        """All frames received so far."""
        return self.receive_count(1 << 30, 0)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _with_tag(data, control):
    for level, kind, payload in control:
        if (level, kind) != (SOL_PACKET, PACKET_AUXDATA):
            continue
        status, _, _, _, _, tci, tpid = struct.unpack('=IIIHHHH', payload[:20])
        if status & TP_STATUS_VLAN_VALID:
            if not status & TP_STATUS_VLAN_TPID_VALID:
                tpid = 0x8100
            return data[:12] + struct.pack('!HH', tpid, tci) + data[12:]
    return data
