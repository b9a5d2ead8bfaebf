# SPDX-License-Identifier: BSD-3-Clause
"""pcapng files block by block, from the draft of the format."""

import struct
from dataclasses import dataclass, field

SECTION, INTERFACE, STATISTICS, FRAME = 0x0a0d0d0a, 1, 5, 6
IN, OUT = 1, 2


@dataclass
class Captured:
    """A frame of a file; ns since 1970."""
    ns: int
    data: bytes
    length: int
    direction: int
    comment: str


@dataclass
class File:
    """An interface's name and properties, its frames, and (received, lost) at the end, if any."""
    name: str = ''
    snaplen: int = 0
    filter: str = ''
    frames: list = field(default_factory=list)
    statistics: tuple = None


def options(data):
    """{code: value} up to the end of options."""
    found, at = {}, 0
    while at < len(data):
        code, length = struct.unpack_from('<HH', data, at)
        if code == 0:
            assert length == 0 and at + 4 == len(data)
            break
        found[code] = data[at + 4:at + 4 + length]
        at += 4 + length + -length % 4
    return found


def blocks(data):
    """(type, body) of each block; the lengths are checked."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from('<II', data, at)
        assert size % 4 == 0 and struct.unpack_from('<I', data, at + size - 4)[0] == size
        yield kind, data[at + 8:at + size - 4]
        at += size


def time_of(high, low):
    return high << 32 | low


def read(data):
    """A whole file of one section and one interface."""
    parsed = File()
    for number, (kind, body) in enumerate(blocks(data)):
        if number == 0:
            assert kind == SECTION and struct.unpack_from('<IHH', body) == (0x1a2b3c4d, 1, 0)
        elif number == 1:
            assert kind == INTERFACE and struct.unpack_from('<H', body)[0] == 1
            parsed.snaplen = struct.unpack_from('<I', body, 4)[0]
            said = options(body[8:])
            assert said[9] == b'\x09', 'nanoseconds'
            parsed.name, parsed.filter = said[2].decode(), said.get(11, b'\0')[1:].decode()
        elif kind == FRAME:
            interface, high, low, caplen, length = struct.unpack_from('<IIIII', body)
            assert interface == 0
            said = options(body[20 + caplen + -caplen % 4:])
            parsed.frames.append(Captured(
                time_of(high, low), body[20:20 + caplen], length,
                struct.unpack('<I', said[2])[0], said.get(1, b'').decode()))
        else:
            assert kind == STATISTICS and parsed.statistics is None
            said = options(body[12:])
            parsed.statistics = tuple(struct.unpack('<Q', said[code])[0] for code in (4, 5))
    return parsed
