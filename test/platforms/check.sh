#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Tests within a root. STAGES selects some of these, in this order:
#   packages   deps.sh's names are right, for every goal
#   build      make, without a warning
#   unit       unit tests alone
#   demo       two real guests with this root's QEMU
#   test       unit, functional and VM tests
#   lint
# The result in one line goes to /result.
set -uo pipefail
cd /shunt || exit 1

failed=0
results=()

packages() {
    apt-get update -q >/dev/null || return 1
    # shellcheck disable=SC2046 # a list of words
    apt-get install -q --simulate --no-install-recommends \
        $(./deps.sh --list build test demo bench lint) >/dev/null
}

build() {
    make 2>&1 | tee build.log
    [ "${PIPESTATUS[0]}" = 0 ] && ! grep -q 'warning:' build.log
}

demo() { make demo; }

# Run a command of tests, whose last line counts them.
counted() {
    "$@" 2>&1 | tee test.log
    local status=${PIPESTATUS[0]}
    detail=": $(tail -n 1 test.log)"
    return "$status"
}

unit() { ./deps.sh test && counted test/run unit; }

tests() { counted make test; }

lint() {
    # lint uses the list of files of git.
    ./deps.sh lint && git init -q . && git add -A && make lint
}

stage() {
    local name=$1 word=good since=$SECONDS detail=
    shift
    echo "== $name"
    "$@" || { word=FAILED; failed=1; }
    echo "== $name: $word$detail in $((SECONDS - since)) s"
    results+=("$name $word$detail")
    [ $word = good ]
}

# The versions installed, "DPDK 22.11.11, QEMU 7.2.22, ...".
versions() {
    local list
    list="DPDK $(pkg-config --modversion libdpdk)
QEMU $(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')
gcc $(gcc -dumpfullversion)
clang $(clang -dumpversion)
guests' Linux $(find build/guest -name 'linux-image-*.deb' | sed 's/.*linux-image-\([0-9.]*\).*/\1/')"
    grep ' [0-9.]*[0-9]$' <<<"$list" | paste -sd, | sed 's/,/, /g'
}

for name in ${STAGES:-packages build demo test}; do
    case $name in
    test) stage test tests ;;
    packages | build) stage "$name" "$name" || break ;;
    unit | demo | lint) stage "$name" "$name" ;;
    *) echo "platforms: no stage $name" >&2; exit 2 ;;
    esac
done
apt-get -q autoclean >/dev/null
{
    printf '%s; ' "${results[@]}"
    versions 2>/dev/null
} >/result
exit $failed
