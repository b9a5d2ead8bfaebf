# SPDX-License-Identifier: BSD-3-Clause
"""Charts of a run, drawn by gnuplot as SVG."""

import shutil
import subprocess

COLOURS = {'floor': '#8a8f98', 'shuntd': '#0b6e99', 'library': '#7fb7d3',
           'testpmd': '#e09f3e', 'ovs': '#9e2a2b', 'ovs-13': '#c8553d', 'ovs-testing': '#e5989b',
           'grout': '#6d597a', 'vpp': '#2a9d8f', 'bridge': '#6a994e'}
NAMES = {'floor': 'stripped loop', 'shuntd': 'Shunt', 'library': 'Shunt, library',
         'testpmd': 'testpmd io', 'ovs': 'OVS-DPDK', 'ovs-13': 'OVS, Debian 13',
         'ovs-testing': 'OVS, Debian testing', 'grout': 'grout', 'vpp': 'VPP',
         'bridge': 'Linux bridge'}
STYLE = '''
set terminal svg size 1000,500 font "Helvetica,14" background "#ffffff" enhanced
set output "{path}"
set border 3 lc rgb "#60656c" lw 1
set tics nomirror out scale 0.5 tc rgb "#30343a"
set grid ytics lc rgb "#e4e6ea" lw 1 lt 1
set title "{title}" font "Helvetica,17" tc rgb "#1c1f24"
set xlabel "{xlabel}" offset 0,0.3 tc rgb "#30343a"
set ylabel "{ylabel}" offset 0.5,0 tc rgb "#30343a"
set bmargin 6.5
set key at screen 0.52,0.06 center horizontal maxrows 1 \
    reverse Left samplen 1.4 width -1 tc rgb "#30343a" noenhanced
set yrange [0:*]
set lmargin 12
set rmargin 3
'''


def gnuplot(script):
    done = subprocess.run(['gnuplot'], input=script, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RuntimeError(f'gnuplot: {done.stdout.strip()[:300]}')


def values(document, section, figure, touch=False):
    """{switch: {title of the scenario: value}}, only of measured scenarios."""
    found = {}
    for entry in document['results']:
        wanted = entry['section'] == section and entry['touch'] == touch
        if wanted and figure in entry.get('median', {}):
            found.setdefault(entry['switch'], {})[entry['title']] = entry['median'][figure]
    return {switch: found[switch] for switch in document['switches'] if switch in found}


def titles(document, section, touch=False):
    """Titles of the scenarios of a section, in order."""
    return list(dict.fromkeys(entry['title'] for entry in document['results']
                              if entry['section'] == section and entry['touch'] == touch))


def block(name, rows):
    """A gnuplot data block."""
    return '\n'.join([f'${name} << EOD', *rows, 'EOD'])


def colour(switch):
    return COLOURS.get(switch, '#555555')


def bars(path, document, touch):
    """Cycles per packet by frame size; a logarithmic scale, as frames span 64 B to 64 KB."""
    data = values(document, 'frames', 'cycles', touch)
    names = titles(document, 'frames', touch)
    if not data or not names:
        return False
    rows = []
    for row, name in enumerate(names):
        cells = [f'{data[switch][name]:.1f}' if name in data[switch] else 'NaN' for switch in data]
        rows.append(f'{row} "{name}" {" ".join(cells)}')
    kind = 'payload read and written by the guests' if touch else 'payload left alone by the guests'
    width = 0.8 / len(data)
    script = STYLE.format(path=path, title=f'Cycles per packet of the switch core, {kind}',
                          xlabel='', ylabel='TSC cycles (log scale)')
    script += ('short(x) = x < 9999.5 ? sprintf("%.0f", x) : sprintf("%.0fk", x / 1000)\n')
    script += ('set bmargin 5.5\nset logscale y\nset yrange [10:*]\nset ylabel offset 1.5,0\n'
               'set style fill solid 1.0 noborder\n')
    script += f'set boxwidth {width * 0.92:.4f}\nset xrange [-0.6:{len(names) - 0.4}]\n'
    script += block('d', rows) + '\n'
    script += 'set xtics (' + ', '.join(f'"{name}" {row}'
                                        for row, name in enumerate(names)) + ')\n'
    parts = []
    for column, switch in enumerate(data):
        shift = (column - (len(data) - 1) / 2) * width
        fields = f'($1{shift:+.4f}):{column + 3}'
        parts.append(f'$d using {fields} with boxes lc rgb "{colour(switch)}" '
                     f'title "{NAMES.get(switch, switch)}"')
        parts.append(f'$d using {fields}:(short(${column + 3})) with labels '
                     f'font "Helvetica,7.5" tc rgb "#30343a" offset 0,0.5 notitle')
    gnuplot(script + 'plot ' + ', \\\n'.join(parts) + '\n')
    return True


def lines(path, data, xlabel, ylabel, title, extra=''):
    """Lines with points; data is {switch: [(x, y)]}."""
    script = STYLE.format(path=path, title=title, xlabel=xlabel, ylabel=ylabel) + extra
    parts = []
    for index, (switch, points) in enumerate(data.items()):
        script += block(f'd{index}', [f'{x} {y}' for x, y in points]) + '\n'
        parts.append(f'$d{index} using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 '
                     f'lc rgb "{colour(switch)}" title "{NAMES.get(switch, switch)}"')
    gnuplot(script + 'plot ' + ', \\\n'.join(parts) + '\n')


def points(document, section, x, figure, relative=False):
    """{switch: [(x, figure)]} of a section; relative to the first point on request."""
    data = {}
    for entry in document['results']:
        if entry['section'] == section and figure in entry.get('median', {}):
            data.setdefault(entry['switch'], []).append((entry[x], entry['median'][figure]))
    for switch, series in data.items():
        series.sort()
        if relative:
            data[switch] = [(x_value, y / series[0][1]) for x_value, y in series]
    return {switch: data[switch] for switch in document['switches']
            if len(data.get(switch, [])) > 1}


def addresses(path, document):
    data = points(document, 'addresses', 'addresses', 'mpps')
    if not data:
        return False
    extra = ('set logscale x\nset xrange [1.5:1500000]\n'
             'set xtics ("2" 2, "1k" 1e3, "10k" 1e4, "100k" 1e5, "1M" 1e6)\n')
    lines(path, data, 'addresses, in random order', 'Mpps',
          '64 B by number of addresses, payload touched', extra)
    return True


def ports(path, document):
    data = points(document, 'ports', 'ports', 'mpps', relative=True)
    if not data:
        return False
    extra = ('set logscale x 2\nset xrange [1.8:18]\nset yrange [0:1.25]\n'
             'set xtics (2, 4, 8, 16)\nset ytics 0.2\n')
    lines(path, data, 'active ports', 'rate, relative to 2 ports',
          '64 B by number of active ports', extra)
    return True


def draw(document, folder):
    """Draw the charts that have results; the paths of the pictures."""
    if not shutil.which('gnuplot'):
        print('charts: gnuplot is not here (package gnuplot-nox)')
        return []
    charts = {
        'frames.svg': lambda path: bars(path, document, False),
        'frames-touch.svg': lambda path: bars(path, document, True),
        'addresses.svg': lambda path: addresses(path, document),
        'ports.svg': lambda path: ports(path, document),
    }
    drawn = []
    for name, chart in charts.items():
        path = folder / name
        path.unlink(missing_ok=True)
        if chart(path):
            drawn.append(path)
    return drawn
