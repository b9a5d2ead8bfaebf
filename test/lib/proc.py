# SPDX-License-Identifier: BSD-3-Clause
"""Processes of the tests: started with a log file, never left behind.

Every process ends with Python (PDEATHSIG), at exit, or when it is stopped, whichever is first.
"""

import atexit
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
_running = set()


def build_dir():
    """The folder meson builds into; SHUNT_BUILD names another one."""
    return pathlib.Path(os.environ.get('SHUNT_BUILD') or ROOT / 'build').resolve()


def program(name, build=None):
    """The path of a program of this project, from another build folder if one is given."""
    path = pathlib.Path(build or build_dir()) / 'app' / name
    if path.is_dir():
        path = path / name
    if not path.exists():
        raise FileNotFoundError(f'{path} is not built (run make, or set SHUNT_BUILD)')
    return path


def sanitized():
    """Whether the build is instrumented by AddressSanitizer, which reserves terabytes of addresses.
    """
    return b'__asan_init' in program('shuntd').read_bytes()


def cpus():
    """(helper CPU, polling CPU): where guests and tools run, and where the switch polls."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[1] if len(allowed) > 1 else allowed[0]


def hugepages_free_mb():
    """Free hugepages of all sizes, in MB."""
    sizes = pathlib.Path('/sys/kernel/mm/hugepages').glob('hugepages-*kB')
    return sum(int((size / 'free_hugepages').read_text()) * int(size.name[10:-2])
               for size in sizes) // 1024


def wait_until(condition, timeout, what, interval=0.02):
    """Poll until condition() is true and return its value; TimeoutError names `what`."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f'{what}: not within {timeout} s')
        time.sleep(interval)


class Process:
    """A child process whose stdout and stderr go to a log file; cpu pins it."""

    def __init__(self, argv, log, cpu=None, env=None, cwd=None, stdin=subprocess.DEVNULL):
        self.argv = [str(word) for word in argv]
        self.log = pathlib.Path(log)
        wrapper = ['setpriv', '--pdeathsig', 'KILL']
        if cpu is not None:
            wrapper += ['taskset', '-c', str(cpu)]
        with open(self.log, 'ab') as output:
            self.popen = subprocess.Popen(
                wrapper + self.argv, stdin=stdin, stdout=output,
                stderr=subprocess.STDOUT, env=env, cwd=cwd, start_new_session=True)
        _running.add(self)

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def wait(self, timeout):
        """The exit status; TimeoutError if the process still runs by then."""
        try:
            status = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f'{self.argv[0]} still runs after {timeout} s') from None
        _running.discard(self)
        return status

    def signal(self, number):
        if self.alive():
            self.popen.send_signal(number)

    def kill9(self):
        """kill -9 and reap, with all processes of its session."""
        if self.alive():
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self.popen.kill()
        self.wait(10)

    def tail(self, lines=30):
        return tail(self.log, lines)


def tail(path, lines=30):
    """The last lines of a log file as text."""
    try:
        text = pathlib.Path(path).read_text(errors='replace')
    except OSError:
        return ''
    return '\n'.join(text.splitlines()[-lines:])


def temp_dir(prefix='shunt-'):
    """A new folder with a path short enough for sockets, removed with Python's end."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def _kill_all():
    for process in list(_running):
        try:
            process.kill9()
        except (OSError, TimeoutError):
            pass


atexit.register(_kill_all)
