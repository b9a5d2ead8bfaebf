#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Within a root: `make deb`, and checks of its packages before their installation.
set -euo pipefail
cd /shunt
export DEBIAN_FRONTEND=noninteractive

fail() { echo "FAILED: $*"; exit 1; }
files() { find . -path ./build -prune -o -type f -print | sort; }

# Without debhelper, and without permission to install it: an error, and no other effect.
if says=$(setpriv --reuid nobody --clear-groups make deb 2>&1); then fail "make deb without debhelper"; fi
echo "$says" | grep -q '^missing packages, .* debhelper' || fail "make deb without debhelper: $says"
[ "$(echo "$says" | grep -vc '^make')" = 1 ] || fail "more than one line: $says"
[ ! -e build ] || fail "make deb without debhelper left a build folder"

files >/tmp/before
DEB_BUILD_OPTIONS='' make deb
files >/tmp/after
cmp /tmp/before /tmp/after || fail "make deb changes the tree"

apt-get install -y -q --no-install-recommends lintian autopkgtest >/dev/null
lintian --allow-root --fail-on error,warning build/deb/*.changes

# `make install` puts the same files in place, beside what Debian adds to a package.
unit_dir=$(dpkg-deb -c build/deb/shunt_*.deb | sed -n 's,.* \.\(/.*\)/shuntd.service,\1,p')
make BUILD=build-install MESON_OPTIONS="--prefix=/usr -Dunitdir=$unit_dir" \
    DESTDIR=/tmp/install install
[ "$(stat -c %a /tmp/install/etc/shunt/shunt.yaml)" = 644 ]
(cd /tmp/install && find . -type f | sed 's/\.gz$//' | sort) >/tmp/installed
for package in build/deb/*.deb; do
    case $package in *-dbgsym_*) ;; *) dpkg-deb --fsys-tarfile "$package" | tar -t ;; esac
done | grep -v '/$' | grep -vE '/(copyright|changelog.gz)$' | sed 's/\.gz$//' | sort >/tmp/packaged
diff /tmp/installed /tmp/packaged || fail "make install and the packages differ"

# The next version, with another default configuration.
mkdir -p build/next
dpkg-deb -R build/deb/shunt_*.deb /tmp/next
sed -i 's/^Version: .*/&+next/' /tmp/next/DEBIAN/control
echo '# of the next version' >>/tmp/next/etc/shunt/shunt.yaml
dpkg-deb -b /tmp/next build/next >/dev/null

# The tests of debian/tests that need no init; boot.sh runs the others.
autopkgtest build/deb/shunt_*_amd64.deb build/deb/shunt-vm_*_amd64.deb build/deb/shunt_*.dsc \
    -- null || [ $? = 2 ] # some were skipped
