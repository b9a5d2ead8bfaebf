#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Words that doc/glossary.md has struck do not come back as parts of names in the code."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
GLOSSARY = ROOT / "doc/glossary.md"
HEADING = "## Words that are not used"
ROW = re.compile(r"^\| ([a-z, ]+) \| ([^|]+) \|$", re.MULTILINE)
NO_CODE = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\])*"|^#[ \t]*include[^\n]*', re.DOTALL | re.MULTILINE)


def struck():
    """{word: what is said instead}"""
    text = GLOSSARY.read_text().partition(HEADING)[2]
    return {word: better for words, better in ROW.findall(text) if words != "not"
            for word in words.split(", ")}


def names(path):
    """(line, name) of all in a file, comments, strings and included files left out."""
    blank = NO_CODE.sub(lambda found: "\n" * found.group().count("\n"), path.read_text())
    for number, line in enumerate(blank.splitlines(), 1):
        for name in re.findall(r"[A-Za-z_]\w*", line):
            yield number, name


def main():
    words = struck()
    if len(words) < 10:
        sys.exit(f"{GLOSSARY.name}: only {len(words)} words below '{HEADING}'")
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--",
         "lib/*.[ch]", "drivers/*.[ch]", "app/*.[ch]"],
        cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE).stdout.split()
    bad = [f"{name}:{number}: {found}: not '{word}' but {words[word]} (doc/glossary.md)"
           for name in listing if (ROOT / name).exists()
           for number, found in names(ROOT / name)
           for word in sorted(set(found.lower().split("_")) & set(words))]
    for line in bad:
        print(line)
    sys.exit(1 if bad else 0)


main()
