#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs a command in a root: enter.sh ROOT PACKAGES COMMAND... PACKAGES is a folder for the downloads of
# apt. SHARE is a folder, if any, that is the same within the root as outside.
set -euo pipefail

# All mounts end with this namespace: one that remained, such as /dev, would be deleted with the root.
[ "$1" = --entered ] || exec unshare --mount --propagation private "$0" --entered "$@"
shift

root=$1 packages=$2
shift 2

mkdir -p "$packages"
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
mkdir -p "$root/dev/hugepages"
mount -t hugetlbfs hugetlbfs "$root/dev/hugepages"
# `ip netns` has its namespaces below /run and needs mounts there to propagate.
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount --make-shared "$root/run"
mount --bind "$packages" "$root/var/cache/apt/archives"
if [ -n "${SHARE:-}" ]; then
    mkdir -p "$root$SHARE"
    mount --bind "$SHARE" "$root$SHARE"
fi
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp -L /etc/hosts "$root/etc/hosts"
exec chroot "$root" /usr/bin/env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
