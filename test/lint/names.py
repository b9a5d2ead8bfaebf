#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Functions begin with the noun of their module (CONTRIBUTING.md).

A function's prefix is the name of its folder or of its file, the first part of the file's name, or a
noun of the table NOUNS; that of a static function may also be the last part of the file's name.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# {folder or file: {noun: why its functions begin with it}}
NOUNS = {
    "app/shunt-vm/attack.c": {"mode": "a mode, which mode.h declares"},
    "lib/vring": {"virtq": "virtio's name of a ring's structure (virtio 1.2 section 2.7)"},
    "lib/control": {"methods": "methods.h declares what the files of RPC methods define"},
    "lib/control/rpc_socket.c": {"client": "struct rpc_client"},
    "lib/datapath/header_runs.h": {"fdb_batch": "header runs are kept for the FDB batch"},
    "lib/datapath/trace.c": {"tracer": "struct tracer"},
    "lib/frame/segment.c": {"offload": "offload.h declares it"},
    "lib/port/counters.c": {"drop": "the texts of drop.h"},
}

NO_CODE = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\])*"|^#(?:[^\n]*\\\n)*[^\n]*', re.DOTALL | re.MULTILINE)
# The layout is that of .clang-format: a function's name begins the line after its type.
FUNCTION = re.compile(r"^([A-Za-z_][^\n;{}()=]*(?:\([^\n]*\))?[^\n;{}()=]*)\n([a-z_][a-z0-9_]*)\(",
                      re.MULTILINE)


def blank(text):
    return NO_CODE.sub(lambda found: "\n" * found.group().count("\n"), text)


def functions(path):
    """(line, name, static) of each function that a file defines."""
    text = blank(path.read_text())
    for found in FUNCTION.finditer(text):
        rest = text[found.end():]
        if rest.find("{") < rest.find(";") or ";" not in rest:
            line = text.count("\n", 0, found.start(2)) + 1
            yield line, found.group(2), "static" in found.group(1) and path.suffix == ".c"


def prefixes(name, static):
    path = Path(name)
    parts = path.stem.split("_")
    return {path.parent.name, path.stem, parts[0], *(parts[-1:] if static else ()),
            *NOUNS.get(str(path.parent), ()), *NOUNS.get(name, ())}


def sources():
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--",
         "lib/*.[ch]", "drivers/*.[ch]", "app/*.[ch]"],
        cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE).stdout.split()
    return [name for name in listing if (ROOT / name).exists()]


def main():
    bad, seen = [], 0
    for name in sources():
        for line, function, static in functions(ROOT / name):
            seen += 1
            allowed = prefixes(name, static)
            if not any(function == prefix or function.startswith(prefix + "_")
                       for prefix in allowed):
                bad.append(f"{name}:{line}: {function}() begins with none of "
                           f"{', '.join(sorted(allowed))}")
    if seen < 900:
        sys.exit(f"only {seen} functions found")
    for line in bad:
        print(line)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
