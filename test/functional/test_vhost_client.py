# SPDX-License-Identifier: BSD-3-Clause
"""Ports in client mode: the switch connects to front ends, whenever they begin to listen."""

import contextlib
import os
import pathlib
import shutil
import socket
import time

import pytest

from proc import wait_until

FRONT_ENDS = 40      # one after the other; librte_vhost alone retries once a second
TIMEOUT_S = 20
GAP_S = 0.02         # between bind() and listen(); slower front ends are found within a second


@contextlib.contextmanager
def listening(path, gap=0):
    """A front end that listens, and leaves its socket behind like a killed one."""
    pathlib.Path(path).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as front_end:
        front_end.bind(str(path))
        time.sleep(gap)
        front_end.listen(1)
        front_end.settimeout(TIMEOUT_S)
        yield front_end


def connected(switch, name='vm1'):
    return switch.port(name)['front_end'] != 'none'


def wait_alone(switch, name='vm1'):
    wait_until(lambda: not connected(switch, name), TIMEOUT_S, 'end of connection')


@pytest.fixture
def path(switch):
    """The socket of a port in client mode without a front end."""
    path = switch.port_add('vm1', 'vhost', mode='client')
    assert not connected(switch) and not path.exists()
    yield path
    path.unlink(missing_ok=True)


def connect_all(path, gap=0):
    deadline = time.monotonic() + TIMEOUT_S
    for done in range(FRONT_ENDS):
        assert time.monotonic() < deadline, f'{done} of {FRONT_ENDS} front ends'
        with listening(path, gap) as front_end:
            front_end.accept()[0].close()


class TestLater:
    @pytest.mark.parametrize('gap', [0, GAP_S])
    def test_at_once(self, path, gap):
        """Front ends that start one after the other do not wait for librte_vhost's second."""
        connect_all(path, gap)

    def test_again_on_the_same_socket(self, path):
        """A front end that closes a connection and keeps listening gets another one."""
        with listening(path) as front_end:
            for _ in range(FRONT_ENDS):
                front_end.accept()[0].close()

    def test_socket_renamed(self, path):
        other = path.with_suffix('.new')
        with listening(other) as front_end:
            other.rename(path)
            front_end.accept()[0].close()

    def test_several_ports(self, switch):
        paths = [switch.port_add(f'vm{number}', 'vhost', mode='client') for number in range(8)]
        for path in reversed(paths):
            with listening(path) as front_end:
                front_end.accept()[0].close()
            path.unlink()

    def test_slow_to_listen(self, path):
        """Front ends that attempts after inotify events miss are found by librte_vhost's retries.
        """
        with listening(path, gap=0.5) as front_end:
            front_end.accept()[0].close()


class TestDirectory:
    @pytest.fixture
    def folder(self, switch):
        folder = switch.run / 'later'
        yield folder
        shutil.rmtree(folder, ignore_errors=True)

    def test_directory_created_later(self, switch, folder):
        switch.port_add('vm1', 'vhost', mode='client', socket=folder / 's')
        folder.mkdir()
        with listening(folder / 's') as front_end:
            front_end.accept()[0].close()

    def test_directory_created_again(self, switch, folder):
        """The directory is removed with its socket and created again, as service managers do."""
        folder.mkdir()
        switch.port_add('vm1', 'vhost', mode='client', socket=folder / 's')
        for _ in range(3):
            with listening(folder / 's') as front_end:
                connection = front_end.accept()[0]
                shutil.rmtree(folder)
                folder.mkdir()
                connection.close()
            wait_alone(switch)
        with listening(folder / 's') as front_end:
            front_end.accept()[0].close()


class TestEnd:
    def test_deleted_port_connects_to_nothing(self, switch, path):
        switch.cli('port', 'del', 'vm1')
        with listening(path) as front_end:
            front_end.settimeout(1.5)
            with pytest.raises(TimeoutError):
                front_end.accept()

    def test_one_of_two_in_a_directory(self, switch, path):
        """The directory of the remaining port is still watched."""
        switch.port_add('vm2', 'vhost', mode='client')
        switch.cli('port', 'del', 'vm2')
        connect_all(path)

    def test_port_deleted_and_added_while_front_ends_come(self, switch):
        for _ in range(30):
            path = switch.port_add('vm1', 'vhost', mode='client')
            with listening(path):
                switch.cli('port', 'del', 'vm1')
            path.unlink()
        assert switch.alive()

    def test_full_directory(self, path):
        """Thousands of other files created meanwhile are ignored."""
        names = [path.with_name(f'x{number}') for number in range(2000)]
        for name in names:
            os.close(os.open(name, os.O_CREAT))
        with listening(path) as front_end:
            front_end.accept()[0].close()
        for name in names:
            name.unlink()
