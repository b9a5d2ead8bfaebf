# SPDX-License-Identifier: BSD-3-Clause
"""A switch whose ports are wires: shows by which port each frame leaves.

    with Bridge(3) as bridge:
        seen = bridge.exchange('p1', frame)       # {'p1': [], 'p2': [frame], 'p3': [frame]}
"""

import binascii
import contextlib
import itertools

from frames import BROADCAST, frame
from netns import Netns, ip
from proc import wait_until
from switch import ATTEMPTS, Switch, SwitchError, met_another
from testpmd import WiredGuest
from wire import Wire

_numbers = itertools.count()


def marker(source):
    """A broadcast frame that is unique."""
    return frame(BROADCAST, source, payload=b'marker %08d ' % next(_numbers) + bytes(30))


class Bridge:
    """Ports p1 ... pN are veth pairs; the other ends are the Wires in .wire, by port name."""

    def __init__(self, count, config='', mtus=None):
        self.switch = Switch(config)
        self.count, self.mtus = count, mtus or {}
        self.space = self.wire = self.outside = None
        self.marker_sources = {}    # sources of markers, for ports that permit only some
        self.own = set()   # marker sources are not those of tests, which never find them in the FDB

    def start(self):
        """Start the switch and make the ports. Returns self."""
        self.switch.start()
        self.space, self.wire, self.outside = Netns(), {}, {}
        for number in range(1, self.count + 1):
            self.add(f'p{number}')
        return self

    def add(self, name):
        """Create one more port with a wire."""
        mtu = self.mtus.get(name)
        inside = f'e{len(self.outside)}'
        for attempt in range(ATTEMPTS):
            self.outside[name] = self.space.veth(inside, mtu=mtu)
            try:
                self.plug(name)
                break
            except SwitchError as error:
                if attempt + 1 == ATTEMPTS or not met_another(error):
                    raise
                ip('link', 'del', self.outside[name])
        self.wire[name] = Wire(inside, self.space.name)

    def device(self, name):
        """The device string of a port."""
        return f'net_af_packet_{name},iface={self.outside[name]}'

    def plug(self, name, **keys):
        """Add the port of a wire to the switch."""
        mtu = {'mtu': self.mtus[name]} if name in self.mtus else {}
        self.switch.port_add(name, 'ethdev', device=self.device(name), **mtu, **keys)

    def inside(self, name):
        """The name of a wire's interface in the namespace."""
        return self.wire[name].ifname

    def up(self):
        """The names of the wires whose ports are up."""
        return [port['name'] for port in self.switch.rpc('port.list')
                if port['link'] == 'up' and port['name'] in self.wire]

    @contextlib.contextmanager
    def guest(self, name, keys=None, **options):
        """A vhost port with a WiredGuest, whose wire is among the others during the block."""
        socket = self.switch.port_add(name, 'vhost', **(keys or {}))
        try:
            with WiredGuest(socket, **options) as guest:
                self.switch.wait_link(name)
                self.wire[name] = guest.wire
                yield guest
        finally:
            self.wire.pop(name, None)
            self.switch.rpc('port.del', {'name': name})

    def exchange(self, source, *frames):
        """Send frames into one port; the frames that left by each port, {port: [frame]}."""
        up = self.up()
        self.wire[source].send(*frames)
        return self.collect(source, up)

    def collect(self, source, up=None):
        """The frames that left by each port since the last call, sent into `source`.

        Frames before a marker are complete; the marker's source is removed from the FDB. Frames to
        one port may be overtaken by floods of the same burst, hence two rounds; the second one
        includes the wire of the source port.
        """
        try:
            return self._collect(source, self.up() if up is None else up)
        except TimeoutError as error:
            error.add_note(f"drops: {self.drops()}\nports: {self.switch.rpc('port.list')}")
            raise

    def _collect(self, source, up):
        seen = {name: [] for name in self.wire}
        other = next((name for name in up if name != source), None)
        for sender in (source, source, other) if source in up and other else ():
            last = self.mark(sender)
            for name in up:
                if name != sender:
                    seen[name] += self.wire[name].receive_until(last)
        for name in self.wire:
            if name not in up:
                seen[name] += self.wire[name].drain()
        self.forget()
        return seen

    def mark(self, name):
        """Send a marker into a port, from a unique address if the port permits it. The frame."""
        source = self.marker_sources.get(name)
        if source is None:
            self.own.add(source := '02:6d:' + binascii.crc32(name.encode()).to_bytes(4).hex(':'))
        self.wire[name].send(last := marker(source))
        return last

    def forget(self):
        """Delete the sources of markers from the FDB."""
        for row in self.switch.rpc('fdb.list'):
            if row['mac'] in self.own:
                with contextlib.suppress(SwitchError):    # aged or flushed meanwhile
                    self.switch.rpc('fdb.del', {'mac': row['mac'], 'vlan': row['vlan']})

    def wait_received(self, name, packets):
        """Wait until the switch has received this many frames from a port since it was added."""
        wait_until(lambda: self.switch.port(name)['rx_packets'] >= packets, 20,
                   f'{packets} frames from {name}')

    def learn(self, name, *macs, tags=()):
        """Let addresses be learned at a port."""
        self.exchange(name, *(frame(BROADCAST, one, *tags) for one in macs))

    def fdb(self, **filters):
        """{(mac, vlan): (port, type)} of the FDB."""
        rows = self.switch.rpc('fdb.list', filters)
        return {(row['mac'], row['vlan']): (row['port'], row['type']) for row in rows}

    def drops(self):
        """{(port, direction, reason): packets}."""
        return {(row['port'], row['direction'], row['reason']): row['packets']
                for row in self.switch.rpc('drops')}

    def set_link(self, name, state):
        """Set the outer end of a wire up or down and wait until the switch notices it."""
        ip('link', 'set', self.outside[name], state)
        wait_until(lambda: (name in self.up()) == (state == 'up'), 20, f'{name} {state}')
        if state == 'up':
            self.wake(name)

    def wake(self, name):
        """Send to a wire until a frame arrives: after its interface was down the first frame stays
        in net_af_packet's ring, whose socket still has an error to report, until the second one."""
        source = next(other for other in self.up() if other != name)

        def passes():
            self.mark(source)
            return self.wire[name].receive_count(1, 0.05)
        wait_until(passes, 20, f'a frame to {name}')
        self.collect(source)

    def reset(self):
        """Clear the FDB, and discard the frames on the wires."""
        for key in self.fdb():
            self.switch.rpc('fdb.del', {'mac': key[0], 'vlan': key[1]})
        for wire in self.wire.values():
            wire.drain()

    def close(self):
        for wire in (self.wire or {}).values():
            wire.close()
        if self.space:
            self.space.close()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            self.switch.__exit__(Exception)
            raise

    def __exit__(self, kind, *rest):
        try:
            self.switch.__exit__(kind, *rest)
        finally:
            self.close()


def flooded(bridge, source, *frames):
    """The result of exchange() for flooded frames: all ports that are up get them but their own."""
    return {name: list(frames) if name != source else [] for name in bridge.wire}


def only(bridge, target, *frames):
    """The result of exchange() for frames that leave by one port; target None is by none."""
    return {name: list(frames) if name == target else [] for name in bridge.wire}
