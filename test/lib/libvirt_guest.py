# SPDX-License-Identifier: BSD-3-Clause
"""Guests started by libvirt, from the XML that `shunt port qemu` prints.

virt-qemu-run runs libvirt's QEMU driver in a process, with a folder for all of its files: there is
no daemon, and the libvirt of the machine is not touched. It runs in its own process namespace, so
that no QEMU remains, and in its own mount namespace, since it needs a user of Debian's that may not
exist.
"""

import pathlib
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import guest
from guest import Guest, GuestError

RUN = 'virt-qemu-run'
UNSHARE = ['unshare', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child']
USER = {'passwd': 'libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin\n',
        'group': 'libvirt-qemu:x:64055:\nlibvirt:x:64056:\n'}

# As root, and without what containers may lack.
DRIVER = """user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
stdio_handler = "file"
"""

DOMAIN = """<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name>
  <memory unit='MiB'>{mem}</memory>
  <vcpu>{cpus}</vcpu>
  {domain}
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{image}/vmlinuz</kernel>
    <initrd>{image}/initramfs.cpio.gz</initrd>
    <cmdline>{kernel}</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <emulator>{emulator}</emulator>
    <serial type='file'><source path='{folder}/console'/><target port='0'/></serial>
    <serial type='unix'><source mode='bind' path='{folder}/agent'/><target port='1'/></serial>
    <memballoon model='none'/>
    {interface}
  </devices>
  {override}
</domain>
"""

# QEMU 7.2 without KVM: described in doc/guests.md.
OVERRIDE = """<qemu:override>
    <qemu:device alias='{alias}'>
      <qemu:frontend>
        <qemu:property name='vectors' type='unsigned' value='0'/>
      </qemu:frontend>
    </qemu:device>
  </qemu:override>"""


def why_not():
    """The reason why libvirt cannot start guests here; None if it can."""
    if not shutil.which(RUN):
        return f'{RUN} (libvirt-daemon) is not installed'
    done = subprocess.run([*UNSHARE, 'true'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    return f'no namespaces: {done.stdout.strip()}' if done.returncode else None


class LibvirtGuest(Guest):
    """One guest; printed is the output of `shunt -j port qemu`. Only kill9() and stop() end it."""

    start_timeout = 60    # libvirt queries QEMU's capabilities first

    def _interface(self):
        """The printed interface; with an alias that the workarounds for 7.2 use, and no boot ROM.
        """
        element = ElementTree.fromstring(self.printed['libvirt'])
        ElementTree.SubElement(element, 'alias', name=self._alias())
        ElementTree.SubElement(element, 'rom', enabled='no')
        return ElementTree.tostring(element, encoding='unicode')

    def _alias(self):
        return f'ua-{self.name}'

    def _domain(self):
        old = guest.qemu_version() < (8, 0)
        return DOMAIN.format(
            name=self.name, mem=self.mem, cpus=self.queues, folder=self.dir,
            domain=self.printed['libvirt_domain'], interface=self._interface(),
            image=self.image or guest.image(), kernel=self._kernel_options(),
            emulator=shutil.which(guest.QEMU),
            override=OVERRIDE.format(alias=self._alias()) if old else '')

    def argv(self):
        root = pathlib.Path(self.dir) / 'libvirt'
        (root / 'etc').mkdir(parents=True, exist_ok=True)
        (root / 'etc/qemu.conf').write_text(DRIVER)
        (root / 'domain.xml').write_text(self._domain())
        for name, lines in USER.items():
            (root / name).write_text(pathlib.Path('/etc', name).read_text() + lines)
        binds = ' && '.join(f'mount --bind {root}/{name} /etc/{name}' for name in USER)
        # The shell remains: as process 1 it reaps children of QEMU, for which libvirt waits.
        return [*UNSHARE, 'sh', '-c', f'{binds} && {RUN} --root {root} {root}/domain.xml; exit']

    def logs(self):
        logs = [path.read_text(errors='replace')[-2000:]
                for path in pathlib.Path(self.dir, 'libvirt/log').glob('qemu/*.log')]
        return '\n'.join([super().logs(), *logs])

    def reboot(self, inside=False, timeout=60):
        raise GuestError('libvirt has the monitor')
