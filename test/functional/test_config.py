# SPDX-License-Identifier: BSD-3-Clause
"""The configuration of a running switch: show, save, apply, SIGHUP."""

import os
import re
import struct
import subprocess

import pytest
import yaml

from proc import wait_until
from switch import Switch, SwitchError

FILE = """
fdb: {{capacity: 4096, ageing: 60}}
ports:
  vm1: {{type: vhost, socket: {run}/vm1.sock, queues: 2, mtu: 1400, perm: 0600}}
  vm2: {{type: vhost, socket: {run}/vm2.sock, mode: client, tso: off, packed: on}}
  n1: {{type: ethdev, device: "net_null_n1,no-rx=1", enabled: off, mac-limit: 7}}
"""


@pytest.fixture
def switch():
    with Switch() as running:
        yield running


def text(switch):
    return FILE.format(run=switch.run)


def ports(switch):
    return [port['name'] for port in switch.rpc('port.list')]


def state(switch):
    """All state that a configuration can change."""
    shown = switch.json('config', 'show')
    return shown, [switch.port(name) for name in ports(switch)]


def mount(*words):
    """Mount, or skip the test if that is not permitted."""
    done = subprocess.run(['mount', *map(str, words)], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        pytest.skip(done.stderr.strip())


class TestApply:
    def test_from_the_start(self, switch):
        switch.stop()
        switch.config.write_text(text(switch))
        switch.start()
        assert ports(switch) == ['vm1', 'vm2', 'n1']
        fdb = switch.json('status')['fdb']
        assert (fdb['capacity'], fdb['ageing']) == (4096, 60)
        one, two, null = (switch.port(name) for name in ('vm1', 'vm2', 'n1'))
        assert (one['queues'], one['rx_queues'], one['mtu'], one['perm']) == (2, 2, 1400, '0600')
        assert (two['mode'], two['tso'], two['packed']) == ('client', 'off', 'on')
        assert (null['enabled'], null['mac-limit'], null['link']) == ('off', 7, 'down')

    def test_only_differences_are_applied(self, switch):
        """Ports are added, changed and removed; other ports are not touched."""
        config = text(switch).replace('capacity: 4096, ', '')
        (switch.dir / 'one').write_text(config)
        assert switch.json('config', 'apply', switch.dir / 'one') == {
            'added': ['vm1', 'vm2', 'n1'], 'removed': [], 'changed': []}
        inode = os.stat(switch.socket('vm1')).st_ino
        config = config.replace('mac-limit: 7', 'mac-limit: 8').replace('vm2', 'vm3')
        (switch.dir / 'two').write_text(config)
        assert switch.json('config', 'apply', switch.dir / 'two') == {
            'added': ['vm3'], 'removed': ['vm2'], 'changed': ['n1']}
        assert os.stat(switch.socket('vm1')).st_ino == inode, 'opened anew'
        assert switch.port('n1')['mac-limit'] == 8
        assert switch.json('config', 'apply', switch.dir / 'two') == {
            'added': [], 'removed': [], 'changed': []}

    def test_relative_path(self, switch):
        (switch.dir / 'one').write_text('ports: {}\n')
        path = os.path.relpath(switch.dir / 'one')
        assert switch.json('config', 'apply', path)['removed'] == []

    def test_a_port_may_change_its_type(self, switch):
        switch.port_add('x', 'vhost')
        config = 'ports: {x: {type: ethdev, device: "net_null_x,no-rx=1"}}\n'
        (switch.dir / 'one').write_text(config)
        switch.cli('config', 'apply', switch.dir / 'one')
        assert switch.port('x')['type'] == 'ethdev' and not switch.socket('x').exists()

    def test_sockets_change_hands(self, switch):
        """A socket may move to another port in one file."""
        path = switch.port_add('a', 'vhost')
        (switch.dir / 'one').write_text(f'ports: {{b: {{type: vhost, socket: {path}}}}}\n')
        assert switch.json('config', 'apply', switch.dir / 'one') == {
            'added': ['b'], 'removed': ['a'], 'changed': []}

    @pytest.mark.parametrize('bad, says', [
        ('ports: {vm1: {type: nosuch}}', '1: port vm1: type'), ('ports: [', ''),
        ('ports: {vm9: {type: vhost, socket: rel}}', 'vm9: socket'), ('bogus: 1', '1: bogus'),
        ('fdb: {capacity: 128}', 'fdb.capacity'), ('fdb: {ageing: 1}', 'fdb.ageing'),
        ('lcores: "99"', 'lcores'),
    ], ids=lambda value: value.split(':')[0])
    def test_a_mistake_changes_nothing(self, switch, bad, says):
        (switch.dir / 'one').write_text(text(switch).replace('capacity: 4096, ', ''))
        switch.cli('config', 'apply', switch.dir / 'one')
        before = state(switch)
        (switch.dir / 'bad').write_text(bad + '\n')
        with pytest.raises(SwitchError, match=says) as refused:
            switch.cli('config', 'apply', switch.dir / 'bad')
        assert refused.value.status == 1 and str(switch.dir / 'bad') in str(refused.value)
        assert state(switch) == before

    def test_missing_file(self, switch):
        with pytest.raises(SwitchError, match='No such file') as refused:
            switch.cli('config', 'apply', switch.dir / 'none')
        assert refused.value.status == 1


class TestHangup:
    def test_good_file(self, switch):
        switch.reload(text(switch).replace('capacity: 4096, ', ''))
        wait_until(lambda: len(ports(switch)) == 3, 20, 'ports of the new file')
        assert switch.json('status')['fdb']['ageing'] == 60
        switch.reload('')
        wait_until(lambda: not ports(switch), 20, 'an empty file')

    def test_broken_file(self, switch):
        """Nothing changes, and the log reports the error."""
        switch.reload(text(switch).replace('capacity: 4096, ', ''))
        wait_until(lambda: len(ports(switch)) == 3, 20, 'ports of the new file')
        before = state(switch)
        switch.reload('ports:\n  vm1: {type: vhost, socket: /x, bogus: 1}\n')
        wait_until(lambda: 'vm1: bogus' in switch.process.tail(), 20, 'a reason in the log')
        assert state(switch) == before

    def test_missing_file(self, switch):
        switch.port_add('vm1', 'vhost')
        switch.config.unlink()
        switch.process.signal(1)
        wait_until(lambda: 'No such file' in switch.process.tail(), 20, 'a reason in the log')
        assert ports(switch) == ['vm1']

    def test_one_bad_port_among_good_ones(self, switch):
        """The valid parts are applied; the log names the others."""
        switch.reload(text(switch).replace('capacity: 4096, ', '').replace(
            'net_null_n1,no-rx=1', 'net_af_packet0,iface=none'))
        wait_until(lambda: 'port n1: device' in switch.process.tail(), 20, 'a reason in the log')
        assert ports(switch) == ['vm1', 'vm2']


class TestSave:
    def test_round_trip(self, switch):
        (switch.dir / 'one').write_text(text(switch).replace('capacity: 4096, ', ''))
        switch.cli('config', 'apply', switch.dir / 'one')
        shown = switch.cli('config', 'show').stdout
        switch.cli('config', 'save', switch.dir / 'saved')
        saved = (switch.dir / 'saved').read_text()
        assert saved.strip() == shown.strip()
        assert switch.json('config', 'apply', switch.dir / 'saved') == {
            'added': [], 'removed': [], 'changed': []}
        assert yaml.safe_load(saved)['ports'] == yaml.safe_load(shown)['ports']
        before = state(switch)
        switch.stop()
        switch.config.write_text(saved)
        switch.start()
        assert state(switch)[0] == before[0]

    def test_to_its_own_file(self, switch):
        switch.port_add('vm1', 'vhost', queues=3)
        assert switch.json('config', 'save') == {'file': str(switch.config)}
        document = yaml.safe_load(switch.config.read_text())
        assert document['ports'] == {'vm1': {'type': 'vhost', 'queues': 3,
                                             'socket': str(switch.socket('vm1'))}}
        switch.restart()
        assert ports(switch) == ['vm1']
        assert not [path for path in switch.dir.iterdir() if path.name.endswith('.new')]

    def test_json_is_the_same(self, switch):
        switch.port_add('vm1', 'vhost', perm='0600', csum='off')
        shown = switch.json('config', 'show')
        assert isinstance(shown, dict) and shown
        document = yaml.safe_load(switch.cli('config', 'show').stdout)
        assert set(document) == {'lcores', 'fdb', 'snooping', 'ports'}
        assert document['lcores'] == switch.lcores
        assert document['ports']['vm1'] == {'type': 'vhost', 'socket': str(switch.socket('vm1')),
                                            'perm': '0600', 'csum': False}

    @pytest.mark.parametrize('place', ['/none/file', '/proc/file', '/'])
    def test_where_it_cannot_be(self, switch, place):
        with pytest.raises(SwitchError) as refused:
            switch.cli('config', 'save', place)
        assert refused.value.status == 1 and place in str(refused.value)

    @pytest.mark.parametrize('links', [
        ['managed/real'], ['managed/one', 'two', '../far/real'], ['{dir}/managed/real']],
        ids=['relative', 'three', 'absolute'])
    def test_a_link_is_followed(self, switch, links):
        """The target of the link gets the text, in one step, and keeps mode and owner; links stay.
        """
        at = switch.config
        for folder in ('managed', 'far'):
            (switch.dir / folder).mkdir()
        at.unlink()
        for link in links:
            at.symlink_to(link.format(dir=switch.dir))
            at = at.parent / link.format(dir=switch.dir)
        at.write_text('ports: {}\n')
        at.chmod(0o640)
        os.chown(at, 12, 65534)
        inode = os.stat(at).st_ino
        switch.port_add('vm1', 'vhost')
        switch.cli('config', 'save')
        state = os.stat(at, follow_symlinks=False)
        assert switch.config.is_symlink() and 'vm1' in at.read_text()
        assert (state.st_mode & 0o7777, state.st_uid, state.st_gid) == (0o640, 12, 65534)
        assert state.st_ino != inode, 'written in place'
        assert not list(switch.dir.rglob('*.new'))
        switch.restart()
        assert ports(switch) == ['vm1']

    def test_a_link_to_a_file_that_is_not_there_yet(self, switch):
        (switch.dir / 'managed').mkdir()
        switch.config.unlink()
        switch.config.symlink_to('managed/new.yaml')
        switch.cli('config', 'save')
        assert switch.config.is_symlink() and (switch.dir / 'managed/new.yaml').is_file()

    def test_an_access_list_stays(self, switch):
        """The list is not widened to its mask in the mode."""
        entries = [(1, 6, -1), (2, 6, 12), (4, 0, -1), (16, 6, -1), (32, 0, -1)]
        rules = struct.pack('<I', 2) + b''.join(
            struct.pack('<HHI', tag, perm, who & 0xffffffff) for tag, perm, who in entries)
        try:
            os.setxattr(switch.config, 'system.posix_acl_access', rules)
        except OSError as error:
            pytest.skip(f'access lists: {error.strerror}')
        switch.cli('config', 'save')
        assert os.getxattr(switch.config, 'system.posix_acl_access') == rules

    def test_a_new_file_has_the_usual_mode(self, switch):
        switch.cli('config', 'save', switch.dir / 'new')
        (switch.dir / 'touched').touch()
        assert os.stat(switch.dir / 'new').st_mode == os.stat(switch.dir / 'touched').st_mode

    def test_file_of_an_interrupted_save(self, switch):
        """A temporary file of an interrupted save is replaced, and not followed if it is a link."""
        victim = switch.dir / 'victim'
        victim.write_text('precious')
        (switch.dir / f'{switch.config.name}.new').symlink_to(victim)
        switch.cli('config', 'save')
        assert victim.read_text() == 'precious'
        assert not list(switch.dir.glob('*.new'))

    @pytest.mark.parametrize('kind, says', [
        ('loop', 'symbolic links'), ('nowhere', 'leads to .*/none/x: .*No such file'),
        ('folder', 'no regular file'), ('device', 'no regular file'), ('pipe', 'no regular file'),
        ('read-only', 'leads to .*/ro/x: .*Read-only'), ('mount', 'mount'),
    ])
    def test_refused_in_one_line(self, switch, kind, says):
        path, folder = switch.dir / 'save', switch.dir / 'ro'
        folder.mkdir()
        if kind == 'pipe':
            os.mkfifo(path)
        elif kind == 'mount':
            (folder / 'x').write_text('old')
            path.touch()
            mount('--bind', folder / 'x', path)
        else:
            path.symlink_to({'loop': 'save', 'nowhere': '/none/x', 'folder': folder,
                             'device': '/dev/null', 'read-only': folder / 'x'}[kind])
        if kind == 'read-only':
            mount('-t', 'tmpfs', '-o', 'ro', 'none', folder)
        try:
            done = switch.cli('config', 'save', path, check=False)
        finally:
            for mounted in {'mount': [path], 'read-only': [folder]}.get(kind, []):
                subprocess.run(['umount', mounted], check=True)
        assert done.returncode == 1 and done.stderr.count('\n') == 1, done
        assert re.search(says, done.stderr) and str(path) in done.stderr, done.stderr
        assert kind != 'mount' or (folder / 'x').read_text() == 'old'
        assert not list(switch.dir.rglob('*.new'))

    @pytest.mark.parametrize('value', ['a b.sock', 'a: b', "it's", '"x"', '#x', '{x}', 'é', '%x',
                                       '- x'])
    def test_odd_paths_survive(self, switch, value):
        path = switch.run / value
        switch.port_add('vm1', 'vhost', socket=path)
        switch.cli('config', 'save')
        switch.restart()
        assert switch.port('vm1')['socket'] == str(path)
