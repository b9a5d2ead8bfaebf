# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's bridge between two taps, as VMs use it without a vhost-user switch.

The guest's side of a tap is a system call per frame and direction; dpdk-testpmd's net_tap makes
them. The kernel forwards in the sender's context, on the same CPU, so that cycles of a switch core
cannot be given. (With vhost-net in the kernel it would be faster; its cost is not separable
either.) All of it is in a network namespace of its own.
"""

import platform
import re
import shutil
import time

import proc
from netns import Netns

from .switch import Absent, Unsuited
from .testpmd import Console

MACS = ('02:64:74:61:70:30', '02:64:74:61:70:31')    # assigned to net_tap by mac=fixed
FRAME_MAX = 1518
START_SECONDS = 0.3


class LinuxBridge:
    """Two taps and a bridge; testpmd circulates frames through them."""
    name = 'bridge'
    quick = True
    self_contained = True

    def __init__(self, places):
        self.places = places

    @classmethod
    def check(cls):
        for program, package in (('ip', 'iproute2'), ('dpdk-testpmd', 'dpdk')):
            if not shutil.which(program):
                raise Absent(f'{program} is not here (package {package})')
        try:
            with Netns() as space:
                space.run('ip link add bridge0 type bridge')
        except Exception as error:    # this kernel has no namespaces, or no bridge
            raise Absent(' '.join(str(error).split())) from None

    @classmethod
    def version(cls):
        return f'Linux {platform.release()}, two taps, generator testpmd net_tap; no cycles'

    def suits(self, scenario):
        if scenario.section != 'frames' or scenario.touch or scenario.frame > FRAME_MAX:
            raise Unsuited('two taps, two addresses, frames of the usual sizes only')

    def measure(self, scenario, seconds):
        """Frames per second through the bridge."""
        with Netns() as space:
            folder = proc.temp_dir('bench-tap-')
            console = Console(space.argv(*self.argv(scenario)), folder, 'tap')
            try:
                return self.traffic(console, space, scenario, seconds)
            finally:
                console.process.kill9()
                console.close()
                shutil.rmtree(folder, ignore_errors=True)

    def argv(self, scenario):
        cpus = f'0@{self.places.control},1@{self.places.switch}'
        words = ['dpdk-testpmd', '--lcores', cpus, '--in-memory', '--no-pci', '--no-telemetry',
                 '--log-level=error']
        for number in range(2):
            words += ['--vdev', f'net_tap{number},iface=tap{number},mac=fixed']
        return [*words, '--', '-i', '--nb-cores=1', '--forward-mode=io', '--no-mlockall',
                f'--txpkts={scenario.bytes}', f'--eth-peer=0,{MACS[1]}', f'--eth-peer=1,{MACS[0]}']

    def traffic(self, console, space, scenario, seconds):
        console.command('show config fwd', timeout=20)
        space.run('ip link add bridge0 type bridge')
        for number in range(2):    # the addresses of the taps must differ from those of the frames
            tap = f'tap{number}'
            space.run(f'echo 1 >/proc/sys/net/ipv6/conf/{tap}/disable_ipv6; ip link set {tap}'
                      f' address 02:00:00:00:ff:0{number} master bridge0 up')
        space.run('ip link set bridge0 up')
        console.command('start tx_first 8')
        time.sleep(START_SECONDS)
        before, since = self.received(console), time.monotonic()
        time.sleep(seconds)
        after, until = self.received(console), time.monotonic()
        mpps = (after - before) / (until - since) / 1e6
        if not mpps:
            raise RuntimeError('no frame passed the bridge')
        return {'mpps': mpps, 'gbps': mpps * scenario.bytes * 8 / 1000}

    @staticmethod
    def received(console):
        text = console.command('show port stats all')
        return sum(int(count) for count in re.findall(r'RX-packets: (\d+)', text))
