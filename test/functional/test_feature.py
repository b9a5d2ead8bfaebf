# SPDX-License-Identifier: BSD-3-Clause
"""The example feature of CONTRIBUTING.md: a folder and a line, and its key is in all lists of keys.
"""

import re
import shutil
import subprocess

import pytest

import proc
from bridge import Bridge
from frames import BROADCAST, frame, mac

A, B = mac(0x0a), mac(0x0b)
SOURCES = ('NEWS', 'README.md', 'app', 'config', 'doc', 'drivers', 'lib', 'meson.build',
           'meson_options.txt')
FILE = re.compile(r'^`(nothing/[\w.]+)`.*?^```\w+\n(.*?)^```$', re.MULTILINE | re.DOTALL)
FEATURES = 'lib/features'
ROW = f'{FEATURES}/nothing/nothing.c'
LIST = f'{FEATURES}/meson.build'


def run(*words):
    done = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def add_feature(tree):
    """Do the steps of the chapter."""
    chapter = (proc.ROOT / 'CONTRIBUTING.md').read_text().split('\n## Adding a feature\n')[1]
    files = dict(FILE.findall(chapter))
    assert len(files) == 4
    (tree / ROW).parent.mkdir()
    for name, text in files.items():
        (tree / FEATURES / name).write_text(text)
    line = re.search(r"^    '\w+',$", chapter, re.MULTILINE).group()
    listing = (tree / LIST).read_text()
    (tree / LIST).write_text(listing.replace('features = [\n', f'features = [\n{line}\n', 1))


@pytest.fixture(scope='module')
def tree():
    """A copy of the sources with the feature, built."""
    root = proc.temp_dir('shunt-feature-')
    for name in SOURCES:
        path = proc.ROOT / name
        if path.exists():
            (shutil.copytree if path.is_dir() else shutil.copy)(path, root / name)
    add_feature(root)
    run('meson', 'setup', root / 'build', root, '-Dtests=false', '-Dbench=false', '-Dwerror=true',
        '-Dbuildtype=plain')
    run('ninja', '-C', root / 'build')
    yield root
    shutil.rmtree(root)


@pytest.fixture
def built(tree, monkeypatch):
    monkeypatch.setenv('SHUNT_BUILD', str(tree / 'build'))
    return tree


def test_key_is_everywhere(built):
    shunt = proc.program('shunt')
    assert re.search(r'^  nothing=on\|off +whether nothing is done with frames', run(
        shunt, 'help', 'port', 'add'), re.MULTILINE)
    assert '.B nothing=on|off' in run(shunt, '--man')
    script = run(shunt, '--completion', 'bash')
    assert 'nothing=on|off' in run('bash', '-c', f'{script}\n_shunt_keys vhost').split()
    with Bridge(1, 'ports:\n  kept: {type: vhost, socket: /tmp/shunt-nothing, nothing: on}\n') as bridge:
        assert bridge.switch.port('kept')['nothing'] == 'on'
        assert bridge.switch.port('p1')['nothing'] == 'off'
        bridge.switch.rpc('port.set', {'name': 'p1', 'nothing': 'on'})
        bridge.switch.cli('config', 'save')
        saved = bridge.switch.config.read_text()
        assert saved.count('nothing: on') == 2


def test_frames_pass(built):
    with Bridge(2) as bridge:
        one = frame(BROADCAST, A)
        for name in 'p1', 'p2':
            bridge.switch.cli('port', 'set', name, 'nothing=on')
        assert bridge.exchange('p1', one)['p2'] == [one]


STAGES = {
    'nothing_ingress': ('p1', 'rx', """
	if (context->burst.frame[0].head[0] != 0xff)
		context->burst.dest[0] = DEST_DROP + DROP_STORM;
"""),
    'nothing_egress': ('p2', 'tx', """
	while (output->n > 0 && output->frame[output->n - 1]->head[0] != 0xff)
		output_drop(output, DROP_STORM, output->frame[--output->n]);
"""),
}


@pytest.mark.parametrize('stage', STAGES)
def test_stage_runs(built, stage):
    """A stage that drops unicast frames takes effect on ports with the key only."""
    port, side, body = STAGES[stage]
    row = built / ROW
    text = row.read_text()
    row.write_text(re.sub(rf'^{stage}\(.*?\n{{\n', lambda found: found.group() + body, text,
                          flags=re.MULTILINE | re.DOTALL))
    try:
        run('ninja', '-C', built / 'build')
        with Bridge(2) as bridge:
            one = frame(B, A)
            assert bridge.exchange('p1', one)['p2'] == [one]
            bridge.switch.cli('port', 'set', port, 'nothing=on')
            assert bridge.exchange('p1', one)['p2'] == []
            assert [row['direction'] for row in bridge.switch.rpc('drops')
                    if (row['port'], row['reason']) == (port, 'storm')] == [side]
    finally:
        row.write_text(text)
