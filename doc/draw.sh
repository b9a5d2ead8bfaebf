#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Draw the pictures of the documents from their text: every doc/*.dot becomes an SVG beside it,
# which carries the checksum of its source so that a check can tell when it is out of date.
set -euo pipefail
cd "$(dirname "$0")"
command -v dot >/dev/null || { echo 'draw.sh: needs dot: apt-get install graphviz' >&2; exit 1; }
for source in *.dot; do
    picture=${source%.dot}.svg
    dot -Tsvg "$source" -o "$picture"
    printf '<!-- drawn from %s, sha256 %s -->\n' "$source" "$(sha256sum "$source" | cut -d' ' -f1)" \
        >>"$picture"
done
