#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Check that the documents are true.

doc/packet-walk.md names files and functions as `function()` in `file`: both must exist, and the
function in that file. Links between documents lead to existing targets. Pictures are those of their
source text. The version is that of meson.build everywhere. The manual page of shunt-vm, built in
the folder given as argument, or build, contains every mode and option of its help.
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


def check_versions():
    version = re.search(r"version: '(.*)'", (ROOT / "meson.build").read_text())[1]
    for name, form in (("NEWS", rf"Shunt {re.escape(version)}\n"),
                       ("debian/changelog", rf"shunt \({re.escape(version)}\) ")):
        if not re.match(form, (ROOT / name).read_text()):
            problems.append(f"{name}: does not begin with version {version}, that of meson.build")


def check_shunt_vm(build):
    text = subprocess.run([build / "app/shunt-vm", "--help"], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    page = (ROOT / "doc/shunt-vm.1").read_text().replace("\\-", "-")
    words = set(re.findall(r"--[a-z-]+[a-z]|\b[a-z-]+(?==(?:on|[A-Z]))", text))
    words |= set(re.findall(r"^  ([a-z]+)\b.*\(\d+(?: or more)?\)$", text, re.MULTILINE))
    for word in sorted(words):
        if not re.search(rf"(?<![a-z-]){word}(?![a-z-])", page):
            problems.append(f"doc/shunt-vm.1: has no {word}, which shunt-vm --help has")


def main():
    check_walk()
    check_versions()
    check_shunt_vm(ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build"))
    for name in documents():
        check_names(name, (ROOT / name).read_text())
    check_pictures()
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
