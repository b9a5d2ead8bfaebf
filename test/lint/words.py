#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Words that doc/glossary.md has struck are not used.

Those of its table do not occur as parts of names in the code; pronouns for persons occur neither in
documents nor in comments and texts of the code.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
GLOSSARY = ROOT / "doc/glossary.md"
HEADING = "## Words that are not used"
ROW = re.compile(r"^\| ([a-z, ]+) \| ([^|]+) \|$", re.MULTILINE)
PERSONS = re.compile(r"\b(?:no|some|any|every)body\b", re.IGNORECASE)
NO_CODE = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\])*"|^#[ \t]*include[^\n]*', re.DOTALL | re.MULTILINE)


def struck():
    """{word: the word to be used instead}"""
    text = GLOSSARY.read_text().partition(HEADING)[2]
    return {word: better for words, better in ROW.findall(text) if words != "not"
            for word in words.split(", ")}


def names(path):
    """(line, name) of all in a file, comments, strings and included files left out."""
    blank = NO_CODE.sub(lambda found: "\n" * found.group().count("\n"), path.read_text())
    for number, line in enumerate(blank.splitlines(), 1):
        for name in re.findall(r"[A-Za-z_]\w*", line):
            yield number, name


def files(*patterns):
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE).stdout.split()
    return [name for name in listing if (ROOT / name).exists()]


def persons(name):
    """Lines that use a pronoun for persons for a guest, device, front end, lcore or port."""
    for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
        for found in PERSONS.findall(line):
            yield f"{name}:{number}: '{found}': name the guest, device, front end, lcore or port"


def main():
    words = struck()
    if len(words) < 10:
        sys.exit(f"{GLOSSARY.name}: only {len(words)} words below '{HEADING}'")
    code = files("lib/*.[ch]", "drivers/*.[ch]", "app/*.[ch]")
    bad = [f"{name}:{number}: {found}: not '{word}' but {words[word]} (doc/glossary.md)"
           for name in code for number, found in names(ROOT / name)
           for word in sorted(set(found.lower().split("_")) & set(words))]
    documents = files("*.md", "doc/*.[18]", "NEWS", "config/*", "debian/*")
    bad += [line for name in [*code, *documents] if ROOT / name != GLOSSARY
            for line in persons(name)]
    for line in bad:
        print(line)
    sys.exit(1 if bad else 0)


main()
