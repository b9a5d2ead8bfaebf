#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs `make demo`.
#   DEMO=guests   two Linux guests ping each other and run iperf3 through shuntd (the default)
#   DEMO=pcap     frames from two capture files go through shuntd; PCAP=FILE takes another one
# SHUNT_BUILD names the build folder (default: build). Exit status 0 only if traffic flowed.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case ${DEMO:-guests} in
guests | pcap) ;;
*) echo "demo: DEMO is guests or pcap, not '$DEMO'" >&2; exit 2 ;;
esac
# The Python of Debian, for which python3-scapy is installed.
exec /usr/bin/python3 "$here/${DEMO:-guests}.py"
