# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's macvlan and macvtap, as the reference for ports with a policy and an uplink.

    with Macvlan(['bridge', 'bridge', 'vepa']) as kernel:
        kernel.exchange(probes(3))     # {('m1', 'm1', 'm2'): ['m2'], ...}

Members are m1 ... mN on one lower device; 'world' is the other end of its cable.
"""

import collections
import contextlib
import fcntl
import os
import select
import stat
import struct

from frames import BROADCAST, MULTICAST, frame, mac
from netns import Netns
from wire import FRAME_MAX, Wire, inside

WORLD = 'world'
MODES = ('bridge', 'vepa', 'private', 'passthru')
OUTSIDE, NOWHERE, LOWER, FENCE = mac(0xe0), mac(0xe1), mac(0xe2), mac(0xe3)
GROUPS = {'broadcast': BROADCAST, 'multicast': MULTICAST, 'multicast6': '33:33:00:00:00:01'}

TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000

# A frame with its entry point. Its label is (entry point, owner of the source address,
# destination).
Probe = collections.namedtuple('Probe', 'label frame')


def members(count):
    """{name: address} of members m1 ... mN."""
    return {f'm{number}': mac(number) for number in range(1, count + 1)}


def probes(count):
    """A frame of every kind, for `count` members: from each member; and from the world, with a
    source of its own and, as a reflective relay sends them, with those of members. All differ."""
    addresses = members(count)
    targets = {**addresses, 'outside': OUTSIDE, 'unknown': NOWHERE, **GROUPS}
    origins = [(name, name, address) for name, address in addresses.items()]
    origins += [(WORLD, name, address) for name, address in
                (('outside', OUTSIDE), *addresses.items())]
    labels = [((place, source, target), src, dst) for place, source, src in origins
              for target, dst in targets.items()]
    return [Probe(label, frame(dst, src, payload=struct.pack('!I', number) + bytes(42)))
            for number, (label, src, dst) in enumerate(labels)]


def deliveries(sent, received):
    """{label: places} from the probes sent and {place: [frame]}: a place is listed once for every
    copy. A frame that was not sent, or was modified, is an error."""
    labels = {probe.frame: probe.label for probe in sent}
    seen = {probe.label: [] for probe in sent}
    for place in sorted(received):
        for one in received[place]:
            assert one in labels, f'{place} received {one.hex()}, which was not sent'
            seen[labels[one]].append(place)
    return seen


def missing(kind):
    """The reason why there is no such reference here; None if there is one."""
    with Netns() as space:
        status, output = space.call('ip link add low type veth peer name world;'
                                    f' ip link add link low name m1 type {kind} mode bridge')
    return f'no {kind} in this kernel: {output.strip()}' if status else None


class Tap(Wire):
    """Both directions of a macvtap, at its character device instead of a packet socket."""

    def __init__(self, ifname, space):
        self.ifname = ifname
        index = space.run(f'cat /sys/class/net/{ifname}/ifindex').strip()
        device = space.run(f'cat /sys/class/net/{ifname}/macvtap/tap{index}/dev').strip()
        node = os.path.join(space.tmp, ifname)
        os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(*map(int, device.split(':'))))
        with inside(space.name):
            self.file = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(self.file, TUNSETIFF,
                    struct.pack('16sH22x', ifname.encode(), IFF_TAP | IFF_NO_PI))

    def send(self, *frames):
        for one in frames:
            os.write(self.file, one)

    def receive(self, timeout):
        if not select.select([self.file], [], [], timeout)[0]:
            return None
        return os.read(self.file, FRAME_MAX)

    def close(self):
        os.close(self.file)


class Macvlan:
    """Members with these modes, in this order, on one lower device. kind: macvlan or macvtap."""

    def __init__(self, modes, kind='macvlan'):
        self.modes, self.kind = dict(zip(members(len(modes)), modes)), kind
        self.space, self.wire = None, {}

    def start(self):
        """Make the devices. Returns self."""
        self.space = Netns()
        self.space.run(f'ip link add low address {LOWER} type veth peer name {WORLD}')
        for name, address in members(len(self.modes)).items():
            self.space.run(f'ip link add link low name {name} address {address}'
                           f' type {self.kind} mode {self.modes[name]}')
        for name in ('low', WORLD, *self.modes):    # allmulticast: a filter would hide deliveries
            self.space.run(f'ip link set {name} allmulticast on up')
        for name in self.modes:
            self.wire[name] = self._member(name)
        self.wire[WORLD] = Wire(WORLD, self.space.name)
        return self

    def _member(self, name):
        return Tap(name, self.space) if self.kind == 'macvtap' else Wire(name, self.space.name)

    def add(self, name, mode):
        """One more member, down and without a wire; CommandError if the kernel refuses it."""
        self.space.run(f'ip link add link low name {name} type {self.kind} mode {mode}')

    def exchange(self, sent):
        """The deliveries() of these probes, sent in this order."""
        with _one_cpu():
            for probe in sent:
                self.wire[probe.label[0]].send(probe.frame)
            received = {place: [] for place in self.wire}
            for number in range(2):
                for place, frames in self._fence(number).items():
                    received[place] += frames
        return deliveries(sent, received)

    def _fence(self, number):
        """The frames that each place received before a frame that any mode delivers there.

        The kernel queues group frames from the world to a worker, which keeps their order, and all
        other frames to the current CPU. The worker may be on another CPU: frames that it was still
        delivering when the first fence passed arrive before the second one.
        """
        last = frame(BROADCAST, OUTSIDE, payload=b'fence %08d' % number + bytes(32))
        self.wire[WORLD].send(last)
        received = {name: self.wire[name].receive_until(last) for name in self.modes}
        last = frame(FENCE, mac(1), payload=b'fence %08d' % number + bytes(32))
        self.wire['m1'].send(last)
        return {**received, WORLD: self.wire[WORLD].receive_until(last)}

    def close(self):
        for wire in self.wire.values():
            wire.close()
        if self.space:
            self.space.close()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()


@contextlib.contextmanager
def _one_cpu():
    """Stay on one CPU, so that frames that the kernel queues per CPU keep their order."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
