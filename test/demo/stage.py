# SPDX-License-Identifier: BSD-3-Clause
"""Shared by both demos: lines with the time elapsed, the output of commands for users, clean ends.
"""

import pathlib
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

_start = time.monotonic()


def elapsed():
    return time.monotonic() - _start


def say(text=''):
    """A step, with the seconds since the start."""
    print(f'[{elapsed():5.1f} s] {text}', flush=True)


def show(switch, *words):
    """Run a shunt command and print it as for a user."""
    print(f"\n    $ shunt {' '.join(words)}")
    for line in switch.cli(*words).stdout.splitlines():
        print(f'    {line}')
    print(flush=True)


def summary(rows):
    """Name and text of each result."""
    print()
    for name, text in rows:
        print(f'  {name:<10} {text}')
    print(flush=True)


def need(programs):
    """The missing requirements of this machine, by package; exits with one line if there are any.
    """
    missing = sorted({package for program, package in programs.items()
                      if not shutil.which(program)})
    if missing:
        sys.exit(f"demo: missing packages; as root: apt-get install {' '.join(missing)}")


def run(main):
    """Run a demo; all that it started is stopped in any case."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except KeyboardInterrupt:
        print('\ndemo: interrupted; everything is stopped', file=sys.stderr)
        sys.exit(130)
    except Exception as error:    # one message instead of a stack trace
        sys.exit(f'demo: {error}')
