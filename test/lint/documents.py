#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Keep the documents true.

doc/packet-walk.md names files and functions as `function()` in `file`: both must exist, the one in
the other. Links between documents lead somewhere. Pictures are those of their source text.
"""
import hashlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
WALK = "doc/packet-walk.md"
STEP = re.compile(r"`([a-z_0-9]+)\(\)`\s+in\s+`([a-z_0-9/.]+)`")
CODE_FILE = re.compile(r"`((?:lib|drivers|app|test|doc|config)/[A-Za-z_0-9/.{},-]+)`")
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")

problems = []


def documents():
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE).stdout
    return listing.splitlines()


def check_walk():
    text = (ROOT / WALK).read_text()
    steps = STEP.findall(text)
    if len(steps) < 10:
        problems.append(f"{WALK}: only {len(steps)} steps of the form `function()` in `file`")
    for function, name in steps:
        path = ROOT / name
        if not path.is_file():
            problems.append(f"{WALK}: no file {name}")
        elif not re.search(rf"^{function}\(", path.read_text(), re.MULTILINE) and \
                not re.search(rf"\b{function}\b", path.read_text()):
            problems.append(f"{WALK}: no {function}() in {name}")


def check_names(name, text):
    for path in CODE_FILE.findall(text):
        if "{" in path:
            continue
        if not (ROOT / path).exists():
            problems.append(f"{name}: there is no {path}")
    for target in LINK.findall(text):
        if "://" in target:
            continue
        if not (ROOT / name).parent.joinpath(target).exists():
            problems.append(f"{name}: a link to {target}, which is not there")


def check_pictures():
    for source in ROOT.glob("doc/*.dot"):
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        picture = source.with_suffix(".svg")
        if not picture.exists() or digest not in picture.read_text():
            problems.append(f"{picture.relative_to(ROOT)}: not drawn from {source.name} as it is "
                            f"now; run doc/draw.sh")


def main():
    check_walk()
    for name in documents():
        check_names(name, (ROOT / name).read_text())
    check_pictures()
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
