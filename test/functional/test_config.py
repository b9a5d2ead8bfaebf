# SPDX-License-Identifier: BSD-3-Clause
"""The configuration of a running switch: show, save, apply, SIGHUP."""

import os

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
    """All that a configuration can change."""
    shown = switch.json('config', 'show')
    return shown, [switch.port(name) for name in ports(switch)]


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

    def test_what_changed(self, switch):
        """Ports are added, changed and removed; the others are not touched."""
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
        """A socket may move to another port within one file."""
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
        """Everything stays, and the log says why."""
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
        """What can be done is done; the log names what cannot."""
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

    @pytest.mark.parametrize('value', ['a b.sock', 'a: b', "it's", '"x"', '#x', '{x}', 'é', '%x',
                                       '- x'])
    def test_odd_paths_survive(self, switch, value):
        path = switch.run / value
        switch.port_add('vm1', 'vhost', socket=path)
        switch.cli('config', 'save')
        switch.restart()
        assert switch.port('vm1')['socket'] == str(path)
