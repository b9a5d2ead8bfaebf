#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# In a booted system: install the packages, run them, upgrade, remove, purge.
set -eEuo pipefail
cd /shunt
export DEBIAN_FRONTEND=noninteractive
trap 'echo "FAILED: live.sh, line $LINENO: $BASH_COMMAND"
    journalctl -u shuntd --no-pager | tail -20' ERR

packages() {
    apt-get -q -y -o Dpkg::Options::=--force-confold "$@" >/tmp/apt.log 2>&1 ||
        { tail -20 /tmp/apt.log; return 1; }
}
is() { systemctl --quiet "is-$1" shuntd; }
main_pid() { systemctl show -P MainPID shuntd; }
version() { dpkg-query -W -f '${Version}' shunt; }
# Files of the packages, or created by their programs; without this tree, and those of apt and dpkg.
left() {
    find / -xdev \( -path /shunt -o -path /proc -o -path /sys -o -path /tmp -o -path /var/lib/apt \
        -o -path /var/cache/apt -o -path /var/cache/man -o -path /var/log \) -prune -o -path '*shunt*' -print
    find /run -path '*shunt*'
}

echo '- install'
packages install ./build/deb/shunt{,-vm,-doc}_*.deb
if is active || is enabled; then echo "FAILED: started unasked"; exit 1; fi
man -w shuntd shunt shunt-vm >/dev/null

exposure=$(systemd-analyze security --no-pager shuntd |
    sed -n 's/.*level for shuntd.service: \([0-9]*\.[0-9]\).*/\1/p')
echo "- the unit, of exposure $exposure"
[ "${exposure%.*}" -lt 5 ]
verify=$(systemd-analyze verify shuntd.service 2>&1)
[ -z "$verify" ] || { echo "$verify"; false; }
debian/tests/service
debian/tests/frames

echo '- upgrade while frames pass'
cat >/etc/shunt/shunt.yaml <<END
lcores: "1"
ports:
  vm1: {type: vhost, socket: /run/shunt/vm/vm1.sock}
  vm2: {type: vhost, socket: /run/shunt/vm/vm2.sock}
END
cp /etc/shunt/shunt.yaml /tmp/shunt.yaml
systemctl enable --quiet --now shuntd
shunt-vm -j --seconds 600 --rate 1k --verify /run/shunt/vm/vm1.sock /run/shunt/vm/vm2.sock -- send \
    >/tmp/vm.json &
vm=$!
before=$(main_pid)
received() { shunt -j port show vm1 | jq .rx_packets; }
until [ "$(received)" -gt 0 ]; do sleep 0.2; done
packages install ./build/next/*.deb
[[ $(version) == *+next ]]
[ "$(main_pid)" = "$before" ] && is active && is enabled
cmp /etc/shunt/shunt.yaml /tmp/shunt.yaml
[ "$(systemctl show -P NeedDaemonReload shuntd)" = no ]
count=$(received)
until [ "$(received)" -gt "$count" ]; do sleep 0.2; done
kill -INT $vm
wait $vm
jq -e '.rx_packets > 0 and .lost == 0' /tmp/vm.json >/dev/null
systemctl restart shuntd
[ "$(shunt -j status | jq .ports)" = 2 ]

echo '- remove'
packages remove shunt shunt-vm shunt-doc
if is active; then echo "FAILED: runs on"; exit 1; fi
cmp /etc/shunt/shunt.yaml /tmp/shunt.yaml
[ ! -e /usr/sbin/shuntd ] && [ ! -e /run/shunt ]

echo '- purge'
packages purge shunt shunt-vm shunt-doc
systemctl daemon-reload
left >/tmp/left
if [ -s /tmp/left ]; then echo "FAILED: left behind:"; cat /tmp/left; exit 1; fi
getent passwd shunt >/dev/null # accounts stay, so that none gets their numbers
