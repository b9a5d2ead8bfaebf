#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Install the default configuration if there is none: install-config.sh FILE
set -eu
target=${DESTDIR:-}/etc/shunt/shunt.yaml
[ ! -e "$target" ] || exit 0
install -D -m 644 "$1" "$target"
