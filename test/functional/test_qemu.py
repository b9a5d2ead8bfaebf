# SPDX-License-Identifier: BSD-3-Clause
"""port qemu: its output for each version of QEMU, and the quoting of paths for QEMU, shells and
XML."""

import contextlib
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

import proc
from proc import Process, wait_until
from qmp import Qmp

REFUSED, USAGE = 1, 2
QEMU = 'qemu-system-x86_64'
ODD = ['a,b', 'a,,b', ',', 'a b', "a'b", 'a"b', 'a&b', 'a<b>c', '$HOME', 'a\\b', 'ä', '-', 'a=b',
       'a;b|c', '`a`', '*', '~', '#a', '&amp;', '\xa0']

needs_qemu = pytest.mark.skipif(not shutil.which(QEMU), reason=f'{QEMU} is not installed')


def chardev(printed):
    """The options of QEMU's socket."""
    (line,) = [line for line in printed['qemu'] if line.startswith('-chardev ')]
    return line.split(' ', 1)[1]


def words(printed):
    """The arguments as a program receives them."""
    return [word for line in printed['qemu'] for word in line.split(' ', 1)]


def shell_words(text):
    """The arguments as a shell parses them, up to the first empty line."""
    command = text.split('\n\n')[0]
    done = subprocess.run(['sh', '-c', f"printf '%s\\n' \\\n{command}\n\n"],
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().split('\n')[:-1]


def shunt(switch, *arguments, path=None):
    """`shunt` with another PATH."""
    env = dict(os.environ, PATH=path or os.environ['PATH'])
    return subprocess.run([proc.program('shunt'), '-s', switch.sock, *arguments], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)


class TestVersions:
    @pytest.mark.parametrize('version, reconnect', [
        ('7.2', 'reconnect=1'), ('9.1.3', 'reconnect=1'), ('9.2', 'reconnect-ms=1000'),
        ('10.0.13', 'reconnect-ms=1000'), ('10.2', 'reconnect-ms=1000'), ('11.0', None),
        ('11.1.2', 'reconnect-ms=1000'), ('12.3', 'reconnect-ms=1000'),
    ])
    def test_server_mode(self, switch, version, reconnect):
        path = switch.port_add('vm1', 'vhost')
        printed = switch.json('port', 'qemu', 'vm1', '--qemu', version)
        assert chardev(printed) == f'socket,id=chr-vm1,path={path}' + (
            f',{reconnect}' if reconnect else '')
        assert ('reconnect' in printed['libvirt']) == bool(reconnect)
        assert any('mode=client' in hint for hint in printed['hints']) == (not reconnect)

    @pytest.mark.parametrize('version', ['7.2', '10.0', '11.0', '11.1'])
    def test_client_mode(self, switch, version):
        path = switch.port_add('vm1', 'vhost', mode='client')
        printed = switch.json('port', 'qemu', 'vm1', '--qemu', version)
        assert chardev(printed) == f'socket,id=chr-vm1,path={path},server=on,wait=off'
        assert 'reconnect' not in printed['libvirt']

    @pytest.mark.parametrize('version', ['', '7.1', '10', 'x', '10.0.', '10.0-rc1', '-1.0'])
    def test_bad_version(self, switch, version):
        switch.port_add('vm1', 'vhost')
        done = switch.cli('port', 'qemu', 'vm1', f'--qemu={version}', check=False)
        assert (done.returncode, done.stdout) == (USAGE, '')
        assert re.fullmatch(r'shunt: port qemu: .*no version from 7\.2 on.*\n', done.stderr)

    def test_bad_version_in_a_request(self, switch):
        switch.port_add('vm1', 'vhost')
        for version in ('7.1', '', 10.0, None, ['10.0']):
            with pytest.raises(Exception, match='qemu: ') as error:
                switch.rpc('port.qemu', {'name': 'vm1', 'qemu': version})
            assert error.value.code == -32602, version
        assert switch.rpc('port.qemu', {'name': 'vm1', 'qemu': '10.0'})['qemu']

    @needs_qemu
    def test_installed(self, switch):
        """Without --qemu it is the version of the installed QEMU."""
        switch.port_add('vm1', 'vhost')
        text = subprocess.run([QEMU, '--version'], stdout=subprocess.PIPE, text=True).stdout
        version = re.search(r'version (\d+\.\d+)', text)[1]
        done = shunt(switch, '-j', 'port', 'qemu', 'vm1')
        named = shunt(switch, '-j', 'port', 'qemu', 'vm1', '--qemu', version)
        assert (done.returncode, done.stderr) == (0, '')
        assert done.stdout == named.stdout

    @pytest.mark.parametrize('says, reason', [
        (None, 'cannot be asked'), ('exit 1', 'does not say'), ('echo nonsense', 'does not say'),
        ('echo QEMU emulator version 6.2.0', 'older than 7.2'),
        ('yes QEMU emulator', 'does not say'),
    ])
    def test_unknown(self, switch, tmp_path, says, reason):
        """One line gives the reason, and the output suits every version."""
        switch.port_add('vm1', 'vhost')
        if says:
            (tmp_path / QEMU).write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin; {says}\n')
            (tmp_path / QEMU).chmod(0o755)
        done = shunt(switch, 'port', 'qemu', 'vm1', path=str(tmp_path))
        assert done.returncode == 0
        assert re.fullmatch(r'shunt: .*\n', done.stderr) and reason in done.stderr
        assert '-chardev' in done.stdout and 'reconnect=' not in done.stdout
        assert 'reconnect-ms=' not in done.stdout and '# ' in done.stdout

    def test_no_port(self, switch, tmp_path):
        """The error is one line, whatever is known of QEMU."""
        done = shunt(switch, 'port', 'qemu', 'none', path=str(tmp_path))
        assert (done.returncode, done.stdout, done.stderr.count('\n')) == (REFUSED, '', 1)

    def test_no_vm(self, switch):
        switch.port_add('n1', 'ethdev', device='net_null0,no-rx=1')
        done = shunt(switch, 'port', 'qemu', 'n1')
        assert done.returncode == REFUSED and 'no VM connects' in done.stderr


class TestQuoting:
    @pytest.mark.parametrize('odd', ODD)
    @pytest.mark.parametrize('mode', ['server', 'client'])
    def test_shell_and_xml(self, switch, odd, mode):
        path = str(switch.run / f'{odd}.sock')
        switch.port_add('vm1', 'vhost', socket=path, mode=mode)
        printed = switch.json('port', 'qemu', 'vm1', '--qemu', '10.0')
        assert chardev(printed).startswith('socket,id=chr-vm1,path=' + path.replace(',', ',,'))
        text = switch.cli('port', 'qemu', 'vm1', '--qemu', '10.0').stdout
        assert shell_words(text) == words(printed)
        assert ElementTree.fromstring(printed['libvirt']).find('source').get('path') == path

    @needs_qemu
    @pytest.mark.parametrize('odd', ['a,b', ',,', "a b&'\"<c"])
    @pytest.mark.parametrize('mode', ['server', 'client'])
    def test_qemu_takes_it(self, switch, odd, mode):
        """The installed QEMU connects with the arguments as a shell parses them."""
        path = switch.run / f'{odd}.sock'
        switch.port_add('vm1', 'vhost', socket=path, mode=mode, queues=2, mtu=1400)
        text = switch.cli('port', 'qemu', 'vm1').stdout
        monitor = switch.dir / 'qmp'
        process = Process([QEMU, '-S', '-display', 'none', '-nodefaults', '-machine',
                           'q35,accel=tcg', '-m', '1G', '-qmp',
                           f'unix:{monitor},server=on,wait=off', *shell_words(text)],
                          switch.dir / 'qemu.log')
        with contextlib.closing(process_monitor(process, monitor)) as qmp:
            names = [row['label'] for row in qmp.execute('query-chardev')]
            assert 'chr-vm1' in names
            wait_until(lambda: switch.port('vm1')['front_end'] != 'none', 20, 'connection')
        process.kill9()
        path.unlink(missing_ok=mode == 'server')
        monitor.unlink()

    @pytest.mark.parametrize('odd', ['a\nb', 'a\tb', 'a\x7fb', 'a\x85b', 'a\x9b[1mb', '\ufffe'])
    def test_control_characters(self, switch, odd):
        done = switch.cli('port', 'add', 'vm1', 'vhost', f'socket={switch.run}/{odd}', check=False)
        assert (done.returncode, done.stdout) == (REFUSED, '')
        assert re.fullmatch(r'shunt: .*socket: control characters.*\n', done.stderr)
        assert switch.rpc('port.list') == []


def process_monitor(process, path):
    """QMP of a QEMU that is starting."""
    def connect():
        assert process.alive(), process.tail()
        try:
            return Qmp(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
    return wait_until(connect, 20, 'start of QEMU')


class TestXml:
    def test_says_what_the_arguments_say(self, switch):
        switch.port_add('vm1', 'vhost', queues=2, packed='on', csum='off', mtu=9000)
        printed = switch.json('port', 'qemu', 'vm1', '--qemu', '7.2')
        (device,) = [line for line in printed['qemu'] if line.startswith('-device ')]
        for option in ('mq=on', 'vectors=6', 'packed=on', 'csum=off', 'host_mtu=9000'):
            assert option in device.split(',')
        element = ElementTree.fromstring(printed['libvirt'])
        assert element.find('mac').get('address') in device
        assert element.find('driver').attrib == {'name': 'vhost', 'queues': '2', 'packed': 'on'}
        assert element.find('driver/host').get('csum') == 'off'
        assert "<!-- <mtu size='9000'/> -->" in printed['libvirt']
        newer = switch.json('port', 'qemu', 'vm1', '--qemu', '11.1')
        assert ElementTree.fromstring(newer['libvirt']).find('mtu').get('size') == '9000'
        assert element.find('source').get('mode') == 'client'
        assert element.find('source/reconnect').attrib == {'enabled': 'yes', 'timeout': '1'}
        domain = ElementTree.fromstring(printed['libvirt_domain'])
        assert domain.tag == 'memoryBacking'
        assert domain.find('source').get('type') == 'memfd'
        assert domain.find('access').get('mode') == 'shared'

    def test_text(self, switch):
        """The text contains the same XML as the JSON, each piece with its position."""
        switch.port_add('vm1', 'vhost')
        printed = switch.json('port', 'qemu', 'vm1')
        text = switch.cli('port', 'qemu', 'vm1').stdout
        for key, place in (('libvirt_domain', 'domain'), ('libvirt', 'devices')):
            assert f"<!-- libvirt, in <{place}>: -->\n{printed[key]}" in text
