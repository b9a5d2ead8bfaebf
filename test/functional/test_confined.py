# SPDX-License-Identifier: BSD-3-Clause
"""Restrictions of containers and small installations: hugepages, memory policies, plugins."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

import confine
import proc
from switch import Switch

ENOUGH_MB = 96
FEW_ADDRESSES = pytest.mark.skipif(proc.sanitized(), reason='sanitizers need addresses')


@pytest.fixture
def hugepages():
    """Some hugepages are free: otherwise there is nothing to deny."""
    if proc.hugepages_free_mb() < ENOUGH_MB:
        pytest.skip('no hugepages')


@pytest.fixture
def cgroup():
    name = f'shunt-{os.getpid()}'
    wrapper = confine.without_hugepages(name)
    if wrapper is None:
        pytest.skip('no hugetlb controller')
    yield wrapper
    confine.forget_cgroup(name)


def warnings(switch):
    return [line for line in proc.tail(switch.log, 60).splitlines() if 'hugepages' in line]


class TestHugepages:
    """The switch runs with 4 KB pages, and one line gives the reason."""

    def check(self, wrapper, says, **keys):
        with Switch(wrapper=wrapper, **keys) as switch:
            switch.port_add('vm1', 'vhost')
            lines = warnings(switch)
        assert len(lines) == 1 and 'using 4 KB pages' in lines[0], lines
        assert re.search(says, lines[0]), lines

    def test_cgroup(self, hugepages, cgroup):
        self.check(cgroup, 'cgroup')

    def test_policies(self, hugepages):
        """Debian 13's libnuma takes EPERM for a kernel without policies: hugepages are used there.
        """
        before = proc.hugepages_free_mb()
        with Switch(wrapper=confine.without_policies()) as switch:
            switch.port_add('vm1', 'vhost')
            lines, free = warnings(switch), proc.hugepages_free_mb()
        assert free < before if not lines else 'seccomp' in lines[0] and free == before, lines

    @pytest.mark.parametrize('resource, value, says', [
        pytest.param('as', 8 << 30, 'addresses', marks=FEW_ADDRESSES),
        ('fsize', 1 << 20, 'size of files')])
    def test_limits(self, hugepages, resource, value, says):
        self.check(confine.with_limit(resource, value), says)

    @FEW_ADDRESSES
    def test_arguments_are_kept(self, hugepages):
        """With EAL arguments that need hugepages the switch gets them or does not start; with --no-
        huge there is no message."""
        with Switch(wrapper=confine.without_policies(), eal=['--no-huge', '-m', '300']) as switch:
            assert not warnings(switch)
        self.check(confine.with_limit('as', 8 << 30), 'addresses', eal=['--in-memory'])
        for eal in ['--in-memory'], ['-m', '64']:
            with Switch(eal=eal) as switch:
                assert not warnings(switch)

    def test_hugepages_without_limits(self, hugepages):
        before = proc.hugepages_free_mb()
        with Switch() as switch:
            switch.port_add('vm1', 'vhost')
            assert not warnings(switch) and proc.hugepages_free_mb() < before


def test_policies_without_hugepages():
    with Switch(wrapper=confine.without_policies(), eal=['--no-huge', '-m', '512']) as switch:
        switch.port_add('vm1', 'vhost')


def plugins():
    """The folder from which this DPDK loads its plugins."""
    done = subprocess.run(['sh', '-c', 'echo RTE_EAL_PMD_PATH | cc $(pkg-config --cflags libdpdk) '
                           '-include rte_build_config.h -E -P -'], stdout=subprocess.PIPE,
                          check=True, text=True)
    return pathlib.Path(done.stdout.strip().strip('"'))


class TestPlugins:
    """Each plugin is a package of its own; a missing one is named, with its package."""

    @pytest.fixture(scope='class')
    def folder(self):
        return plugins()

    @staticmethod
    def names(text, plugin):
        package = f'librte-{plugin.replace("_", "-")}'
        return re.search(rf'lacks its plugin librte_{plugin} .*apt install {package}\d+\)', text)

    def test_mempool(self, folder):
        path = proc.temp_dir()
        wrapper = confine.with_plugins(folder, ['bus_vdev'])
        done = subprocess.run([*wrapper, proc.program('shuntd'), '-c', '/dev/null',
                               '-s', path / 'sock', '--', '--no-huge', '-m', '300'],
                              stderr=subprocess.PIPE, text=True, timeout=20,
                              env=dict(os.environ, RUNTIME_DIRECTORY=str(path)))
        shutil.rmtree(path)
        assert done.returncode == 2 and done.stderr.count('\n') == 1
        assert self.names(done.stderr, 'mempool_ring'), done.stderr

    @pytest.mark.parametrize('there, plugin, device', [
        ('bus_vdev', 'bus_pci', '0000:99:00.0'),
        ('bus_vdev', 'bus_pci', 'pci:99:00.0'),
        ('bus_pci', 'bus_vdev', 'net_null0'),
        ('bus_pci bus_vdev', 'net_null', 'net_null0,copy=1'),
        ('bus_pci bus_vdev', 'net_af_packet', 'net_af_packet0,iface=lo'),
        ('bus_pci bus_vdev net_null', 'net_bond', 'net_bonding0'),
        ('bus_pci bus_vdev', 'net_virtio', 'net_virtio_user0,path=/x')])
    def test_devices(self, folder, there, plugin, device):
        """The switch runs without the plugin, and a port that needs it is refused."""
        wrapper = confine.with_plugins(folder, ['mempool_ring', *there.split()])
        with Switch(wrapper=wrapper) as switch:
            done = switch.cli('port', 'add', 'x', 'ethdev', f'device={device}', check=False)
            assert done.returncode == 1 and done.stderr.count('\n') == 1
            assert self.names(done.stderr, plugin), done.stderr
            switch.port_add('vm1', 'vhost')

    def test_a_name_that_no_plugin_has(self):
        with Switch() as switch:
            done = switch.cli('port', 'add', 'x', 'ethdev', 'device=net_bogus0', check=False)
        assert done.returncode == 1 and 'net_bogus0' in done.stderr and 'lacks' not in done.stderr
