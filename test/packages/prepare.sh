#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Within a root: the requirements of live.sh beside the packages, and a unit that runs it at boot.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends systemd-sysv jq man-db >/dev/null
cat >/etc/systemd/system/live.service <<END
[Unit]
Wants=systemd-tmpfiles-setup.service
After=systemd-tmpfiles-setup.service
[Service]
Type=oneshot
StandardOutput=append:/shunt/live.log
StandardError=inherit
ExecStart=/bin/sh -c '/shunt/test/packages/live.sh; echo \$? >/shunt/live.status'
ExecStopPost=/bin/systemctl poweroff --no-block
[Install]
WantedBy=multi-user.target
END
systemctl enable --quiet live.service
