#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What `make demo` shows.
#   DEMO=guests   two Linux guests ping each other and run iperf3 through shuntd (the default)
#   DEMO=pcap     frames from two capture files go through shuntd; PCAP=FILE takes yours
# SHUNT_BUILD names the build folder (default: build). Exit status 0 only if traffic flowed.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case ${DEMO:-guests} in
guests | pcap) ;;
*) echo "demo: DEMO is guests or pcap, not '$DEMO'" >&2; exit 2 ;;
esac
# Debian's own Python: the one that python3-scapy is for.
exec /usr/bin/python3 "$here/${DEMO:-guests}.py"
