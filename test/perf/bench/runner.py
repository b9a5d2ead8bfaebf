# SPDX-License-Identifier: BSD-3-Clause
"""Runs scenarios against switches alternately, A B C A B C, and keeps medians and spreads."""

import itertools
import statistics
import time

from . import events, measures
from .generator import GeneratorError
from .switch import Absent, Unsuited

FAILURES = (RuntimeError, OSError, TimeoutError, GeneratorError, AssertionError, KeyError,
            ValueError, TypeError)

SLOW_SECONDS = 15    # a longer round is the only one of its switch
MEASURES = {'rate': measures.rate, 'broadcast': measures.broadcast, 'latency': measures.latency,
            'stall': events.stall, 'learn': events.learn, 'attach': events.attach,
            'restart': events.restart}


class Bench:
    """The environment of a measure: one switch, running and not paused, and the generator."""

    def __init__(self, switch, generator, seconds):
        self.switch, self.generator, self.seconds = switch, generator, seconds


class Result:
    """The results of one switch in one scenario."""

    def __init__(self, scenario, switch_name):
        self.scenario, self.switch = scenario, switch_name
        self.rounds, self.skipped, self.failed = [], None, None
        self.slow = False

    def open(self):
        """Whether another round is useful."""
        return not (self.skipped or self.failed or self.slow)

    def median(self, figure):
        """The values of the rounds that have the figure, or None."""
        values = [one[figure] for one in self.rounds if one.get(figure) is not None]
        return statistics.median(values) if values else None

    def spread(self, figure):
        values = [one[figure] for one in self.rounds if one.get(figure) is not None]
        return (min(values), max(values)) if values else None

    def bound(self):
        """Whether the generator was the limit in most rounds."""
        return sum(bool(one.get('bound')) for one in self.rounds) * 2 > len(self.rounds)

    def as_json(self):
        names = dict.fromkeys(name for one in self.rounds for name in one if name != 'bound')
        status = 'failed' if self.failed else 'skipped' if self.skipped else 'ok'
        entry = {'scenario': self.scenario.name, 'section': self.scenario.section,
                 'title': self.scenario.title, 'kind': self.scenario.kind,
                 'frame': self.scenario.frame,
                 'addresses': self.scenario.addresses, 'ports': self.scenario.ports,
                 'idle_ports': self.scenario.idle, 'touch': self.scenario.touch,
                 'switch': self.switch, 'status': status}
        if status != 'ok':
            entry['reason'] = self.failed or self.skipped
        if self.rounds:
            entry['generator_bound'] = self.bound()
            entry['median'] = {name: round(self.median(name), 3) for name in names}
            entry['spread'] = {name: [round(value, 3) for value in self.spread(name)]
                               for name in names}
            entry['rounds'] = [{name: round(value, 3) for name, value in one.items()}
                               for one in self.rounds]
        return entry


class Runner:
    """kinds are the classes of the available switches; report_round(round, results of a
    scenario) is called after each scenario of each round."""

    def __init__(self, kinds, generator, places, rounds, seconds, report_round):
        self.kinds, self.generator, self.places = kinds, generator, places
        self.rounds, self.seconds, self.report_round = rounds, seconds, report_round
        self.switches = {}     # running ones by name
        self.unstarted = {}    # name: the reason why its start failed

    def run(self, scenarios):
        """All of them in every round, so that disturbances of the machine affect all alike.
        Scenarios with the same layout follow each other and share a start of the switches."""
        order = sorted(scenarios, key=lambda one: (one.layout, scenarios.index(one)))
        results = {one.name: self.results(one) for one in order}
        for number in range(self.rounds):
            for layout, group in itertools.groupby(order, key=lambda one: one.layout):
                self.group(number, layout, list(group), results)

    def results(self, scenario):
        """Empty results of all switches, in the order of kinds."""
        results = {kind.name: Result(scenario, kind.name) for kind in self.kinds}
        for kind in self.kinds:
            results[kind.name].skipped = self.reason(kind, scenario)
        return results

    def group(self, number, layout, group, results):
        """One round of the scenarios of one layout."""
        try:
            self.start(layout, [kind for kind in self.kinds
                                if any(results[one.name][kind.name].open() for one in group)])
            for scenario in group:
                for kind in self.kinds:
                    result = results[scenario.name][kind.name]
                    if result.open():
                        since = time.monotonic()
                        self.round(kind, scenario, result)
                        result.slow = time.monotonic() - since > SLOW_SECONDS
                self.report_round(number, list(results[scenario.name].values()))
        finally:
            self.stop()

    # Switches

    def start(self, layout, kinds):
        self.unstarted = {}
        for kind in kinds:
            if not kind.self_contained:
                self.start_one(kind, layout)

    def start_one(self, kind, layout):
        switch = self.switches[kind.name] = kind(self.places)
        try:
            switch.start(layout)
            switch.pause()
        except FAILURES as error:
            self.unstarted[kind.name] = f'start: {text_of(error)}'
            self.end(switch)

    def stop(self):
        for switch in list(self.switches.values()):
            self.end(switch)

    def end(self, switch):
        self.switches.pop(switch.name, None)
        try:
            switch.stop()
        except FAILURES as error:
            print(f'{switch.name}: stop: {text_of(error)}')

    def restart(self, kind, layout):
        """Start it again after a failure, for the next scenario."""
        self.end(self.switches[kind.name])
        self.start_one(kind, layout)

    def reason(self, kind, scenario):
        """The reason why a switch cannot take part, or None."""
        try:
            kind(self.places).suits(scenario)
        except Unsuited as why:
            return str(why)
        return None

    def round(self, kind, scenario, result):
        """One measurement of one switch."""
        if kind.name in self.unstarted:
            result.failed = self.unstarted[kind.name]
            return
        try:
            if kind.self_contained:
                result.rounds.append(kind(self.places).measure(scenario, self.seconds))
            else:
                result.rounds.append(self.measure(self.switches[kind.name], scenario))
        except (Unsuited, Absent) as why:
            result.skipped = str(why)
        except FAILURES as error:
            result.failed = text_of(error)
            if not kind.self_contained:
                self.restart(kind, scenario.layout)

    def measure(self, switch, scenario):
        switch.check_alive()
        switch.resume()
        try:
            switch.forget()
            bench = Bench(switch, self.generator, self.seconds)
            return MEASURES[scenario.kind](bench, scenario)
        finally:
            if switch.process.alive():
                switch.pause()


def text_of(error):
    """An exception as one line."""
    text = ' '.join(str(error).split()) or type(error).__name__
    if isinstance(error, (KeyError, TypeError)):
        text = f'{type(error).__name__}: {text}'
    return text[:300]
