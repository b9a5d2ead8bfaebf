# SPDX-License-Identifier: BSD-3-Clause
"""The last full run as Markdown, between the markers of doc/performance.md."""

import re
import shutil

import proc

from . import charts, parts, report
from .scenarios import SECTIONS

DOCUMENT = proc.ROOT / 'doc' / 'performance.md'
BEGIN, END = '<!-- figures: begin -->', '<!-- figures: end -->'


def table(head, rows):
    align = ['---'] * 2 + ['--:'] * (len(head) - 2)
    lines = [head, align, *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def header_block(header):
    rows = '\n'.join(f'| {key} | {value} |' for key, value in header.items())
    return f'| | |\n|---|---|\n{rows}'


def pictures(run):
    """Charts beside the document."""
    folder = DOCUMENT.parent
    links = {}
    for path in charts.draw(run, proc.build_dir() / 'bench'):
        name = f'performance-{path.name}'
        shutil.copyfile(path, folder / name)
        links[path.stem] = f'![{path.stem}]({name})'
    return links


def figures(run, bench):
    """The whole run as Markdown."""
    links = pictures(run)
    blocks = [header_block(run['header'])]
    for section, title in SECTIONS.items():
        found = report.section_table(section, run['results'], run['switches'], spread=True)
        if not found:
            continue
        blocks.append(f'### {title[0].upper()}{title[1:]}')
        blocks += [link for name, link in links.items() if name.split('-')[0] == section]
        blocks.append(table(*found[1:]))
    lines = list(report.reasons(run['results']))
    if lines:
        blocks.append('Not measured:\n\n' + '\n'.join(f'- {line}' for line in lines))
    for title, head, rows in filter(None, (part.saved(bench) for part in parts.ALL)):
        blocks += [f'### {title}', table(head, rows)]
    return '\n\n'.join(blocks)


def write(run, bench):
    """Replace the text between the markers."""
    text = DOCUMENT.read_text()
    pattern = re.compile(f'{re.escape(BEGIN)}.*?{re.escape(END)}', re.S)
    if not pattern.search(text):
        raise SystemExit(f'{DOCUMENT}: no markers {BEGIN} and {END}')
    body = f'{BEGIN}\n\n{figures(run, bench)}\n\n{END}'
    DOCUMENT.write_text(pattern.sub(lambda _: body, text))
    print(f'written: {DOCUMENT}')
