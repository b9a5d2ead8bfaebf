# SPDX-License-Identifier: BSD-3-Clause
"""Makes test/lib importable, skips tests that cannot run here, shares the switch with wires."""

import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))

from bridge import Bridge    # noqa: E402
from switch import Switch    # noqa: E402


def pytest_collection_modifyitems(items):
    """Namespaces, raw sockets and shared memory need root."""
    missing = [name for name in ('setpriv', 'taskset', 'ip', 'ethtool', 'dpdk-testpmd')
               if not shutil.which(name)]
    reason = f"missing: {', '.join(missing)}" if missing else 'needs root' if os.geteuid() else None
    for item in items if reason else []:
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def every_frame_is_accounted_for():
    """Run after each test, in every switch that outlives it; Switch checks the others at their end.
    """
    yield
    for switch in list(Switch.running):
        if switch.alive() and switch.rests:
            switch.assert_balanced()


@pytest.fixture(scope='module')
def four_ports():
    """A switch with ports p1 ... p4, shared by the tests of a module."""
    with Bridge(4, 'fdb: {ageing: 10, moves: 1000}\n') as bridge:
        yield bridge


@pytest.fixture
def bridge(four_ports):
    """The shared switch with an empty FDB and no frames on the wires."""
    four_ports.reset()
    return four_ports


@pytest.fixture(scope='module')
def running():
    """A switch, shared by the tests of a module."""
    with Switch() as switch:
        yield switch


@pytest.fixture
def switch(running):
    """The shared switch without ports."""
    yield running
    for port in running.rpc('port.list'):
        running.rpc('port.del', {'name': port['name']})
