# SPDX-License-Identifier: BSD-3-Clause
"""Frames that a network card reads from a VM's memory, through an IOMMU.

The switch runs in an emulated machine, where VFIO gives it a card; shunt-vm there is the VM, and
the wire is a socket of this process.
"""

import pytest

import inside
import proc
from frames import frame, mac, write_pcap
from proc import wait_until

A, B = mac(0x0a), mac(0x0b)
SIZES = [60, 511, 512, 1000, 1514]
LENT = sum(size >= 512 for size in SIZES)
LAPS = 400    # all descriptors of the card's ring are used several times
FRAMES = [frame(B, A, size=size) for size in SIZES * LAPS]


@pytest.fixture(scope='module', params=['e1000e', 'igb'])
def machine(request):
    """An emulated machine with a card that is port up0 of the switch, and a port vm1."""
    if request.param not in inside.models():
        pytest.skip(f'QEMU has no {request.param}')
    folder = proc.temp_dir('shunt-nic-')
    pcap = write_pcap(folder / 'frames.pcap', FRAMES)
    with inside.Inside(request.param, files=(pcap,)) as running:
        running.wait_boot()
        running.card = running.bind()[0]
        running.start_switch()
        add_card(running)
        running.shunt('port add vm1 vhost socket=/tmp/run/vm1.sock')
        yield running


def add_card(machine):
    machine.shunt(f'port add up0 ethdev device={machine.card}')
    wait_link(machine)


def wait_link(machine):
    wait_until(lambda: port(machine)['link'] == 'up', 20, 'link', 0.1)


def port(machine, name='up0'):
    return machine.json(f'port show {name}')


def replay(machine, keys='in-order=off'):
    """A VM that sends FRAMES and ends once all of its buffers are returned: its job."""
    return machine.spawn(f'shunt-vm socket=/tmp/run/vm1.sock,size=256,{keys} '
                         '-- replay /frames.pcap --max')


def mapped(machine):
    """Whether guest memory is pinned."""
    return int(machine.run("ls /var/run/dpdk/rte | grep -c '^fbarray_extmem' || true"))


@pytest.mark.parametrize('keys', ['in-order=off', 'in-order=off,chain=2', 'in-order=on'],
                         ids=['one buffer', 'chains', 'copied'])
def test_bytes(machine, keys):
    """All frames arrive unchanged, although no frames follow the last ones."""
    before = int(port(machine)['guest_frames_lent'])
    machine.nics[0].drain()
    job = replay(machine, keys)
    assert machine.nics[0].receive(len(FRAMES)) == FRAMES
    job.wait()
    after = port(machine)
    assert after['guest_frames'] == 'by reference'
    assert int(after['guest_frames_lent']) - before == (0 if 'on' in keys else LENT * LAPS)
    wait_until(lambda: mapped(machine) == 0, 30, 'memory given back', 0.2)


def test_as_configured(machine):
    """A port with zero-copy=off copies, and maps no guest memory."""
    machine.shunt('port set up0 zero-copy=off')
    wait_link(machine)
    machine.nics[0].drain()
    job = replay(machine)
    assert machine.nics[0].receive(len(FRAMES)) == FRAMES
    job.wait()
    assert port(machine)['guest_frames'] == 'copied: as configured'
    machine.shunt('port set up0 zero-copy=auto')
    wait_link(machine)
    assert port(machine)['guest_frames'] == 'by reference'


def drain(machine, silence=0):
    """All frames received are valid."""
    assert set(machine.nics[0].drain(silence)) <= set(FRAMES)


def wait_lent(machine):
    """Wait until another frame is sent by reference."""
    before = int(port(machine)['guest_frames_lent'])

    def more():
        drain(machine)
        return int(port(machine)['guest_frames_lent']) > before
    wait_until(more, 20, 'frames lent', 0.01)


def test_vms_and_card_come_and_go(machine):
    """VMs that are killed while they send, and a card that is removed and added meanwhile."""
    vms = machine.spawn('while [ ! -e /tmp/enough ]; do shunt-vm socket=/tmp/run/vm1.sock,'
                        'in-order=off,size=256 -- replay /frames.pcap --max; done; true')
    for _ in range(2):
        wait_lent(machine)
        machine.shunt('port del up0')
        add_card(machine)
        wait_lent(machine)
        machine.run('kill -KILL $(pidof shunt-vm) || true')
    machine.run('touch /tmp/enough')
    wait_until(lambda: drain(machine) or vms.done() is not None, 20, 'VMs', 0.05)
    wait_until(lambda: mapped(machine) == 0, 30, 'memory given back', 0.2)
    drain(machine, silence=0.5)
    test_bytes(machine, 'in-order=off')
    assert machine.switch.done() is None
