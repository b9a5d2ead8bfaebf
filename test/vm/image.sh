#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the guest that tests and demo boot: Debian's cloud kernel and an initramfs
# (busybox, iperf3, ethtool, virtio modules) in DIR/{vmlinuz,initramfs.cpio.gz}.
# Usage: image.sh [--refresh] [DIR]     DIR defaults to <root>/build/guest; prints DIR.
# Nothing is installed. All files are kept: with an unchanged tree it does nothing, and it needs
# the network only for the first kernel (or with --refresh).
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REFRESH=no
[ "${1:-}" = --refresh ] && { REFRESH=yes; shift; }
DIR=${1:-${SHUNT_GUEST:-${SHUNT_BUILD:-$HERE/../../build}/guest}}

BOOT_MODULES="virtio_pci virtio_net"    # loaded by init
EXTRA_MODULES="8021q vfio-pci vfio_iommu_type1 igb"    # loaded by the guest's `load` command
PROGRAMS="iperf3 ethtool"
META=linux-image-cloud-amd64

die() { echo "guest image: $*" >&2; exit 1; }

check_host() {
    [ "$(dpkg --print-architecture)" = amd64 ] || die "only amd64 guests are supported"
    local need=() program
    for program in $PROGRAMS cpio; do
        command -v "$program" >/dev/null || need+=("$program")
    done
    [ -n "$(static_busybox)" ] || need+=(busybox-static)
    [ ${#need[@]} = 0 ] || die "missing packages; as root: apt-get install ${need[*]}"
}

static_busybox() {
    local path
    path=$(command -v busybox) || return 0
    if ! ldd "$path" >/dev/null 2>&1; then echo "$path"; fi
}

# The dependencies of a package whose names have this prefix.
depends() { apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *Depends: \\($2.*\\)/\\1/p"; }

# The kernel's packages; since Linux 7 its modules and the kernel itself have packages of their own.
kernel_packages() {
    local package
    package=$(depends "$META" linux-image- | head -1)
    [ -z "$package" ] || echo "$package" "$(depends "$package" linux-binary-)" "$(depends "$package" linux-modules-)"
}

download_kernel() {
    local packages tmp
    packages=$(kernel_packages)
    if [ -z "$packages" ] && [ "$(id -u)" = 0 ]; then
        apt-get -qq update >/dev/null 2>&1 || true
        packages=$(kernel_packages)
    fi
    [ -n "$packages" ] || die "apt does not know $META; as root: apt-get update"
    tmp=$(mktemp -d "$DIR/download.XXXXXX")
    # shellcheck disable=SC2086  # a list of words
    if ! (cd "$tmp" && apt-get -qq download $packages >log 2>&1); then
        die "cannot download ${packages%% *} ($(grep '^E:' "$tmp/log" | head -1)); go online once, or put its .deb into $DIR"
    fi
    rm -f "$DIR"/linux-*.deb
    mv "$tmp"/*.deb "$DIR"/
}

kernel_debs() { find "$DIR" -maxdepth 1 -name 'linux-*.deb' | sort; }

# The fingerprint of all inputs of the image.
inputs() {
    local program
    { cat "$HERE"/{image.sh,vmlinux.py} "$HERE"/guest/*; kernel_debs | sed 's:.*/::'; cat "$(static_busybox)"
      for program in $PROGRAMS; do cat "$(command -v "$program")"; done; } | sha256sum
}

copy_program() {
    local root=$1 path library
    path=$(command -v "$2")
    cp -L "$path" "$root/bin/"
    # pthread_cancel() loads libgcc_s.so.1, which ldd does not list; it is beside libc.
    ldd "$path" | grep -o '/[^ ]*' | sed 'p; /libc\.so/!d; s/libc\.so.*/libgcc_s.so.1/' |
    while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -L "$library" "$root$library"
    done
}

# The file of a module below /lib or /usr/lib, unpacked if necessary; no output if it is built in.
module_file() {
    local kernel=$1 name=$2 file
    file=$(find "$kernel" -path '*/lib/modules/*' \( -name "$name.ko" -o -name "$name.ko.xz" \) | head -1)
    case $file in
    *.xz) "$(static_busybox)" unxz "$file"; file=${file%.xz} ;;
    esac
    echo "$file"
}

# Copies the named modules and their dependencies (unless built into this kernel) and writes their
# names, in the order to load them, to the list.
copy_modules() {
    local root=$1 kernel=$2 list=$3 name file
    shift 3
    for name; do
        file=$(module_file "$kernel" "$name")
        if [ -z "$file" ] || grep -qx "$name" "$list" 2>/dev/null; then continue; fi
        # shellcheck disable=SC2046  # a list of words
        copy_modules "$root" "$kernel" "$list" \
            $(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | tr , ' ')
        cp "$file" "$root/lib/modules/"
        echo "$name" >>"$list"
    done
}

build() {
    local work=$1 root=$1/root kernel=$1/kernel deb program image
    for deb in $(kernel_debs); do dpkg -x "$deb" "$kernel"; done
    mkdir -p "$root"/{bin,etc,dev,proc,sys,tmp,lib/modules}
    ln -s bin "$root/sbin"
    cp -L "$(static_busybox)" "$root/bin/busybox"
    for program in $("$root/bin/busybox" --list); do
        [ "$program" = busybox ] || ln -s busybox "$root/bin/$program"
    done
    for program in $PROGRAMS; do rm -f "$root/bin/$program"; copy_program "$root" "$program"; done
    copy_modules "$root" "$kernel" "$root/etc/modules" $BOOT_MODULES
    for program in $EXTRA_MODULES; do
        copy_modules "$root" "$kernel" "$root/etc/modules.$program" "$program"
    done
    install -m 755 "$HERE/guest/init" "$root/init"
    install -m 755 "$HERE"/guest/{agent,load} "$root/bin/"
    (cd "$root" && find . | sort | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$work/initramfs.cpio.gz"
    # In /boot, or since Linux 7 beside the modules.
    image=$(find "$kernel" -name 'vmlinuz*' | head -1)
    "$HERE/vmlinux.py" "$image" "$work/vmlinuz" 2>/dev/null || cp "$image" "$work/vmlinuz"
}

check_host
mkdir -p "$DIR" 2>/dev/null || die "cannot write $DIR"
DIR=$(cd "$DIR" && pwd)
{ : >>"$DIR/lock"; } 2>/dev/null || die "cannot write $DIR"
exec 9>>"$DIR/lock"
flock 9
WORK=
trap 'rm -rf "$WORK" "$DIR"/download.*' EXIT
if [ "$REFRESH" = yes ] || [ -z "$(kernel_debs)" ]; then download_kernel; fi
stamp=$(inputs)
if [ ! -s "$DIR/vmlinuz" ] || [ ! -s "$DIR/initramfs.cpio.gz" ] ||
   [ "$(cat "$DIR/stamp" 2>/dev/null)" != "$stamp" ]; then
    rm -f "$DIR/stamp"
    rm -rf "$DIR"/work.*
    WORK=$(mktemp -d "$DIR/work.XXXXXX")
    build "$WORK"
    mv "$WORK/vmlinuz" "$WORK/initramfs.cpio.gz" "$DIR"/
    echo "$stamp" >"$DIR/stamp"
fi
echo "$DIR"
