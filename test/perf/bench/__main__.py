# SPDX-License-Identifier: BSD-3-Clause
"""make bench: measure switches side by side. doc/performance.md explains the figures.

test/perf/run [--quick] [--only NAME,...] [--switches NAME,...] [--rounds N] [--seconds S]
test/perf/run --list | --charts | --write-doc
"""

import argparse
import json
import os
import signal
import sys
import time

import proc

from . import charts, document, generator, machine, parts, report, runner, scenarios
from .bridge import LinuxBridge
from .floor import Floor
from .grout import Grout
from .ovs import Ovs, Ovs13, OvsTesting
from .shuntd import Before, Library, Shuntd
from .switch import Absent
from .testpmd import Testpmd
from .vpp import Vpp

KINDS = (Floor, Shuntd, *((Before,) if Before.build else ()), Library, Testpmd, Ovs, Ovs13,
         OvsTesting, Grout, Vpp, LinuxBridge)
ROUNDS, SECONDS = 5, 1.0
QUICK_ROUNDS, QUICK_SECONDS = 2, 0.4


def words(text):
    return [word for word in (text or '').replace(',', ' ').split() if word]


def options():
    """Arguments from the command line, or from variables of make."""
    env = os.environ
    parser = argparse.ArgumentParser(prog='test/perf/run', description=__doc__.splitlines()[0])
    parser.add_argument('--quick', action='store_true',
                        default=env.get('QUICK', '') not in ('', '0'))
    parser.add_argument('--only', type=words, default=words(env.get('ONLY')),
                        help='scenarios: names, beginnings of names, patterns; '
                        f"parts by themselves: {', '.join(parts.NAMES)}")
    parser.add_argument('--switches', type=words, default=words(env.get('SWITCHES')),
                        help=f"columns: {', '.join(kind.name for kind in KINDS)}; "
                        'make bench-peers brings those of newer Debian releases')
    parser.add_argument('--rounds', type=int, default=int(env.get('ROUNDS') or 0))
    parser.add_argument('--seconds', type=float, default=float(env.get('SECONDS') or 0))
    parser.add_argument('--generator', choices=generator.KINDS, default=env.get('GENERATOR') or
                        'shunt-vm')
    parser.add_argument('--list', action='store_true', help='list the scenarios')
    parser.add_argument('--charts', action='store_true', help='draw the last run again')
    parser.add_argument('--write-doc', action='store_true',
                        help='put the last full run into doc/performance.md')
    chosen = parser.parse_args()
    known = [kind.name for kind in KINDS]
    for name in chosen.switches:
        if name not in known:
            parser.error(f"no switch {name}; there are {', '.join(known)}")
    for name in chosen.only:
        if name not in parts.NAMES and not scenarios.chosen([name]):
            parser.error(f'no scenario {name}; --list names them')
    return chosen


def folder():
    return proc.build_dir() / 'bench'


def is_full(chosen):
    return not (chosen.quick or chosen.only or chosen.switches or chosen.generator != 'shunt-vm')


def present(names, quick):
    """(classes of the switches available, lines on those that are not)."""
    kinds, absent = [], []
    for kind in KINDS:
        if kind.name not in names if names else quick and not kind.quick:
            continue
        try:
            kind.check()
            kinds.append(kind)
        except Absent as why:
            absent.append(f'{kind.name}: skipped: {why}')
    return kinds, absent


class Record:
    """The document of a run, saved after each measurement."""

    def __init__(self, path, header, switches, rounds):
        self.path, self.rounds = path, rounds
        self.document = {'header': header, 'switches': switches, 'results': []}

    def add(self, number, results):
        entries = [result.as_json() for result in results]
        name = entries[0]['scenario']
        others = [entry for entry in self.document['results'] if entry['scenario'] != name]
        self.document['results'] = sorted(others + entries,
                                          key=lambda entry: _position(entry['scenario']))
        print(f'{number + 1}/{self.rounds} ', end='')
        report.print_line(entries)
        report.save(self.path, self.document)


def _position(name):
    return [scenario.name for scenario in scenarios.ALL].index(name)


def measure(chosen):
    """Run; the exit status."""
    selected = scenarios.chosen(chosen.only, chosen.quick)
    kinds, absent = present(chosen.switches, chosen.quick)
    where = machine.places()
    driver = generator.KINDS[chosen.generator]
    driver.check()
    rounds = chosen.rounds or (QUICK_ROUNDS if chosen.quick else ROUNDS)
    seconds = chosen.seconds or (QUICK_SECONDS if chosen.quick else SECONDS)
    with machine.huge_pages() as pages:
        versions = {kind.name: kind.version() for kind in kinds}
        header = machine.header(where, pages, versions)
        header['method'] = (f'generator {driver.name}; medians of {rounds} interleaved rounds '
                            f'of {seconds:g} s')
        for line in filter(None, [machine.warn_if_busy(where), *absent]):
            header.setdefault('notes', []).append(line)
        header['notes'] = '; '.join(header.get('notes', [])) or 'none'
        report.print_header(header)
        name = 'full' if is_full(chosen) else 'quick' if chosen.quick else 'partial'
        record = Record(folder() / f'{name}.json', header, [kind.name for kind in kinds],
                        rounds)
        runner.Runner(kinds, driver(where), where, rounds, seconds, record.add).run(selected)
    report.print_tables(record.document)
    for path in charts.draw(record.document, folder()):
        print(f'drawn: {path}')
    print(f'written: {record.path}')
    ours = [kind.name for kind in kinds if issubclass(kind, Shuntd)]
    failed = [entry for entry in record.document['results']
              if entry['switch'] in ours and entry['status'] == 'failed']
    return 1 if failed else 0


def last_run(full_only=False):
    """The newest document of a run."""
    paths = [folder() / f'{name}.json' for name in ('full', 'quick', 'partial')[:full_only or 3]]
    paths = sorted((path for path in paths if path.exists()),
                   key=lambda path: path.stat().st_mtime)
    if not paths:
        sys.exit('no run yet: make bench')
    return json.loads(paths[-1].read_text())


def main():
    chosen = options()
    if chosen.list:
        for scenario in scenarios.chosen(chosen.only, chosen.quick):
            print(f"{scenario.name:20} {'quick' if scenario.quick else '':6} "
                  f'{scenarios.SECTIONS[scenario.section]}: {scenario.title}')
        return 0
    if chosen.charts:
        run = last_run()
        report.print_tables(run)
        print(*charts.draw(run, folder()), sep='\n')
        return 0
    if chosen.write_doc:
        document.write(last_run(full_only=True), folder())
        return 0
    machine.take_precedence()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    since = time.monotonic()
    status = 0
    if not chosen.only or not set(chosen.only) <= set(parts.NAMES):
        status = measure(chosen)
    for part in parts.ALL:
        if part.name in (chosen.only or parts.NAMES):
            status |= part.measure(folder())
    print(f'{time.monotonic() - since:.0f} s in all')
    return status


if __name__ == '__main__':
    try:
        sys.exit(main())
    except Absent as missing:
        sys.exit(f'bench: {missing}')
    except KeyboardInterrupt:
        sys.exit(130)
