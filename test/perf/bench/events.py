# SPDX-License-Identifier: BSD-3-Clause
"""Measures of events beside or during traffic. Each is called like those of measures.py."""

import socket
import struct
import threading
import time

import proc

from .generator import GeneratorError
from .measures import running, wait_traffic

WATCH_SECONDS = 1.0
ANSWER_SECONDS = 10
POLL = 0.001
LEARN_LIMIT = 120
STALL_LIMIT = 30


class Watch:
    """Records the longest time for which the switch's packet counter does not change."""

    def __init__(self, switch):
        self.switch = switch
        self.stop_ms = 0.0

    def until(self, done, seconds):
        """Sample until the seconds have passed and done() is true."""
        packets, moved = self.switch.cycles().packets, time.monotonic()
        end = moved + seconds
        while time.monotonic() < end or not done():
            time.sleep(POLL)
            count, now = self.switch.cycles().packets, time.monotonic()
            if count != packets:
                packets, moved = count, now
            self.stop_ms = max(self.stop_ms, (now - moved) * 1000)


def ask(path):
    """Connect as a front end and send its first request: GET_FEATURES."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(ANSWER_SECONDS)
        sock.connect(str(path))
        sock.sendall(struct.pack('<III', 1, 1, 0))
        if len(sock.recv(20, socket.MSG_WAITALL)) != 20:
            raise GeneratorError(f'{path}: no answer')


def attach(bench, scenario):
    """A port is added, and front ends connect to it, while frames circulate between other ports."""
    switch, times = bench.switch, {}
    errors = []

    def add():
        since = time.monotonic()
        try:
            switch.add_port(scenario.ports, scenario.layout)
            ask(switch.socket(scenario.ports))
            times['attach_ms'] = (time.monotonic() - since) * 1000
            times['idle'] = bench.generator.idle(switch, scenario.ports, 1, WATCH_SECONDS)
        except Exception as error:    # reported to the caller below
            errors.append(error)

    thread = threading.Thread(target=add)
    with running(bench.generator.loop(switch, scenario, WATCH_SECONDS + 1.5)) as run:
        try:
            wait_traffic(switch, run)
            time.sleep(0.2)
            watch = Watch(switch)
            thread.start()
            watch.until(lambda: not thread.is_alive(), WATCH_SECONDS)
            answer = run.wait()
        finally:
            if thread.ident:
                thread.join()
            if 'idle' in times:
                times['idle'].kill9()
            switch.remove_port(scenario.ports)
    if errors:
        raise errors[0]
    return {'attach_ms': times['attach_ms'], 'stop_ms': watch.stop_ms,
            'lost': answer.get('lost', 0)}


def first_frame(bench, scenario):
    """(run, ms) from the start of a front end to the first frame that the switch receives."""
    before = bench.switch.cycles().packets
    since = time.monotonic()
    generator = bench.generator
    run = generator.start('latency', generator.vms(bench.switch, scenario), ['--rate', '1M'], 10)
    try:
        proc.wait_until(lambda: run.check() or bench.switch.cycles().packets > before, 20,
                        'first frame', POLL)
    except BaseException:
        run.kill9()
        raise
    return run, (time.monotonic() - since) * 1000


def restart(bench, scenario):
    """kill -9 of the front ends under load; they are restarted at once."""
    run, start_ms = first_frame(bench, scenario)
    time.sleep(0.3)
    since = time.monotonic()
    run.kill9()
    run, _ = first_frame(bench, scenario)
    restart_ms = (time.monotonic() - since) * 1000
    run.kill9()
    return {'start_ms': start_ms, 'restart_ms': restart_ms}


def learn(bench, scenario):
    """RFC 2889: the rate at which all new addresses are learned, and the capacity."""
    generator = bench.generator
    run = generator.start('learn', generator.vms(bench.switch, scenario), [], bench.seconds,
                          LEARN_LIMIT)
    with running(run):
        answer = run.wait()
    return {'kmacs_per_s': answer['learning_rate'] / 1000, 'macs': answer['capacity']}


def stall(bench, scenario):
    """RFC 2889: VM 0 sends to VMs 1 and 2 alternately. The share that VM 1 keeps when VM 2 stops
    receiving."""
    generator = bench.generator
    run = generator.start('congestion', generator.vms(bench.switch, scenario),
                          ['--frame', scenario.frame, '--stall', 2], bench.seconds, STALL_LIMIT)
    with running(run):
        answer = run.wait()
    before = answer['other_mpps']
    if not before:
        raise GeneratorError('no frame arrived')
    return {'kept_percent': 100 * answer['other_mpps_stalled'] / before}
