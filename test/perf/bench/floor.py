# SPDX-License-Identifier: BSD-3-Clause
"""The minimal loop (test/perf/floor*.c) as one more column: the reference for all others."""

import json
import subprocess

import proc

from .switch import Absent, Unsuited


class Floor:
    """Two threads, no vhost-user, no switch."""
    name = 'floor'
    quick = True
    self_contained = True    # measures itself, without the generator

    def __init__(self, places):
        self.places = places

    @staticmethod
    def program():
        return proc.build_dir() / 'test' / 'perf' / 'floor'

    @classmethod
    def check(cls):
        if not cls.program().exists():
            raise Absent(f'{cls.program()} is not built')

    @classmethod
    def version(cls):
        return 'stripped loop, two threads, nothing but the rings, a hash and one copy'

    def suits(self, scenario):
        if scenario.feature or scenario.kind != 'rate' or scenario.idle:
            raise Unsuited('frames that circle, and nothing else')

    def measure(self, scenario, seconds):
        """Figures in the form of measures.rate()."""
        words = [self.program(), '-j', '--frame', scenario.bytes, '--seconds', seconds,
                 '--ports', scenario.ports, '--addresses', max(scenario.addresses, scenario.ports),
                 '--cpus', f'{self.places.generator},{self.places.switch}',
                 *(['--touch'] if scenario.touch else [])]
        done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=seconds + 30, check=False)
        if done.returncode:
            raise RuntimeError(f'floor: {done.stderr.strip()}')
        answer = json.loads(done.stdout)
        return {'mpps': answer['mpps'], 'cycles': answer['cycles'],
                'gbps': answer['mpps'] * scenario.bytes * 8 / 1000}
