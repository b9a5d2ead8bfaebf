#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Check the rules of CONTRIBUTING.md on the code's structure.

Files and functions stay short, a layer uses only the layers before it, libraries use no driver or
program, headers compile alone, every file names its licence, atomics are those of C11.
"""
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LAYERS = ["base", "event", "lcore", "frame", "vring", "port", "fdb", "vlan", "rate", "capture",
          "snoop", "datapath", "features", "control", "metrics", "config", "stats"]
CONTROL_FILES = ("control.c", "method.c")    # of a feature; these are of the layer control
FILE_LINES = 500
DATAPATH_LINES = 300
DATAPATH = ("lib/datapath/", "lib/vring/", "lib/fdb/", "lib/frame/")
FUNCTION_LINES = 75
OTHER_ATOMICS = re.compile(r"\b(__atomic_\w+|__sync_\w+|rte_atomic\w+|rte_smp_\w+|volatile bool)\b")

problems = []


def sources(*patterns):
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE).stdout
    return [name for name in listing.splitlines() if (ROOT / name).exists()]


def check_file_length(name, lines):
    limit = DATAPATH_LINES if name.startswith(DATAPATH) else FILE_LINES
    if len(lines) > limit:
        problems.append(f"{name}: {len(lines)} lines, more than {limit}")


def check_function_length(name, lines):
    begin = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            begin = number
        elif line == "}" and begin is not None:
            if number - begin > FUNCTION_LINES:
                problems.append(f"{name}:{begin}: a function of {number - begin} lines")
            begin = None


def check_licence(name, lines):
    if not any("SPDX-License-Identifier: BSD-3-Clause" in line for line in lines[:3]):
        problems.append(f"{name}: no SPDX line at its top")


def layer_of(path):
    parts = path.split("/")
    if parts[:2] == ["lib", "features"] and parts[-1] in CONTROL_FILES:
        return LAYERS.index("control")
    return LAYERS.index(parts[1]) if parts[0] == "lib" and parts[1] in LAYERS else None


def check_layers(name, lines):
    own = layer_of(name)
    if own is None:
        return
    for number, line in enumerate(lines, 1):
        match = re.match(r'#include "([a-z0-9_]+)/', line)
        if not match:
            continue
        used = match.group(1)
        if used not in LAYERS or LAYERS.index(used) > own:
            problems.append(f"{name}:{number}: {LAYERS[own]} must not use {used}")


def check_atomics(name, lines):
    for number, line in enumerate(lines, 1):
        match = OTHER_ATOMICS.search(line)
        if match:
            problems.append(f"{name}:{number}: {match.group()}: atomics are those of C11, stdatomic.h "
                            "and base/shared.h")


def header_command(build):
    """The compiler flags of the build with every include folder."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if entry["file"].endswith("app/shuntd/main.c"):
            words = shlex.split(entry["command"])
            return [w for w in words if w.startswith(("-I", "-D", "-m", "-include", "-isystem"))
                    or w == "rte_config.h" or w.startswith("/usr/include")], entry["directory"]
    return None, None


def check_headers(build):
    flags, folder = header_command(build)
    if flags is None:
        problems.append(f"{build}: no compile command of app/shuntd/main.c")
        return
    names = [n for n in sources("lib/*.h", "drivers/*.h", "app/*.h")]
    for name in names:
        own = ["-iquote", str(ROOT / Path(name).parent)]
        done = subprocess.run(["gcc", *flags, *own, "-I", str(ROOT / "app/shunt"), "-fsyntax-only",
                               "-x", "c", str(ROOT / name)], cwd=folder, text=True,
                              stderr=subprocess.PIPE)
        if done.returncode != 0:
            problems.append(f"{name}: does not compile alone: {done.stderr.splitlines()[0]}")


def main():
    for name in sources("*.c", "*.h", "*.py"):
        lines = (ROOT / name).read_text().splitlines()
        check_licence(name, lines)
        check_file_length(name, lines)
        if name.endswith((".c", ".h")):
            check_function_length(name, lines)
            check_atomics(name, lines)
            check_layers(name, lines)
    check_headers(ROOT / sys.argv[1])
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
