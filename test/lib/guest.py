# SPDX-License-Identifier: BSD-3-Clause
"""Real guests: Linux under QEMU with virtio-net on a vhost-user socket.

    with Guest('vm1', switch.socket('vm1'), mac='02:00:00:00:00:01', ip='10.0.0.1/24') as vm:
        vm.wait_boot()
        print(vm.run('ip addr'))

The guest's image is built by test/vm/image.sh. Emulation (TCG) is used on purpose: it works
everywhere, with or without /dev/kvm.
"""

import functools
import pathlib
import re
import shutil
import subprocess

import proc
from agent import Agent, AgentError
from host import Host
from proc import Process, wait_until
from qmp import Qmp, QmpError

QEMU = 'qemu-system-x86_64'
NO_OFFLOADS = ('csum=off,gso=off,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,'
               'guest_ufo=off,host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off')


# The kernel omits what these tests do not need, for a faster boot under emulation.
KERNEL_OPTIONS = ('console=ttyS0 quiet panic=-1 mitigations=off nokaslr ipv6.disable=1 audit=0 '
                  'apparmor=0 selinux=0 init_on_alloc=0 cryptomgr.notests noreplace-smp')


class GuestError(Exception):
    """The guest has ended, or cannot be created."""


@functools.cache
def image():
    """The folder of the image, which is built at first use."""
    done = subprocess.run([proc.ROOT / 'test/vm/image.sh', proc.build_dir() / 'guest'],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise GuestError(done.stderr.strip())
    return pathlib.Path(done.stdout.strip())


@functools.cache
def qemu_version():
    """(major, minor)"""
    text = subprocess.run([QEMU, '--version'], stdout=subprocess.PIPE, text=True, check=True).stdout
    major, minor = re.search(r'version (\d+)\.(\d+)', text).groups()
    return int(major), int(minor)


def qemu_reconnects():
    """Whether QEMU as client can reconnect: 11.0 aborts with the option of other versions."""
    return qemu_version() != (11, 0)


class Guest(Host):
    """One guest. mode is that of QEMU's socket: 'client' connects to the switch (port mode=server),
    and reconnects every `reconnect` seconds; 'server' listens (port mode=client), at .sock by
    default. ip has a prefix length. Guests that were stopped or killed by kill9() can be started
    again, on the same socket. printed is the output of `shunt port qemu`: memory and device of the
    guest are those options only."""

    start_timeout = 10

    def __init__(self, name, sock=None, mode='client', mac=None, ip=None, queues=1, mem=256,
                 tso=True, mtu=None, host_mtu=None, reconnect=None, ring_size=None,
                 device_options='', append='', image_dir=None, cpu=None, printed=None):
        super().__init__(name, ip, '/tmp')
        self.dir = proc.temp_dir(f'shunt-{name}-')
        self.sock, self.mode, self.mac = str(sock or self.dir / 'net'), mode, mac
        self.queues, self.mem, self.tso = queues, mem, tso
        self.mtu, self.host_mtu = mtu, host_mtu
        self.reconnect, self.ring_size = reconnect, ring_size
        self.device_options, self.append = device_options, append
        self.printed = printed
        self.image = pathlib.Path(image_dir) if image_dir else None
        self.cpu = proc.cpus()[0] if cpu is None else cpu
        self.process = self.agent = self.monitor = None
        self.boots = 0

    # Command line

    def _device(self):
        options = ['virtio-net-pci', 'netdev=n0', 'romfile=']
        if self.mac:
            options.append(f'mac={self.mac}')
        if qemu_version() < (8, 0):
            options.append('vectors=0')    # 7.2 crashes with vhost-user, MSI-X and TCG
        elif self.queues > 1:
            options.append(f'vectors={2 * self.queues + 2}')
        if self.queues > 1:
            options.append('mq=on')
        if self.host_mtu:
            options.append(f'host_mtu={self.host_mtu}')
        if self.ring_size:
            options += [f'rx_queue_size={self.ring_size}', f'tx_queue_size={self.ring_size}']
        if not self.tso:
            options.append(NO_OFFLOADS)
        if self.device_options:
            options.append(self.device_options)
        return ','.join(options)

    def _kernel_options(self):
        options = {'name': self.name, 'ip': self.ip, 'mtu': self.mtu or self.host_mtu,
                   'queues': self.queues}
        words = [f'shunt.{key}={value}' for key, value in options.items() if value]
        return ' '.join([KERNEL_OPTIONS, *words, self.append]).strip()

    def _chardev(self):
        chardev = f'socket,id=c0,path={self.sock}'
        if self.mode == 'server':
            return chardev + ',server=on,wait=off'
        if not self.reconnect:
            return chardev
        if qemu_version() < (9, 2):
            return f'{chardev},reconnect={self.reconnect}'
        return f'{chardev},reconnect-ms={1000 * self.reconnect}'

    def _network(self):
        """Options for memory and device."""
        if self.printed:
            return ['-machine', 'q35', '-m', '1G', *map(self._for_tcg, self._printed_words())]
        return [
            '-machine', 'q35,memory-backend=mem', '-m', f'{self.mem}M',
            '-object', f'memory-backend-memfd,id=mem,size={self.mem}M,share=on',
            '-chardev', self._chardev(),
            '-netdev', f'vhost-user,id=n0,chardev=c0,queues={self.queues}',
            '-device', self._device(),
        ]

    def _printed_words(self):
        return [word for line in self.printed['qemu'] for word in line.split(' ', 1)]

    @staticmethod
    def _for_tcg(word):
        """Changes that the hint of `shunt port qemu` recommends."""
        if not word.startswith('virtio-net-pci,') or qemu_version() >= (8, 0):
            return word
        return re.sub(r',vectors=\d+', '', word) + ',vectors=0'

    def argv(self):
        folder = self.image or image()
        return [
            QEMU, '-name', self.name, '-accel', 'tcg', '-cpu', 'max', '-smp', self.queues,
            *self._network(), '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
            '-kernel', folder / 'vmlinuz', '-initrd', folder / 'initramfs.cpio.gz',
            '-append', self._kernel_options(),
            '-serial', f'file:{self.dir}/console',
            '-chardev', f'socket,id=ctl,path={self.dir}/agent,server=on', '-serial', 'chardev:ctl',
            '-qmp', f'unix:{self.dir}/qmp,server=on,wait=off',
        ]

    # Life

    def start(self):
        """Start QEMU, which boots once the switch is connected. Returns self."""
        for name in ('agent', 'qmp', 'console'):
            (self.dir / name).unlink(missing_ok=True)
        self.process = Process(self.argv(), self.dir / 'qemu.log', cpu=self.cpu)
        try:
            self.agent = wait_until(self._connect_agent, self.start_timeout,
                                    f'{self.name}: start of QEMU')
        except BaseException:
            self.kill9()
            raise
        return self

    def _connect_agent(self):
        self._check()
        try:
            return Agent(self.dir / 'agent', self._check)
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    def _check(self):
        """Raise if the guest has ended."""
        if not self.process or not self.process.alive():
            status = self.process.popen.returncode if self.process else None
            raise GuestError(f'{self.name}: it is not running (status {status})\n{self.logs()}')

    def logs(self):
        """The ends of QEMU's log and of the guest's console."""
        return (f'--- {self.name} QEMU\n{proc.tail(self.dir / "qemu.log")}\n'
                f'--- {self.name} console\n{proc.tail(self.dir / "console")}')

    def wait_boot(self, timeout=60):
        """Wait until the guest accepts commands. Returns self."""
        try:
            self.agent.wait_ready(timeout)
        except TimeoutError as error:
            raise GuestError(f'{error}\n{self.logs()}') from None
        self.boots += 1
        return self

    @property
    def qmp(self):
        """The QMP connection, opened at first use."""
        if self.monitor is None:
            self.monitor = Qmp(self.dir / 'qmp')
        return self.monitor

    def reboot(self, inside=False, timeout=60):
        """Reset the machine (or reboot from inside) and wait until it has booted."""
        before = self.agent.boot_id
        # -no-reboot makes QEMU exit after a panic; an intended reboot is permitted meanwhile.
        self.qmp.execute('set-action', reboot='reset')
        if inside:
            self.agent.send('reboot -f')    # QEMU may close the connection before it answers
        else:
            self.qmp.execute('system_reset')
        try:
            self.agent.wait_ready(timeout, other_than=before)
        except TimeoutError as error:
            raise GuestError(f'{error}\n{self.logs()}') from None
        self.qmp.execute('set-action', reboot='shutdown')
        self.boots += 1

    def kill9(self):
        """kill -9 of QEMU."""
        if self.process:
            self.process.kill9()
        self._disconnect()

    def stop(self):
        """Switch the machine off and remove its files."""
        if self.process and self.process.alive():
            try:
                self.qmp.execute('quit')
                self.process.wait(5)
            except (OSError, QmpError, TimeoutError):
                pass
        self.kill9()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _disconnect(self):
        for connection in (self.agent, self.monitor):
            if connection:
                connection.close()
        self.process = self.agent = self.monitor = None

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *_):
        self.stop()

    # Commands

    def call(self, command, timeout=30):
        """(status, output) of a shell command in the guest."""
        try:
            status, output = self.agent.run(command, timeout)
        except (TimeoutError, AgentError) as error:
            raise GuestError(f'{self.name}: {error}\n{self.logs()}') from None
        return status, output.decode(errors='replace')
