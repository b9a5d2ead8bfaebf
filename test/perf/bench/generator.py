# SPDX-License-Identifier: BSD-3-Clause
"""Load: shunt-vm, the front end of this project, as one process on the generator's CPU."""

import itertools
import json
import signal
import time

import proc

from .machine import RING_SIZE, prefer
from .switch import Absent, Unsuited

START_SECONDS = 10            # connecting, at most
LEARNED_PER_SECOND = 20000    # addresses, at least, before frames circulate


class GeneratorError(Exception):
    """It failed; the text is the end of its output."""


class Run:
    """A running generator."""

    def __init__(self, process, limit):
        self.process, self.limit = process, limit    # seconds until it must have ended

    def check(self):
        """GeneratorError if it has ended early."""
        if not self.process.alive():
            raise GeneratorError(f'shunt-vm ended with {self.process.popen.returncode}: '
                                 f'{self.process.tail(2)}')

    def wait(self):
        """Its JSON. Corrupted, duplicated or reordered frames are a failure."""
        try:
            status = self.process.wait(self.limit)
        except TimeoutError:
            self.kill9()
            raise GeneratorError(f'shunt-vm did not end: {self.process.tail(2)}') from None
        text = self.process.log.read_text(errors='replace')
        answer = {}
        if '{' in text:
            answer = json.JSONDecoder().raw_decode(text[text.index('{'):])[0]
        bad = [f'{answer[name]} {name}' for name in ('corrupted', 'duplicated', 'reordered')
               if answer.get(name)]
        if bad:
            raise GeneratorError(f"frames went wrong: {', '.join(bad)}")
        if status or not answer:
            raise GeneratorError(f'shunt-vm ended with {status}: {self.process.tail(2)}')
        return answer

    def freeze(self):
        """Stay connected, but use no CPU from now on."""
        self.process.signal(signal.SIGSTOP)

    def alive(self):
        return self.process.alive()

    def kill9(self):
        self.process.kill9()


class Generator:
    """Starts loads, each with a log of its own."""

    def __init__(self, places):
        self.places = places
        self.dir = proc.temp_dir('bench-load-')
        self.numbers = itertools.count()


class ShuntVm(Generator):
    """Any mode of shunt-vm towards the sockets of a switch."""
    name = 'shunt-vm'

    @classmethod
    def check(cls):
        try:
            proc.program('shunt-vm')
        except FileNotFoundError as error:
            raise Absent(str(error)) from None

    @staticmethod
    def vm(switch, number, frame=64, size=RING_SIZE):
        """A VM as a word of the command line."""
        word = f'socket={switch.socket(number)},name=vm{number},size={size}'
        if switch.connects:
            word += ',server=on'
        if frame > 1518:
            word += ',mrg=on'
        if frame >= 65536:
            word += ',tso=on'
        return word

    def start(self, mode, vms, options, seconds, limit=None):
        """Start; returns a Run at once. limit is its longest duration in seconds."""
        words = [proc.program('shunt-vm'), '-j', '--seconds', f'{seconds:g}', *vms, '--', mode,
                 *map(str, options)]
        log = self.dir / f'{next(self.numbers)}.log'
        process = proc.Process(words, log, cpu=self.places.generator)
        prefer(process.pid)
        return Run(process, limit or seconds + START_SECONDS)

    def vms(self, switch, scenario):
        """Loads at the active ports."""
        return [self.vm(switch, number, scenario.frame) for number in range(scenario.ports)]

    def loop(self, switch, scenario, seconds):
        """Frames circulate: each VM sends the frames that it receives to the next."""
        words = ['--frame', 'tso' if scenario.tso else scenario.frame]
        if scenario.addresses > 2:
            words += ['--macs', scenario.addresses, '--mac-order', 'random']
        if scenario.touch:
            words.append('--touch')
        learning = scenario.addresses / LEARNED_PER_SECOND
        return self.start('loop', self.vms(switch, scenario), words, seconds,
                          seconds + learning + START_SECONDS)

    def idle(self, switch, first, count, seconds, size=256):
        """Front ends that are connected and only receive."""
        vms = [self.vm(switch, number, size=size)
               for number in range(first, first + count)]
        return self.start('idle', vms, [], seconds)


class TestpmdVm(Generator):
    """dpdk-testpmd with net_virtio_user ports instead, to compare generators: two ports, loop."""
    name = 'testpmd-vm'

    @classmethod
    def check(cls):
        from .testpmd import Testpmd
        Testpmd.check()

    def loop(self, switch, scenario, seconds):
        from .testpmd import Console
        if scenario.ports != 2 or scenario.addresses > 2 or scenario.touch or scenario.frame > 1518:
            raise Unsuited('this generator does 2 ports and 2 addresses only')
        words = ['dpdk-testpmd', '--lcores', f'0@{self.places.control},1@{self.places.generator}',
                 '--in-memory', '--no-pci', '--log-level=error', '--single-file-segments',
                 '--no-telemetry']
        for number in range(2):
            words += ['--vdev', f'net_virtio_user{number},path={switch.socket(number)},'
                                f'queue_size={RING_SIZE},mac=02:00:00:00:00:0{number}']
        words += ['--', '-i', '--nb-cores=1', '--forward-mode=io', '--no-mlockall',
                  f'--txd={RING_SIZE}', f'--rxd={RING_SIZE}', f'--txpkts={scenario.bytes}',
                  '--eth-peer=0,02:00:00:00:00:01', '--eth-peer=1,02:00:00:00:00:00']
        console = Console(words, self.dir, f'{next(self.numbers)}')
        console.command('start tx_first 16', timeout=20)
        return TestpmdRun(console, seconds)

    def idle(self, switch, first, count, seconds, size=256):
        raise Unsuited('this generator has no idle ports')


class TestpmdRun:
    """testpmd, which runs until it is stopped."""

    def __init__(self, console, seconds):
        self.console = console
        self.end = time.monotonic() + seconds
        self.process = console.process

    def check(self):
        if not self.process.alive():
            raise GeneratorError(f'testpmd ended: {self.process.tail(2)}')

    def wait(self):
        self.check()
        self.kill9()
        return {}

    def alive(self):
        return self.process.alive() and time.monotonic() < self.end

    def kill9(self):
        self.process.kill9()
        self.console.close()


KINDS = {one.name: one for one in (ShuntVm, TestpmdVm)}
