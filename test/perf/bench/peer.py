# SPDX-License-Identifier: BSD-3-Clause
"""Switches that run in namespaces of their own, from this machine or from the root of a Debian
release that test/perf/peers makes."""

import os
import pathlib
import subprocess

import proc

from .switch import Absent, Switch

ENTER = proc.ROOT / 'test' / 'platforms' / 'enter.sh'
FOLDERS = ('usr/bin', 'usr/sbin', 'usr/local/bin', 'usr/local/sbin')
HOLD = ('sh', '-c', 'echo ready; exec sleep infinity')


class Room:
    """A network namespace, and for a root a mount namespace too. Its taps, routes and mounts end
    with close(), which is called once the programs in it have ended."""

    def __init__(self, root, folder):
        words, env = ['unshare', '--net', *HOLD], None
        self.options = ['--net']
        if root:
            # Sockets and logs are in a folder that is the same inside and outside.
            env = dict(os.environ, SHARE=str(folder.parent))
            words = ['unshare', '--net', '--mount', '--propagation', 'private', ENTER, root,
                     folder / 'packages', *HOLD]
            self.options += ['--mount', '--root']
        self.holder = proc.Process(words, folder / 'room.log', env=env)
        try:
            proc.wait_until(self.ready, 20, 'namespaces', 0.005)
        except BaseException:
            self.close()
            raise

    def ready(self):
        if not self.holder.alive():
            raise RuntimeError(f'no namespaces: {self.holder.tail(2)}')
        return self.holder.tail(1) == 'ready'

    def argv(self, *words):
        """A command line that runs inside, in the same process."""
        return ['nsenter', '--target', str(self.holder.pid), *self.options, *map(str, words)]

    def close(self):
        self.holder.kill9()


class Peer(Switch):
    """Programs are named without a folder, or by an absolute path."""
    platform = ''    # the Debian release of its root; '' is this machine

    def __init__(self, places):
        super().__init__(places)
        self.room = None

    @classmethod
    def root(cls):
        """The root of the platform, or None."""
        return proc.build_dir() / 'peers' / cls.platform if cls.platform else None

    @classmethod
    def check(cls):
        if os.geteuid():
            raise Absent('needs root, for namespaces of its own')
        root = cls.root()
        if root and not root.is_dir():
            raise Absent(f'no root of Debian {cls.platform}; as root: make bench-peers')
        for program, package in cls.programs:
            paths = [pathlib.Path(root or '/', folder, program.lstrip('/'))
                     for folder in ('', *FOLDERS)]
            if not any(path.exists() for path in paths):
                name = pathlib.Path(program).name
                raise Absent(f'{name} is not in {root}; delete it, then: make bench-peers'
                             if root else f'{name} is not here (package {package})')

    @classmethod
    def output(cls, *words):
        """The output of a program that needs no namespaces, such as its version; one line."""
        done = subprocess.run(['chroot', cls.root() or '/', *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        return (done.stdout.strip().splitlines() or ['unknown'])[0]

    def enter(self):
        """Create the namespaces, before all else in launch()."""
        self.room = Room(self.root(), self.dir)

    def run(self, *words, env=None):
        """Output of a program that ends; RuntimeError with its output if it fails."""
        done = subprocess.run(self.room.argv(*words), env=env, text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError(f'{words[0]}: {done.stdout.strip()}')
        return done.stdout

    def daemon(self, log, *words, env=None):
        """A program that keeps running, on the CPU of control; polling programs move their thread.
        """
        return proc.Process(self.room.argv(*words), self.dir / log, cpu=self.places.control,
                            env=env)

    def stop(self):
        try:
            super().stop()
        finally:
            if self.room:
                self.room.close()
            self.room = None
