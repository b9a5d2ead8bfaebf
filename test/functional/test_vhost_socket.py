# SPDX-License-Identifier: BSD-3-Clause
"""The socket of a vhost port: its owner, its permissions, and clients that send invalid messages.
"""

import grp
import os
import pathlib
import pwd
import random
import re
import socket
import stat
import struct

import pytest

from proc import wait_until
from switch import SwitchError


@pytest.fixture(autouse=True)
def no_files_left(running):
    """After all ports have been deleted, only the control socket may remain in the folder."""
    yield
    for path in running.run.iterdir():
        if path != running.sock:
            path.unlink()


def refused(switch, says, **keys):
    """The port is refused for that reason, and no socket remains."""
    with pytest.raises(SwitchError, match=says) as error:
        switch.port_add('vm1', 'vhost', **keys)
    assert error.value.status == 1
    assert switch.rpc('port.list') == []


def connect(path):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(path))
    peer.settimeout(5)
    return peer


class TestFile:
    def test_default_mode(self, switch):
        status = os.stat(switch.port_add('vm1', 'vhost'))
        assert stat.S_ISSOCK(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o660

    @pytest.mark.parametrize('perm', ['0600', '0777', '666', '0'])
    def test_perm(self, switch, perm):
        path = switch.port_add('vm1', 'vhost', perm=perm)
        assert stat.S_IMODE(os.stat(path).st_mode) == int(perm, 8)

    @pytest.mark.parametrize('perm', ['0999', '01777', 'rw', '-1'])
    def test_bad_perm(self, switch, perm):
        refused(switch, 'perm', perm=perm)
        assert not switch.socket('vm1').exists()

    def test_owner(self, switch):
        path = switch.port_add('vm1', 'vhost', owner='nobody:nogroup')
        status = os.stat(path)
        assert status.st_uid == pwd.getpwnam('nobody').pw_uid
        assert status.st_gid == grp.getgrnam('nogroup').gr_gid

    @pytest.mark.parametrize('owner, uid, gid', [('1234:5678', 1234, 5678), ('1234', 1234, None),
                                                 (':5678', None, 5678), ('daemon:', 1, None)])
    def test_owner_by_number_or_half(self, switch, owner, uid, gid):
        status = os.stat(switch.port_add('vm1', 'vhost', owner=owner))
        assert (status.st_uid, status.st_gid) == (uid or os.getuid(), gid or os.getgid())

    @pytest.mark.parametrize('owner', ['no-such-user', 'root:no-such-group', '12x'])
    def test_unknown_owner(self, switch, owner):
        refused(switch, 'owner: no (user|group)', owner=owner)
        assert not switch.socket('vm1').exists()

    def test_owner_in_client_mode(self, switch):
        refused(switch, 'owner', owner='root', mode='client')

    def test_deleted_with_its_port(self, switch):
        path = switch.port_add('vm1', 'vhost')
        switch.cli('port', 'del', 'vm1')
        assert not path.exists()


class TestPath:
    def test_stale_socket_is_replaced(self, switch):
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(switch.socket('vm1')))
            other.listen()
        assert switch.socket('vm1').exists()
        switch.port_add('vm1', 'vhost')
        connect(switch.socket('vm1')).close()

    def test_living_socket_is_not(self, switch):
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(switch.socket('vm1')))
            other.listen()
            refused(switch, 'in use by another program')
            connect(switch.socket('vm1')).close()

    @pytest.mark.parametrize('kind', [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
    def test_living_socket_of_another_kind_is_not(self, switch, kind):
        with socket.socket(socket.AF_UNIX, kind) as other:
            other.bind(str(switch.socket('vm1')))
            if kind != socket.SOCK_DGRAM:
                other.listen()
            refused(switch, 'in use by another program')
            assert switch.socket('vm1').exists()

    def test_file_is_kept(self, switch):
        switch.socket('vm1').write_text('precious')
        refused(switch, 'exists and is not a socket')
        assert switch.socket('vm1').read_text() == 'precious'

    def test_folder_is_kept(self, switch):
        switch.socket('vm1').mkdir()
        refused(switch, 'exists and is not a socket')
        switch.socket('vm1').rmdir()

    def test_link_is_not_followed(self, switch):
        target = switch.dir / 'target'
        switch.socket('vm1').symlink_to(target)
        refused(switch, 'exists and is not a socket')
        assert not target.exists()

    def test_no_folder(self, switch):
        refused(switch, 'no directory', socket=switch.run / 'none' / 'vm1.sock')

    def test_relative(self, switch):
        refused(switch, 'absolute', socket='vm1.sock')

    def test_longest(self, switch):
        folder = str(switch.run) + '/'
        longest = folder + 's' * (107 - len(folder))
        refused(switch, 'socket: 108 bytes long, at most 107', socket=longest + 's')
        switch.port_add('vm1', 'vhost', socket=longest)
        connect(longest).close()

    @pytest.mark.parametrize('mode', ['server', 'client'])
    def test_of_another_port(self, switch, mode):
        path = switch.port_add('vm0', 'vhost', mode=mode)
        with pytest.raises(SwitchError, match='belongs to another port') as error:
            switch.port_add('vm1', 'vhost', socket=path)
        assert error.value.status == 1
        assert [port['name'] for port in switch.rpc('port.list')] == ['vm0']
        assert path.exists() == (mode == 'server')

    def test_failed_change_keeps_the_port(self, switch):
        path = switch.port_add('vm1', 'vhost')
        switch.socket('vm2').write_text('precious')
        with pytest.raises(SwitchError, match='is not a socket'):
            switch.cli('port', 'set', 'vm1', f"socket={switch.socket('vm2')}")
        assert switch.port('vm1')['socket'] == str(path)
        connect(path).close()

    def test_change(self, switch):
        path = switch.port_add('vm1', 'vhost')
        switch.cli('port', 'set', 'vm1', f"socket={switch.socket('vm2')}")
        assert not path.exists()
        connect(switch.socket('vm2')).close()


GET_FEATURES, SET_FEATURES, GET_QUEUE_NUM = 1, 2, 17    # requests of QEMU's vhost-user protocol
CSUM, GUEST_CSUM, MRG_RXBUF, MQ, PACKED = 1 << 0, 1 << 1, 1 << 15, 1 << 22, 1 << 34
TSO = 1 << 7 | 1 << 8 | 1 << 11 | 1 << 12


def ask(path, request):
    """The number in the answer to a vhost-user request without a payload."""
    with connect(path) as peer:
        peer.sendall(struct.pack('<III', request, 1, 0))
        answer = peer.recv(20, socket.MSG_WAITALL)
    number, flags, size, value = struct.unpack('<IIIQ', answer)
    assert (number, flags & 7, size) == (request, 5, 8)
    return value


class TestOffer:
    @pytest.mark.parametrize('queues', [1, 2, 128])
    def test_queues(self, switch, queues):
        """The front end gets the number of queue pairs that are polled, not librte_vhost's limit.
        """
        path = switch.port_add('vm1', 'vhost', queues=queues)
        assert ask(path, GET_QUEUE_NUM) == queues

    @pytest.mark.parametrize('keys, on, off', [
        ({}, CSUM | GUEST_CSUM | TSO | MRG_RXBUF, PACKED | MQ),
        ({'queues': 2}, MQ, PACKED), ({'packed': 'on'}, PACKED, MQ), ({'tso': 'off'}, CSUM, TSO),
        ({'csum': 'off'}, MRG_RXBUF, CSUM | GUEST_CSUM | TSO),
    ], ids=str)
    def test_features(self, switch, keys, on, off):
        features = ask(switch.port_add('vm1', 'vhost', **keys), GET_FEATURES)
        assert features & on == on and not features & off


def tasks(switch):
    return pathlib.Path(f'/proc/{switch.process.pid}/task').iterdir()


def switches(task):
    """Voluntary context switches of a thread."""
    return int(re.search(r'\nvoluntary_ctxt_switches:\s(\d+)', (task / 'status').read_text())[1])


READ = 0    # number of the system call


def event_thread(switch, path):
    """The thread that serves front ends: it waits for the rest of a message."""
    def waiting():
        return [task for task in tasks(switch)
                if (task / 'syscall').read_text().startswith(f'{READ} ')]
    assert not waiting()
    with connect(path) as peer:
        peer.sendall(struct.pack('<III', SET_FEATURES, 1, 8))
        return wait_until(waiting, 20, 'a thread that reads')[0]


def watched_by_epoll(switch, path):
    """Whether the socket that listens at a path is in an epoll set."""
    process = pathlib.Path(f'/proc/{switch.process.pid}')
    inode = next(line.split()[6] for line in pathlib.Path('/proc/net/unix').read_text().splitlines()
                 if line.endswith(f' {path}'))
    number = next(fd.name for fd in (process / 'fd').iterdir()
                  if fd.is_symlink() and os.readlink(fd) == f'socket:[{inode}]')

    def watches(info):
        try:
            return re.search(rf'^tfd:\s+{number} ', info.read_text(), re.M)
        except FileNotFoundError:    # closed meanwhile
            return False
    return any(watches(info) for info in (process / 'fdinfo').iterdir())


class TestPeers:
    def test_silent_peer(self, switch):
        path = switch.port_add('vm1', 'vhost')
        peer = connect(path)
        wait_until(lambda: 'connected' in switch.port('vm1')['front_end'], 20, 'connection')
        assert switch.port('vm1')['link'] == 'down'
        peer.close()
        wait_until(lambda: switch.port('vm1')['front_end'] == 'none', 20, 'end of connection')

    def test_second_peer_is_refused_until_the_first_left(self, switch):
        path = switch.port_add('vm1', 'vhost')
        first = connect(path)
        wait_until(lambda: switch.port('vm1')['front_end'] != 'none', 20, 'connection')
        for count in (1, 2, 3):
            with connect(path) as second:
                assert second.recv(1) == b''
            wait_until(lambda: switch.port('vm1')['refused'] == str(count), 20, 'refusal')
        first.close()
        wait_until(lambda: switch.port('vm1')['front_end'] == 'none', 20, 'end of connection')
        with connect(path):
            wait_until(lambda: switch.port('vm1')['front_end'] != 'none', 20, 'connection')
        assert switch.port('vm1')['refused'] == '3'

    def test_nonsense(self, switch):
        """Invalid messages end the connection, and the port works afterwards."""
        rand = random.Random(1)
        path = switch.port_add('vm1', 'vhost')
        for _ in range(20):
            with connect(path) as peer:
                try:
                    peer.sendall(rand.randbytes(rand.choice([1, 11, 12, 20, 300, 5000])))
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(4096):
                        pass
                except (BrokenPipeError, ConnectionResetError):
                    pass
            wait_until(lambda: switch.port('vm1')['front_end'] == 'none', 20, 'end of connection')
        assert switch.alive() and switch.port('vm1')['link'] == 'down'

    def test_peers_that_come_and_go(self, switch):
        path = switch.port_add('vm1', 'vhost')
        for _ in range(200):
            connect(path).close()
        wait_until(lambda: switch.port('vm1')['front_end'] == 'none', 20, 'end of connection')
        with connect(path):
            wait_until(lambda: switch.port('vm1')['front_end'] != 'none', 20, 'connection')

    def test_listens_at_once(self, switch):
        """librte_vhost's thread wakes when there is a new socket to listen at."""
        path = switch.port_add('vm0', 'vhost')
        thread = event_thread(switch, path)
        before = switches(thread)
        paths = [switch.port_add(f'vm{number}', 'vhost') for number in range(1, 31)]
        # Either epoll has the socket already, or each new socket wakes the thread.
        if not all(watched_by_epoll(switch, path) for path in paths):
            wait_until(lambda: switches(thread) - before >= 15, 30, 'a wake for each socket')

    def test_event_thread_stays(self, switch):
        """librte_vhost's thread does not end with the last socket, whose removal would wait for it.
        """
        def remains():
            return sorted(int(task.name) for task in tasks(switch))
        path = switch.port_add('vm0', 'vhost')
        thread, threads = event_thread(switch, path), remains()
        switch.rpc('port.del', {'name': 'vm0'})
        assert remains() == threads and int(thread.name) in threads
        assert event_thread(switch, switch.port_add('vm1', 'vhost')) == thread

    def test_port_deleted_while_peers_connect(self, switch):
        for _ in range(50):
            path = switch.port_add('vm1', 'vhost')
            with connect(path), connect(path):
                switch.rpc('port.del', {'name': 'vm1'})
            assert not path.exists()

    def test_client_mode_without_front_end(self, switch):
        path = switch.port_add('vm1', 'vhost', mode='client')
        assert switch.port('vm1')['front_end'] == 'none' and not path.exists()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen()
            other.settimeout(10)
            other.accept()[0].close()
        path.unlink()
