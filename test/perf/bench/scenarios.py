# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios that are measured, as a table."""

import dataclasses
import fnmatch

from . import features
from .switch import Layout

TSO = 65536          # stands for a TCP frame that the receiver takes unsegmented,
TSO_BYTES = 65214    # of this length
FCS = 4              # counted in a frame's size, never in memory
JUMBO_MTU = 9000


@dataclasses.dataclass(frozen=True)
class Scenario:
    """kind names a function of measures.py; ports send and receive, idle ones do nothing."""
    name: str
    section: str
    kind: str = 'rate'
    ports: int = 2
    idle: int = 0
    frame: int = 64
    addresses: int = 2
    touch: bool = False
    quick: bool = False
    feature: str = ''    # name in features.py
    switching: bool = False    # not measured without reading addresses

    @property
    def tso(self):
        return self.frame >= TSO

    @property
    def bytes(self):
        """Length of a frame in memory."""
        return TSO_BYTES if self.tso else self.frame - FCS

    @property
    def layout(self):
        """Tables have their default size for few addresses, and hold all of them if they are many.
        """
        mtu = JUMBO_MTU if 1518 < self.frame < TSO else 1500
        return Layout(self.ports + self.idle, mtu, self.tso, max(self.addresses, 1024),
                      self.feature)

    @property
    def title(self):
        """Its row in a table."""
        parts = {'frames': frame_name(self.frame), 'addresses': f'{count_name(self.addresses)}',
                 'features': features.ALL[self.feature].title if self.feature else '',
                 'ports': f'{self.ports} active', 'idle': f'2 active, {self.idle} idle'}
        return parts.get(self.section, self.name.replace('-', ' '))


def frame_name(frame):
    return '64 KB TSO' if frame >= TSO else f'{frame} B'


def count_name(number):
    for unit, text in ((10**6, 'M'), (10**3, 'k')):
        if number >= unit:
            return f'{number // unit}{text}'
    return str(number)


SECTIONS = {
    'frames': 'VM to VM by frame size, 2 addresses',
    'addresses': '64 B by number of addresses, in random order',
    'ports': '64 B by number of active ports',
    'idle': '64 B between 2 ports beside idle ones',
    'features': '64 B between 2 ports, each feature by itself',
    'broadcast': 'one port floods to 8 others, 64 B',
    'latency': 'latency, 64 B',
    'events': 'events under load',
}


def _frames():
    for frame in (64, 128, 256, 512, 1024, 1518, 9018, TSO):
        name = 'tso' if frame == TSO else str(frame)
        yield Scenario(f'v2v-{name}', 'frames', frame=frame, quick=frame in (64, 1518, TSO))
        if frame in (64, 512, 1518, 9018, TSO):
            yield Scenario(f'v2v-{name}-touch', 'frames', frame=frame, touch=True,
                           quick=frame in (64, 1518))


def _table():
    yield from _frames()
    for addresses in (2, 1000, 10_000, 100_000, 1_000_000):
        # Touched, as the generator writes an address into every frame if there are many.
        yield Scenario(f'addresses-{count_name(addresses).lower()}', 'addresses',
                       addresses=addresses, touch=True, quick=addresses == 100_000,
                       switching=addresses > 2)
    for ports in (2, 4, 8, 16):
        yield Scenario(f'ports-{ports}', 'ports', ports=ports, quick=ports == 16)
    for idle in (64, 256):
        yield Scenario(f'idle-{idle}', 'idle', idle=idle, quick=idle == 64)
    for name in features.ALL:
        yield Scenario(f'feature-{name}', 'features', feature=name)
    yield Scenario('broadcast-8', 'broadcast', 'broadcast', ports=9, quick=True, switching=True)
    yield Scenario('latency', 'latency', 'latency')
    yield Scenario('stalled-receiver', 'events', 'stall', ports=3, switching=True)
    yield Scenario('learning', 'events', 'learn', ports=3, switching=True)
    yield Scenario('hot-attach', 'events', 'attach', quick=True)
    yield Scenario('restart', 'events', 'restart', quick=True)


ALL = tuple(_table())


def chosen(only=(), quick=False):
    """The scenarios whose names begin with, or match, one of the patterns; all if there is none."""
    if only:
        return [one for one in ALL
                if any(fnmatch.fnmatch(one.name, pattern) or one.name.startswith(pattern)
                       for pattern in only)]
    return [one for one in ALL if one.quick or not quick]
