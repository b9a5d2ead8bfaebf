# SPDX-License-Identifier: BSD-3-Clause
"""Guests without QEMU: user-mode-linux, whose kernel itself is the vhost-user front end.

    with Uml('uml1', switch.socket('uml1'), ip='10.0.0.1/24') as guest:
        guest.wait_boot()

They run the image of test/vm/image.sh with the modules of their own kernel added, and accept
commands like other guests. They connect to the switch (port mode=server) once, and it must run by
then.
"""

import functools
import gzip
import lzma
import pathlib
import shutil
import socket
import subprocess

import proc
from agent import Agent
from guest import Guest, image
from proc import Process

PROGRAM = 'linux.uml'
MODULES = pathlib.Path('/usr/lib/uml/modules')
DRIVER = 'virtio_net.ko'
# Its memory is an executable file in a tmpfs of its own, which ends with it.
WRAPPER = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o exec uml /dev/shm && exec "$@"', 'sh']


def missing():
    """The reason why there can be no such guest here, or None."""
    return None if shutil.which(PROGRAM) else 'this release has no package user-mode-linux'


def driver_files():
    """The network driver's modules, in the order to load them."""
    folder = next(MODULES.iterdir())
    for line in (folder / 'modules.dep').read_text().splitlines():
        path, _, needs = line.partition(':')
        if DRIVER in path:
            return [folder / name for name in [*reversed(needs.split()), path]]
    raise FileNotFoundError(f'{DRIVER} in {folder}/modules.dep')


@functools.cache
def initramfs():
    """The guests' image with these modules; later files replace earlier ones."""
    root = proc.temp_dir('shunt-uml-image-')
    (root / 'lib/modules').mkdir(parents=True)
    (root / 'etc').mkdir()
    names = []
    for path in driver_files():
        data = path.read_bytes()
        names.append(path.name.partition('.ko')[0])
        (root / f'lib/modules/{names[-1]}.ko').write_bytes(
            lzma.decompress(data) if path.suffix == '.xz' else data)
    (root / 'etc/modules').write_text('\n'.join([*names, '']))
    files = '\n'.join(str(path.relative_to(root)) for path in sorted(root.rglob('*')))
    archive = subprocess.run(['cpio', '--quiet', '-o', '-H', 'newc', '-R', '0:0'], cwd=root,
                             input=files.encode(), stdout=subprocess.PIPE, check=True).stdout
    done = root / 'initramfs'
    done.write_bytes((image() / 'initramfs.cpio.gz').read_bytes() + gzip.compress(archive, 1))
    return done


class Uml(Guest):
    """One guest; killed with kill9() it can be started again, on the same socket."""

    def __init__(self, name, sock, ip=None, mem=128, cpu=None):
        super().__init__(name, sock, ip=ip, mem=mem, cpu=cpu)

    def argv(self):
        return [*WRAPPER, PROGRAM, f'mem={self.mem}M', f'initrd={initramfs()}', 'root=/dev/ram0',
                f'uml_dir={self.dir}/', 'umid=uml', f'virtio_uml.device={self.sock}:1',
                'con0=null,fd:1', 'con=null', 'ssl=null', 'ssl1=fd:0,fd:0', 'console=tty0', 'quiet',
                'panic=-1', f'shunt.name={self.name}', f'shunt.ip={self.ip}']

    def start(self):
        """Start the kernel; its second serial line is the standard input. Returns self."""
        path = self.dir / 'agent'
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen()
            self.agent = Agent(path, self._check)
            line, _ = listening.accept()
        with line:
            self.process = Process(self.argv(), self.dir / 'console', cpu=self.cpu, stdin=line,
                                   env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin',
                                        'HOME': str(self.dir), 'TMPDIR': '/dev/shm'})
        return self

    def logs(self):
        """The end of the guest's console."""
        return f'--- {self.name}\n{proc.tail(self.dir / "console")}'

    def stop(self):
        self.kill9()
        shutil.rmtree(self.dir, ignore_errors=True)
