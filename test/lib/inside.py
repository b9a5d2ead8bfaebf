# SPDX-License-Identifier: BSD-3-Clause
"""The switch inside a guest that has network cards and an IOMMU, as on a physical machine.

    with Inside(Nic('e1000e')) as machine:
        machine.start_switch()
        machine.shunt('port add up0 ethdev device=0000:01:00.0')
        machine.nics[0].send(frame)

The other end of each card is a datagram socket of this process.
"""

import functools
import json
import os
import pathlib
import re
import select
import shlex
import shutil
import socket
import subprocess
import time

import guest
import proc
from guest import Guest

PMDS = pathlib.Path('/usr/lib/x86_64-linux-gnu/dpdk')
DRIVERS = ('bus_pci', 'bus_vdev', 'mempool_ring', 'net_e1000')
PROGRAMS = ('shuntd', 'shunt', 'shunt-vm')
SOCK = '/tmp/run/shunt.sock'
FRAME_MAX = 65536


def libraries(path):
    text = subprocess.run(['ldd', path], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [pathlib.Path(name) for name in re.findall(r'(/\S+) \(0x', text)]


def links(path):
    """A file and the symbolic links that lead to it: libraries are found by one of these names."""
    real = pathlib.Path(os.path.realpath(path.parent)) / path.name
    found = [real]
    while found[-1].is_symlink():
        target = found[-1].parent / os.readlink(found[-1])
        found.append(pathlib.Path(os.path.realpath(target.parent)) / target.name)
    return found


@functools.cache
def image(*files):
    """The guest's image, with the switch, DPDK and further files added in /."""
    root = proc.temp_dir('shunt-inside-')
    programs = [proc.program(name) for name in PROGRAMS]
    pmds = sorted(path for name in DRIVERS for path in PMDS.glob(f'pmds-*/librte_{name}.so*'))
    wanted = {library for path in [*programs, *pmds] for library in libraries(path)}
    wanted |= set(pmds) | {pathlib.Path('/lib/x86_64-linux-gnu/libgcc_s.so.1')}
    for path in {link for one in wanted for link in links(one)}:
        to = root / path.relative_to('/')
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, to, follow_symlinks=False)
    (root / 'bin').mkdir()
    for program in programs:
        shutil.copy2(program, root / 'bin')
    for file in files:
        shutil.copy2(file, root)
    pack = f'find . | cpio --quiet -o -H newc -R 0:0 >{shlex.quote(str(root))}.cpio'
    subprocess.run(['sh', '-c', pack], cwd=root, check=True)
    out = root.parent / f'{root.name}.img'
    base = guest.image() / 'initramfs.cpio.gz'
    packed = base.read_bytes()
    packed += bytes(-len(packed) % 4)    # the kernel looks for another archive at such an offset
    out.write_bytes(packed + pathlib.Path(f'{root}.cpio').read_bytes())
    shutil.rmtree(root)
    return out


@functools.cache
def models():
    """The models of network cards that QEMU has."""
    text = subprocess.run([guest.QEMU, '-device', 'help'], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False).stdout
    return set(re.findall(r'^name "([^"]+)", bus PCI', text, re.MULTILINE))


class Nic:
    """A network card of the guest; its other end is a socket of this process."""

    def __init__(self, model, number, folder, options=''):
        self.model, self.number, self.options = model, number, options
        self.ours, self.theirs = folder / f'nic{number}', folder / f'nic{number}.qemu'
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(self.ours))

    def argv(self):
        name = f'nic{self.number}'
        return ['-device', f'pcie-root-port,id=port{self.number},chassis={self.number + 1}',
                '-netdev', f'dgram,id={name},local.type=unix,local.path={self.theirs},'
                           f'remote.type=unix,remote.path={self.ours}',
                '-device', f'{self.model},netdev={name},bus=port{self.number},romfile='
                           f'{self.options}']

    def receive(self, count, timeout=20):
        """This many frames, or those received before the timeout."""
        frames, deadline = [], time.monotonic() + timeout
        while len(frames) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                break
            frames.append(self.sock.recv(FRAME_MAX))
        return frames

    def drain(self, silence=0):
        """All frames received until none arrives for this many seconds."""
        frames = []
        while select.select([self.sock], [], [], silence)[0]:
            frames.append(self.sock.recv(FRAME_MAX))
        return frames


class Inside(Guest):
    """A guest with network cards, and the switch in it."""

    def __init__(self, *models_, files=(), mem=768, name='inside'):
        super().__init__(name, mem=mem)
        self.nics = [Nic(model, number, self.dir) for number, model in enumerate(models_)]
        self.files = files
        self.switch = None

    def argv(self):
        folder = guest.image()
        cards = [word for nic in self.nics for word in nic.argv()]
        options = self._kernel_options() + ' intel_iommu=on iommu=pt hugepages=128'
        return [
            guest.QEMU, '-name', self.name, '-accel', 'tcg,thread=single', '-cpu', 'max', '-smp', 3,
            '-machine', 'q35', '-m', f'{self.mem}M',
            '-device', 'intel-iommu,intremap=on,aw-bits=48',
            '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
            '-kernel', folder / 'vmlinuz', '-initrd', image(*self.files), '-append', options,
            '-serial', f'file:{self.dir}/console',
            '-chardev', f'socket,id=ctl,path={self.dir}/agent,server=on', '-serial', 'chardev:ctl',
            '-qmp', f'unix:{self.dir}/qmp,server=on,wait=off', *cards,
        ]

    def bind(self):
        """Bind all cards to vfio-pci: their addresses."""
        self.run('load vfio-pci; load vfio_iommu_type1; mkdir -p /dev/hugepages; '
                 'mount -t hugetlbfs huge /dev/hugepages')
        addresses = self.run('cd /sys/bus/pci/devices; grep -l 0x020000 */class').split()
        addresses = [line.split('/')[0] for line in addresses]
        for address in addresses:
            self.run(f'echo vfio-pci >/sys/bus/pci/devices/{address}/driver_override; '
                     f'echo {address} >/sys/bus/pci/drivers_probe')
        return addresses

    def start_switch(self, *eal):
        self.run('mkdir -p /tmp/run /var/run')
        self.switch = self.spawn(f"exec shuntd -s {SOCK} --lcores 1 -- {' '.join(eal)}")
        self.run(f'shunt -s {SOCK} wait 20')

    def shunt(self, words):
        """The output of `shunt WORDS`."""
        return self.run(f'shunt -s {SOCK} {words}')

    def json(self, words):
        return json.loads(self.run(f'shunt -s {SOCK} -j {words}'))
