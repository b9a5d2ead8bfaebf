# SPDX-License-Identifier: BSD-3-Clause
"""Parts of Shunt measured by programs of their own, without a switch: each yields one table."""

import json
import subprocess
from typing import NamedTuple

import proc

from . import report


class Part(NamedTuple):
    """name is that of its results and in ONLY; key and columns are fields of each of its sizes."""
    name: str
    program: str
    title: str
    key: str
    columns: tuple

    def path(self, folder):
        return folder / f'{self.name}.json'

    def measure(self, folder):
        """Run, print, save; the exit status."""
        program = proc.build_dir() / 'test' / 'perf' / self.program
        done = subprocess.run([program, '-j'], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            print(f'{self.program}: failed')
            return 1
        found = json.loads(done.stdout)
        report.save(self.path(folder), found)
        print(report.text_table(*self.table(found)))
        print(f'written: {self.path(folder)}')
        return 0

    def saved(self, folder):
        """The table of the last run, or None."""
        path = self.path(folder)
        return self.table(json.loads(path.read_text())) if path.exists() else None

    def table(self, found):
        """(title, head, rows) of the output of the program."""
        head = [self.key, '', *(name.replace('_', ' ') for name in self.columns)]
        rows = [[str(size[self.key]), '', *(f'{size[name]:.1f}' for name in self.columns)]
                for size in found['sizes']]
        return self.title, head, rows


ALL = (
    Part('fdb', 'fdb_bench', 'Filtering table beside rte_hash, cycles per address', 'addresses',
         ('fdb_lookup', 'rte_hash_lookup', 'fdb_learn_refresh', 'rte_hash_add_refresh',
          'fdb_learn_new', 'rte_hash_add_new')),
    Part('stages', 'stage_bench', 'Stages between two rings in near caches, cycles per frame',
         'frame', ('pop', 'classify', 'forward', 'push', 'done', 'sum')),
    Part('hog', 'hog_bench', 'A hog with a million sources, cycles per frame of all on its lcore',
         'frame', ('one_source', 'million', 'limited', 'cost_percent', 'limited_cost_percent')),
)
NAMES = tuple(part.name for part in ALL)
