# SPDX-License-Identifier: BSD-3-Clause
"""Programs without privileges that root usually has, as in containers.

Each function returns the words to put before a command; their effect ends with it.
"""

import ctypes
import os
import pathlib
import platform
import struct
import sys

# mbind, set_mempolicy, get_mempolicy, migrate_pages, move_pages
POLICY_CALLS = {'x86_64': (237, 238, 239, 256, 279), 'aarch64': (235, 237, 236, 238, 239)}
CGROUPS = pathlib.Path('/sys/fs/cgroup')


def without_policies():
    """Memory policies are refused with EPERM, as by the default profiles of container engines."""
    return [sys.executable, __file__, 'without_policies']


def with_limit(resource, value):
    """A resource limit set by prlimit(1)."""
    return ['prlimit', f'--{resource}={value}']


def with_plugins(folder, names):
    """A folder of plugins that is DPDK's only one."""
    script = ('set -e; copy=$(mktemp -d /run/shunt-copy.XXXXXX); mount -t tmpfs -o mode=755 none "$copy"; '
              + ''.join(f'cp -a "$0"/librte_{name}.so* "$copy"; ' for name in names) +
              'mount --bind "$copy" "$0"; umount -l "$copy"; rmdir "$copy"; exec "$@"')
    return ['unshare', '-m', 'sh', '-c', script, str(folder)]


def without_hugepages(name):
    """A hugetlb cgroup of this name with limit 0. None if the kernel has no such controller."""
    if (CGROUPS / 'cgroup.controllers').exists():
        mount, limit, parent = '', 'max', CGROUPS
        if 'hugetlb' not in (CGROUPS / 'cgroup.subtree_control').read_text():
            return None
    elif 'hugetlb' in pathlib.Path('/proc/cgroups').read_text():
        mount, limit, parent = 'mount -t cgroup -o hugetlb none /mnt;', 'limit_in_bytes', '/mnt'
    else:
        return None
    script = (f'set -e; {mount} mkdir {parent}/{name}; '
              f'for file in {parent}/{name}/hugetlb.[0-9]*B.{limit}; do echo 0 >$file; done; '
              f'echo $$ >{parent}/{name}/cgroup.procs; exec "$@"')
    return ['unshare', '-m', 'sh', '-c', script, 'sh']


def forget_cgroup(name):
    """Remove the empty cgroup that without_hugepages() created."""
    os.system(f'unshare -m sh -c "[ -e {CGROUPS}/cgroup.controllers ] && rmdir {CGROUPS}/{name} || '
              f'{{ mount -t cgroup -o hugetlb none /mnt && rmdir /mnt/{name}; }}"')


def _deny_policies():
    calls = POLICY_CALLS[platform.machine()]
    rules = [(0x20, 0, 0, 0)]    # load the call's number
    rules += [(0x15, len(calls) - n, 0, call) for n, call in enumerate(calls)]
    rules += [(0x06, 0, 0, 0x7fff0000), (0x06, 0, 0, 0x00050001)]    # allow; errno 1
    program = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *rule) for rule in rules))
    prog = struct.pack('HxxxxxxQ', len(rules), ctypes.addressof(program))
    libc = ctypes.CDLL(None)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, prog, 0, 0):
        sys.exit('no seccomp filter')


if __name__ == '__main__':
    _deny_policies()
    os.execvp(sys.argv[2], sys.argv[2:])
