# SPDX-License-Identifier: BSD-3-Clause
"""The machine: assignment of CPUs, hugepages, and the header block of a report (RFC 8204)."""

import contextlib
import os
import pathlib
import platform
import re
import subprocess
import time
from typing import NamedTuple

import proc

HUGE_PAGES = pathlib.Path('/sys/kernel/mm/hugepages/hugepages-2048kB')
HUGE_PAGES_WANTED = 3072
RING_SIZE = 1024
NICE = -19
BUSY_WARNING = 0.1    # of a CPU, used by other processes


class Places(NamedTuple):
    """CPUs: of the switch, of the generator, and of all other threads."""
    switch: int
    generator: int
    control: int


def read(path, otherwise=''):
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return otherwise


def _parse_list(text):
    """'0-2,7' as a set."""
    numbers = set()
    for part in filter(None, text.split(',')):
        first, _, last = part.partition('-')
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def _siblings(cpu):
    return _parse_list(read(f'/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list',
                            str(cpu)))


def _node(cpu):
    nodes = pathlib.Path(f'/sys/devices/system/cpu/cpu{cpu}').glob('node[0-9]*')
    return next((int(path.name[4:]) for path in nodes), 0)


def places():
    """Two physical cores of one node for the switch and the generator; the first CPU for the rest.

    With two CPUs the rest shares the generator's, with one they all share it.
    """
    allowed = sorted(os.sched_getaffinity(0))
    cores = [cpu for cpu in allowed if cpu == min(_siblings(cpu) & set(allowed))]
    near = [cpu for cpu in cores if _node(cpu) == _node(cores[-1])]
    cores = near if len(near) >= 2 else cores if len(cores) >= 2 else allowed
    if len(cores) >= 3:
        return Places(cores[-1], cores[-2], cores[0])
    return Places(cores[-1], cores[0], cores[0])


@contextlib.contextmanager
def huge_pages():
    """Enough hugepages for all switches at once; the previous number is restored."""
    before = int(read(HUGE_PAGES / 'nr_hugepages', '0'))
    raised = before < HUGE_PAGES_WANTED
    if raised:
        _set_huge_pages(HUGE_PAGES_WANTED)
    try:
        yield int(read(HUGE_PAGES / 'nr_hugepages', '0'))
    finally:
        if raised:
            _set_huge_pages(before)


def _set_huge_pages(count):
    with contextlib.suppress(OSError):
        (HUGE_PAGES / 'nr_hugepages').write_text(str(count))


def tsc_hz():
    """From the kernel's calibration, or 0."""
    text = subprocess.run(['dmesg'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, errors='replace', check=False).stdout
    found = re.findall(r'tsc: (?:Detected|Refined TSC clocksource calibration:) ([\d.]+) MHz', text)
    found += re.findall(r'cpu MHz\s*: ([\d.]+)', read('/proc/cpuinfo'))
    return float(found[0]) * 1e6 if found else 0


def take_precedence():
    """Raise the priority over other programs on the same CPUs, as far as permitted; NICE=0 does
    not."""
    nice = int(os.environ.get('NICE') or NICE)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        prefer('self')


def prefer(pid):
    """Of the session of a process too, by which the kernel shares CPUs (autogroup)."""
    with contextlib.suppress(OSError):
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        pathlib.Path(f'/proc/{pid}/autogroup').write_text(str(nice))


def busy_others(seconds=0.5):
    """The usage of each CPU, as {cpu: 0..1}, while the bench itself sleeps."""
    before = _cpu_times()
    time.sleep(seconds)
    after = _cpu_times()
    return {cpu: 1 - (after[cpu][1] - before[cpu][1]) / max(after[cpu][0] - before[cpu][0], 1)
            for cpu in before}


def _cpu_times():
    """{cpu: (all ticks, idle ticks)}."""
    times = {}
    for number, ticks in re.findall(r'^cpu(\d+) (.*)$', read('/proc/stat'), re.M):
        fields = [int(word) for word in ticks.split()][:8]
        times[int(number)] = sum(fields), fields[3] + fields[4]
    return times


def warn_if_busy(where):
    """A line of text if other processes use the CPUs measured on, else None."""
    busy = busy_others()
    used = [f'CPU {cpu} {busy.get(cpu, 0):.0%}' for cpu in sorted({where.switch, where.generator})
            if busy.get(cpu, 0) > BUSY_WARNING]
    return f"other programs keep busy: {', '.join(used)}; figures suffer" if used else None


def package_version(name):
    done = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', name], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.strip() if done.returncode == 0 else None


def _revision():
    words = ['git', '-C', str(proc.ROOT), 'describe', '--always', '--dirty']
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False)
    return done.stdout.strip() or 'unknown'


def _memory():
    kilobytes = re.search(r'MemTotal:\s+(\d+)', read('/proc/meminfo'))
    return f'{int(kilobytes[1]) / 2**20:.0f} GB' if kilobytes else 'unknown'


def _cpu_model():
    info = read('/proc/cpuinfo')
    field = {key: (re.search(rf'^{key}\s*: (.*)$', info, re.M) or [0, '?'])[1]
             for key in ('model name', 'cpu family', 'model', 'stepping')}
    return ('{model name} (family {cpu family}, model {model}, stepping {stepping})'
            .format(**field))


def _boot_parameters():
    """The options of the kernel's command line that matter for speed."""
    names = ('isolcpus', 'nohz', 'rcu_nocbs', 'mitigations', 'hugepages', 'intel_pstate', 'idle',
             'processor.max_cstate', 'default_hugepagesz', 'preempt')
    words = [word for word in read('/proc/cmdline').split() if word.startswith(names)]
    return ' '.join(words) or 'none that matter'


def _caches():
    parts = []
    for index in sorted(pathlib.Path('/sys/devices/system/cpu/cpu0/cache').glob('index*')):
        if read(index / 'type') != 'Instruction':
            parts.append(f"L{read(index / 'level')} {read(index / 'size')}")
    return ', '.join(parts) or 'unknown'


def header(where, pages, versions):
    """The header block, in the order in which it is printed; versions is {switch: text}."""
    hypervisor = 'virtual machine' if 'hypervisor' in read('/proc/cpuinfo') else 'bare metal'
    return {
        'date': time.strftime('%Y-%m-%d %H:%M:%S %Z'),
        'CPU': f'{os.cpu_count()} x {_cpu_model()}, {hypervisor}',
        'TSC': f'{tsc_hz() / 1e9:.3f} GHz',
        'caches': _caches(),
        'memory': f'{_memory()}, {pages} hugepages of 2 MB',
        'kernel': f'{platform.system()} {platform.release()}',
        'boot parameters': _boot_parameters(),
        'pinning': f'switch polls on CPU {where.switch}, generator on CPU {where.generator}, '
                   f'control on CPU {where.control}',
        'rings': f'{RING_SIZE} descriptors, one queue pair per port',
        'DPDK': package_version('libdpdk-dev') or package_version('dpdk') or 'unknown',
        'revision': _revision(),
        **versions,
    }
