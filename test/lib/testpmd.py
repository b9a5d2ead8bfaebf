# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-testpmd with virtio-user devices: front ends that are not part of this project.

    with Testpmd(virtio(switch.socket('vm1'))) as pmd:
        pmd.command('set fwd txonly', 'start')
"""

import pathlib
import re
import shutil
import subprocess

import proc
from netns import Netns
from proc import Process, wait_until
from wire import Wire

PROMPT = 'testpmd> '
KEEP_RX = '--no-flush-rx'


def virtio(socket, number=0, **options):
    """The device string of a front end; '_' in options is kept, as DPDK spells them."""
    words = [f'net_virtio_user{number}', f'path={socket}']
    return ','.join(words + [f'{key}={value}' for key, value in options.items()])


class Testpmd:
    """One testpmd in interactive mode, on the helper CPU. devices are DPDK device strings.

    Ports are numbered in the order of the devices. `start` discards the frames in their queues
    unless an argument is KEEP_RX.
    """

    __test__ = False    # not a class of tests for pytest

    def __init__(self, *devices, queues=1, arguments=(), memory=64):
        self.dir = proc.temp_dir('shunt-pmd-')
        self.devices, self.queues, self.memory = devices, queues, memory
        self.arguments = list(arguments)
        self.process = None
        self.read = 0

    def argv(self):
        cpu = proc.cpus()[0]
        vdevs = [word for device in self.devices for word in ('--vdev', device)]
        return ['stdbuf', '-oL', 'dpdk-testpmd', '--lcores', f'0@{cpu},1@{cpu}', '--no-pci',
                '--no-huge', '-m', self.memory, '--no-shconf', '--no-telemetry', *vdevs, '--', '-i',
                '--total-num-mbufs=4096', '--no-mlockall', f'--rxq={self.queues}',
                f'--txq={self.queues}', *self.arguments]

    def start(self, timeout=30):
        """Start it and wait for its prompt: its devices run. Returns self."""
        self.process = Process(self.argv(), self.dir / 'log', stdin=subprocess.PIPE)
        self.read = 0
        try:
            self._answer(timeout)
        except BaseException:
            self.kill9()
            raise
        return self

    def _answer(self, timeout):
        def text():
            log = self.process.log.read_text(errors='replace')[self.read:]
            if log.endswith(PROMPT):
                return log
            assert self.process.alive(), f'testpmd ended:\n{self.process.tail()}'
            return None
        answer = wait_until(text, timeout, 'testpmd', 0.01)
        self.read += len(answer)
        return answer

    def command(self, *lines, timeout=10):
        """Execute commands in order; the output of the last one."""
        answer = ''
        for line in lines:
            self.process.popen.stdin.write(line.encode() + b'\n')
            self.process.popen.stdin.flush()
            answer = self._answer(timeout)
        return answer

    def stats(self, port=0):
        """{'RX-packets': 1, ...} of a port since it was started."""
        text = self.command(f'show port stats {port}')
        return {name: int(value) for name, value in re.findall(r'([RT]X-\w+):\s*(\d+)', text)}

    def queue_packets(self, port=0):
        """{'rx_q0': packets, 'tx_q0': packets, ...}"""
        text = self.command(f'show port xstats {port}')
        found = re.findall(r'([rt]x_q\d+)_good_packets: (\d+)', text)
        return {name: int(value) for name, value in found}

    def quit(self):
        """Quit: the devices are closed."""
        self.process.popen.stdin.write(b'stop\nquit\n')
        self.process.popen.stdin.flush()
        return self.process.wait(20)

    def kill9(self):
        if self.process:
            self.process.kill9()
            self.process.popen.stdin.close()

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *_):
        self.kill9()
        shutil.rmtree(self.dir, ignore_errors=True)


class WiredGuest:
    """A guest as a wire: testpmd passes frames between its virtio device and a veth, unchanged.

    .wire is the other end of the veth; .pmd the testpmd, whose port 0 is the virtio device.
    """

    def __init__(self, socket, queues=1, arguments=(), **options):
        self.space = Netns()
        self.listens_at = pathlib.Path(socket) if options.get('server') else None
        options.setdefault('queues', queues)
        veth = self.space.veth('eth0')
        devices = virtio(socket, **options), f'net_af_packet0,iface={veth},qpairs={queues}'
        self.pmd = Testpmd(*devices, queues=queues, arguments=arguments)
        self.wire = Wire('eth0', self.space.name)

    def start(self):
        self._remove_socket()
        self.pmd.start()
        self.pmd.command('set fwd io', 'start')
        return self

    def _remove_socket(self):
        """A killed testpmd leaves its listening socket, and cannot use it again."""
        if self.listens_at:
            self.listens_at.unlink(missing_ok=True)

    def __enter__(self):
        return self if self.pmd.process else self.start()

    def __exit__(self, *_):
        self.pmd.__exit__()
        self._remove_socket()
        self.wire.close()
        self.space.close()
