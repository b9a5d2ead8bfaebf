#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Numbered frames between two wires: detects losses, duplicates and reordering.

    with Sequence(bridge, 'p1', 'p2') as flows:
        change_something()
    assert not flows.wrong()

A process of its own sends while the block runs: unicast and broadcast frames one way, unicast
frames back. It keeps a number of frames in transit and sends as many as arrive: the loss of one
frame shows at any speed of the machine.
"""

import json
import os
import signal
import struct
import sys
import time

import proc
from frames import BROADCAST, address, frame, mac
from wire import Wire

WINDOW = 128     # frames of a flow in transit
BATCH = 16       # sent at a time
PAUSE = 0.001    # seconds between batches, so that other processes get the CPU
INTERVAL = 0.1   # seconds between reports
TIMEOUT = 5      # seconds until frames in transit count as lost
KIND = 0x88b6    # IEEE 802 local experimental 2
LEFT, RIGHT = mac(0xe001), mac(0xe002)


class Flow:
    """Numbered frames from one wire to the other."""

    def __init__(self, number, dst, src, source, sink):
        self.number, self.source, self.sink = number, source, sink
        self.head = frame(dst, src, kind=KIND, payload=struct.pack('!B', number))
        self.sent = self.expected = self.received = 0
        self.missing, self.repeated, self.overtaken, self.changed = set(), 0, 0, 0

    def send(self):
        for _ in range(min(BATCH, WINDOW - (self.sent - self.expected))):
            self.source.send(self.head + struct.pack('!Q', self.sent) + bytes(37))
            self.sent += 1

    def receive(self, data):
        self.received += 1
        (number,) = struct.unpack('!Q', data[15:23])
        self.changed += data[23:] != bytes(37) or data[:15] != self.head
        if number in self.missing:
            self.missing.discard(number)
            self.overtaken += 1
        elif number < self.expected:
            self.repeated += 1
        else:
            self.missing.update(range(self.expected, number))
            self.expected = number + 1

    def report(self):
        lost = len(self.missing) + self.sent - self.expected
        return {'sent': self.sent, 'received': self.received, 'lost': lost,
                'repeated': self.repeated, 'overtaken': self.overtaken, 'changed': self.changed}


def flows_between(left, right):
    return [Flow(0, RIGHT, LEFT, left, right), Flow(1, BROADCAST, LEFT, left, right),
            Flow(2, LEFT, RIGHT, right, left)]


def pump(flows):
    """Assign the frames received to their flows."""
    arrived = 0
    for wire in {flow.source for flow in flows}:
        for data in wire.drain():
            if data[12:14] == struct.pack('!H', KIND) and data[14] < len(flows):
                flow = flows[data[14]]
                if flow.sink is wire:
                    flow.receive(data)
                    arrived += 1
    return arrived


def main(namespace, left, right, report):
    """Run until SIGTERM, then write the report."""
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    wires = [Wire(left, namespace), Wire(right, namespace)]
    flows = flows_between(*wires)
    for flow in reversed(flows):    # each side is learned before frames are sent to it
        flow.send()
        time.sleep(0.05)
    reported = 0.0
    while not stopped:
        for flow in flows:
            flow.send()
        pump(flows)
        time.sleep(PAUSE)
        if time.monotonic() > reported + INTERVAL:
            write_report(flows, report)
            reported = time.monotonic()
    deadline = time.monotonic() + TIMEOUT
    while any(flow.received < flow.sent for flow in flows) and time.monotonic() < deadline:
        pump(flows)
    write_report(flows, report)


def write_report(flows, report):
    """Write the report in one step."""
    with open(f'{report}.new', 'w', encoding='ascii') as file:
        json.dump([flow.report() for flow in flows], file)
    os.rename(f'{report}.new', report)


class Sequence:
    """Numbered traffic between two wires of a Bridge while a block runs."""

    def __init__(self, bridge, left, right):
        self.file = bridge.switch.dir / f'sequence-{left}-{right}'
        self.file.unlink(missing_ok=True)
        self.argv = [sys.executable, __file__, bridge.space.name, bridge.inside(left),
                     bridge.inside(right), self.file]
        self.process = None

    def flows(self):
        """The counts of each flow so far."""
        try:
            return json.loads(self.file.read_text())
        except FileNotFoundError:
            return []

    def received(self):
        return min((flow['received'] for flow in self.flows()), default=0)

    def wrong(self):
        """The flows of which frames were lost, duplicated or reordered."""
        return [flow for flow in self.flows() if flow['received'] != flow['sent'] or any(
            flow[key] for key in ('lost', 'repeated', 'overtaken', 'changed'))]

    def __enter__(self):
        self.process = proc.Process(self.argv, self.file.with_suffix('.log'), cpu=proc.cpus()[0])
        try:
            proc.wait_until(lambda: self.received() > 100, 30, 'numbered traffic')
        except BaseException:
            print(self.process.tail(), file=sys.stderr)
            self.process.kill9()
            raise
        return self

    def __exit__(self, *_):
        self.process.signal(signal.SIGTERM)
        self.process.wait(TIMEOUT + 10)
        assert len(self.flows()) == 3, self.process.tail()


if __name__ == '__main__':
    main(*sys.argv[1:])
