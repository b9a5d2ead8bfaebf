# SPDX-License-Identifier: BSD-3-Clause
"""A switch under test: the interface that the runner uses."""

import abc
import pathlib
import shutil
import signal
from typing import NamedTuple

import proc

from .machine import prefer


class Absent(Exception):
    """Cannot run on this machine; the text is the reason."""


class Unsuited(Exception):
    """Cannot run a scenario; the text is the reason."""


class Layout(NamedTuple):
    """The setup of a switch. Scenarios with the same layout share one start."""
    ports: int = 2
    mtu: int = 1500
    tso: bool = False
    addresses: int = 1024
    feature: str = ''    # for Shunt only


class Cycles(NamedTuple):
    """A switch's own counters of its polling core, since it started."""
    busy: int
    packets: int

    def __sub__(self, before):
        return Cycles(self.busy - before.busy, self.packets - before.packets)


class Switch(abc.ABC):
    """One switch. All are started, then all but the one being measured are stopped (SIGSTOP),
    because they poll on the same CPU. Sockets of ports are vhost-user servers.
    """
    name = ''        # in tables
    programs = ()    # required: (program, Debian package)
    quick = True     # takes part in a quick run
    self_contained = False
    connects = False    # its front ends listen, this time

    def __init__(self, places):
        self.places = places
        self.dir = None
        self.process = None

    # Availability

    @classmethod
    def check(cls):
        """Absent if its programs are not installed."""
        for program, package in cls.programs:
            if not (shutil.which(program) or pathlib.Path(program).exists()):
                raise Absent(f'{pathlib.Path(program).name} is not here (package {package})')

    @classmethod
    @abc.abstractmethod
    def version(cls):
        """A line for the header block."""

    def suits(self, scenario):
        """Unsuited if it cannot take part in a scenario."""
        if scenario.feature:
            raise Unsuited('keys of Shunt')

    # Life

    def start(self, layout):
        """Start with the ports of a layout; returns when front ends may connect."""
        self.dir = proc.temp_dir('bench-')
        self.launch(layout)
        prefer(self.process.pid)

    @abc.abstractmethod
    def launch(self, layout):
        """Start self.process."""

    def stop(self):
        """End it and remove its files, in any state."""
        if self.process:
            self.resume()
            self.shut_down()
            self.process.kill9()
        self.process = None
        if self.dir:
            shutil.rmtree(self.dir, ignore_errors=True)
        self.dir = None

    def shut_down(self):
        """Request its end; it is killed afterwards in any case."""
        self.process.signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except TimeoutError:
            pass

    def pause(self):
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def check_alive(self):
        if not self.process.alive():
            status = self.process.popen.returncode
            raise RuntimeError(f'{self.name} ended with {status}: {self.process.tail(3)}')

    def socket(self, number):
        """The socket of a port, counted from 0."""
        return self.dir / f'vm{number}'

    # Figures

    @abc.abstractmethod
    def cycles(self):
        """Cycles of its polling core so far."""

    def forget(self):
        """Flush learned addresses."""

    def add_port(self, number, layout):
        """Attach one more port while traffic flows."""
        raise Unsuited(f'{self.name} cannot')

    def remove_port(self, number):
        """Remove what add_port() added; nothing if that failed."""

    def wait_sockets(self, count, timeout=30):
        """Wait until all sockets exist; an error at once if the switch has ended."""
        def ready():
            self.check_alive()
            return all(self.socket(number).exists() for number in range(count))
        proc.wait_until(ready, timeout, f'{self.name}: sockets of {count} ports', 0.01)
