#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Boots a root as a container with the host's network: boot.sh ROOT. To be started in mount and PID
# namespaces of its own. The container has a unified hierarchy of cgroups, independently of the host.
set -euo pipefail

mount -t proc proc /proc
umount -R /sys/fs/cgroup || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group=/sys/fs/cgroup/shunt-packages.$RANDOM
mkdir "$group"
echo 0 >"$group/cgroup.procs"
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
status=0
timeout 900 systemd-nspawn --quiet --register=no --keep-unit --directory="$1" --boot --console=pipe \
    --capability=CAP_NET_ADMIN,CAP_IPC_LOCK --resolv-conf=copy-host </dev/null >/dev/null ||
    status=$?
echo 0 >/sys/fs/cgroup/cgroup.procs
find "$group" -depth -type d -exec rmdir {} \;
exit $status
