# SPDX-License-Identifier: BSD-3-Clause
"""Tables from results: for the terminal, for documents, and as JSON.

Works on the JSON form of results, so that an earlier run can be shown again.
"""

import json

from .scenarios import SECTIONS, TSO

MAIN = ('mpps', 'cycles')    # columns of the sections of rates
RATES = ('frames', 'addresses', 'ports', 'idle', 'features')

# Figures of the other sections: their titles, and the number of their digits.
FIGURES = {
    'ndr_mpps': ('no-drop rate, Mpps', 2),
    **{f'{quantile}_us_{percent}': (f'{text} at {percent}% of it, us', 1)
       for percent in (10, 50, 90)
       for quantile, text in (('p50', 'p50'), ('p99', 'p99'), ('p999', 'p99.9'), ('max', 'max'))},
    'kept_percent': ('share of its rate that the other receiver keeps, %', 1),
    'kmacs_per_s': ('new addresses per second, thousands', 0),
    'macs': ('addresses until the first is flooded', 0),
    'attach_ms': ('port added and front end connected, ms', 1),
    'stop_ms': ('longest stop of traffic, ms', 1),
    'lost': ('frames lost', 0),
    'start_ms': ('front end started to first frame, ms', 1),
    'restart_ms': ('kill -9 to first frame again, ms', 1),
    'copies_mpps': ('copies per second without loss, M', 2),
    'copies_most_mpps': ('copies per second at full load, M', 2),
    'copy_cycles': ('cycles of the switch per copy', 0),
    'copy_p50_us': ('p50 at the rate without loss, us', 1),
    'copy_p99_us': ('p99 at the rate without loss, us', 1),
}


def number(value, digits):
    return '-' if value is None else f'{value:.{digits}f}'


def rate_cells(entry, spread=False):
    """(Mpps or Gb/s, cycles) of a result as text; with the spread of the cycles on request."""
    if entry['status'] == 'failed':
        return 'failed', ''
    if entry['status'] == 'skipped' or 'median' not in entry:
        return '-', '-'
    median = entry['median']
    cycles = number(median.get('cycles'), 0)
    if spread and 'cycles' in median:
        cycles += ' ({:.0f}-{:.0f})'.format(*entry['spread']['cycles'])
    if 'mpps' not in median:
        return '-', cycles
    rate = number(median['mpps'], 2 if median['mpps'] >= 0.1 else 3)
    if entry['frame'] >= TSO:
        rate = f"{median['gbps']:.1f} Gb/s"
    if entry.get('generator_bound'):
        rate = f'>={rate}'
    return rate, cycles


def by_scenario(entries):
    """{scenario: {switch: entry}} in order."""
    table = {}
    for entry in entries:
        table.setdefault(entry['scenario'], {})[entry['switch']] = entry
    return table


def rate_rows(entries, switches, spread):
    """Rows of text: title, touch, then two cells per switch."""
    for results in by_scenario(entries).values():
        first = next(iter(results.values()))
        row = [first['title'], 'touched' if first['touch'] else '']
        for switch in switches:
            row += rate_cells(results[switch], spread) if switch in results else ('-', '-')
        yield row


def figure_cell(entry, name, digits):
    text = number(entry.get('median', {}).get(name), digits)
    return f'>={text}' if name == 'copies_mpps' and entry.get('generator_bound') else text


def figure_rows(entries, switches):
    """Rows of text: scenario, figure, then one cell per switch."""
    for results in by_scenario(entries).values():
        names = dict.fromkeys(name for entry in results.values()
                              for name in entry.get('median', {}) if name in FIGURES)
        title = next(iter(results.values()))['title']
        for name in FIGURES:
            if name in names:
                label, digits = FIGURES[name]
                cells = [figure_cell(results.get(switch, {}), name, digits)
                         for switch in switches]
                yield [title, label, *cells]
                title = ''
        if not names:
            yield [title, '', *(results.get(switch, {}).get('status', '-')
                                for switch in switches)]


def section_table(section, entries, switches, spread=False):
    """(title, head, rows) of a section, or None if nothing of it was measured."""
    part = [entry for entry in entries if entry['section'] == section]
    if not part:
        return None
    seen = [switch for switch in switches
            if any(entry['switch'] == switch and entry['status'] != 'skipped' for entry in part)]
    if not seen:
        return None
    if section in RATES:
        head, rows = ['', 'payload'], list(rate_rows(part, seen, spread))
        for switch in seen:
            head += [f'{switch} Mpps', 'cycles']
        return SECTIONS[section], *without_empty(head, rows)
    return SECTIONS[section], ['', '', *seen], list(figure_rows(part, seen))


def without_empty(head, rows):
    """Columns of figures that were measured."""
    kept = [column for column in range(len(head))
            if column < 2 or any(row[column] not in ('-', '') for row in rows)]
    return [head[column] for column in kept], [[row[column] for column in kept] for row in rows]


def reasons(entries):
    """Lines on failed or skipped scenarios, each reason once."""
    grouped = {}
    for entry in entries:
        if entry['status'] != 'ok':
            key = entry['switch'], entry['status'], entry['reason']
            grouped.setdefault(key, []).append(entry['scenario'])
    for (switch, status, reason), names in grouped.items():
        where = ', '.join(names) if len(names) <= 6 else f'{len(names)} scenarios'
        yield f'{switch}: {status}: {where}: {reason}'


# Terminal

def print_line(results):
    """One scenario, its medians so far; results are dictionaries."""
    first = results[0]
    cells = []
    for entry in results:
        if entry['status'] == 'skipped':
            continue
        if entry['status'] == 'failed':
            cells.append(f"{entry['switch']} FAILED: {entry['reason']}")
        elif first['section'] in RATES:
            rate, cycles = rate_cells(entry, spread=True)
            unit = '' if 'Gb' in rate else ' Mpps'
            cost = f' {cycles} cycles' if cycles != '-' else ''
            speed = '' if rate == '-' else f' {rate}{unit}'
            cells.append(f"{entry['switch']}{speed}{cost}")
        else:
            shown = [f'{FIGURES[name][0]} {number(value, FIGURES[name][1])}'
                     for name, value in entry['median'].items() if name in FIGURES]
            cells.append(f"{entry['switch']} {'; '.join(shown)}")
    print(f"{first['scenario']}: " + (' | '.join(cells) or 'no switch can'), flush=True)


def text_table(title, head, rows):
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    left = 2    # columns of text

    def line_of(cells):
        padded = [cell.ljust(width) if column < left else cell.rjust(width)
                  for column, (cell, width) in enumerate(zip(cells, widths))]
        return '  '.join(padded).rstrip()
    rule = '-' * len(line_of(['x' * width for width in widths]))
    return '\n'.join([f'\n{title}', line_of(head), rule, *map(line_of, rows)])


def print_tables(document):
    for section in SECTIONS:
        table = section_table(section, document['results'], document['switches'])
        if table:
            print(text_table(*table))
    lines = list(reasons(document['results']))
    if lines:
        print('\n' + '\n'.join(lines))


def print_header(header):
    width = max(map(len, header))
    for key, value in header.items():
        print(f'{key.ljust(width)}  {value}')
    print(flush=True)


# Files

def save(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix('.new')
    temporary.write_text(json.dumps(document, indent=1) + '\n')
    temporary.replace(path)
