# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces with veth pairs, for ports that are "NICs" (net_af_packet and similar).

    with Netns() as ns:
        port = ns.veth(ip='10.0.0.3/24')        # eth0 inside; the switch gets the end returned
        ns.run('ping -c1 10.0.0.1')
"""

import atexit
import itertools
import os
import random
import re
import shutil
import subprocess

import proc
from host import Host

_numbers = itertools.count(1)
_open = set()


def ip(*words):
    """Run ip(8); its output, or RuntimeError with its message if it fails."""
    done = subprocess.run(['ip', *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


def _index():
    """An interface index far from those of other tests: net_af_packet names the fanout group of a
    device by process id xor index, in 16 bits, so that similar ids and indexes can collide."""
    return random.randrange(1 << 17, 1 << 30)


def purge():
    """Delete the namespaces of test runs that have ended."""
    for name, pid in re.findall(r'^(shunt-(\d+)-\d+)', ip('netns', 'list'), re.M):
        if not os.path.exists(f'/proc/{pid}'):
            ip('netns', 'del', name)


class Netns(Host):
    """A network namespace without IPv6 and without offloads, whose traffic is predictable."""

    def __init__(self):
        number = next(_numbers)
        super().__init__(f'shunt-{os.getpid()}-{number}', None, str(proc.temp_dir('shunt-ns-')))
        self.prefix = f'sv{os.getpid()}n{number}'
        self.links = []
        if number == 1:
            purge()
        ip('netns', 'add', self.name)
        _open.add(self)
        self.run('for file in /proc/sys/net/ipv6/conf/*/disable_ipv6; do'
                 ' [ ! -e $file ] || echo 1 >$file; done; ip link set lo up')

    def veth(self, ifname='eth0', ip_address=None, mac=None, mtu=None):
        """Add a veth pair; returns the name of the outer end, which is up and has no addresses."""
        outside = f'{self.prefix}{chr(ord("a") + len(self.links))}'
        ip('link', 'add', 'name', outside, 'index', _index(), 'type', 'veth', 'peer', 'name', ifname,
           'netns', self.name)
        self.links.append(outside)
        self._quiet(outside)
        self.run(f'{_offloads_off(ifname)}; ip link set {ifname} '
                 + (f'address {mac} ' if mac else '') + (f'mtu {mtu} ' if mtu else '') + 'up')
        ip('link', 'set', outside, *(('mtu', mtu) if mtu else ()), 'up')
        if ip_address:
            self.run(f'ip addr add {ip_address} dev {ifname}')
            self.ip = self.ip or ip_address
        return outside

    @staticmethod
    def _quiet(ifname):
        """Disable offloads and IPv6 on an interface outside of the namespace."""
        subprocess.run(_offloads_off(ifname), shell=True, check=True)
        path = f'/proc/sys/net/ipv6/conf/{ifname}/disable_ipv6'
        if os.path.exists(path):
            with open(path, 'w', encoding='ascii') as file:
                file.write('1')

    def argv(self, *words):
        """The command line that runs a command inside."""
        return ['ip', 'netns', 'exec', self.name, *map(str, words)]

    def call(self, command, timeout=30):
        """(status, output) of a shell command inside."""
        try:
            done = subprocess.run(self.argv('sh', '-c', command), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            return 137, (error.output or b'').decode(errors='replace')
        return done.returncode, done.stdout.decode(errors='replace')

    def close(self):
        """Kill the processes inside and delete the namespace, with its links."""
        if self not in _open:
            return
        _open.discard(self)
        for pid in ip('netns', 'pids', self.name).split():
            try:
                os.kill(int(pid), 9)
            except ProcessLookupError:
                pass
        for link in self.links:
            subprocess.run(['ip', 'link', 'del', link], stderr=subprocess.DEVNULL, check=False)
        ip('netns', 'del', self.name)
        shutil.rmtree(self.tmp, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _offloads_off(ifname):
    return f'ethtool -K {ifname} tx off rx off gso off tso off gro off >/dev/null 2>&1'


def _close_all():
    for namespace in list(_open):
        try:
            namespace.close()
        except (OSError, RuntimeError):
            pass


atexit.register(_close_all)
