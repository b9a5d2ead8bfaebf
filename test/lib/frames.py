# SPDX-License-Identifier: BSD-3-Clause
"""Ethernet frames as bytes, and capture files of them."""

import random
import struct

BROADCAST = 'ff:ff:ff:ff:ff:ff'
MULTICAST = '01:00:5e:00:00:fb'
TYPE = 0x88b5                   # IEEE 802 local experimental
CTAG, STAG = 0x8100, 0x88a8

_random = random.Random(802)


def mac(number):
    """A locally administered unicast address."""
    return f'02:00:00:00:{number >> 8 & 0xff:02x}:{number & 0xff:02x}'


def address(text):
    """The six bytes of an address."""
    return bytes.fromhex(text.replace(':', ''))


def tag(vid, priority=0, tpid=CTAG):
    """A VLAN tag."""
    return struct.pack('!HH', tpid, priority << 13 | vid)


def frame(dst, src, *tags, size=None, kind=TYPE, payload=None):
    """A frame of `size` bytes (without FCS) with random payload, or with the payload given, to which
    zeros are appended up to a size."""
    head = address(dst) + address(src) + b''.join(tags) + struct.pack('!H', kind)
    if payload is None:
        payload = _random.randbytes((60 if size is None else size) - len(head))
    return (head + payload).ljust(size or 0, b'\0')


def write_pcap(path, frames, gap=1000000):
    """Write frames of any length to a capture file, with this many microseconds between them."""
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 1 << 18, 1))
        for number, one in enumerate(frames):
            file.write(struct.pack('<IIII', *divmod(number * gap, 1000000), len(one), len(one)) + one)
    return path


def read_pcap(path):
    """The frames of a capture file."""
    with open(path, 'rb') as file:
        data = file.read()
    if not data:
        return []
    order = '<' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
    frames, at = [], 24
    while at < len(data):
        length = struct.unpack(order + 'IIII', data[at:at + 16])[2]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames
